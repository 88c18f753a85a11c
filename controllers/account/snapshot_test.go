// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"fmt"
	"slices"
	"testing"
	"time"
	"unsafe"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

var testTime = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func owned(id, owner string) medblocks.Endpoint {
	return medblocks.Endpoint{
		ID: id, URL: "https://example.com", Events: []string{"*"}, Status: medblocks.EndpointStatusActive,
		Metadata: medblocks.Metadata{v1alpha1.MarkOwner: owner},
	}
}

func listOf(endpoints ...medblocks.Endpoint) map[string]medblocks.Endpoint {
	listed := map[string]medblocks.Endpoint{}
	for _, e := range endpoints {
		listed[e.ID] = e
	}
	return listed
}

func newStore() *store {
	return &store{owners: map[string][]string{}, confirmAfter: time.Minute}
}

func ids(changes []Change) []string {
	var result []string
	for _, c := range changes {
		result = append(result, c.ID)
	}
	slices.Sort(result)
	return result
}

func TestDiffNamesWhatDiffersAndNothingElse(t *testing.T) {
	g := NewWithT(t)
	before := listOf(owned("wh_same", "a"), owned("wh_gone", "b"), owned("wh_edited", "c"), owned("wh_touched", "d"))
	edited, touched := owned("wh_edited", "c"), owned("wh_touched", "d")
	edited.Status = medblocks.EndpointStatusDisabled
	touched.UpdatedAt, touched.RequestID = medblocks.Timestamp{Time: testTime}, "req_2"
	after := listOf(owned("wh_same", "a"), edited, touched, owned("wh_new", "e"))

	changes := diff(before, after)
	g.Expect(ids(changes)).To(Equal([]string{"wh_edited", "wh_gone", "wh_new"}))
	for _, c := range changes {
		g.Expect(c.Old == nil).To(Equal(c.ID == "wh_new"))
		g.Expect(c.New == nil).To(Equal(c.ID == "wh_gone"))
	}
	g.Expect(diff(after, after)).To(BeEmpty())
}

func TestASweepThatShowsNothingNewNeedsNoSecondCopy(t *testing.T) {
	g := NewWithT(t)
	s := newStore()
	created := medblocks.Timestamp{Time: testTime}
	kept := owned("wh_1", "a")
	kept.RequestID, kept.CreatedAt = "req_1", created
	s.fold(kept)
	same := func(listed medblocks.Endpoint) bool {
		listed.CreatedAt = created
		return unsafe.SliceData(s.keep(listed).Events) == unsafe.SliceData(kept.Events)
	}
	g.Expect(s.look("wh_1", "").Endpoint.RequestID).To(BeEmpty())
	g.Expect(same(owned("wh_1", "a"))).To(BeTrue())
	g.Expect(same(owned("wh_1", "b"))).To(BeFalse())
	g.Expect(same(owned("wh_2", "a"))).To(BeFalse())

	later := owned("wh_1", "a")
	later.CreatedAt = medblocks.Timestamp{Time: testTime.Add(time.Hour)}
	g.Expect(s.keep(later)).To(Equal(later))
}

func TestASweepDoesNotUndoWhatWasWrittenWhileItRan(t *testing.T) {
	g := NewWithT(t)
	s := newStore()
	s.replace(s.begin(), testTime, listOf(owned("wh_1", "a"), owned("wh_2", "b")), nil)

	begun := s.begin()
	patched := owned("wh_1", "a")
	patched.URL = "https://example.com/new"
	s.fold(patched)
	s.fold(owned("wh_3", "c"))
	s.forget("wh_2")
	changes, _ := s.replace(begun, testTime.Add(time.Second), listOf(owned("wh_1", "a"), owned("wh_2", "b")), nil)

	g.Expect(changes).To(BeEmpty(), "own writes are no change")
	g.Expect(s.look("wh_1", "").Endpoint.URL).To(Equal(patched.URL))
	g.Expect(s.look("wh_2", "b").Endpoint).To(BeNil())
	g.Expect(s.look("wh_2", "b").Owned).To(BeEmpty())
	g.Expect(s.look("", "c").Owned).To(HaveLen(1))

	changes, _ = s.replace(s.begin(), testTime.Add(time.Minute), listOf(owned("wh_1", "a")), nil)
	g.Expect(ids(changes)).To(Equal([]string{"wh_1", "wh_3"}), "a sweep that began later counts")
}

