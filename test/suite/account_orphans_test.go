// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

// preview is the id of a cluster that is gone.
const preview = "preview-7"

func orphanPolicy(policy v1alpha1.OrphanAction, prefix string, after time.Duration) func(*v1alpha1.MedblocksAccount) {
	return func(acct *v1alpha1.MedblocksAccount) {
		acct.Spec.Orphans = &v1alpha1.OrphanPolicy{Policy: policy, OwnerPrefix: prefix}
		if after > 0 {
			acct.Spec.Orphans.After = &metav1.Duration{Duration: after}
		}
	}
}

// addMarked puts an endpoint with an owner mark into the workspace.
func (w *world) addMarked(owner string) string {
	w.t.Helper()
	added, err := w.vendor.AddEndpoint(w.key, emulator.Endpoint{Metadata: map[string]any{v1alpha1.MarkOwner: owner}})
	w.Expect(err).NotTo(HaveOccurred())
	return added.ID
}

func (w *world) exists(id string) func() bool {
	return func() bool {
		_, err := w.vendor.Endpoint(id)
		return err == nil
	}
}

// untilListed waits until the status lists these orphans, and no others.
func (w *world) untilListed(ids ...string) *v1alpha1.MedblocksAccount {
	w.t.Helper()
	return w.untilAccount(accountMatches("these orphans", func(acct *v1alpha1.MedblocksAccount) bool {
		var listed []string
		for _, o := range acct.Status.Orphans {
			listed = append(listed, o.ID)
		}
		match, err := ConsistOf(ids).Match(listed)
		return err == nil && match
	}))
}

// pass lets time go by, a sweep come, and the account be looked at.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	w.advance(d)
	w.pokeAccount()
	w.settle()
}

func TestOrphansAreReportedAndNotDeletedByDefault(t *testing.T) {
	w := newAccountWorld(t)
	gone, other := w.addMarked(preview+"/team/hooks"), w.addMarked("preview-70/team/hooks")
	own := w.addMarked(w.ownerMark("never-was"))
	w.createAccount(orphanPolicy("", preview+"/", 0))
	acct := w.untilListed(gone, own)
	w.Expect(acct.Status.Endpoints).To(HaveValue(Equal(v1alpha1.AccountEndpoints{Managed: 2, Unmanaged: 1, Orphaned: 2})))
	w.pass(1000 * time.Hour)
	w.Expect(w.exists(gone)()).To(BeTrue())
	w.Expect(w.exists(other)()).To(BeTrue())
	w.Expect(writes(w.calls())).To(BeEmpty())
}

func TestOrphansAreDeletedOnceTheyHaveBeenSeenForLongEnough(t *testing.T) {
	w := newAccountWorld(t)
	gone, other := w.addMarked(preview+"/team/hooks"), w.addMarked("preview-70/team/hooks")
	own := w.addMarked(w.ownerMark("never-was")) // an orphan, without the prefix
	w.createAccount(orphanPolicy(v1alpha1.OrphansDelete, preview+"/", 0))
	listed := w.untilListed(gone, own).Status.Orphans
	w.pass(12 * time.Hour)
	w.Expect(w.exists(gone)()).To(BeTrue())

	t.Log("A restart does not begin anew.")
	w.restartOperator()
	w.settle()
	w.Expect(w.untilListed(gone, own).Status.Orphans).To(Equal(listed))
	w.pass(11*time.Hour + 50*time.Minute)
	w.Expect(w.exists(gone)()).To(BeTrue(), "a minute early")
	w.advance(15 * time.Minute)
	w.pokeAccount()
	w.Eventually(w.exists(gone)).Should(BeFalse())
	w.untilListed(own)
	w.Eventually(w.accountEvents).Should(ContainElement(ContainSubstring("Normal OrphanDeleted: Deleted endpoint " + gone + " of " + preview + "/team/hooks")))
	w.Expect(w.logs.String()).To(MatchRegexp(`Wrote to Medblocks.*"action": "DeleteEndpoint", "endpointID": "` + gone + `", "trigger": "Orphan", "requestID": ".+"`))
	w.pass(1000 * time.Hour)
	w.Expect(w.exists(other)()).To(BeTrue())
	w.Expect(w.exists(own)()).To(BeTrue())
	w.Expect(writes(w.calls())).To(Equal([]string{"DeleteEndpoint"}))
}

func TestOrphansOfThisClusterAreDeletedWhereThePrefixSaysSo(t *testing.T) {
	w := newAccountWorld(t)
	w.createAccount(orphanPolicy(v1alpha1.OrphansDelete, clusterID+"/"+w.namespace+"/", time.Hour))
	res := w.createReady(hooks, w.byAccount)
	w.createReady(other, w.byAccount)
	left := w.strip(hooks).ID
	w.Eventually(w.orphans).Should(BeEquivalentTo(1))
	w.pass(time.Minute)
	w.untilListed(left)
	w.advance(time.Hour)
	w.pokeAccount()
	w.Eventually(w.exists(left)).Should(BeFalse())
	w.Expect(w.exists(w.get(other).Status.EndpointID)()).To(BeTrue())
	w.Expect(res.Status.EndpointID).To(Equal(left))
}

