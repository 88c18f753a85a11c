// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package stale

import (
	"slices"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
	"github.com/medblocks/webhook-operator/test/lab"
)

// create makes the resource.
func create(tweaks ...func(*lab.Resource)) func(*lab.World) {
	return func(w *lab.World) { w.Create(w.Manifest(hooks, tweaks...)) }
}

// change edits the resource.
func change(edit func(*lab.Resource)) func(*lab.World) {
	return func(w *lab.World) { w.Change(hooks, edit) }
}

func remove(w *lab.World) { w.Delete(hooks) }

func orphaned(res *lab.Resource) { res.Spec.DeletionPolicy = v1alpha1.DeletionOrphan }

func rotate(token string) func(*lab.World) {
	return func(w *lab.World) { w.Annotate(hooks, v1alpha1.AnnotationRotateSecretRequestedAt, token) }
}

func hours(n int) metav1.Duration { return metav1.Duration{Duration: time.Duration(n) * time.Hour} }

func settle(w *lab.World) { w.Settle() }

// all does one thing after the other.
func all(steps ...func(*lab.World)) func(*lab.World) {
	return func(w *lab.World) {
		for _, step := range steps {
			step(w)
		}
	}
}

// adopted is an endpoint that exists before its resource does, and existing a Secret of the user's with its signing secret.
const (
	adopted  = "wh_01J9YR9N3X4VZ6P2K5RH7M3LMP"
	existing = "existing"
)

// stranger adds them.
func stranger(w *lab.World) {
	w.T.Helper()
	added, err := w.Vendor.AddEndpoint(w.Key, emulator.Endpoint{ID: adopted, Metadata: map[string]any{"team": "billing"}})
	w.Expect(err).NotTo(HaveOccurred())
	w.CreateSecret(existing, map[string]string{v1alpha1.SecretKeyValue: added.Secret})
}

// strip takes the finalizer off, as a person does who has lost patience.
func strip(w *lab.World) {
	w.Change(hooks, func(res *lab.Resource) {
		res.Finalizers = slices.DeleteFunc(res.Finalizers, func(f string) bool { return f == v1alpha1.Finalizer })
	})
}

// restore loses the resource without the operator's doing, and puts back what a backup of manifests holds.
func restore(w *lab.World) {
	was := w.Get(hooks)
	w.Expect(was).NotTo(BeNil())
	remove(w)
	if w.Get(hooks) != nil {
		strip(w)
	}
	w.Create(&lab.Resource{ObjectMeta: metav1.ObjectMeta{Namespace: was.Namespace, Name: was.Name}, Spec: was.Spec})
}

// callsTo counts what arrived at Medblocks since the counters were reset.
func callsTo(w *lab.World) calls {
	n := w.Vendor.Counters().Calls
	return calls{
		posts: n[emulator.OperationCreateEndpoint], rotations: n[emulator.OperationRotateSecret], deletes: n[emulator.OperationDeleteEndpoint],
	}
}

// only is the one endpoint of the resource.
func only(w *lab.World) emulator.EndpointWithSecret {
	w.T.Helper()
	owned := w.Owned(hooks)
	w.Expect(owned).To(HaveLen(1))
	return owned[0]
}

// keepSecret keeps what a Secret is.
func keepSecret(w *lab.World, kept keepsakes, name string) {
	w.T.Helper()
	secret := w.Secret(name)
	w.Expect(secret).NotTo(BeNil())
	kept[name] = secret
}

// restoreSecret makes a Secret what it was.
func restoreSecret(w *lab.World, kept keepsakes, name string) {
	w.T.Helper()
	was, ok := kept[name].(*corev1.Secret)
	w.Expect(ok).To(BeTrue())
	put(w, was)
}

// put stores a Secret, whether there is one of this name or not.
func put(w *lab.World, was *corev1.Secret) {
	w.T.Helper()
	if w.Secret(was.Name) == nil {
		w.Expect(w.Client.Create(w.Context(), &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: was.Namespace, Name: was.Name, Labels: was.Labels, Annotations: was.Annotations},
			Type:       was.Type, Data: was.Data,
		})).To(Succeed())
		return
	}
	w.ChangeSecret(was.Name, func(s *corev1.Secret) { s.Labels, s.Annotations, s.Data = was.Labels, was.Annotations, was.Data })
}

// backup is where a copy of the signing Secret is kept in the world itself.
const backup = "backup"

// keepAndRotate copies the signing Secret, and then has it rotated.
func keepAndRotate(w *lab.World) {
	was := w.Secret(signing)
	w.Expect(w.Client.Create(w.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: was.Namespace, Name: backup, Annotations: was.Annotations}, Data: was.Data,
	})).To(Succeed())
	rotate("before")(w)
}

// restoreCopy puts the copy in the place of the signing Secret.
func restoreCopy(w *lab.World) {
	was := w.Secret(backup)
	was.Name, was.Labels = signing, map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy}
	put(w, was)
}
