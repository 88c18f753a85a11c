// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package crash

import (
	"slices"

	"github.com/medblocks/webhook-operator/test/lab"
)

const (
	// hooks is the resource that most scenarios are about, and signing its Secret.
	hooks   = "hooks"
	signing = hooks + "-signing-secret"
)

// scenario is a change to a settled world.
type scenario struct {
	name string
	// prepare is undisturbed; the world settles after each of its parts.
	prepare []func(*lab.World)
	// act changes something.
	act func(*lab.World)
	// during, if set, is what happens while the first operator's requests are under way.
	during func(*lab.World) lab.Middleware
	// still is what people do in any case, after a crash too.
	still func(*lab.World)
	// calls that Medblocks gets without a crash. After a crash it may get one rotation more, and, with fewer, less of everything:
	// where the crash comes before what has to be undone.
	calls calls
	fewer bool
	// exact: there is no rotation more, whatever is lost: no answer holds a secret.
	exact bool
	// several: two resources are written at once, so that one crash can lose two answers.
	several bool
	// pairs: the successor is ended at each of its writes too.
	pairs bool
	// down: nothing runs while act does, and an operator with cold caches finds what has changed.
	down bool
	// byName: the operator may not list and watch Secrets.
	byName bool
	// ends is what holds in the end, beside the invariants.
	ends func(*lab.World)
}

// calls are the writes to Medblocks that matter most.
type calls struct{ posts, rotations, deletes int }

// within tells whether they are as many as without crashes, with at most one rotation more for each lost answer; or fewer, where that is fine.
func (c calls) within(most calls, lost int, fewer bool) bool {
	if fewer {
		return c.posts <= most.posts && c.deletes <= most.deletes && c.rotations <= most.rotations+lost
	}
	return c.posts == most.posts && c.deletes == most.deletes &&
		most.rotations <= c.rotations && c.rotations <= most.rotations+lost
}

// scenarios are all of them.
func scenarios() []scenario {
	all := fieldScenarios()
	all = append(all, secretScenarios()...)
	all = append(all, remoteScenarios()...)
	all = append(all, adoptionScenarios()...)
	all = append(all, rivalScenarios()...)
	all = append(all, restoreScenarios()...)
	all = append(all, byNameScenarios()...)
	return append(all, deletionScenarios()...)
}

// named are the scenarios of these names.
func named(names ...string) []scenario {
	return slices.DeleteFunc(scenarios(), func(s scenario) bool { return !slices.Contains(names, s.name) })
}

// variants are all scenarios, seen by a running operator and, in an exhaustive run, also found by one that starts.
func variants() []scenario {
	var all []scenario
	for _, s := range scenarios() {
		all = append(all, s)
		if !s.down && lab.Exhaustive() {
			s.name += ", while down"
			s.down = true
			all = append(all, s)
		}
	}
	return all
}

// create makes the resource.
func create(tweaks ...func(*lab.Resource)) func(*lab.World) {
	return func(w *lab.World) { w.Create(w.Manifest(hooks, tweaks...)) }
}

// created is the start of most scenarios.
func created(tweaks ...func(*lab.Resource)) []func(*lab.World) {
	return []func(*lab.World){create(tweaks...)}
}

// change edits the resource.
func change(edit func(*lab.Resource)) func(*lab.World) {
	return func(w *lab.World) { w.Change(hooks, edit) }
}

// annotate sets an annotation of the resource.
func annotate(annotation string) func(*lab.World) {
	return func(w *lab.World) { w.Annotate(hooks, annotation, "now") }
}
