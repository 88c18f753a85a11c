// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// secrets is where signing Secrets are read that are only looked at: the cache, if there may be one of Secrets.
func (r *Reconciler) secrets() client.Reader {
	if r.SecretsByName {
		return r.APIReader
	}
	return r.Client
}

// indexOwner is the index of cached Secrets by their owner annotation. Almost all have the name that a resource's Secret has by default:
// they are found by it, and left out. An entry takes half as much memory as a Secret.
const indexOwner = "owner"

func ownersOfSecret(secret client.Object) []string {
	owner := secret.GetAnnotations()[v1alpha1.AnnotationOwner]
	if owner == "" || owner+v1alpha1.DefaultSigningSecretSuffix == secret.GetNamespace()+"/"+secret.GetName() {
		return nil
	}
	return []string{owner}
}

// leftSecrets are the resource's Secrets but for the one that it should have, as far as they have the operator's label. One that was
// copied to another name, by a person or a tool, is theirs: it still says what it was copied from.
func (r *Reconciler) leftSecrets(ctx context.Context, res *v1alpha1.MedblocksWebhookEndpoint) ([]secretView, error) {
	var owned corev1.SecretList
	var err error
	unindexed := []string{res.Name + v1alpha1.DefaultSigningSecretSuffix}
	if r.SecretsByName {
		unindexed = append(unindexed, notedNames(res)...)
	} else {
		err = r.Client.List(ctx, &owned, client.InNamespace(res.Namespace), client.MatchingFields{indexOwner: ownerAnnotation(res)})
	}
	if err == nil {
		err = r.addByName(ctx, res, unindexed, &owned)
	}
	if err != nil {
		return nil, fmt.Errorf("looking for the resource's Secrets: %w", err)
	}
	var views []secretView
	for i := range owned.Items {
		if secret := &owned.Items[i]; secret.Annotations[v1alpha1.AnnotationSecretName] == secret.Name {
			views = append(views, viewOf(secret, res))
		}
	}
	slices.SortFunc(views, func(a, b secretView) int { return strings.Compare(a.name, b.name) })
	return views, nil
}

// addByName adds Secrets of the resource, but for the one that the spec wants.
func (r *Reconciler) addByName(ctx context.Context, res *v1alpha1.MedblocksWebhookEndpoint, names []string, owned *corev1.SecretList) error {
	for _, name := range names {
		if name == res.SigningSecretName() {
			continue
		}
		secret, err := getSecret(ctx, r.secrets(), res.Namespace, name)
		if err != nil {
			return err
		}
		if secret != nil && secret.Annotations[v1alpha1.AnnotationOwner] == ownerAnnotation(res) {
			owned.Items = append(owned.Items, *secret)
		}
	}
	return nil
}

// secretNames is the annotation in which names of signing Secrets are noted, if Secrets cannot be listed. A Secret is written before the
// status: after a crash in between, and under yet another name in the spec, nothing else would lead to it.
type secretNames struct {
	// UID of the resource: the annotation of a restored or copied resource is somebody else's.
	UID   types.UID `json:"uid"`
	Names []string  `json:"names"`
}

// maxNotedNames is far more than a resource ever leaves behind. Each costs a read, and whoever may edit the resource may write the annotation.
const maxNotedNames = 20

// notedNames are those in the annotation of this incarnation of the resource. One that somebody damaged says nothing, and of too many only
// the last ones count.
func notedNames(res *v1alpha1.MedblocksWebhookEndpoint) []string {
	var noted secretNames
	err := json.Unmarshal([]byte(res.Annotations[v1alpha1.AnnotationSecretNames]), &noted)
	if err != nil || noted.UID != res.UID {
		return nil
	}
	names := slices.DeleteFunc(noted.Names, func(name string) bool { return len(validation.IsDNS1123Subdomain(name)) > 0 })
	return names[max(len(names)-maxNotedNames, 0):]
}

// isKnownName tells whether the resource leads to a Secret of that name, whatever becomes of the spec.
func isKnownName(res *v1alpha1.MedblocksWebhookEndpoint, name string) bool {
	return name == res.Name+v1alpha1.DefaultSigningSecretSuffix || slices.Contains(notedNames(res), name) ||
		(res.Status.SigningSecret != nil && res.Status.SigningSecret.Name == name)
}

// noteSecretName comes before the first write of a reconcile, which may be the first that leads to a Secret of that name. Names of Secrets
// that are gone are dropped.
func (r *Reconciler) noteSecretName(ctx context.Context, w *work) error {
	name := w.res.SigningSecretName()
	if !r.SecretsByName || w.res.Observes() || !w.res.DeletionTimestamp.IsZero() || isKnownName(w.res, name) {
		return nil
	}
	stays := func(name string) bool {
		return slices.ContainsFunc(w.obs.former, func(s *secretView) bool { return s.name == name && s.exists && s.owned })
	}
	noted := slices.DeleteFunc(notedNames(w.res), func(name string) bool { return !stays(name) })
	raw, err := json.Marshal(secretNames{UID: w.res.UID, Names: append(noted, name)})
	if err != nil {
		return fmt.Errorf("noting the name of the signing Secret: %w", err)
	}
	return r.patchMetadata(ctx, w, step{}, map[string]any{
		"resourceVersion": w.res.ResourceVersion,
		"annotations":     map[string]string{v1alpha1.AnnotationSecretNames: string(raw)},
	})
}

// leaveSecrets lets a deletion go on that Secrets which may not be read would hold up for ever: a person has asked for that, or the namespace
// is going. That may lose the operator's RoleBinding before anything else, takes no new one, and takes its Secrets with it.
func (r *Reconciler) leaveSecrets(ctx context.Context, w *work, unread error) error {
	if barred := (*unreadableError)(nil); !errors.As(unread, &barred) || w.res.DeletionTimestamp.IsZero() {
		return unread
	}
	if !released(w.res) {
		if err := r.observeNamespace(ctx, w); err != nil {
			return errors.Join(unread, err)
		}
		if !*w.obs.namespaceTerminating {
			return unread
		}
	}
	name := w.res.SigningSecretName()
	log.FromContext(ctx).Info("The signing Secret may not be read, and is left to whoever may", "secret", name)
	w.obs.secret, w.obs.former = secretView{name: name, live: true}, nil
	return nil
}

// nextLook is when the signing Secret is to be looked at again, if nobody tells that it was changed; zero: somebody does. They are spread a
// little, so that the resources that came together at the start do not stay together.
func (r *Reconciler) nextLook() time.Time {
	if !r.SecretsByName {
		return time.Time{}
	}
	return r.Clock.Now().Add(wait.Jitter(r.PollInterval, 0.1))
}
