// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

// The older claim wins by its age and not by its name.
const (
	older   = "zz-older"
	younger = "aa-younger"
)

func signingSecretName(name string) func(*v1alpha1.MedblocksWebhookEndpoint) {
	return func(res *v1alpha1.MedblocksWebhookEndpoint) {
		res.Spec.SigningSecret = &v1alpha1.SigningSecretSpec{Name: name}
	}
}

// createBoth creates two resources that the API server gives different ages, which are whole seconds.
func (w *world) createBoth(tweak func(*v1alpha1.MedblocksWebhookEndpoint)) {
	w.t.Helper()
	first := w.create(older, tweak)
	w.Eventually(time.Now).Should(BeTemporally(">=", first.CreationTimestamp.Add(time.Second)))
	second := w.create(younger, tweak)
	w.Expect(second.CreationTimestamp.Time).To(BeTemporally(">", first.CreationTimestamp.Time))
}

func TestOfTwoAdoptersOfOneEndpointTheOlderOneGetsItAndTheOtherSaysSo(t *testing.T) {
	w := newWorld(t, func(s *setup) { s.idle = true })
	target := w.stranger()
	w.createBoth(adopt(target.ID))
	w.startOperator()
	w.untilReady(older)
	w.until(younger, beStalled(v1alpha1.ReasonConflict, target.ID, older, "spec.adopt"), have(v1alpha1.ConditionSynced, isFalse, v1alpha1.ReasonConflict))
	w.settle()
	w.Expect(w.rotations()).To(HaveLen(1))
	w.Expect(w.owned(older)).To(HaveLen(1))
	w.Expect(w.get(younger).Finalizers).To(BeEmpty(), "it has nothing to clean up")
	w.Expect(w.secret(younger + "-signing-secret")).To(BeNil())

	w.forget()
	w.change(older, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.DeletionPolicy = v1alpha1.DeletionOrphan })
	w.delete(older)
	w.untilGone(older)
	w.Expect(w.untilReady(younger).Status.EndpointID).To(Equal(target.ID), "its turn has come")
	w.untilSecretHolds(younger, younger+"-signing-secret")
}

func TestAnAdopterThatComesLaterGetsTheEndpointOnceTheFirstOneLetsItGo(t *testing.T) {
	w := newWorld(t)
	w.expects.leftBehind = true
	target := w.stranger()
	w.createReady(hooks, adopt(target.ID))
	w.create("heir", adopt(target.ID))
	w.until("heir", beStalled(v1alpha1.ReasonConflict, target.ID, hooks))
	w.settle()
	w.untilReady(hooks)
	w.Expect(w.rotations()).To(HaveLen(1))

	w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.Adopt = nil })
	w.untilReady("heir")
	w.until(hooks, beStalled(v1alpha1.ReasonOwnershipLost, w.ownerMark("heir")))
	w.untilSecretHolds("heir", "heir-signing-secret")
}

func TestAResourceWhoseKeyCannotSeeTheEndpointKeepsNobodyFromAdoptingIt(t *testing.T) {
	w := newWorld(t, func(s *setup) { s.idle = true })
	target := w.stranger()
	const other = "mb_sk_sbx_another_workspace_0123456789"
	w.secrets.Keep(other)
	w.Expect(w.vendor.SetKey(emulator.Key{APIKey: other, Workspace: "another"})).To(Succeed())
	w.createSecret("another", map[string]string{v1alpha1.DefaultAPIKeySecretKey: other})
	blind := func(res *v1alpha1.MedblocksWebhookEndpoint) {
		if res.Name == older {
			res.Spec.APIKeySecretRef.Name = "another"
		}
	}
	w.createBoth(func(res *v1alpha1.MedblocksWebhookEndpoint) { adopt(target.ID)(res); blind(res) })
	w.startOperator()
	w.untilReady(younger)
	w.until(older, beStalled(v1alpha1.ReasonAdoptionTargetNotFound, target.ID))
}

func TestAResourceThatItsAccountDoesNotAllowKeepsNobodyFromAdoptingAnEndpoint(t *testing.T) {
	w := newAccountWorld(t)
	target := w.stranger()
	w.createAccount(func(acct *v1alpha1.MedblocksAccount) { allowHosts("receiver.example.com")(&acct.Spec) })
	w.untilAccountReady()
	w.createBoth(func(res *v1alpha1.MedblocksWebhookEndpoint) {
		w.byAccount(res)
		adopt(target.ID)(res)
		res.Spec.URL = "https://receiver.example.com/hooks"
		if res.Name == older {
			res.Spec.URL = "https://elsewhere.example.com/hooks"
		}
	})
	w.until(older, beStalled(v1alpha1.ReasonNotAllowed))
	w.Expect(w.untilReady(younger).Status.EndpointID).To(Equal(target.ID))
	w.change(older, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.URL = "https://receiver.example.com/older" })
	w.until(older, beStalled(v1alpha1.ReasonConflict, younger))
}

