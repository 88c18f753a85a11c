// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package crash

import (
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/test/lab"
)

// released is what the log says of an endpoint that had to be left behind.
const released = "Released the endpoint without deleting it"

// maxNamespacePlans bounds them, because the namespace controller works in real time.
const maxNamespacePlans = 50

// namespaceScenario is the deletion of the namespace. Its Secrets, the one with the API key too, are deleted at once with
// the resource.
func namespaceScenario() scenario {
	return scenario{
		name:    "delete the namespace",
		prepare: created(),
		act: func(w *lab.World) {
			w.Outsiders = true
			w.Expect(w.Client.Delete(w.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.Namespace}})).To(Succeed())
			w.Eventually(func() bool {
				res := w.Get(hooks)
				return (res == nil || !res.DeletionTimestamp.IsZero()) && w.Secret(lab.KeySecret) == nil
			}).WithTimeout(patience).WithPolling(10 * time.Millisecond).Should(BeTrue())
		},
	}
}

func TestANamespaceIsDeletedWhateverCrashes(t *testing.T) {
	t.Parallel()
	s := namespaceScenario()
	s.calls = calls{deletes: 1} // who still has the key in memory deletes the endpoint
	down := s
	down.name, down.down, down.calls = s.name+", while down", true, calls{} // and nobody else can
	plans := 0
	for _, s := range []scenario{s, down} {
		undisturbed := vanish(t, s)
		s.count(t, undisturbed)
		for _, c := range points(undisturbed.writes, 0) {
			if plans++; plans > maxNamespacePlans {
				return
			}
			t.Run(s.name+", "+c.String(), func(t *testing.T) {
				t.Parallel()
				var r result
				t.Cleanup(func() {
					if t.Failed() || r.crashes == 1 {
						lab.Report(s.name).Plan(t)
					}
				})
				r = vanish(t, s, c)
			})
		}
	}
}

// vanish plays the scenario, and expects that nothing is left in the cluster. An endpoint may be left at Medblocks, since
// nobody has a key for it after a crash, but neither a second nor another one.
func vanish(t *testing.T, s scenario, crashes ...crash) (r result) {
	t.Helper()
	w, op := stage(t, s)
	before := w.Owned(hooks)
	op = s.begin(w, op, next(crashes))
	mute := false
	for !w.Settle() {
		mute = w.Get(hooks) == nil // who let go of it has died before it could tell
		r.crashes++
		crashes = crashes[1:]
		op = start(w, next(crashes))
	}
	r.writes, r.calls = op.Wire.Written(), callsTo(w)
	w.CheckManners()
	checkRest(w, op)
	checkReleases(w, r.crashes, mute)
	w.Expect(w.Get(hooks)).To(BeNil())
	w.Expect(w.Secret(signing)).To(BeNil())
	w.Expect(before).To(ContainElements(w.Owned(hooks)), "what is left is what was there")
	w.Expect(r.calls.posts+r.calls.rotations).To(BeZero(), "nothing is made any more")
	w.Expect(r.calls.deletes).To(BeNumerically("<=", 1))
	return r
}

// checkReleases checks that an endpoint that is left behind is spoken of where somebody finds it: in the log and, as a namespace
// that is being terminated takes no events, in an event about the Namespace. It comes once. After a crash it may come once more,
// and about an endpoint too whose deletion nobody has heard of.
func checkReleases(w *lab.World, crashes int, mute bool) {
	w.T.Helper()
	told := func() []string { return releases(w) }
	if len(w.Owned(hooks)) == 0 {
		w.Expect(len(told())).To(BeNumerically("<=", crashes))
		w.Expect(strings.Count(w.Logs.String(), released)).To(BeNumerically("<=", crashes))
		return
	}
	least := 1
	if mute {
		least = 0
	}
	w.Expect(strings.Count(w.Logs.String(), released)).To(BeNumerically(">=", least))
	w.Eventually(func() int { return len(told()) }).WithTimeout(patience).Should(BeNumerically(">=", least))
	w.Expect(len(told())).To(BeNumerically("<=", 1+crashes))
	for _, note := range told() {
		w.Expect(note).To(ContainSubstring(w.Owned(hooks)[0].ID))
	}
}

// releases are the events about the Namespace that tell of what was left behind.
func releases(w *lab.World) []string {
	list := &eventsv1.EventList{}
	w.Expect(w.Client.List(w.Context(), list, client.InNamespace(metav1.NamespaceDefault))).To(Succeed())
	var notes []string
	for _, event := range list.Items {
		if event.Regarding.Kind == "Namespace" && event.Regarding.Name == w.Namespace && event.Reason == "Released" {
			notes = append(notes, event.Note)
		}
	}
	return notes
}
