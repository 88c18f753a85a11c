// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// errSecretMoved: the Secret changed between being read and being written.
var errSecretMoved = errors.New("the Secret was changed meanwhile")

// readSecret looks at a Secret. The cache holds only Secrets with the operator's label, so that "absent" there means
// little; a live read finds one whose label was removed.
func readSecret(ctx context.Context, reader client.Reader, res *v1alpha1.MedblocksWebhookEndpoint, name string) (secretView, error) {
	secret, err := getSecret(ctx, reader, res.Namespace, name)
	if err != nil {
		return secretView{}, err
	}
	if secret == nil {
		return secretView{name: name}, nil
	}
	return viewOf(secret, res), nil
}

// getSecret is nil where there is none.
func getSecret(ctx context.Context, reader client.Reader, namespace, name string) (*corev1.Secret, error) {
	var secret corev1.Secret
	err := reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &secret)
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil //nolint:nilnil // the absence of a Secret is an answer
	case apierrors.IsForbidden(err):
		return nil, &unreadableError{name: name, err: err}
	case err != nil:
		return nil, fmt.Errorf("reading the signing Secret: %w", err)
	}
	return &secret, nil
}

func viewOf(secret *corev1.Secret, res *v1alpha1.MedblocksWebhookEndpoint) secretView {
	value := secret.Data[v1alpha1.SecretKeyValue]
	return secretView{
		name:            secret.Name,
		exists:          true,
		owner:           secret.Annotations[v1alpha1.AnnotationOwner],
		owned:           secret.Annotations[v1alpha1.AnnotationOwner] == ownerAnnotation(res),
		intact:          len(value) > 0 && sameText(secret.Annotations[v1alpha1.AnnotationSecretHash], digest(value)),
		nonce:           secret.Annotations[v1alpha1.AnnotationSecretGeneration],
		rotatedAt:       timeIn(secret, v1alpha1.AnnotationSecretRotatedAt),
		healedAt:        timeIn(secret, v1alpha1.AnnotationSecretHealedAt),
		rotatedFor:      secret.Annotations[v1alpha1.AnnotationSecretRotatedFor],
		copiedFrom:      secret.Annotations[v1alpha1.AnnotationCopiedFrom],
		endpointID:      string(secret.Data[v1alpha1.SecretKeyEndpointID]),
		dressed:         isDressed(secret, res),
		leftovers:       leftoversOf(secret, res),
		resourceVersion: secret.ResourceVersion,
		value:           value,
		last:            secret.Data[v1alpha1.SecretKeyPrevious],
	}
}

