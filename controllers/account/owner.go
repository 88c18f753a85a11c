// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// ClusterID is the one that was asked for or, without one, the UID of kube-system, which lives as long as the cluster.
func ClusterID(ctx context.Context, reader client.Reader, wanted string) (string, error) {
	if wanted != "" {
		return wanted, nil
	}
	var namespace metav1.PartialObjectMetadata
	namespace.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	if err := reader.Get(ctx, client.ObjectKey{Name: metav1.NamespaceSystem}, &namespace); err != nil {
		return "", fmt.Errorf("reading the UID of kube-system, the default of --cluster-id: %w", err)
	}
	return string(namespace.UID), nil
}

// OwnerMark is the value of the owner mark of a resource: its identity at Medblocks.
func OwnerMark(clusterID string, who Resource) string {
	return clusterID + "/" + who.Namespace + "/" + who.Name
}

// ownerOf is the resource of this cluster that an endpoint's owner mark names.
func ownerOf(endpoint *medblocks.Endpoint, clusterID string) (Resource, bool) {
	if endpoint == nil {
		return Resource{}, false
	}
	return OwnerOf(endpoint.Metadata[v1alpha1.MarkOwner], clusterID)
}

// OwnerOf is the resource of this cluster that an owner mark names.
func OwnerOf(mark, clusterID string) (Resource, bool) {
	rest, ok := strings.CutPrefix(mark, clusterID+"/")
	if !ok {
		return Resource{}, false
	}
	namespace, name, ok := strings.Cut(rest, "/")
	return Resource{Namespace: namespace, Name: name}, ok && namespace != "" && !strings.Contains(name, "/") // no resource has such a name
}

// affected names the users of the account that a change concerns: those that look at the endpoint, and those that
// manage it, by the owner mark before and after it and by its id.
func (a *Account) affected(c Change) []Resource {
	a.mu.Lock()
	defer a.mu.Unlock()
	concerned := a.users.of(c.ID)
	for _, endpoint := range []*medblocks.Endpoint{c.Old, c.New} {
		if who, ok := ownerOf(endpoint, a.clusterID); ok && a.users.has(who) && !slices.Contains(concerned, who) {
			concerned = append(concerned, who)
		}
	}
	return concerned
}
