// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package states

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/medblocks/webhook-operator/test/lab"
)

// seed of what is drawn at random. The plans are the same in every run.
const seed = 3

// plan is a sequence of edits. After the last one, the spec is what it was at first.
type plan struct {
	from  spec
	edits []edit
}

func (p plan) String() string {
	name := "a minimal spec"
	if p.from.text() != minimal().text() {
		name = "a full spec"
	}
	for _, e := range p.edits {
		name += ", " + e.String()
	}
	return name
}

// edits of a field, in a stable order: the valid ones or the others.
func (f field) edits(valid bool) []edit {
	values := f.invalid
	if valid {
		values = f.valid
	}
	var all []edit
	for _, name := range slices.Sorted(maps.Keys(values)) {
		all = append(all, edit{field: "spec." + f.path, name: name, apply: set(f.path, values[name]), refused: !valid})
	}
	return all
}

// origins alternates between the specs to begin with.
func origins(n int) spec {
	if n%2 == 0 {
		return minimal()
	}
	return full()
}

// singlePlans are all edits of one field: what is valid, what is not, and from one valid value to each other one.
func singlePlans(f field) []plan {
	var all []plan
	for _, valid := range []bool{true, false} {
		for _, e := range f.edits(valid) {
			all = append(all, plan{minimal(), []edit{e}}, plan{full(), []edit{e}})
		}
	}
	for _, a := range f.edits(true) {
		for _, b := range f.edits(true) {
			if a.name != b.name {
				all = append(all, plan{origins(len(all)), []edit{a, b}})
			}
		}
	}
	return all
}

// pairPlans draw an edit of each of two fields, for all ordered pairs with the first one.
func pairPlans(first field, random *rand.Rand) []plan {
	var all []plan
	for _, second := range fields() {
		if second.path != first.path {
			all = append(all, plan{origins(random.IntN(2)), []edit{draw(first, random), draw(second, random)}})
		}
	}
	return all
}

// draw an edit; four of five are valid, where there are such.
func draw(f field, random *rand.Rand) edit {
	from := f.edits(random.IntN(5) > 0)
	if len(from) == 0 {
		from = f.edits(false)
	}
	return from[random.IntN(len(from))]
}

// longPlans are sequences of six edits of any fields.
func longPlans(n int) []plan {
	random := rand.New(rand.NewPCG(seed, 0))
	var all []plan
	for range n {
		p := plan{from: origins(random.IntN(2))}
		for range 6 {
			p.edits = append(p.edits, draw(fields()[random.IntN(len(fields()))], random))
		}
		all = append(all, p)
	}
	return all
}

// table are the plans by what they are about.
func table() map[string][]plan {
	all := map[string][]plan{"long sequences": lab.Pick(longPlans(100), 20)}
	for i, f := range fields() {
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		all[fmt.Sprintf("edits of spec.%s", f.path)] = lab.Pick(singlePlans(f), 12)
		all[fmt.Sprintf("pairs with spec.%s", f.path)] = lab.Pick(pairPlans(f, random), 12)
	}
	return all
}