// timeIn is zero where nothing readable is there.
func timeIn(secret *corev1.Secret, annotation string) time.Time {
	at, err := time.Parse(time.RFC3339, secret.Annotations[annotation])
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

func ownerAnnotation(res *v1alpha1.MedblocksWebhookEndpoint) string {
	return res.Namespace + "/" + res.Name
}

func digest(value []byte) string {
	sum := sha256.Sum256(value)
	return hex.EncodeToString(sum[:])
}

func sameText(a, b string) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

func contains(all, part map[string]string) bool {
	for key, value := range part {
		if is, ok := all[key]; !ok || is != value {
			return false
		}
	}
	return true
}

func secretLabels(res *v1alpha1.MedblocksWebhookEndpoint) map[string]string {
	labels := map[string]string{}
	if s := res.Spec.SigningSecret; s != nil {
		for key, value := range s.Labels {
			labels[key] = string(value)
		}
	}
	labels[v1alpha1.LabelManagedBy] = v1alpha1.ManagedBy
	return labels
}

func specAnnotations(res *v1alpha1.MedblocksWebhookEndpoint) map[string]string {
	annotations := map[string]string{}
	if s := res.Spec.SigningSecret; s != nil {
		for key, value := range s.Annotations {
			annotations[key] = string(value)
		}
	}
	return annotations
}

// secretContent is what a write puts into the Secret.
type secretContent struct {
	value, previous []byte
	endpointID      string
	nonce           string
	rotatedAt       time.Time
	rotatedFor      string
	healedAt        time.Time // zero: never
	copiedFrom      string
}

// writeSecret creates the Secret, or patches the one that was seen: with its resourceVersion, so that nothing written
// by somebody else meanwhile is lost. It touches only the operator's keys and those that the spec names or has named.
func writeSecret(ctx context.Context, c client.Client, res *v1alpha1.MedblocksWebhookEndpoint, seen secretView, content secretContent, dryRun bool) (secretView, error) {
	annotations := specAnnotations(res)
	maps.Copy(annotations, map[string]string{
		v1alpha1.AnnotationOwner:            ownerAnnotation(res),
		v1alpha1.AnnotationSecretName:       seen.name,
		v1alpha1.AnnotationSecretGeneration: content.nonce,
		v1alpha1.AnnotationSecretHash:       digest(content.value),
		v1alpha1.AnnotationSecretRotatedAt:  content.rotatedAt.UTC().Format(time.RFC3339),
		v1alpha1.AnnotationSecretRotatedFor: content.rotatedFor,
	})
	if !content.healedAt.IsZero() {
		annotations[v1alpha1.AnnotationSecretHealedAt] = content.healedAt.UTC().Format(time.RFC3339)
	}
	if content.copiedFrom != "" {
		annotations[v1alpha1.AnnotationCopiedFrom] = content.copiedFrom
	}
	if applied := appliedOf(res).encode(); applied != "" {
		annotations[v1alpha1.AnnotationSecretApplied] = applied
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: res.Namespace, Name: seen.name, Labels: secretLabels(res), Annotations: annotations,
		},
		Type: corev1.SecretTypeOpaque,
		Data: map[string][]byte{
			v1alpha1.SecretKeyValue:      content.value,
			v1alpha1.SecretKeyEndpointID: []byte(content.endpointID),
		},
	}
	if len(content.previous) > 0 {
		secret.Data[v1alpha1.SecretKeyPrevious] = content.previous
	}
	err := storeSecret(ctx, c, secret, seen, dryRun)
	if err != nil {
		return secretView{}, err
	}
	view := viewOf(secret, res)
	view.live = true
	return view, nil
}

func storeSecret(ctx context.Context, c client.Client, secret *corev1.Secret, seen secretView, dryRun bool) error {
	if !seen.exists {
		var opts []client.CreateOption
		if dryRun {
			opts = append(opts, client.DryRunAll)
		}
		err := c.Create(ctx, secret, opts...)
		if apierrors.IsAlreadyExists(err) {
			return errSecretMoved
		}
		return err
	}
	outdated := slices.Clone(seen.leftovers.annotations)
	if seen.copiedFrom != "" {
		outdated = append(outdated, v1alpha1.AnnotationCopiedFrom) // unless it is set again
	}
	patch, err := mergePatch(map[string]any{
		"metadata": map[string]any{
			"resourceVersion": seen.resourceVersion,
			"labels":          without(secret.Labels, seen.leftovers.labels),
			"annotations":     without(secret.Annotations, outdated),
		},
		"data": secret.Data,
	})
	if err != nil {
		return err
	}
	var opts []client.PatchOption
	if dryRun {
		opts = append(opts, client.DryRunAll)
	}
	err = c.Patch(ctx, secret, patch, opts...)
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return errSecretMoved
	}
	return err
}

// proveWritable finds out by a server-side dry run, with a value of the same shape, whether a secret could be stored:
// quota, admission policies, an immutable Secret and RBAC all speak up here, before Medblocks is asked for anything.
func proveWritable(ctx context.Context, c client.Client, res *v1alpha1.MedblocksWebhookEndpoint, seen secretView) error {
	_, err := writeSecret(ctx, c, res, seen, secretContent{
		value: []byte("dry-run"), previous: seen.value, endpointID: "wh_00000000000000000000000000", nonce: "dry-run",
		rotatedFor: res.Annotations[v1alpha1.AnnotationRotateSecretRequestedAt],
	}, true)
	return err
}

// deleteSecret deletes a Secret of ours; the precondition keeps it from deleting one that took its place.
func deleteSecret(ctx context.Context, c client.Client, res *v1alpha1.MedblocksWebhookEndpoint, seen secretView) error {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: res.Namespace, Name: seen.name}}
	err := c.Delete(ctx, secret, client.Preconditions{ResourceVersion: &seen.resourceVersion})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if apierrors.IsConflict(err) {
		return errSecretMoved
	}
	return err
}

// statusMessage is an API server's explanation without the noise around it. It never holds the value: the API server
// names fields, not contents.
func statusMessage(err error) string {
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		return status.Status().Message
	}
	return "the API server did not say why"
}
