// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package medblocksaccount

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
)

var now = time.Date(2026, 4, 25, 12, 0, 0, 0, time.UTC)

// deleting is an account whose policy deletes what begins with gone/, after a day.
func deleting(orphans ...v1alpha1.OrphanedEndpoint) *v1alpha1.MedblocksAccount {
	return &v1alpha1.MedblocksAccount{
		ObjectMeta: metav1.ObjectMeta{Name: "shared", Generation: 3},
		Spec:       v1alpha1.MedblocksAccountSpec{Orphans: &v1alpha1.OrphanPolicy{Policy: v1alpha1.OrphansDelete, OwnerPrefix: "gone/"}},
		Status:     v1alpha1.MedblocksAccountStatus{ObservedGeneration: 3, Orphans: orphans},
	}
}

// seen is an observation of a working account with these endpoints, of which those are orphaned.
func seen(endpoints []account.Listed, orphaned ...string) *observation {
	obs := &observation{account: &account.Account{}, endpoints: endpoints, listedAt: now.Add(-time.Minute), orphaned: map[string]bool{}}
	for _, id := range orphaned {
		obs.orphaned[id] = true
	}
	return obs
}

func orphan(id, owner string, age time.Duration) v1alpha1.OrphanedEndpoint {
	return v1alpha1.OrphanedEndpoint{ID: id, Owner: owner, Since: metav1.NewTime(now.Add(-age))}
}

func TestOnlyWhatHasBeenListedAsOrphanedForLongEnoughIsDeleted(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	listed := []account.Listed{{ID: "wh_1", Owner: "gone/ns/a"}}
	old := orphan("wh_1", "gone/ns/a", day)
	for name, test := range map[string]struct {
		acct *v1alpha1.MedblocksAccount
		obs  *observation
		wake time.Time
		want bool
	}{
		"a day old":               {deleting(old), seen(listed, "wh_1"), time.Time{}, true},
		"a second younger":        {deleting(orphan("wh_1", "gone/ns/a", day-time.Second)), seen(listed, "wh_1"), now.Add(time.Second), false},
		"seen for the first time": {deleting(), seen(listed, "wh_1"), time.Time{}, false},
		"orphaned no more":        {deleting(old), seen(listed), time.Time{}, false},
		"not there any more":      {deleting(old), seen(nil), time.Time{}, false},
		"of another owner now":    {deleting(old), seen([]account.Listed{{ID: "wh_1", Owner: "gone/ns/b"}}, "wh_1"), time.Time{}, false},
		"another prefix":          {deleting(orphan("wh_1", "here/ns/a", day)), seen([]account.Listed{{ID: "wh_1", Owner: "here/ns/a"}}, "wh_1"), time.Time{}, false},
		"before the first list":   {deleting(old), func() *observation { o := seen(nil); o.listedAt = time.Time{}; return o }(), time.Time{}, false},
		"without a key":           {deleting(old), &observation{credentials: &account.CredentialsError{}}, now.Add(15 * time.Second), false},
		"with a refused key": {deleting(old), func() *observation {
			o := seen(listed, "wh_1")
			o.refused = &medblocks.APIError{StatusCode: 401}
			return o
		}(), time.Time{}, false},
		"in a pause": {deleting(old), func() *observation { o := seen(listed, "wh_1"); o.pausedUntil = now.Add(time.Hour); return o }(), now.Add(time.Hour), false},
		"after a deletion that failed": {deleting(old), func() *observation {
			o := seen(listed, "wh_1")
			o.postponed = map[string]time.Time{"wh_1": now.Add(time.Minute)}
			return o
		}(), now.Add(time.Minute), false},
		"long after one": {deleting(old), func() *observation {
			o := seen(listed, "wh_1")
			o.postponed = map[string]time.Time{"wh_1": now}
			return o
		}(), time.Time{}, true},
		"read-only": {deleting(old), func() *observation { o := seen(listed, "wh_1"); o.readOnly = true; return o }(), time.Time{}, false},
		"policy Report": {func() *v1alpha1.MedblocksAccount {
			a := deleting(old)
			a.Spec.Orphans.Policy = v1alpha1.OrphansReport
			return a
		}(), seen(listed, "wh_1"), time.Time{}, false},
		"no prefix": {func() *v1alpha1.MedblocksAccount {
			a := deleting(old)
			a.Spec.Orphans.OwnerPrefix = ""
			return a
		}(), seen(listed, "wh_1"), time.Time{}, false},
		"no policy": {func() *v1alpha1.MedblocksAccount { a := deleting(old); a.Spec.Orphans = nil; return a }(), seen(listed, "wh_1"), time.Time{}, false},
		"a longer wait": {func() *v1alpha1.MedblocksAccount {
			a := deleting(old)
			a.Spec.Orphans.After = &metav1.Duration{Duration: 2 * day}
			return a
		}(), seen(listed, "wh_1"), now.Add(day), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			p := makePlan(test.acct, test.obs, now)
			g.Expect(p.Wake).To(Equal(test.wake))
			if test.want {
				g.Expect(p.Delete).To(ConsistOf(old))
			} else {
				g.Expect(p.Delete).To(BeEmpty())
			}
		})
	}
}