// TestAnAdoptionInTheMiddleOfARotationWaitsForItsEnd: otherwise the rotation of the former owner comes after the heir's, and the
// heir's Secret is outdated although nothing says so.
func TestAnAdoptionInTheMiddleOfARotationWaitsForItsEnd(t *testing.T) {
	w := newWorld(t)
	w.expects.leftBehind = true
	target := w.createReady(hooks).Status.EndpointID
	w.advance(2 * w.options.apiTimeout) // right after its start the operator waits anyway
	w.settle()
	w.forget()
	done := false
	w.vendor.SetHook(func(call emulator.HookCall) error {
		if call.Operation == emulator.OperationRotateSecret && call.Phase == emulator.PhaseBefore && !done {
			done = true
			w.create("heir", adopt(target))
			// Given as long as it would take, the heir does not write.
			w.Consistently(w.owned, "500ms").WithArguments("heir").Should(BeEmpty())
		}
		return nil
	})
	w.annotate(hooks, v1alpha1.AnnotationRotateSecretRequestedAt, "now")
	w.untilReady("heir")
	w.until(hooks, beStalled(v1alpha1.ReasonOwnershipLost, w.ownerMark("heir")))
	w.untilSecretHolds("heir", "heir-signing-secret")
	w.Expect(done).To(BeTrue())
}

func TestOfTwoResourcesWithOneSigningSecretTheOlderOneGetsItAndTheOtherRegistersNothing(t *testing.T) {
	w := newWorld(t, func(s *setup) { s.idle = true })
	w.createBoth(signingSecretName("shared"))
	w.startOperator()
	w.untilReady(older)
	w.until(younger, beStalled(v1alpha1.ReasonConflict, `"shared"`, older, "spec.signingSecret.name"),
		have(v1alpha1.ConditionSigningSecretReady, isFalse, v1alpha1.ReasonNotOwned, older))
	w.settle()
	w.Expect(w.calls(emulator.OperationCreateEndpoint)).To(HaveLen(1))
	w.untilSecretHolds(older, "shared")

	w.delete(older)
	w.untilGone(older)
	w.untilReady(younger)
	w.untilSecretHolds(younger, "shared")
}

func TestAResourceThatIsRenamedIntoAnotherOnesSecretKeepsItsOwn(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks)
	w.createReady("other")
	value := w.value(signing)
	w.settle()
	w.forget()
	w.change(hooks, signingSecretName("other-signing-secret"))
	w.until(hooks, beStalled(v1alpha1.ReasonConflict, "other-signing-secret", "other"))
	w.settle()
	w.Expect(w.value(signing)).To(Equal(value))
	w.untilSecretHolds("other", "other-signing-secret")

	w.change("other", signingSecretName("elsewhere"))
	w.untilReady(hooks)
	w.untilReady("other")
	w.Expect(w.value("other-signing-secret")).To(Equal(value), "it has moved")
	w.untilSecretHolds("other", "elsewhere")
	w.settle()
	w.Expect(w.secret(signing)).To(BeNil())
	w.Expect(writes(w.calls())).To(BeEmpty())
}

// TestASecretLeftInTheMiddleOfTwoMovesIsRemoved: the operator ended after it had moved a Secret and before it had said so, and the
// Secret was renamed again meanwhile.
func TestASecretLeftInTheMiddleOfTwoMovesIsRemoved(t *testing.T) {
	for name, is := range map[string]struct {
		first, middle string
		firstIsGone   bool
	}{
		"before the first one was deleted":           {signing, "middle", false},
		"after that":                                 {signing, "middle", true},
		"and the middle one has the name by default": {"first", signing, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.createReady(hooks, signingSecretName(is.first))
			w.settle()
			w.forget()
			value := w.value(is.first)
			w.stopOperator()
			for _, copied := range []string{is.middle, "backup"} {
				secret := w.secret(is.first)
				secret.ObjectMeta = metav1.ObjectMeta{Namespace: w.namespace, Name: copied, Labels: secret.Labels, Annotations: secret.Annotations}
				if copied == is.middle {
					secret.Annotations[v1alpha1.AnnotationSecretName] = copied
				}
				w.Expect(shared.admin.Create(w.context(), secret)).To(Succeed())
			}
			if is.firstIsGone {
				w.deleteSecret(is.first)
			}
			w.change(hooks, signingSecretName("last"))
			w.startOperator()
			w.Eventually(func() string { return w.value("last") }).Should(Equal(value))
			w.Eventually(func() any { return w.secret(is.middle) }).Should(BeNil())
			w.Eventually(func() any { return w.secret(is.first) }).Should(BeNil())
			w.untilReady(hooks)
			w.settle()
			w.Expect(w.value("backup")).To(Equal(value), "a copy that somebody made under another name is theirs")
			w.Expect(w.rotations()).To(BeEmpty())
		})
	}
}
