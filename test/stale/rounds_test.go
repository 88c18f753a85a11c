// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package stale

import (
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
	"github.com/medblocks/webhook-operator/test/lab"
)

// keepsakes are what a change takes away, for undoing it.
type keepsakes map[string]any

func rounds() []round {
	all := append(specRounds(), requestRounds()...)
	all = append(all, secretRounds()...)
	all = append(all, vendorRounds()...)
	return append(all, lifeRounds()...)
}

// edit is a round of two edits of the resource.
func edit(name string, there, back func(*lab.Resource)) round {
	return round{
		name:   name,
		change: func(w *lab.World, _ keepsakes) { w.Change(hooks, there) },
		undo:   func(w *lab.World, _ keepsakes) { w.Change(hooks, back) },
	}
}

// specRounds change the spec and change it back.
func specRounds() []round {
	return []round{
		edit("the URL",
			func(res *lab.Resource) { res.Spec.URL += "?version=2" },
			func(res *lab.Resource) { res.Spec.URL = res.Spec.URL[:len(res.Spec.URL)-len("?version=2")] }),
		edit("description, events and metadata",
			func(res *lab.Resource) {
				res.Spec.Description, res.Spec.Metadata = "other", map[string]v1alpha1.MetadataValue{"team": "intake"}
				res.Spec.Events = res.Spec.Events[:1]
			},
			func(res *lab.Resource) {
				res.Spec.Description, res.Spec.Metadata = "", nil
				res.Spec.Events = append(res.Spec.Events, v1alpha1.EventRecordsSyncFailed)
			}),
		edit("state Disabled",
			func(res *lab.Resource) { res.Spec.State = v1alpha1.StateDisabled },
			func(res *lab.Resource) { res.Spec.State = "" }),
		edit("suspend",
			func(res *lab.Resource) { res.Spec.Suspend = true },
			func(res *lab.Resource) { res.Spec.Suspend = false }),
		edit("another name for the Secret",
			func(res *lab.Resource) { res.Spec.SigningSecret = &v1alpha1.SigningSecretSpec{Name: "other"} },
			func(res *lab.Resource) { res.Spec.SigningSecret = nil }),
		edit("another Secret with the API key",
			func(res *lab.Resource) { res.Spec.APIKeySecretRef.Name = "missing" },
			func(res *lab.Resource) { res.Spec.APIKeySecretRef.Name = lab.KeySecret }),
		edit("what is managed and what is left",
			func(res *lab.Resource) {
				res.Spec.ManagementPolicy, res.Spec.DeletionPolicy = v1alpha1.ManagementObserve, v1alpha1.DeletionOrphan
			},
			func(res *lab.Resource) { res.Spec.ManagementPolicy, res.Spec.DeletionPolicy = "", "" }),
	}
}

// requestRounds set annotations and take them off.
func requestRounds() []round {
	annotation := func(name, key, value string) round {
		return edit(name,
			func(res *lab.Resource) { metav1.SetMetaDataAnnotation(&res.ObjectMeta, key, value) },
			func(res *lab.Resource) { delete(res.Annotations, key) })
	}
	return []round{
		annotation("a request to rotate", v1alpha1.AnnotationRotateSecretRequestedAt, "now"),
		annotation("a request to re-enable", v1alpha1.AnnotationReenableRequestedAt, "now"),
		annotation("a request to register again", v1alpha1.AnnotationReregisterRequestedAt, "now"),
		annotation("a release", v1alpha1.AnnotationRelease, "true"),
		{
			name:    "two requests to rotate",
			prepare: rotate("before"),
			change:  func(w *lab.World, _ keepsakes) { rotate("first")(w) },
			undo:    func(w *lab.World, _ keepsakes) { rotate("second")(w) },
			instead: rotate("second"),
			calls:   calls{rotations: 1}, busy: true,
		},
	}
}

// secretRounds are about the signing Secret and the one with the key.
func secretRounds() []round {
	return []round{
		{
			name: "the Secret deleted and restored", since: 3,
			change: func(w *lab.World, kept keepsakes) {
				keepSecret(w, kept, signing)
				w.DeleteSecret(signing)
			},
			undo: func(w *lab.World, kept keepsakes) { restoreSecret(w, kept, signing) },
		},
		{
			name:    "the Secret deleted and an older one restored",
			prepare: keepAndRotate,
			change:  func(w *lab.World, _ keepsakes) { w.DeleteSecret(signing) },
			undo:    func(w *lab.World, _ keepsakes) { restoreCopy(w) },
			instead: restoreCopy,
			calls:   calls{rotations: 1}, busy: true,
		},
		{
			name: "the Secret's value changed and put back", since: 3,
			change: func(w *lab.World, kept keepsakes) {
				keepSecret(w, kept, signing)
				w.ChangeSecret(signing, func(s *corev1.Secret) { s.Data[v1alpha1.SecretKeyValue] = []byte("whsec_tampered") })
			},
			undo: func(w *lab.World, kept keepsakes) { restoreSecret(w, kept, signing) },
		},
		{
			name: "the Secret's label and annotations removed and put back", since: 3,
			change: func(w *lab.World, kept keepsakes) {
				keepSecret(w, kept, signing)
				w.ChangeSecret(signing, func(s *corev1.Secret) { s.Labels, s.Annotations = nil, nil })
			},
			undo: func(w *lab.World, kept keepsakes) { restoreSecret(w, kept, signing) },
		},
		{
			name: "the API key deleted and restored",
			change: func(w *lab.World, kept keepsakes) {
				keepSecret(w, kept, lab.KeySecret)
				w.DeleteSecret(lab.KeySecret)
			},
			undo: func(w *lab.World, kept keepsakes) { restoreSecret(w, kept, lab.KeySecret) },
		},
		{
			name: "the API key of another workspace",
			change: func(w *lab.World, _ keepsakes) {
				other := "mb_sk_sbx_other" + w.Namespace
				w.Expect(w.Vendor.SetKey(emulator.Key{APIKey: other, Workspace: "other"})).To(Succeed())
				w.SetKey(other)
			},
			undo: func(w *lab.World, _ keepsakes) { w.SetKey(w.Key) },
		},
	}
}

