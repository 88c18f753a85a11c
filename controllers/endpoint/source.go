// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// sourceView is what the user's Secret holds that the signing secret is copied from.
type sourceView struct {
	// problem is why there is nothing to copy; empty: there is.
	problem string
	value   medblocks.Secret
	readAt  time.Time
}

// sourceRead is when which source was read last.
type sourceRead struct {
	name string
	at   time.Time
}

// signingSecret is the shape of a signing secret at Medblocks.
var signingSecret = regexp.MustCompile(`^whsec_[0-9A-Za-z_+/=.\-]{1,1000}$`)

// observeSource reads the user's Secret live. It is theirs: it is never cached, and never written.
func (r *Reconciler) observeSource(ctx context.Context, w *work) error {
	ref := sourceOf(w.res)
	var secret corev1.Secret
	err := r.APIReader.Get(ctx, client.ObjectKey{Namespace: w.res.Namespace, Name: ref.Name}, &secret)
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("reading the Secret that spec.adopt.existingSecretRef names: %w", err)
	}
	now := r.Clock.Now()
	w.obs.source = viewOfSource(&secret, err == nil, ref)
	w.obs.source.readAt = now
	w.mem.source = sourceRead{name: nameOfSource(ref), at: now}
	w.obs.sourceDue = now.Add(r.PollInterval)
	return nil
}

// viewOfSource forgives white space around the value, as a file that was put into a Secret often has it.
func viewOfSource(secret *corev1.Secret, exists bool, ref *v1alpha1.SecretKeyReference) *sourceView {
	raw, there := secret.Data[ref.Key]
	value := strings.TrimSpace(string(raw))
	switch {
	case !exists:
		return &sourceView{problem: fmt.Sprintf("Secret %q with the endpoint's signing secret does not exist: create it, or correct spec.adopt.existingSecretRef.name", ref.Name)}
	case !there:
		return &sourceView{problem: fmt.Sprintf("Secret %q has no key %q: add it with the endpoint's signing secret, or correct spec.adopt.existingSecretRef.key", ref.Name, ref.Key)}
	case !signingSecret.MatchString(value):
		return &sourceView{problem: fmt.Sprintf("key %q in Secret %q, which spec.adopt.existingSecretRef names, is not a signing secret (whsec_…): put the endpoint's there", ref.Key, ref.Name)}
	}
	return &sourceView{value: medblocks.Secret(value)}
}

// sourceDue is when the source is to be read again; zero: at once.
func (r *Reconciler) sourceDue(w *work) time.Time {
	ref := sourceOf(w.res)
	if ref == nil || w.mem.source.name != nameOfSource(ref) {
		return time.Time{}
	}
	return w.mem.source.at.Add(r.PollInterval)
}