func TestThoseWhoseDeletionFailedLetOthersHaveTheirTurn(t *testing.T) {
	t.Parallel()
	var listed []account.Listed
	var orphans []v1alpha1.OrphanedEndpoint
	var ids []string
	obs := seen(nil)
	obs.postponed = map[string]time.Time{}
	for i := range 25 {
		id := fmt.Sprintf("wh_%02d", i)
		ids = append(ids, id)
		listed, orphans = append(listed, account.Listed{ID: id, Owner: "gone/ns/a"}), append(orphans, orphan(id, "gone/ns/a", 48*time.Hour))
		obs.orphaned[id] = true
	}
	obs.endpoints = listed
	for _, id := range ids[:maxDeletions] {
		obs.postponed[id] = now.Add(deletionPause)
	}
	g := NewWithT(t)
	p := makePlan(deleting(orphans...), obs, now)
	g.Expect(p.Delete).To(Equal(orphans[maxDeletions:]))
	g.Expect(p.Wake).To(Equal(now.Add(deletionPause)))
}

func TestOneRoundDeletesABoundedNumber(t *testing.T) {
	t.Parallel()
	var listed []account.Listed
	var orphans []v1alpha1.OrphanedEndpoint
	var ids []string
	for i := range 120 {
		id := fmt.Sprintf("wh_%03d", i)
		ids = append(ids, id)
		listed = append(listed, account.Listed{ID: id, Owner: "gone/ns/" + id})
		if i >= 20 {
			orphans = append(orphans, orphan(id, "gone/ns/"+id, 48*time.Hour))
		}
	}
	g := NewWithT(t)
	p := makePlan(deleting(orphans...), seen(listed, ids...), now)
	g.Expect(p.Delete).To(HaveLen(maxDeletions))
	g.Expect(p.Status.Orphans).To(Equal(orphans), "those that were seen first keep their places")
	g.Expect(p.Status.Endpoints.Orphaned).To(BeEquivalentTo(120))
}

func TestAnEndpointIsOrphanedByProofOrByThePrefixOfAnotherCluster(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	endpoints := []account.Listed{
		{ID: "wh_1", Owner: "here/ns/proved"}, {ID: "wh_2", Owner: "here/ns/alive"}, {ID: "wh_3", Owner: "gone/ns/a"},
		{ID: "wh_4", Owner: "gone-not/ns/a"}, {ID: "wh_5"}, {ID: "wh_6", Owner: "here-too/ns/a"},
	}
	judged := map[string]bool{"wh_1": true, "wh_2": false, "wh_5": true, "wh_9": true}
	g.Expect(orphansOf(endpoints, nil, judged, "here", "")).To(And(HaveLen(1), HaveKey("wh_1")))
	g.Expect(orphansOf(endpoints, nil, judged, "here", "gone/")).To(And(HaveLen(2), HaveKey("wh_1"), HaveKey("wh_3")))
	g.Expect(orphansOf(endpoints, nil, judged, "here", "here/ns/")).To(And(HaveLen(1), HaveKey("wh_1")), "the prefix is no proof for this cluster")

	t.Log("After a start nothing is judged yet.")
	before := []v1alpha1.OrphanedEndpoint{orphan("wh_1", "here/ns/proved", 0), orphan("wh_2", "here/ns/another", 0), orphan("wh_3", "gone/ns/a", 0)}
	g.Expect(orphansOf(endpoints, before, nil, "here", "")).To(And(HaveLen(1), HaveKey("wh_1")), "with the same mark, and of this cluster")
	before[1].Owner = "here/ns/alive"
	g.Expect(orphansOf(endpoints, before, judged, "here", "")).To(And(HaveLen(1), HaveKey("wh_1")), "a verdict counts")
}