func TestAnOrphanWhoseResourceComesBackInTheLastMomentIsNotDeleted(t *testing.T) {
	w := newAccountWorld(t)
	w.createAccount(orphanPolicy(v1alpha1.OrphansDelete, clusterID+"/"+w.namespace+"/", time.Hour))
	w.createReady(other, w.byAccount)
	w.createReady(hooks, w.byAccount)
	left := w.strip(hooks).ID
	w.Eventually(w.orphans).Should(BeEquivalentTo(1))
	w.pass(time.Minute)
	w.untilListed(left)
	w.create(hooks, w.byAccount)
	w.advance(2 * time.Hour)
	w.pokeAccount()
	w.settle()
	w.Expect(w.untilReady(hooks).Status.EndpointID).To(Equal(left))
	w.untilListed()
	w.Expect(w.calls(emulator.OperationDeleteEndpoint)).NotTo(ContainElement(HaveField("Status", BeNumerically("<", 300))))
}

func TestAnEndpointThatAResourceNamesIsNoOrphan(t *testing.T) {
	w := newAccountWorld(t)
	gone := w.addMarked(preview + "/team/hooks")
	w.createAccount(orphanPolicy(v1alpha1.OrphansDelete, preview+"/", time.Hour))
	w.untilListed(gone)
	w.create(hooks, w.byAccount, func(res *v1alpha1.MedblocksWebhookEndpoint) {
		res.Spec.Suspend = true
		res.Spec.Adopt = &v1alpha1.AdoptSpec{EndpointID: gone, RotateSecret: true}
	})
	w.until(hooks, have(v1alpha1.ConditionSynced, isUnknown, v1alpha1.ReasonSuspended))
	w.pass(2 * time.Hour)
	w.untilListed()
	w.Expect(w.exists(gone)()).To(BeTrue())
	w.Expect(writes(w.calls())).To(BeEmpty())
}

func TestAnEndpointWhoseMarkIsChangedInTheLastMomentIsNotDeleted(t *testing.T) {
	w := newAccountWorld(t)
	gone := w.addMarked(preview + "/team/hooks")
	w.createAccount(orphanPolicy(v1alpha1.OrphansDelete, preview+"/", time.Hour))
	w.untilListed(gone)
	w.fail(emulator.OperationListEndpoints, emulator.Fault{Kind: emulator.FaultUnavailable}) // no list shows it
	w.Expect(w.vendor.SetEndpoint(gone, func(e *emulator.Endpoint) { e.Metadata[v1alpha1.MarkOwner] = "living/team/hooks" })).To(Succeed())
	w.advance(2 * time.Hour)
	w.pokeAccount()
	w.Eventually(func() []emulator.Call { return w.calls(emulator.OperationGetEndpoint) }).ShouldNot(BeEmpty())
	w.vendor.ClearFaults()
	w.pass(time.Hour)
	w.untilListed()
	w.Expect(w.exists(gone)()).To(BeTrue())
	w.Expect(writes(w.calls())).To(BeEmpty())
}

func TestAReadOnlyOperatorDeletesNoOrphan(t *testing.T) {
	w := newAccountWorld(t, func(s *setup) { s.operator.readOnly = true })
	gone := w.addMarked(preview + "/team/hooks")
	w.createAccount(orphanPolicy(v1alpha1.OrphansDelete, preview+"/", time.Hour))
	w.untilListed(gone)
	w.pass(100 * time.Hour)
	w.Expect(w.exists(gone)()).To(BeTrue())
	w.Expect(writes(w.calls())).To(BeEmpty())
}

// atTheLastMoment has something happen when the operator reads an endpoint that it is about to delete.
func (w *world) atTheLastMoment(happens func()) (happened func() bool) {
	var once sync.Once
	var done atomic.Bool
	w.vendor.SetHook(func(call emulator.HookCall) error {
		if call.Operation == emulator.OperationGetEndpoint && call.Phase == emulator.PhaseBefore {
			once.Do(func() { happens(); done.Store(true) })
		}
		return nil
	})
	return done.Load
}

func TestNoOrphanIsDeletedWhoseDeletionWasPreparedWhenThingsChanged(t *testing.T) {
	for name, happens := range map[string]func(w *world, orphan string){
		"another shard's resource is restored": func(w *world, _ string) {
			w.create("never-was", func(res *v1alpha1.MedblocksWebhookEndpoint) {
				w.byAccount(res)
				res.Labels = nil // in no cache of this operator
			})
		},
		"somebody writes another incarnation": func(w *world, orphan string) {
			w.Expect(w.vendor.SetEndpoint(orphan, func(e *emulator.Endpoint) { e.Metadata[v1alpha1.MarkIncarnation] = "restored" })).To(Succeed())
		},
		"the policy is withdrawn": func(w *world, _ string) {
			w.changeAccount(func(spec *v1alpha1.MedblocksAccountSpec) { spec.Orphans.Policy = v1alpha1.OrphansReport })
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newAccountWorld(t)
			own := w.addMarked(w.ownerMark("never-was"))
			w.createAccount(orphanPolicy(v1alpha1.OrphansDelete, clusterID+"/"+w.namespace+"/", time.Hour))
			w.untilListed(own)
			w.settle()
			happened := w.atTheLastMoment(func() { happens(w, own) })
			w.advance(2 * time.Hour)
			w.pokeAccount()
			w.Eventually(happened).Should(BeTrue())
			w.settle()
			w.Expect(w.exists(own)()).To(BeTrue())
			w.Expect(w.calls(emulator.OperationDeleteEndpoint)).To(BeEmpty())
		})
	}
}
