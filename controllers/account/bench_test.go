// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"fmt"
	"testing"

	"github.com/medblocks/webhook-operator/api/medblocks"
)

// The benchmarks show what a sweep costs beside its calls, at ten thousand endpoints of which each is a resource's.

const manyEndpoints = 10_000

const benchCluster = "cluster"

func benchResource(i int) Resource {
	return Resource{Namespace: "shop", Name: fmt.Sprintf("hook-%05d", i)}
}

func benchEndpoint(i int) medblocks.Endpoint {
	return owned(fmt.Sprintf("wh_%05d", i), OwnerMark(benchCluster, benchResource(i)))
}

func manyListed() map[string]medblocks.Endpoint {
	listed := make(map[string]medblocks.Endpoint, manyEndpoints)
	for i := range manyEndpoints {
		e := benchEndpoint(i)
		listed[e.ID] = e
	}
	return listed
}

// manyUsers is an account whose snapshot is complete and of which each endpoint is tracked by its owner.
func manyUsers() *Account {
	a := newAccount("v1:x", nil, Options{ClusterID: benchCluster}, nil)
	a.store.replace(a.store.begin(), testTime, manyListed(), nil)
	for i := range manyEndpoints {
		a.users.add(benchResource(i))
		a.users.track(benchResource(i), benchEndpoint(i).ID)
	}
	return a
}

func BenchmarkDiffOfTenThousandEndpoints(b *testing.B) {
	before, after := manyListed(), manyListed()
	b.ReportAllocs()
	for b.Loop() {
		if changes := diff(before, after); len(changes) != 0 {
			b.Fatal("they are the same")
		}
	}
}

func BenchmarkSweepOfTenThousandEndpoints(b *testing.B) {
	a := manyUsers()
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		next := manyListed()
		b.StartTimer()
		if changes, _ := a.store.replace(a.store.begin(), testTime, next, a.tracked()); len(changes) != 0 {
			b.Fatal("nothing has changed")
		}
	}
}

func BenchmarkAffectedByOneOfTenThousandEndpoints(b *testing.B) {
	a := manyUsers()
	e := benchEndpoint(manyEndpoints / 2)
	c := Change{ID: e.ID, Old: &e, New: &e}
	b.ReportAllocs()
	for b.Loop() {
		if concerned := a.affected(c); len(concerned) != 1 {
			b.Fatal(concerned)
		}
	}
}

func BenchmarkUnclaimedOfTenThousandEndpoints(b *testing.B) {
	claimed, adopted := manyUsers(), manyUsers()
	adopted.users = newUsers()
	for i := range manyEndpoints { // tracked by resources that their marks do not name
		adopter := Resource{Namespace: "adopters", Name: benchResource(i).Name}
		adopted.users.add(adopter)
		adopted.users.track(adopter, benchEndpoint(i).ID)
	}
	for name, a := range map[string]*Account{"by their marks": claimed, "by their ids": adopted} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if left := a.unclaimed(benchCluster); len(left) != 0 {
					b.Fatal("all of them are claimed")
				}
			}
		})
	}
}