func TestTheNumbersAreWrittenOnADifferenceAndOnceAMinute(t *testing.T) {
	t.Parallel()
	listed := []account.Listed{{ID: "wh_1", Owner: "here/ns/a"}, {ID: "wh_2", Disabled: true}, {ID: "wh_3", Owner: "gone/ns/a", Disabled: true}}
	g := NewWithT(t)
	acct, obs := deleting(), seen(listed, "wh_3")
	obs.resources = 2
	p := makePlan(acct, obs, now)
	g.Expect(p.Counted).To(BeTrue())
	g.Expect(p.Status.Endpoints).To(HaveValue(Equal(v1alpha1.AccountEndpoints{Managed: 1, Disabled: 2, Unmanaged: 1, Orphaned: 1})))
	g.Expect(p.Status.Resources).To(BeEquivalentTo(2))
	g.Expect(p.Status.Orphans).To(ConsistOf(orphan("wh_3", "gone/ns/a", 0)))

	acct.Status, obs.countedAt = p.Status, now
	again := makePlan(acct, obs, now.Add(time.Hour))
	g.Expect(again.Counted).To(BeFalse())
	g.Expect(again.Status).To(Equal(acct.Status), "the same numbers")

	obs.resources, obs.endpoints = 3, listed[:1]
	obs.orphaned = nil
	soon := makePlan(acct, obs, now.Add(59*time.Second))
	g.Expect(soon.Counted).To(BeFalse())
	g.Expect(soon.Wake).To(Equal(now.Add(time.Minute)))
	g.Expect(soon.Status.Resources).To(BeEquivalentTo(2))
	g.Expect(soon.Status.Orphans).To(BeEmpty(), "one that comes back begins anew")
	later := makePlan(acct, obs, now.Add(time.Minute))
	g.Expect(later.Counted).To(BeTrue())
	g.Expect(later.Status.Resources).To(BeEquivalentTo(3))
	g.Expect(later.Status.Endpoints).To(HaveValue(Equal(v1alpha1.AccountEndpoints{Managed: 1})))
}

func TestBeforeTheFirstListNothingIsCountedAndNothingChanges(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	acct := deleting(orphan("wh_1", "gone/ns/a", time.Hour))
	acct.Status.Endpoints = &v1alpha1.AccountEndpoints{Managed: 7}
	meta.SetStatusCondition(&acct.Status.Conditions, metav1.Condition{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonAccepted, ObservedGeneration: 3})
	obs := seen(nil)
	obs.listedAt = time.Time{}
	g.Expect(makePlan(acct, obs, now).Status).To(Equal(acct.Status))
}

func TestWhatIsKnownOfTheKeyDecidesTheConditions(t *testing.T) {
	t.Parallel()
	failing := func(status int) error { return &medblocks.APIError{StatusCode: status} }
	for name, test := range map[string]struct {
		tweak         func(*observation)
		reason        string
		ready         bool
		other         string // Reconciling, Stalled, or none
		whereItWorked bool   // a Ready account stays Ready
	}{
		"accepted":          {func(*observation) {}, v1alpha1.ReasonAccepted, true, "", true},
		"no key":            {func(o *observation) { o.credentials = &account.CredentialsError{Message: "m"} }, v1alpha1.ReasonCredentialsUnavailable, false, v1alpha1.ConditionReconciling, false},
		"wrong environment": {func(o *observation) { o.credentials = &account.CredentialsError{Message: "m", WrongEnvironment: true} }, v1alpha1.ReasonWrongEnvironment, false, v1alpha1.ConditionStalled, false},
		"401":               {func(o *observation) { o.refused, o.listError = failing(401), failing(401) }, v1alpha1.ReasonInvalidAPIKey, false, v1alpha1.ConditionStalled, false},
		"403":               {func(o *observation) { o.refused, o.listError = failing(403), failing(403) }, v1alpha1.ReasonForbidden, false, v1alpha1.ConditionStalled, false},
		"429":               {func(o *observation) { o.listError = failing(429) }, v1alpha1.ReasonRateLimited, false, v1alpha1.ConditionReconciling, true},
		"503":               {func(o *observation) { o.listError = failing(503) }, v1alpha1.ReasonAPIUnavailable, false, v1alpha1.ConditionReconciling, true},
		"no list yet":       {func(o *observation) { o.listedAt = time.Time{} }, v1alpha1.ReasonPending, false, v1alpha1.ConditionReconciling, true},
	} {
		for _, worked := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, after it worked: %v", name, worked), func(t *testing.T) {
				t.Parallel()
				g := NewWithT(t)
				acct, obs := deleting(), seen(nil)
				acct.Generation = 4
				if worked {
					meta.SetStatusCondition(&acct.Status.Conditions, metav1.Condition{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonAccepted})
				}
				test.tweak(obs)
				status := makePlan(acct, obs, now).Status
				g.Expect(status.ObservedGeneration).To(BeEquivalentTo(4))
				ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
				g.Expect(ready.Status == metav1.ConditionTrue).To(Equal(test.ready || (worked && test.whereItWorked)))
				if ready.Status == metav1.ConditionFalse {
					g.Expect(ready.Reason).To(Equal(test.reason))
				}
				for _, condition := range []string{v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled} {
					is := meta.FindStatusCondition(status.Conditions, condition)
					g.Expect(is != nil).To(Equal(condition == test.other), condition)
					if is != nil {
						g.Expect(is.Reason).To(Equal(test.reason))
					}
				}
			})
		}
	}
}