func TestAPartialListProvesNoAbsence(t *testing.T) {
	g := NewWithT(t)
	s := newStore()
	s.replace(s.begin(), testTime, listOf(owned("wh_1", "a"), owned("wh_2", "b")), nil)
	disabled := owned("wh_1", "a")
	disabled.Status = medblocks.EndpointStatusDisabled

	g.Expect(ids(s.merge(s.begin(), listOf(disabled)))).To(Equal([]string{"wh_1"}))
	g.Expect(s.look("wh_2", "").Endpoint).NotTo(BeNil())
	g.Expect(s.merge(s.begin(), listOf(disabled))).To(BeEmpty(), "the same again is no change")

	begun := s.begin()
	s.fold(owned("wh_1", "a")) // enabled meanwhile
	g.Expect(s.merge(begun, listOf(disabled))).To(BeEmpty(), "an own write is newer than the list")
}

func TestEndpointsOfOneOwnerAreFoundOldestFirst(t *testing.T) {
	g := NewWithT(t)
	s := newStore()
	old, young := owned("wh_9", "a"), owned("wh_1", "a")
	old.CreatedAt.Time, young.CreatedAt.Time = testTime.Add(-time.Hour), testTime
	s.replace(s.begin(), testTime, listOf(young, old, owned("wh_3", "b")), nil)
	view := s.look("wh_3", "a")
	g.Expect(view.Owned).To(HaveLen(2))
	g.Expect(view.Owned[0].ID).To(Equal("wh_9"))
	g.Expect(view.Endpoint.ID).To(Equal("wh_3"))

	moved := owned("wh_9", "b")
	s.fold(moved)
	g.Expect(s.look("", "a").Owned).To(HaveLen(1), "the index follows the mark")
	g.Expect(s.look("", "b").Owned).To(HaveLen(2))
}

func TestManyVanishingAtOnceIsSuspectUntilALaterListConfirmsIt(t *testing.T) {
	g := NewWithT(t)
	s := newStore()
	all := func(n int) map[string]medblocks.Endpoint {
		listed := map[string]medblocks.Endpoint{}
		for i := range n {
			id := fmt.Sprintf("wh_%d", i)
			listed[id] = owned(id, id)
		}
		return listed
	}
	s.replace(s.begin(), testTime, all(30), nil)
	s.replace(s.begin(), testTime, all(28), nil)
	g.Expect(s.look("", "").Suspect).To(BeFalse(), "two are not many")
	s.replace(s.begin(), testTime, all(24), nil)
	g.Expect(s.look("", "").Suspect).To(BeTrue())

	_, settled := s.replace(s.begin(), testTime.Add(59*time.Second), all(24), nil)
	g.Expect(settled).To(BeFalse(), "a list that follows at once may show the same fault")
	g.Expect(s.look("", "").Suspect).To(BeTrue())
	_, settled = s.replace(s.begin(), testTime.Add(time.Minute), all(24), nil)
	g.Expect(settled).To(BeTrue())
	g.Expect(s.look("", "").Suspect).To(BeFalse())
}

func TestManyMissingInTheFirstListAreSuspectToo(t *testing.T) {
	g := NewWithT(t)
	s := newStore()
	s.replace(s.begin(), testTime, listOf(owned("wh_1", "a")), []string{"wh_1", "wh_2", "wh_3"})
	g.Expect(s.look("", "").Suspect).To(BeFalse(), "two are not many")
	s = newStore()
	s.replace(s.begin(), testTime, listOf(), []string{"wh_1", "wh_2", "wh_3"})
	g.Expect(s.look("", "").Suspect).To(BeTrue())
}

func TestManyThatAreMissedOnlyAfterTheFirstListAreSuspectToo(t *testing.T) {
	g := NewWithT(t)
	s := newStore()
	missed := []string{"wh_1", "wh_2", "wh_3"}
	s.replace(s.begin(), testTime, listOf(), missed[:1])
	g.Expect(s.look("", "").Suspect).To(BeFalse(), "nobody had asked for the others by then")
	g.Expect(s.look("", "").Matures).To(Equal(testTime.Add(time.Minute)), "which is why absence does not count at first")
	s.replace(s.begin(), testTime.Add(time.Minute), listOf(), append(missed, "wh_4"))
	g.Expect(s.look("", "").Suspect).To(BeTrue())
	g.Expect(s.look("", "").Matures).To(Equal(testTime.Add(time.Minute)))
	_, settled := s.replace(s.begin(), testTime.Add(3*time.Minute), listOf(), append(missed, "wh_4"))
	g.Expect(settled).To(BeTrue(), "no more were missed")
}

