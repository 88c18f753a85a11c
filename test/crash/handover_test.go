// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package crash

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/lab"
)

// handover is a change of the leader that the old one does not notice: it stands still in the middle of a write, beyond its lease.
type handover struct {
	write int
	// landed: the write has taken effect by then. Otherwise it does so when the old leader goes on.
	landed bool
	// late: the old leader goes on when the new one has settled, and not while it still waits for what may be in flight.
	late bool
	// end is what becomes of the old leader.
	end end
}

type end string

const (
	// answerLost: the answer never reaches it.
	answerLost end = "its answer is lost"
	// writesNoMore: it is ended at its next write to Kubernetes.
	writesNoMore end = "it ends at its next write to Kubernetes"
	// lingers: it goes on for a while without a lease.
	lingers end = "it goes on for a while"
)

func (h handover) String() string {
	return fmt.Sprintf("paused %s write %d, until the new leader %s, and %s",
		map[bool]string{true: "after", false: "before"}[h.landed], h.write,
		map[bool]string{true: "has settled", false: "waits"}[h.late], h.end)
}

// handoverScenarios are those whose writes cannot be repeated, and one of the others.
func handoverScenarios() []scenario {
	return named(
		"register", "rotate by annotation", "delete", "spec change", "heal a lost Secret", "register again what is gone",
		"rename the Secret and rotate", "delete with Orphan", "re-enable by policy",
	)
}

func TestTwoLeadersAtOnceLeaveOneEndpointAndItsSecret(t *testing.T) {
	t.Parallel()
	for i, s := range handoverScenarios() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			undisturbed := play(t, s)
			for _, h := range handovers(undisturbed.writes, i) {
				t.Run(h.String(), func(t *testing.T) {
					t.Parallel()
					handOver(t, s, undisturbed, h)
				})
			}
		})
	}
}

// handovers are all of them, or each end once.
func handovers(writes, row int) []handover {
	var all []handover
	for k := 1; k <= writes; k++ {
		for _, landed := range []bool{false, true} {
			for _, late := range []bool{false, true} {
				for _, end := range []end{answerLost, writesNoMore, lingers} {
					all = append(all, handover{write: k, landed: landed, late: late, end: end})
				}
			}
		}
	}
	if lab.Exhaustive() {
		return all
	}
	return []handover{all[row%len(all)], all[(row+len(all)/2+1)%len(all)], all[(row+len(all)-1)%len(all)]}
}

func handOver(t *testing.T, s scenario, undisturbed result, h handover) {
	t.Helper()
	reached := false
	t.Cleanup(func() {
		if t.Failed() || reached {
			lab.Report("hand-over: " + s.name).Plan(t)
		}
	})
	w, old := stage(t, s)
	goOn := make(chan struct{})
	s.begin(w, old, h.pause(old, goOn))
	if w.Settle() {
		close(goOn)
		return // there is no write of that number
	}
	reached = true
	successor := w.Start()
	if h.late {
		w.Expect(w.Settle()).To(BeTrue())
	} else {
		w.Advance(w.Defaults.APITimeout / 3)
	}
	before := callsTo(w).rotations
	old.Resume()
	close(goOn)
	w.Quiesce()
	if h.late && h.end != lingers && callsTo(w).rotations > before {
		// The network has held a rotation back for longer than the API timeout, and nobody has heard of it. No mark tells of that.
		old.Kill()
		rotateOnceMore(w, successor)
		return
	}
	w.Advance(time.Minute)
	old.Kill()
	w.Expect(w.Settle()).To(BeTrue())
	w.Advance(time.Hour) // a Secret that was healed once is not healed again sooner
	w.Expect(w.Settle()).To(BeTrue())
	check(w, successor)
	if diff := cmp.Diff(anyPrevious(undisturbed.outcome), anyPrevious(outcome(w))); diff != "" {
		t.Errorf("the hand-over changes the outcome (-undisturbed +handed over):\n%s", diff)
	}
	if is, most := callsTo(w), undisturbed.calls; is.posts > most.posts+1 || is.deletes > most.deletes+1 || is.rotations > most.rotations+3 {
		t.Errorf("with two leaders Medblocks gets %+v, with one %+v", is, most)
	}
}

// rotateOnceMore comes when the Secret is outdated and nothing says so: no harm is done beyond that, and the next rotation sets it
// right.
func rotateOnceMore(w *lab.World, successor *lab.Operator) {
	w.T.Helper()
	w.Expect(w.Settle()).To(BeTrue())
	w.Expect(w.Owned(hooks)).To(HaveLen(1))
	checkForeign(w)
	w.Annotate(hooks, v1alpha1.AnnotationRotateSecretRequestedAt, "once more")
	w.Expect(w.Settle()).To(BeTrue())
	w.Expect(meta.IsStatusConditionTrue(w.Get(hooks).Status.Conditions, v1alpha1.ConditionReady)).To(BeTrue())
	check(w, successor)
}

// anyPrevious leaves out whether there is a previous value: a write that lands late may cost a rotation.
func anyPrevious(s lab.State) lab.State {
	s.Secrets = maps.Clone(s.Secrets)
	for name, secret := range s.Secrets {
		if secret.Previous == "outdated" {
			secret.Previous = "none"
		}
		s.Secrets[name] = secret
	}
	return s
}

// pause has the operator stand still in the middle of a write until it is to go on.
func (h handover) pause(op *lab.Operator, goOn <-chan struct{}) lab.Middleware {
	var paused atomic.Bool
	return func(w *lab.Wire, r *lab.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if r.Write != h.write {
			if paused.Load() && h.end == writesNoMore && r.Side == lab.Kubernetes && r.IsWrite() {
				w.Cut()
				return nil, lab.ErrCut
			}
			return send()
		}
		paused.Store(true)
		return h.pausedAnswer(w, op, goOn, send)
	}
}

func (h handover) pausedAnswer(w *lab.Wire, op *lab.Operator, goOn <-chan struct{}, send func() (*http.Response, error)) (*http.Response, error) {
	wait := func() {
		op.Pause()
		select {
		case <-goOn:
		case <-w.Done():
		}
	}
	if !h.landed {
		wait()
	}
	resp, err := send()
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	if h.landed {
		wait()
	}
	if h.end == answerLost {
		w.Cut()
		return nil, lab.ErrCut
	}
	resp.Body = io.NopCloser(bytes.NewReader(content))
	return resp, nil
}
