// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"encoding/base64"
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/google/go-cmp/cmp"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/secrecy"
)

func TestMain(m *testing.M) { Main(m, Options{}) }

func TestAWorldSettlesAndIsEqualToAnotherOneWithTheSameStory(t *testing.T) {
	t.Parallel()
	story := func() State {
		w := NewWorld(t)
		w.Start()
		w.Create(w.Manifest("hooks"))
		w.Expect(w.Settle()).To(BeTrue())
		w.CheckInvariants()
		return w.State()
	}
	first, second := story(), story()
	if diff := cmp.Diff(first, second); diff != "" {
		t.Error(diff)
	}
	NewWithT(t).Expect(first.Secrets).To(HaveKeyWithValue("hooks-signing-secret", HaveField("Value", "in force")))
}

func TestACrashLeavesNothingBehindThatTheNextOperatorDoesNotFinish(t *testing.T) {
	t.Parallel()
	for k := 1; k <= 4; k++ {
		for _, kind := range CrashKinds() {
			t.Run(fmt.Sprint(k, kind), func(t *testing.T) {
				t.Parallel()
				w := NewWorld(t)
				op := w.Start()
				op.Wire.Intercept(CrashAt(k, kind))
				w.Create(w.Manifest("hooks"))
				w.Expect(w.Settle()).To(BeFalse())
				w.Expect(op.Dead()).To(BeTrue())
				w.Start()
				w.Expect(w.Settle()).To(BeTrue())
				w.CheckInvariants()
				w.Expect(w.Get("hooks").Status.EndpointID).NotTo(BeEmpty())
			})
		}
	}
}

func TestTimePassesOnlyWhenTheTestSaysSo(t *testing.T) {
	t.Parallel()
	w := NewWorld(t)
	w.Start()
	w.Create(w.Manifest("hooks", func(res *Resource) { res.Spec.APIKeySecretRef.Name = "missing" }))
	w.Quiesce()
	w.Expect(w.Get("hooks").Status.Conditions).NotTo(BeEmpty())
	before := w.Clock.Now()
	w.Advance(10 * time.Minute)
	w.Expect(w.Clock.Now()).To(Equal(before.Add(10 * time.Minute)))
	w.Expect(w.Show()).To(ContainSubstring("Stalled=True " + v1alpha1.ReasonCredentialsUnavailable))
}

func TestALeakIsFoundWhereverItIs(t *testing.T) {
	t.Parallel()
	const canary = "CANARYOFNOBODYELSE"
	var keeper secrecy.Keeper
	keeper.Keep("whsec_" + canary)
	for where, leak := range map[string]func(w *World, text string){
		"the log":        func(w *World, text string) { _, _ = w.Logs.Write([]byte(text)) },
		"resource hooks": func(w *World, text string) { w.Annotate("hooks", "leak", text) },
		"the metadata of Secret " + KeySecret: func(w *World, text string) {
			w.ChangeSecret(KeySecret, func(s *corev1.Secret) { s.Annotations = map[string]string{"leak": text} })
		},
		"an event": func(w *World, text string) {
			w.Expect(w.Client.Create(w.Context(), &corev1.Event{
				ObjectMeta:     metav1.ObjectMeta{Namespace: w.Namespace, Name: "leak"},
				InvolvedObject: corev1.ObjectReference{Namespace: w.Namespace}, Message: text,
			})).To(Succeed())
		},
		"Medblocks PATCH webhooks": func(w *World, text string) {
			w.Change("hooks", func(res *Resource) { res.Spec.Description = text })
			w.Settle()
		},
	} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			w := NewWorld(t)
			w.Start()
			w.Create(w.Manifest("hooks"))
			w.Settle()
			w.Expect(w.leaksOf(&keeper)).To(BeEmpty())
			leak(w, base64.StdEncoding.EncodeToString([]byte("a secret: "+canary)))
			w.Expect(w.leaksOf(&keeper)).To(ContainElement(MatchError(ContainSubstring(where + ": "))))
			w.Expect(w.Leaks()).To(BeEmpty(), "this world knows nothing of that secret")
		})
	}
}