func TestWhatWasThereOnceIsNotForgotten(t *testing.T) {
	g := NewWithT(t)
	s := newStore()
	s.replace(s.begin(), testTime, listOf(owned("wh_1", "a"), owned("wh_2", "b")), []string{"wh_3"})
	g.Expect(s.look("wh_1", "").Seen).To(BeTrue())
	g.Expect(s.look("wh_3", "").Seen).To(BeFalse(), "it has been missing from the start")
	s.forget("wh_1")
	s.replace(s.begin(), testTime.Add(time.Second), listOf(), []string{"wh_3"})
	g.Expect(s.look("wh_1", "").Seen).To(BeTrue(), "it was deleted")
	g.Expect(s.look("wh_2", "").Seen).To(BeTrue(), "it has vanished")
	g.Expect(s.look("wh_3", "").Seen).To(BeFalse())
}

func TestAChangeConcernsTheOwnersBeforeAndAfterAndWhoeverTracksTheID(t *testing.T) {
	g := NewWithT(t)
	a := newAccount("v1:x", nil, Options{ClusterID: "c1"}, nil)
	orders, bills, stray := Resource{Namespace: "shop", Name: "orders"}, Resource{Namespace: "shop", Name: "bills"}, Resource{Namespace: "x", Name: "y"}
	for who, id := range map[Resource]string{orders: "wh_1", bills: "wh_2", stray: ""} {
		a.users.add(who)
		a.users.track(who, id)
	}
	was, is := owned("wh_1", OwnerMark("c1", orders)), owned("wh_1", OwnerMark("c1", bills))

	g.Expect(a.affected(Change{ID: "wh_1", Old: &was, New: &was})).To(Equal([]Resource{orders}))
	g.Expect(a.affected(Change{ID: "wh_1", Old: &was, New: &is})).To(ContainElements(orders, bills))
	stripped := owned("wh_2", "")
	g.Expect(a.affected(Change{ID: "wh_2", New: &stripped})).To(Equal([]Resource{bills}), "its marks are gone, its id is not")
	a.clusterID = "other"
	g.Expect(a.affected(Change{ID: "wh_9", New: &was})).To(BeEmpty(), "another cluster's endpoint")
}

func TestWhatWasThereOnceIsForgottenWhenItMattersNoMore(t *testing.T) {
	g := NewWithT(t)
	s := newStore()
	s.confirmAfter = time.Minute
	s.replace(s.begin(), testTime, listOf(), nil)
	s.forget("wh_1")
	g.Expect(s.look("wh_1", "").Seen).To(BeTrue())
	s.replace(s.begin(), testTime.Add(time.Minute), listOf(), nil)
	s.forget("wh_2")
	g.Expect(s.gone).To(BeEmpty())
}

func TestWhatSeveralHaveToDoWithIsToldToAllOfThem(t *testing.T) {
	g := NewWithT(t)
	var told []Resource
	a := newAccount("v1:x", nil, Options{ClusterID: "c1"}, func(who ...Resource) { told = append(told, who...) })
	manager, observer := Resource{Namespace: "shop", Name: "orders"}, Resource{Namespace: "shop", Name: "mirror"}
	a.users.add(manager)
	a.users.track(manager, "wh_1")
	is := owned("wh_1", OwnerMark("c1", manager))
	a.settle(is, nil)
	g.Expect(told).To(BeEmpty(), "who made the call knows it")

	a.users.add(observer)
	a.users.await(observer, "wh_1")
	a.settle(is, nil)
	g.Expect(told).To(BeEmpty(), "nothing is new")
	is.URL = "https://elsewhere.example.com"
	a.settle(is, nil)
	g.Expect(told).To(ConsistOf(manager, observer))
	told = nil
	a.tellOthers(a.store.forget("wh_1"))
	g.Expect(told).To(ConsistOf(manager, observer))
}