// vendorRounds change the endpoint at Medblocks.
func vendorRounds() []round {
	set := func(name string, there func(*emulator.Endpoint)) round {
		return round{
			name: name, since: 2, polled: true,
			change: func(w *lab.World, kept keepsakes) {
				was := only(w)
				kept["endpoint"] = was.Endpoint
				w.Expect(w.Vendor.SetEndpoint(was.ID, there)).To(Succeed())
			},
			undo: func(w *lab.World, kept keepsakes) {
				was, ok := kept["endpoint"].(emulator.Endpoint)
				w.Expect(ok).To(BeTrue())
				w.Expect(w.Vendor.SetEndpoint(was.ID, func(e *emulator.Endpoint) { *e = was })).To(Succeed())
			},
		}
	}
	return []round{
		set("disabled at Medblocks", func(e *emulator.Endpoint) { e.Status = emulator.StatusDisabled }),
		set("edited at Medblocks", func(e *emulator.Endpoint) { e.URL, e.Events = "https://other.example.com", []string{"*"} }),
		set("unmarked at Medblocks", func(e *emulator.Endpoint) { e.Metadata = map[string]any{"team": "billing"} }),
		set("taken over at Medblocks", func(e *emulator.Endpoint) {
			e.Metadata = map[string]any{v1alpha1.MarkOwner: "another/team/hooks", v1alpha1.MarkIncarnation: "a", v1alpha1.MarkSecretGeneration: "b"}
		}),
		{
			name: "deleted at Medblocks, and then here", since: 4,
			change:  func(w *lab.World, _ keepsakes) { w.Expect(w.Vendor.RemoveEndpoint(only(w).ID)).To(Succeed()) },
			undo:    func(w *lab.World, _ keepsakes) { remove(w) },
			instead: remove,
			busy:    true, polled: true,
		},
	}
}

// lifeRounds delete the resource and create it again.
func lifeRounds() []round {
	recreate := func(tweaks ...func(*lab.Resource)) func(*lab.World, keepsakes) {
		return func(w *lab.World, _ keepsakes) { w.Create(w.Manifest(hooks, tweaks...)) }
	}
	gone := func(w *lab.World, _ keepsakes) {
		remove(w)
		if w.Get(hooks) != nil {
			strip(w)
		}
		w.Expect(w.Get(hooks)).To(BeNil())
	}
	other := func(res *lab.Resource) { res.Spec.Description = "other" }
	return []round{
		{name: "deleted without a finalizer and recreated", change: gone, undo: recreate(), busy: true},
		{
			name: "deleted without a finalizer and recreated with another spec", change: gone, undo: recreate(other),
			instead: change(other), busy: true,
		},
		{
			name: "deleted without a finalizer, with the Secret, and recreated", since: 3,
			change: func(w *lab.World, kept keepsakes) {
				w.DeleteSecret(signing)
				gone(w, kept)
			},
			undo: recreate(), calls: calls{rotations: 1}, busy: true,
		},
		{
			name: "deleted, and created too early", since: 1,
			change: func(w *lab.World, _ keepsakes) { remove(w) },
			undo: func(w *lab.World, _ keepsakes) {
				if w.Get(hooks) != nil {
					w.Expect(apierrors.IsAlreadyExists(w.Client.Create(w.Context(), w.Manifest(hooks)))).To(BeTrue())
				}
			},
			after: create(), instead: remove, busy: true, final: true, calls: calls{posts: 1, deletes: 1},
		},
		{
			name: "deleted while somebody else has a finalizer", since: 1,
			change: func(w *lab.World, _ keepsakes) {
				w.Change(hooks, func(res *lab.Resource) { res.Finalizers = append(res.Finalizers, metav1.FinalizerOrphanDependents) })
				remove(w)
			},
			after: func(w *lab.World) {
				if w.Get(hooks) != nil {
					w.Expect(w.Get(hooks).Finalizers).To(Equal([]string{metav1.FinalizerOrphanDependents}))
					w.Change(hooks, func(res *lab.Resource) { res.Finalizers = nil })
				}
			},
			instead: remove, busy: true, final: true, lingers: true, calls: calls{deletes: 1},
		},
		edit("the finalizer removed and put back",
			func(res *lab.Resource) { res.Finalizers = nil },
			func(res *lab.Resource) { res.Finalizers = []string{v1alpha1.Finalizer} }),
		{
			name: "the status wiped and restored", since: 4,
			change: func(w *lab.World, kept keepsakes) {
				w.ChangeStatus(hooks, func(s *v1alpha1.MedblocksWebhookEndpointStatus) {
					kept["status"] = *s.DeepCopy()
					*s = v1alpha1.MedblocksWebhookEndpointStatus{ObservedGeneration: -1}
				})
			},
			undo: func(w *lab.World, kept keepsakes) {
				w.ChangeStatus(hooks, func(s *v1alpha1.MedblocksWebhookEndpointStatus) {
					was, ok := kept["status"].(v1alpha1.MedblocksWebhookEndpointStatus)
					w.Expect(ok).To(BeTrue())
					*s = was
				})
			},
		},
	}
}