func TestAMissingKeyIsExpectedForFiveMinutes(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	acct := deleting()
	obs := &observation{credentials: &account.CredentialsError{Message: "m"}}
	first := makePlan(acct, obs, now)
	g.Expect(first.Wake).To(Equal(now.Add(credentialsRetry)))
	acct.Status = first.Status
	g.Expect(meta.FindStatusCondition(makePlan(acct, obs, now.Add(5*time.Minute-time.Second)).Status.Conditions, v1alpha1.ConditionStalled)).To(BeNil())
	late := makePlan(acct, obs, now.Add(5*time.Minute))
	g.Expect(meta.FindStatusCondition(late.Status.Conditions, v1alpha1.ConditionStalled)).NotTo(BeNil())
	g.Expect(meta.FindStatusCondition(late.Status.Conditions, v1alpha1.ConditionReconciling)).To(BeNil())
	g.Expect(late.Wake).To(Equal(now.Add(5*time.Minute + time.Minute)))
}

func TestOnlyTheVeryPolicyThatWasActedUponAllowsADeletion(t *testing.T) {
	t.Parallel()
	o := orphan("wh_1", "gone/ns/a", 48*time.Hour)
	is := deleting(o)
	is.UID = "one"
	for name, test := range map[string]struct {
		change func(*v1alpha1.MedblocksAccount)
		want   bool
	}{
		"the same":         {func(*v1alpha1.MedblocksAccount) {}, true},
		"another status":   {func(a *v1alpha1.MedblocksAccount) { a.ResourceVersion, a.Status.Resources = "7", 7 }, true},
		"another spec":     {func(a *v1alpha1.MedblocksAccount) { a.Generation++ }, false},
		"another one":      {func(a *v1alpha1.MedblocksAccount) { a.UID = "two" }, false},
		"listed no more":   {func(a *v1alpha1.MedblocksAccount) { a.Status.Orphans = nil }, false},
		"listed anew":      {func(a *v1alpha1.MedblocksAccount) { a.Status.Orphans[0].Since = metav1.NewTime(now) }, false},
		"it is being gone": {func(a *v1alpha1.MedblocksAccount) { a.DeletionTimestamp = &metav1.Time{Time: now} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			live := is.DeepCopy()
			test.change(live)
			NewWithT(t).Expect(stillDeletes(is, live, o)).To(Equal(test.want))
		})
	}
}

func TestWhatAResourceOwnsManagesOrAdoptsIsNoOrphan(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	owned := v1alpha1.MedblocksWebhookEndpoint{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "a"}}
	managed, adopted := *owned.DeepCopy(), *owned.DeepCopy()
	managed.Name, managed.Status.EndpointID = "b", "wh_2"
	adopted.Name, adopted.Spec.Adopt = "c", &v1alpha1.AdoptSpec{EndpointID: "wh_3"}
	obs := seen([]account.Listed{{ID: "wh_0", Owner: "here/ns/a"}, {ID: "wh_1", Owner: "here/ns/a"}, {ID: "wh_2", Owner: "gone/ns/x"}, {ID: "wh_3", Owner: "gone/ns/y"}, {ID: "wh_4", Owner: "gone/ns/a"}},
		"wh_0", "wh_1", "wh_2", "wh_3", "wh_4")
	dropClaimed(obs, []v1alpha1.MedblocksWebhookEndpoint{owned, managed, adopted}, "here")
	g.Expect(obs.orphaned).To(Equal(map[string]bool{"wh_4": true}))
}
