// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/medblocks/webhook-operator/api/medblocks"
)

// obey checks that a plan is pure, deterministic and breaks no law.
func (m *model) obey(w *work, p plan) error {
	makePlan := makePlan
	if !w.res.DeletionTimestamp.IsZero() {
		makePlan = makeDeletionPlan
	}
	now, res, obs := m.clock.Now(), w.res.DeepCopy(), copyOf(w.obs)
	if again := makePlan(w.res, w.obs, now); !reflect.DeepEqual(again, p) {
		return fmt.Errorf("not deterministic: %s, then %s", describe(p), describe(again))
	}
	if !reflect.DeepEqual(res, w.res) || !reflect.DeepEqual(obs, w.obs) { //nolint:govet // a copied error is the same error
		return errors.New("a plan changed what it was given")
	}
	if p.Needs.any() {
		return nil
	}
	if err := m.obeyPreview(w, p); err != nil {
		return err
	}
	for what, wrong := range map[string]func(step) bool{
		"a person's disable is undone": func(s step) bool {
			return s.Action == actionEnable && s.Trigger == triggerPolicy && m.byPerson[s.EndpointID]
		},
		"an endpoint is adopted that another resource holds, or has the older claim to": func(s step) bool {
			return s.Action == actionAdopt && m.isOfRival(m.here()[s.EndpointID])
		},
		"the Secret of another resource is written": func(s step) bool { return s.Secret != "" && m.secretIsOfRival(s.Secret) },
	} {
		if is := each(p, wrong); is != "" {
			return fmt.Errorf("%s: %s", what, is)
		}
	}
	for _, l := range slices.Concat(laws, lawsOfAdoption) {
		if what := l.broken(w, p, now); what != "" {
			return fmt.Errorf("%s: %s, in %s", l.name, what, describe(p))
		}
	}
	return nil
}

// copyOf copies an observation as deep as a plan could change it.
func copyOf(obs *observation) *observation {
	copied := *obs
	copied.live = map[string]*medblocks.Endpoint{}
	for id, e := range obs.live {
		copied.live[id] = nil
		if e != nil {
			is := clone(e)
			copied.live[id] = &is
		}
	}
	copied.view.Owned = nil
	for i := range obs.view.Owned {
		copied.view.Owned = append(copied.view.Owned, clone(&obs.view.Owned[i]))
	}
	if obs.view.Endpoint != nil {
		is := clone(obs.view.Endpoint)
		copied.view.Endpoint = &is
	}
	copied.disposed, copied.since, copied.refusals = maps.Clone(obs.disposed), maps.Clone(obs.since), maps.Clone(obs.refusals)
	copied.secret.value = slices.Clone(obs.secret.value)
	copied.former = nil
	for _, view := range obs.former {
		former := *view
		former.value = slices.Clone(view.value)
		copied.former = append(copied.former, &former)
	}
	if obs.source != nil {
		source := *obs.source
		copied.source = &source
	}
	copied.endpointRivals, copied.secretRivals = slices.Clone(obs.endpointRivals), slices.Clone(obs.secretRivals)
	copied.copies.at = slices.Clone(obs.copies.at)
	return &copied
}

// live runs one random life of a resource. The error tells how to see it again.
func live(source rand.Source) (*model, error) {
	rng := rand.New(source)
	m, adversary := randomModel(rng)
	m.check = m.obey
	p, err := m.run(adversary)
	if err == nil {
		err = m.verify(p)
	}
	if err != nil {
		return m, fmt.Errorf("%w\n  after: %s\n  faults: %v", err, strings.Join(m.told, ", "), m.faults)
	}
	return m, nil
}

// covered are the writes that random lives have to lead to.
var covered = []action{
	actionRegister, actionAdopt, actionUpdate, actionRepairMarks, actionRotate, actionDisable, actionEnable, actionDeleteDuplicate,
	actionDelete, actionOrphan, actionCopySecret, actionMoveSecret,
}

// TestEveryPlanKeepsTheLawsAndEveryResourceSettles lives through thousands of random lives: whatever a resource is found
// with, and whatever fails or happens meanwhile, the plans come to an end, with one endpoint and the secret that it signs
// with, and no plan on the way breaks a law.
func TestEveryPlanKeepsTheLawsAndEveryResourceSettles(t *testing.T) {
	lives := 3000
	if os.Getenv("EXHAUSTIVE") == "1" {
		lives = 100_000
	}
	failed, ready, observed, acts := 0, 0, 0, map[action]int{}
	for seed := range uint64(lives) {
		m, err := live(rand.NewPCG(seed, 0))
		if err != nil {
			t.Errorf("seed %d: %v", seed, err)
			if failed++; failed == 5 {
				t.FailNow()
			}
			continue
		}
		if !m.blocked {
			ready++
		}
		if m.res.Observes() && !m.gone {
			observed++
		}
		for a, n := range m.counts {
			acts[a] += n
		}
	}
	t.Logf("%d lives, %d of them without an obstacle that only a person can remove, %d end under Observe; writes to Medblocks and to Secrets: %v", lives, ready, observed, acts)
	// A generator that no longer leads anywhere would prove nothing.
	for _, a := range covered {
		if acts[a] < 10 {
			t.Errorf("only %d times %s: the lives do not cover it", acts[a], a)
		}
	}
	if observed < 10 {
		t.Errorf("only %d of %d lives end under Observe", observed, lives)
	}
	if ready < lives/4 {
		t.Errorf("only %d of %d lives have a clear end", ready, lives)
	}
}

// byteSource makes the choices of a life out of bytes, so that a fuzzer can steer them.
type byteSource struct {
	bytes []byte
	then  *rand.PCG
}

func (s *byteSource) Uint64() uint64 {
	if len(s.bytes) == 0 {
		return s.then.Uint64()
	}
	b := s.bytes[0]
	s.bytes = s.bytes[1:]
	return uint64(b)<<56 | uint64(b)<<24
}

func FuzzPlan(f *testing.F) {
	f.Add([]byte{})
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		seed := make([]byte, 40)
		for i := range seed {
			seed[i] = byte(rng.Uint32())
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, choices []byte) {
		if _, err := live(&byteSource{bytes: choices, then: rand.NewPCG(uint64(len(choices)), 1)}); err != nil {
			t.Fatal(err)
		}
	})
}
