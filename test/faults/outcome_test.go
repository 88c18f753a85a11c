// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"encoding/json"
	"regexp"
	"strings"
	"sync"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
	"github.com/medblocks/webhook-operator/test/lab"
)

// outcome is what a run of a scenario came to.
type outcome struct {
	state lab.State
	// writes are how often each call took effect at Medblocks, whoever was told.
	writes map[Call]int
	// effects are how many of each kind of call were answered, from the beginning of the scenario.
	effects map[Call]int
	// calls are all kinds of calls that were made, with how many of each.
	calls map[Call]int
	// sent are the writes that took effect, in their order.
	sent []string
}

// start is what had happened before the story of a scenario began.
type start struct {
	requests int
	writes   map[Call]int
}

func startOf(w *lab.World, op *lab.Operator) start {
	return start{requests: len(op.Wire.Requests()), writes: writesAt(w)}
}

// writesAt counts the writes that Medblocks has carried out.
func writesAt(w *lab.World) map[Call]int {
	writes := map[Call]int{}
	for call, operation := range map[Call]emulator.Operation{
		Create: emulator.OperationCreateEndpoint, Delete: emulator.OperationDeleteEndpoint, Rotate: emulator.OperationRotateSecret,
	} {
		for status, count := range w.Vendor.Counters().Statuses[operation] {
			if strings.HasPrefix(status, "2") {
				writes[call] += count
			}
		}
	}
	return writes
}

// outcomeOf looks at what has happened since the start.
func outcomeOf(w *lab.World, op *lab.Operator, since start) outcome {
	o := outcome{state: w.State(), writes: writesAt(w), effects: map[Call]int{}, calls: map[Call]int{}}
	for call, count := range since.writes {
		o.writes[call] -= count
	}
	for _, r := range op.Wire.Requests()[since.requests:] {
		call := CallOf(&r)
		o.calls[call]++
		if r.Status >= 200 && r.Status < 300 {
			o.effects[call]++
			if r.IsWrite() {
				o.sent = append(o.sent, r.String())
			}
		}
	}
	return o
}

// undisturbed are the outcomes of scenarios in which nothing goes wrong.
var undisturbed struct {
	mu  sync.Mutex
	all map[string]outcome
}

// baseline runs a scenario without a fault, once.
func baseline(t *testing.T, s scenario) outcome {
	t.Helper()
	undisturbed.mu.Lock()
	defer undisturbed.mu.Unlock()
	if undisturbed.all == nil {
		undisturbed.all = map[string]outcome{}
	}
	if _, known := undisturbed.all[s.name]; !known {
		t.Run("undisturbed "+s.name, func(t *testing.T) { undisturbed.all[s.name] = s.undisturbed(t) })
	}
	return undisturbed.all[s.name]
}

func (s scenario) undisturbed(t *testing.T) outcome {
	t.Helper()
	w := lab.NewWorld(t)
	op := s.begin(w)
	since := startOf(w, op)
	s.act(w)
	w.Expect(w.Settle()).To(BeTrue())
	w.CheckInvariants()
	return outcomeOf(w, op, since)
}

var attempts = regexp.MustCompile(`"attempt":\d+`)

// essence is a state without what a fault may leave behind: the traces of another attempt, and of a person's touch. After a
// lossy one, a secret or the memory of an attempt may have been lost: how many there were, and how the secret in force came to
// be, is left out too. So is how many events were delivered: who was delivered to may not have been heard.
func essence(original lab.State, lossy bool) lab.State {
	s := copyOf(original)
	for i := range s.Endpoints {
		s.Endpoints[i].Alias = ""
	}
	for name, res := range s.Resources {
		s.Resources[name] = bareResource(res, lossy)
	}
	for name, secret := range s.Secrets {
		secret.EndpointID = aliases.ReplaceAllString(secret.EndpointID, "<endpoint>")
		delete(secret.Annotations, v1alpha1.AnnotationSecretHealedAt) // a secret may have been lost and healed
		if lossy && secret.Previous == "outdated" {
			secret.Previous = "none"
		}
		s.Secrets[name] = secret
	}
	return s
}

func bareResource(res lab.ResourceState, lossy bool) lab.ResourceState {
	res.History = nil
	res.Status = bareStatus(res.Status)
	delete(res.Annotations, v1alpha1.AnnotationReconcileRequestedAt)
	if is, ok := res.Annotations[v1alpha1.AnnotationRegistration]; ok {
		res.Annotations[v1alpha1.AnnotationRegistration] = registration(is)
	}
	for condition, text := range res.Conditions {
		res.Conditions[condition] = aliases.ReplaceAllString(text, "<endpoint>")
	}
	if !lossy {
		return res
	}
	res.Status = tries.ReplaceAllString(res.Status, `"attempts": [ "<time>" ]`) // one that failed counts too
	if is := res.Conditions[v1alpha1.ConditionSigningSecretReady]; strings.HasPrefix(is, "True ") {
		res.Conditions[v1alpha1.ConditionSigningSecretReady] = "True" // however it came to be
	}
	return res
}

func copyOf(s lab.State) (c lab.State) {
	raw, err := json.Marshal(s)
	if err == nil {
		err = json.Unmarshal(raw, &c)
	}
	if err != nil {
		panic(err) // texts, lists and maps
	}
	return c
}

var (
	aliases  = regexp.MustCompile(`<endpoint \d+>`)
	nonces   = regexp.MustCompile(`<(unknown nonce|nonce in [^>]*)>`)
	optional = regexp.MustCompile(`(?m)^ *"(lastHandledReconcile(Requested)?At|lastHealed|nextAttempt|accountedBefore|delivered|cursor|canary)": .*\n`)
	hollow   = regexp.MustCompile(`(?m)^ *"reenable": \{\n *\},?\n`)
	tries    = regexp.MustCompile(`"attempts": \[[^\]]*\]`)
	commas   = regexp.MustCompile(`,(\n *[}\]])`)
)

func bareStatus(status string) string {
	return commas.ReplaceAllString(aliases.ReplaceAllString(hollow.ReplaceAllString(optional.ReplaceAllString(status, ""), ""), "<endpoint>"), "$1")
}

func registration(annotation string) string {
	annotation = strings.ReplaceAll(attempts.ReplaceAllString(annotation, `"attempt":1`), `,"refused":true`, "")
	return nonces.ReplaceAllString(annotation, "<nonce>")
}
