// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package medblocksaccount

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

const (
	// countInterval is how often the numbers are written at most: those of a busy workspace change all the time.
	countInterval = time.Minute
	// maxOrphans is how many orphans the status lists.
	maxOrphans = 100
	// maxDeletions is how many orphans one reconcile deletes, and deletionRetry how soon the next one does.
	maxDeletions  = 20
	deletionRetry = time.Minute
	// deletionPause is how long one waits whose deletion failed, so that others get their turn.
	deletionPause = 10 * time.Minute
)

// plan is what the status should say, and which orphans are to be deleted.
type plan struct {
	Status v1alpha1.MedblocksAccountStatus
	// Counted: the numbers are as of now.
	Counted bool
	Delete  []v1alpha1.OrphanedEndpoint
	// Wake is when something falls due; zero: nothing does.
	Wake time.Time
}

func (p *plan) wakeAt(t time.Time) {
	if p.Wake.IsZero() || t.Before(p.Wake) {
		p.Wake = t
	}
}

// makePlan decides what to say and to delete. It is a pure function.
func makePlan(acct *v1alpha1.MedblocksAccount, obs *observation, now time.Time) plan {
	p := plan{Status: *acct.Status.DeepCopy()}
	p.Status.ObservedGeneration = acct.Generation
	p.numbers(acct, obs, now)
	p.conditions(acct, obs, now)
	p.deletions(acct, obs, now)
	return p
}

// numbers counts. An orphan that is none any more leaves the list at once, so that its time starts anew if it comes back.
func (p *plan) numbers(acct *v1alpha1.MedblocksAccount, obs *observation, now time.Time) {
	endpoints, orphans := acct.Status.Endpoints, acct.Status.Orphans
	if obs.account != nil && !obs.listedAt.IsZero() { // else nothing is known
		endpoints, orphans = count(obs), listOrphans(obs, acct.Status.Orphans, now)
	}
	resources := int32(obs.resources) //nolint:gosec // etcd holds fewer
	same := equality.Semantic.DeepEqual(endpoints, acct.Status.Endpoints) && resources == acct.Status.Resources && equality.Semantic.DeepEqual(orphans, acct.Status.Orphans)
	due := obs.countedAt.Add(countInterval)
	switch {
	case same:
	case now.Before(due):
		p.Status.Orphans = slices.DeleteFunc(p.Status.Orphans, func(o v1alpha1.OrphanedEndpoint) bool { return !slices.Contains(orphans, o) })
		p.wakeAt(due)
	default:
		p.Counted = true
		p.Status.Endpoints, p.Status.Resources, p.Status.Orphans = endpoints, resources, orphans
	}
}

func count(obs *observation) *v1alpha1.AccountEndpoints {
	is := &v1alpha1.AccountEndpoints{}
	for _, e := range obs.endpoints {
		switch {
		case obs.orphaned[e.ID]:
			is.Orphaned++
		case e.Owner == "":
			is.Unmanaged++
		default:
			is.Managed++
		}
		if e.Disabled {
			is.Disabled++
		}
	}
	return is
}

// listOrphans keeps when each was first seen. There is room for those that were seen first.
func listOrphans(obs *observation, before []v1alpha1.OrphanedEndpoint, now time.Time) []v1alpha1.OrphanedEndpoint {
	var orphans []v1alpha1.OrphanedEndpoint
	for _, e := range obs.endpoints {
		if !obs.orphaned[e.ID] {
			continue
		}
		is := v1alpha1.OrphanedEndpoint{ID: e.ID, Owner: e.Owner, Since: seconds(now)}
		if i := slices.IndexFunc(before, func(o v1alpha1.OrphanedEndpoint) bool { return o.ID == e.ID && o.Owner == e.Owner }); i >= 0 {
			is.Since = before[i].Since
		}
		orphans = append(orphans, is)
	}
	slices.SortFunc(orphans, func(a, b v1alpha1.OrphanedEndpoint) int {
		return cmp.Or(a.Since.Compare(b.Since.Time), cmp.Compare(a.ID, b.ID))
	})
	return orphans[:min(len(orphans), maxOrphans)]
}

// deletions are due for what the stored status has listed for long enough, and is orphaned still.
func (p *plan) deletions(acct *v1alpha1.MedblocksAccount, obs *observation, now time.Time) {
	policy := acct.Spec.Orphans
	known := obs.account != nil && !obs.listedAt.IsZero() && obs.refused == nil
	if !policy.DeletesOrphans() || obs.readOnly || !known {
		return
	}
	for _, o := range acct.Status.Orphans {
		due := latest(o.Since.Add(policy.AfterOrDefault()), obs.pausedUntil, obs.postponed[o.ID])
		switch {
		case !slices.Contains(p.Status.Orphans, o) || !strings.HasPrefix(o.Owner, policy.OwnerPrefix):
		case now.Before(due):
			p.wakeAt(due)
		case len(p.Delete) < maxDeletions:
			p.Delete = append(p.Delete, o)
		}
	}
}

func latest(times ...time.Time) time.Time { return slices.MaxFunc(times, time.Time.Compare) }

// seconds is a time as Kubernetes stores it: a finer one would differ from itself after a round trip.
func seconds(t time.Time) metav1.Time {
	return metav1.NewTime(t.UTC().Truncate(time.Second))
}
