// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package states

import (
	"errors"
	"strings"
	"sync"
	"testing"

	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/google/go-cmp/cmp"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
	"github.com/medblocks/webhook-operator/test/lab"
)

const (
	// hooks is the resource.
	hooks = "hooks"
	// otherKey is a Secret with another key for the same workspace.
	otherKey = "other-key"
	// takenSecret is a Secret of somebody else's.
	takenSecret = "taken"
)

func TestASpecLeadsToTheSameStateWhateverTheWayThere(t *testing.T) {
	t.Parallel()
	for about, plans := range table() {
		t.Run(about, func(t *testing.T) {
			t.Parallel()
			for _, p := range plans {
				t.Run(p.String(), func(t *testing.T) {
					t.Parallel()
					lab.Report(about).Plan(t)
					testPlan(t, p)
				})
			}
		})
	}
}

func testPlan(t *testing.T, p plan) {
	t.Helper()
	w := newWorld(t, p.from)
	is := p.from.clone()
	for _, e := range p.edits {
		next := is.clone()
		e.apply(next)
		if e.refused {
			expectRefusal(w, e, next)
			continue
		}
		is = next
		w.Expect(store(w, is)).To(Succeed(), e.String())
		expectState(w, is)
	}
	w.Expect(store(w, p.from)).To(Succeed())
	expectState(w, p.from)
	w.Expect(meta.IsStatusConditionTrue(w.Get(hooks).Status.Conditions, v1alpha1.ConditionReady)).To(BeTrue(), w.Show())
	calls := w.Vendor.Counters().Calls
	w.Expect(calls[emulator.OperationCreateEndpoint]).To(Equal(1), "no edit is a reason to register another endpoint")
	w.Expect(calls[emulator.OperationRotateSecret]).To(BeZero(), "no edit loses the secret")
	w.Expect(calls[emulator.OperationDeleteEndpoint]).To(BeZero())
}

// newWorld has an operator and a settled resource with that spec.
func newWorld(t testing.TB, s spec) *lab.World {
	t.Helper()
	w := lab.NewWorld(t)
	other := "mb_sk_sbx_other" + w.Namespace
	w.Expect(w.Vendor.SetKey(emulator.Key{APIKey: other, Workspace: lab.Workspace})).To(Succeed())
	w.CreateSecret(otherKey, map[string]string{v1alpha1.DefaultAPIKeySecretKey: other})
	w.CreateSecret(takenSecret, map[string]string{"somebody": "else's"})
	w.Start()
	object := &unstructured.Unstructured{Object: map[string]any{"spec": s.in(w.Receiver.URL)}}
	object.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(v1alpha1.Kind))
	object.SetNamespace(w.Namespace)
	object.SetName(hooks)
	w.Expect(w.Client.Create(w.Context(), object)).To(Succeed())
	w.Expect(w.Settle()).To(BeTrue())
	w.CheckInvariants()
	return w
}

// read is the resource as it is stored.
func read(w *lab.World) *unstructured.Unstructured {
	w.T.Helper()
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(v1alpha1.Kind))
	w.Expect(w.Client.Get(w.Context(), client.ObjectKey{Namespace: w.Namespace, Name: hooks}, object)).To(Succeed())
	return object
}

// store replaces the spec, as kubectl replace does.
func store(w *lab.World, s spec) error {
	w.T.Helper()
	return retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		object := read(w)
		object.Object["spec"] = s.in(w.Receiver.URL)
		return w.Client.Update(w.Context(), object)
	})
}

// expectRefusal expects that the API server names the field, and that nothing changes.
func expectRefusal(w *lab.World, e edit, s spec) {
	w.T.Helper()
	before := read(w)
	err := store(w, s)
	var status apierrors.APIStatus
	w.Expect(errors.As(err, &status)).To(BeTrue(), "%s must be refused: %v", e, err)
	w.Expect(apierrors.IsInvalid(err)).To(BeTrue(), "%s: %v", e, err)
	named := false
	for _, cause := range status.Status().Details.Causes {
		// A rule about two fields is told at one of them, and names both.
		named = named || strings.HasPrefix(cause.Field, e.field) || strings.Contains(cause.Message, strings.TrimPrefix(e.field, "spec."))
	}
	w.Expect(named).To(BeTrue(), "%s: the refusal does not name the field: %v", e, err)
	w.Expect(read(w).Object).To(Equal(before.Object))
}

// expectState expects that the world settles, and, where the resource is Ready by its own doing, that it is as a new one.
func expectState(w *lab.World, s spec) {
	w.T.Helper()
	w.Expect(w.Settle()).To(BeTrue())
	if s["suspend"] == true {
		return // what came before is kept, whatever the spec says by now, and a new one would have nothing
	}
	w.CheckInvariants()
	conditions := w.Get(hooks).Status.Conditions
	ready := meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionReady)
	w.Expect(ready).NotTo(Equal(meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionStalled)), "either Ready or Stalled: %s", w.Show())
	if !ready || s["managementPolicy"] == string(v1alpha1.ManagementObserve) {
		return // a new one would not get that far
	}
	if diff := cmp.Diff(fresh(w.T, s), outcome(w)); diff != "" {
		w.T.Errorf("%s\n-new +edited:\n%s", s.text(), diff)
	}
}

// newcomers are the states of new resources by their specs.
var newcomers sync.Map

// fresh is the state of a new resource with that spec, in a world of its own.
func fresh(t testing.TB, s spec) lab.State {
	t.Helper()
	once, _ := newcomers.LoadOrStore(s.text(), sync.OnceValue(func() lab.State { return outcome(newWorld(t, s)) }))
	state, ok := once.(func() lab.State)
	if !ok {
		t.Fatal("newcomers hold something else")
	}
	return state()
}
