// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package redelivery

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

// played has a round played to its end.
func played(t *testing.T, w *world) *WithT {
	t.Helper()
	g := NewWithT(t)
	g.Expect(w.play(100_000)).To(BeTrue(), "it ends")
	g.Expect(w.wrong).To(BeEmpty())
	return g
}

// answers is a receiver that answers with these statuses, and else with 200.
func answers(statuses map[string]int) func(string) int {
	return func(id string) int {
		if status, has := statuses[id]; has {
			return status
		}
		return 200
	}
}

// inVain is a trouble that befalls the first calls for an event.
func inVain(id string, times int, o outcome, attempted bool) func(string) (*outcome, bool) {
	return func(asked string) (*outcome, bool) {
		if asked != id || times == 0 {
			return nil, false
		}
		times--
		return &o, attempted
	}
}

func TestTheCanaryIsTheNewestEventThatHasFailedBeforeAndTheRestGoesOldestFirst(t *testing.T) {
	fresh := event{id: "fresh", created: start.Add(-time.Second)} // no attempt was made yet
	for name, test := range map[string]struct {
		events []event
		tweak  func(*Job)
		calls  string
		canary string
	}{
		"the newest one that has failed": {[]event{fresh, lost("a", 30), lost("b", 20), lost("c", 10)}, nil, "c, a, b, fresh", "c"},
		"the only one":                   {[]event{lost("a", 30)}, nil, "a", "a"},
		"none that has failed":           {[]event{fresh}, nil, "fresh", ""},
		"not the one that failed as the canary of the try before": {
			[]event{lost("a", 30), lost("b", 20), lost("c", 10)}, func(j *Job) { j.Avoid = "c" }, "b, a, c", "b",
		},
		"unless there is no other one": {
			[]event{fresh, lost("c", 10)}, func(j *Job) { j.Avoid = "c" }, "c, fresh", "c",
		},
		"none after a restart":       {[]event{lost("a", 30), lost("b", 20)}, func(j *Job) { j.Resumed = true }, "a, b", ""},
		"created at the same moment": {[]event{lost("b", 20), lost("a", 20), lost("c", 20)}, nil, "c, a, b", "c"},
		"within the limit, which it is the first of": {
			[]event{lost("a", 30), lost("b", 20), lost("c", 10)}, func(j *Job) { j.Limit = 2 }, "c, a", "c",
		},
		"none without a limit to let it through": {[]event{lost("a", 30)}, func(j *Job) { j.Limit = 0 }, "", ""},
		"none of those that are not within the bounds": {
			[]event{lost("old", 97*60), lost("first", 96*60), lost("a", 30), {id: "late", created: start, attempts: 1}}, nil, "a, first", "a",
		},
	} {
		t.Run(name, func(t *testing.T) {
			job := anyJob()
			if test.tweak != nil {
				test.tweak(&job)
			}
			w := newWorld(job, test.events...)
			g := played(t, w)
			g.Expect(w.told()).To(Equal(test.calls))
			p := w.round.progress()
			g.Expect(p.State).To(Equal(Completed))
			g.Expect(p.Canary).To(Equal(test.canary))
			g.Expect(p.Delivered).To(Equal(len(w.calls)))
		})
	}
}

func TestACanaryThatIsNotDeliveredStopsTheJob(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		answer string
	}{
		"the receiver is down":      {0, "it did not answer"},
		"it answers with an error":  {503, "it answered 503"},
		"it does not know who asks": {401, "it answered 401"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(anyJob(), lost("a", 30), lost("b", 20), lost("c", 10))
			w.receiver = answers(map[string]int{"c": test.status})
			g := played(t, w)
			g.Expect(w.told()).To(Equal("c(failed)"))
			g.Expect(w.round.progress()).To(Equal(Progress{
				State: Stopped, Pending: 2, Failed: 1, Cursor: "c", Canary: "c", Answer: test.answer, Exhausted: []string{"c"},
			}))
		})
	}
}

// canariesFail has events from a, the oldest, to e, of which some fail by their own fault, each in its way.
func canariesFail(job Job, ways map[string]any) *world {
	w := newWorld(job, lost("a", 50), lost("b", 40), lost("c", 30), lost("d", 20), lost("e", 10))
	w.receiver = func(id string) int {
		if status, is := ways[id].(int); is {
			return status
		}
		return 200
	}
	w.trouble = func(id string) (*outcome, bool) {
		if v, is := ways[id].(verdict); is {
			return &outcome{verdict: v}, false
		}
		return nil, false
	}
	return w
}

func TestACanaryThatFailsByItsOwnFaultIsFollowedByAnother(t *testing.T) {
	for name, test := range map[string]struct {
		ways   map[string]any
		avoid  string
		calls  string
		state  State
		canary string
		failed int
	}{
		"the receiver refuses it":      {map[string]any{"e": 422}, "", "e(failed), d, a, b, c", Completed, "d", 1},
		"Medblocks refuses it":         {map[string]any{"e": refused}, "", "e(refused), d, a, b, c", Completed, "d", 1},
		"Medblocks does not find it":   {map[string]any{"e": gone}, "", "e(gone), d, a, b, c", Completed, "d", 1},
		"the second one fails as well": {map[string]any{"e": gone, "d": 400}, "", "e(gone), d(failed), c, a, b", Completed, "c", 2},
		"the third one stops the job": {
			map[string]any{"e": refused, "d": gone, "c": 422}, "", "e(refused), d(gone), c(failed)", Stopped, "c", 3,
		},
		"as does one that says that the receiver is down": {map[string]any{"e": 422, "d": 503}, "", "e(failed), d(failed)", Stopped, "d", 2},
		"not by the one that failed in the try before": {
			map[string]any{"e": 422}, "d", "e(failed), c, a, b, d", Completed, "c", 1,
		},
		"that one is passed over first, too": {map[string]any{"d": gone}, "e", "d(gone), c, a, b, e", Completed, "c", 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := canariesFail(anyJob(func(j *Job) { j.Avoid = test.avoid }), test.ways)
			g := played(t, w)
			g.Expect(w.told()).To(HavePrefix(test.calls))
			p := w.round.progress()
			g.Expect(p).To(And(HaveField("State", test.state), HaveField("Canary", test.canary), HaveField("Failed", test.failed)))
			g.Expect(p.Pending + p.Delivered + p.Failed).To(Equal(5))
		})
	}
	t.Run("where there is none left, the others go on without one", func(t *testing.T) {
		w := newWorld(anyJob(), lost("a", 30), lost("b", 20), event{id: "fresh", created: start.Add(-time.Second)})
		w.receiver = answers(map[string]int{"a": 422, "b": 422})
		g := played(t, w)
		g.Expect(w.told()).To(HavePrefix("b(failed), a(failed), fresh, a(failed)"))
		g.Expect(w.round.progress()).To(And(HaveField("State", Completed), HaveField("Canary", ""), HaveField("Delivered", 1)))
	})
	t.Run("until it is delivered, a restart begins with one again", func(t *testing.T) {
		w := canariesFail(anyJob(), map[string]any{"e": 422})
		for len(w.calls) < 1 {
			w.step()
		}
		g := NewWithT(t)
		g.Expect(w.round.progress()).To(And(HaveField("Cursor", ""), HaveField("Canary", ""), HaveField("Failed", 1)))
		for len(w.calls) < 2 {
			w.step()
		}
		g.Expect(w.round.progress()).To(And(HaveField("Cursor", "d"), HaveField("Canary", "d")))
	})
}

func TestThreeFailuresInARowStopTheJob(t *testing.T) {
	events := []event{lost("a", 30), lost("b", 29), lost("c", 28), lost("d", 27), lost("e", 26), lost("z", 1)}
	for name, test := range map[string]struct {
		statuses map[string]int
		calls    string
	}{
		"three": {map[string]int{"b": 500, "c": 0, "d": 502}, "z, a, b(failed), c(failed), d(failed)"},
		"what hints at the receiver counts, although it is a 4xx": {
			map[string]int{"a": 401, "b": 404, "c": 429}, "z, a(failed), b(failed), c(failed)",
		},
		"what is the event's own fault does not count, nor does it end the row": {
			map[string]int{"a": 500, "b": 422, "c": 500, "d": 400, "e": 500}, "z, a(failed), b(failed), c(failed), d(failed), e(failed)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(anyJob(), events...)
			w.receiver = answers(test.statuses)
			g := played(t, w)
			g.Expect(w.told()).To(Equal(test.calls))
			p := w.round.progress()
			g.Expect(p.State).To(Equal(Stopped))
			g.Expect(p.Failed).To(Equal(len(test.statuses)))
			g.Expect(p.Pending).To(Equal(len(w.events) - p.Failed))
		})
	}
	t.Run("a delivery ends the row", func(t *testing.T) {
		w := newWorld(anyJob(), events...)
		w.receiver = answers(map[string]int{"a": 500, "b": 500, "d": 500, "e": 500})
		g := played(t, w)
		g.Expect(w.told()).To(HavePrefix("z, a(failed), b(failed), c, d(failed), e(failed), a(failed)"))
	})
}

func TestWhatFailsHasFourMoreLooksEverLaterOnes(t *testing.T) {
	w := newWorld(anyJob(), lost("a", 30), lost("b", 29), lost("c", 28), lost("z", 1))
	asked := map[string]int{}
	w.receiver = func(id string) int {
		asked[id]++
		switch {
		case id == "a", id == "b" && asked[id] < 3:
			return 500
		}
		return 200
	}
	g := played(t, w)
	g.Expect(w.told()).To(Equal("z, a(failed), b(failed), c, a(failed), b(failed), a(failed), b, a(failed), " + "a(failed)"))
	for first, pause := range map[int]time.Duration{4: time.Minute, 6: 5 * time.Minute, 8: 30 * time.Minute, 9: 2 * time.Hour} {
		g.Expect(w.calls[first].at.Sub(w.calls[first-1].at)).To(BeNumerically("~", pause, time.Second))
	}
	g.Expect(w.round.progress()).To(Equal(Progress{
		State: Completed, Delivered: 3, Failed: 1, Cursor: "a", Canary: "z", Answer: "it answered 500", Exhausted: []string{"a"},
	}))
}

func TestAnEventIsNotLostBecauseTheReceiverIsDownForSomeMinutes(t *testing.T) {
	w := newWorld(anyJob(), lost("a", 30), lost("b", 29), lost("z", 1))
	w.receiver = func(id string) int {
		if since := w.now.Sub(start); id == "a" && since < 10*time.Second || since > 30*time.Second && since < 20*time.Minute {
			return 503
		}
		return 200
	}
	g := played(t, w)
	g.Expect(w.told()).To(Equal("z, a(failed), b, a(failed), " + "a(failed), a"))
	g.Expect(w.round.progress()).To(HaveField("Failed", 0))
}

func TestALaterLookDoesNotStopForFailures(t *testing.T) {
	w := newWorld(anyJob(), lost("a", 30), lost("b", 29), lost("c", 28), lost("d", 27), lost("e", 26), lost("z", 1))
	w.receiver = answers(map[string]int{"a": 500, "b": 500, "d": 500, "e": 500})
	g := played(t, w)
	g.Expect(w.calls).To(HaveLen(6 + 4*len(looks)))
}

func TestWhatIsDeliveredBetweenTwoLooksIsNotSentAgain(t *testing.T) {
	w := newWorld(anyJob(), lost("a", 30), lost("b", 29), lost("z", 1))
	w.receiver = answers(map[string]int{"a": 500})
	for len(w.calls) < 3 {
		w.step()
	}
	delete(w.events, "a") // an attempt of Medblocks' own
	g := played(t, w)
	g.Expect(w.told()).To(Equal("z, a(failed), b"))
	g.Expect(w.round.progress()).To(Equal(Progress{State: Completed, Delivered: 2, Cursor: "b", Canary: "z", Answer: "it answered 500"}))
}

func TestAJobWhoseReceiverWentDownAtTheEndIsStopped(t *testing.T) {
	events := []event{lost("a", 30), lost("b", 29), lost("c", 28), lost("z", 1)}
	for name, test := range map[string]struct {
		statuses map[string]int
		state    State
	}{
		"the last ones fail":                             {map[string]int{"b": 500, "c": 500}, Stopped},
		"one of the last ones fails by its own fault":    {map[string]int{"b": 422, "c": 500}, Stopped},
		"the last ones fail by their own fault":          {map[string]int{"b": 422, "c": 422}, Completed},
		"one before them fails":                          {map[string]int{"a": 500}, Completed},
		"one before them fails, and a later one as well": {map[string]int{"a": 500, "c": 500}, Completed},
		"nothing fails":                                  {nil, Completed},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(anyJob(), events...)
			w.receiver = answers(test.statuses)
			g := played(t, w)
			g.Expect(w.round.progress().State).To(Equal(test.state))
			g.Expect(w.round.progress().Failed).To(Equal(len(test.statuses)))
		})
	}
	t.Run("all that was sent before a restart", func(t *testing.T) {
		before := lost("a", 30)
		before.redelivered = start.Add(-time.Hour)
		w := newWorld(anyJob(func(j *Job) { j.Begun, j.Resumed = start.Add(-2*time.Hour), true }), before)
		w.receiver = answers(map[string]int{"a": 500})
		g := played(t, w)
		g.Expect(w.told()).To(Equal(strings.Repeat("a(failed), ", 3)+"a(failed)"), "it had its first turn before")
		g.Expect(w.round.progress().State).To(Equal(Stopped))
	})
}

func TestTheLimitCountsWhatEarlierTriesHaveDone(t *testing.T) {
	w := newWorld(anyJob(func(j *Job) { j.Limit, j.Delivered, j.Failed = 5, 2, 1 }), lost("a", 30), lost("b", 29), lost("c", 28), lost("z", 1))
	w.receiver = answers(map[string]int{"a": 422})
	w.step() // the list
	NewWithT(t).Expect(w.round.progress()).To(Equal(Progress{State: Running, Pending: 2, Delivered: 2, Failed: 1, Omitted: 2}))
	g := played(t, w)
	g.Expect(w.told()).To(Equal("z" + strings.Repeat(", a(failed)", 5)))
	g.Expect(w.round.progress()).To(Equal(Progress{
		State: Completed, Delivered: 3, Failed: 2, Omitted: 2, Cursor: "a", Canary: "z", Answer: "it answered 422", Exhausted: []string{"a"},
	}))
}

func TestAnEventThatIsListedAndNotFoundHasFailedUntilALaterListLacksIt(t *testing.T) {
	for name, test := range map[string]struct {
		times    int // that it is not found
		vanishes bool
		calls    string
		progress Progress
	}{
		"it is never found": {
			-1, false, "z, a(gone), b" + strings.Repeat(", a(gone)", 4),
			Progress{State: Completed, Delivered: 2, Failed: 1, Cursor: "b", Canary: "z", Exhausted: []string{"a"}},
		},
		"it is found later":          {1, false, "z, a(gone), b, a", Progress{State: Completed, Delivered: 3, Cursor: "a", Canary: "z"}},
		"it is not to be seen later": {-1, true, "z, a(gone), b", Progress{State: Completed, Delivered: 2, Cursor: "b", Canary: "z"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(anyJob(), lost("a", 30), lost("b", 29), lost("z", 1))
			w.trouble = inVain("a", test.times, outcome{verdict: gone}, false)
			for len(w.calls) < 3 {
				w.step()
			}
			g := NewWithT(t)
			g.Expect(w.round.progress()).To(HaveField("Failed", 1))
			if test.vanishes {
				delete(w.events, "a")
			}
			played(t, w)
			g.Expect(w.told()).To(Equal(test.calls))
			g.Expect(w.round.progress()).To(Equal(test.progress))
		})
	}
}

func TestNothingToDoIsDoneAtOnce(t *testing.T) {
	w := newWorld(anyJob(func(j *Job) { j.Delivered = 7 }))
	g := played(t, w)
	g.Expect(w.now.Sub(start)).To(BeNumerically("<", time.Second))
	g.Expect(w.round.progress()).To(Equal(Progress{State: Completed, Delivered: 7}))
}

func TestWhatHadItsTurnBeforeARestartWaitsForTheSecondLook(t *testing.T) {
	before, long := lost("a", 30), lost("b", 29)
	before.redelivered, long.redelivered = start.Add(-10*time.Minute), start.Add(-20*time.Minute)
	job := anyJob(func(j *Job) { j.Begun, j.Failed, j.Delivered, j.Resumed = start.Add(-15*time.Minute), 1, 3, true })
	w := newWorld(job, before, long, lost("c", 28))
	w.step()
	NewWithT(t).Expect(w.round.progress()).To(Equal(Progress{State: Running, Pending: 2, Delivered: 3, Failed: 1, Exhausted: []string{"a"}}))
	g := played(t, w)
	g.Expect(w.told()).To(Equal("b, c, a"))
	g.Expect(w.round.progress()).To(Equal(Progress{State: Completed, Delivered: 6, Cursor: "a"}))
}

func TestTheFailuresBeforeARestartAreAsManyAsAreToBeSeen(t *testing.T) {
	before := []event{lost("a", 30), lost("b", 29)}
	for i := range before {
		before[i].redelivered = start.Add(-10 * time.Minute)
	}
	for failed, total := range map[int]int{0: 2, 1: 2, 2: 2, 5: 5} { // what was published last may be of ten seconds before the restart
		job := anyJob(func(j *Job) { j.Begun, j.Failed, j.Resumed = start.Add(-15*time.Minute), failed, true })
		w := newWorld(job, before...)
		NewWithT(t).Expect(w.round.progress().Failed).To(Equal(failed))
		w.step()
		NewWithT(t).Expect(w.round.progress().Failed).To(Equal(total), "%d", failed)
	}
}

func TestAnEventsOwnMinuteIsRespected(t *testing.T) {
	recent := lost("a", 30)
	recent.redelivered = start.Add(-20 * time.Second)
	t.Run("it comes later than others", func(t *testing.T) {
		w := newWorld(anyJob(), recent, lost("b", 29), lost("z", 1))
		g := played(t, w)
		g.Expect(w.told()).To(Equal("z, b, a"))
		g.Expect(w.calls[2].at).To(BeTemporally("==", start.Add(40*time.Second)))
	})
	t.Run("as the canary, it is waited for where there is no other", func(t *testing.T) {
		w := newWorld(anyJob(), recent, event{id: "fresh", created: start.Add(-time.Minute)})
		g := played(t, w)
		g.Expect(w.told()).To(Equal("a, fresh"))
		g.Expect(w.calls[0].at).To(BeTemporally("==", start.Add(40*time.Second)))
	})
	t.Run("a clock of Medblocks' that is wrong holds it up for a minute at most", func(t *testing.T) {
		ahead := recent
		ahead.redelivered = start.Add(-time.Minute) // as our clock sees it
		w := newWorld(anyJob(func(j *Job) { j.Begun = start.Add(5 * time.Hour) }), ahead)
		w.skew = 3 * time.Hour
		w.events["a"].redelivered = w.events["a"].redelivered.Add(w.skew)
		g := played(t, w)
		g.Expect(w.told()).To(Equal("a"))
		g.Expect(w.now.Sub(start)).To(BeNumerically("<", 2*time.Minute))
	})
}

func TestAnEventThatIsTooSoonComesAfterTheOthers(t *testing.T) {
	w := newWorld(anyJob(), lost("a", 30), lost("b", 29), lost("z", 1))
	w.trouble = inVain("a", 1, outcome{verdict: tooSoon, wait: 25 * time.Second}, false)
	g := played(t, w)
	g.Expect(w.told()).To(Equal("z, a(too soon), b, a"))
	g.Expect(w.calls[3].at.Sub(w.calls[1].at)).To(BeNumerically("~", 25*time.Second, time.Second))
	g.Expect(w.lists).To(HaveLen(1))
}

func TestAJobThatIsToldToWaitForOneEventAfterTheOtherWaits(t *testing.T) {
	var events []event
	for i := range 50 {
		events = append(events, lost(fmt.Sprintf("%02d", i), 100-i))
	}
	w := newWorld(anyJob(), events...)
	until := start.Add(10 * time.Minute)
	w.trouble = func(string) (*outcome, bool) {
		if w.now.Before(until) {
			return &outcome{verdict: tooSoon, wait: time.Minute}, false
		}
		return nil, false
	}
	g := played(t, w)
	g.Expect(w.round.progress().Delivered).To(Equal(50))
	g.Expect(strings.Count(w.told(), "too soon")).To(Equal(12), "three at first, then one a minute")
	g.Expect(w.calls).To(HaveLen(12 + 50))
}

func TestAPauseOfTheAccountIsWaitedFor(t *testing.T) {
	w := newWorld(anyJob(), lost("a", 30), lost("z", 1))
	until := start.Add(17 * time.Minute)
	w.trouble = inVain("a", 1, outcome{verdict: barred, until: until}, false)
	g := played(t, w)
	g.Expect(w.told()).To(Equal("z, a(barred), a"))
	g.Expect(w.calls[2].at).To(BeTemporally("==", until))
	g.Expect(w.lists).To(HaveLen(1), "no call was made, so that nothing can have changed")

	t.Run("one that has passed is not asked about again at once", func(t *testing.T) {
		w := newWorld(anyJob(), lost("z", 1))
		w.trouble = inVain("z", 1, outcome{verdict: barred, until: start.Add(-time.Hour)}, false)
		g := played(t, w)
		g.Expect(w.calls[1].at.Sub(w.calls[0].at)).To(BeNumerically(">=", time.Second))
	})
}

func TestTroubleWithTheListIsWaitedOutEverLonger(t *testing.T) {
	w := newWorld(anyJob(), lost("z", 1))
	until := start.Add(20 * time.Minute)
	w.listTrouble = func() *outcome {
		if w.now.Before(until) {
			return &outcome{verdict: unclear}
		}
		return nil
	}
	g := played(t, w)
	g.Expect(w.told()).To(Equal("z"))
	var pauses []int
	for i := range w.lists[1:] {
		pauses = append(pauses, int(w.lists[i+1].Sub(w.lists[i]).Seconds()))
	}
	g.Expect(pauses).To(Equal([]int{10, 20, 40, 80, 160, 300, 300, 300}))

	for name, o := range map[string]outcome{
		"until the pause is over": {verdict: barred, until: start.Add(time.Hour)},
		"as long as asked for":    {verdict: tooSoon, wait: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(anyJob(), lost("z", 1))
			first := true
			w.listTrouble = func() *outcome {
				defer func() { first = false }()
				if first {
					return &o
				}
				return nil
			}
			g := played(t, w)
			g.Expect(w.lists).To(HaveLen(2))
			g.Expect(w.lists[1].Sub(start)).To(BeNumerically("~", time.Hour, time.Second))
		})
	}
}

func TestTroubleWithAnEventHasTheRestListedAnew(t *testing.T) {
	for name, test := range map[string]struct {
		verdict   verdict
		attempted bool
		status    int
		calls     string
		progress  Progress
	}{
		"the attempt was made, and the event delivered": {
			unclear, true, 200, "z, a(unclear), b", Progress{State: Completed, Delivered: 3, Cursor: "b", Canary: "z"},
		},
		"the attempt was made, and failed": {
			unclear, true, 503, "z, a(unclear), b" + strings.Repeat(", a(failed)", 4),
			Progress{State: Completed, Delivered: 2, Failed: 1, Cursor: "a", Canary: "z", Answer: "it answered 503", Exhausted: []string{"a"}},
		},
		"the attempt was not made": {
			unclear, false, 200, "z, a(unclear), b, a", Progress{State: Completed, Delivered: 3, Cursor: "a", Canary: "z"},
		},
		"the call had no effect, as its answer says": {
			undone, false, 200, "z, a(undone), b, a", Progress{State: Completed, Delivered: 3, Cursor: "a", Canary: "z"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(anyJob(), lost("a", 30), lost("b", 29), lost("z", 1))
			w.receiver = answers(map[string]int{"a": test.status})
			w.trouble = inVain("a", 1, outcome{verdict: test.verdict}, test.attempted)
			g := played(t, w)
			g.Expect(w.told()).To(Equal(test.calls))
			g.Expect(w.round.progress()).To(Equal(test.progress))
			g.Expect(w.lists[1].Sub(w.calls[1].at)).To(BeNumerically("~", 10*time.Second, time.Second))
		})
	}
}

func TestTheCanaryIsJudgedByWhatTheNextListSaysOfItWhereItsAnswerWasLost(t *testing.T) {
	for status, state := range map[int]State{200: Completed, 503: Stopped} {
		w := newWorld(anyJob(), lost("a", 30), lost("z", 1))
		w.receiver = answers(map[string]int{"z": status})
		w.trouble = inVain("z", 1, outcome{verdict: unclear}, true)
		g := played(t, w)
		g.Expect(w.round.progress().State).To(Equal(state))
		g.Expect(w.round.progress().Canary).To(Equal("z"))
	}
}

func TestAnEventThatMedblocksRefusesHasFailedAndSaysNothingOfTheReceiver(t *testing.T) {
	w := newWorld(anyJob(), lost("a", 30), lost("b", 29), lost("c", 28), lost("d", 27), lost("z", 1))
	w.trouble = func(id string) (*outcome, bool) {
		if id == "d" || id == "z" {
			return nil, false
		}
		return &outcome{verdict: refused}, false
	}
	g := played(t, w)
	g.Expect(w.told()).To(HavePrefix("z, a(refused), b(refused), c(refused), d, a(refused)"))
	g.Expect(w.round.progress()).To(Equal(Progress{
		State: Completed, Delivered: 2, Failed: 3, Cursor: "d", Canary: "z", Exhausted: []string{"a", "b", "c"},
	}))
}

func TestAnEventThatIsAskedForInVainForTooLongDoesNotKeepTheJobFromItsEnd(t *testing.T) {
	looking := time.Duration(0)
	for _, pause := range looks {
		looking += pause
	}
	for _, o := range []outcome{{verdict: unclear}, {verdict: undone}, {verdict: tooSoon, wait: 10 * time.Second}} {
		t.Run(string(o.verdict), func(t *testing.T) {
			w := newWorld(anyJob(), lost("a", 30), lost("b", 29), lost("z", 1))
			w.trouble = inVain("a", -1, o, false)
			g := played(t, w)
			p := w.round.progress()
			g.Expect(p.State).To(Equal(Stopped), "nothing was delivered after it")
			g.Expect([]int{p.Delivered, p.Failed}).To(Equal([]int{2, 1}))
			g.Expect(p.Answer).To(BeEmpty(), "the receiver was not asked")
			g.Expect(w.now.Sub(start)).To(BeNumerically("~", 5*patienceTime+looking, patienceTime))
		})
	}
	t.Run("the canary", func(t *testing.T) {
		w := newWorld(anyJob(), lost("z", 1))
		w.trouble = inVain("z", -1, outcome{verdict: unclear}, false)
		g := played(t, w)
		g.Expect(w.round.progress().State).To(Equal(Stopped))
		g.Expect(w.round.progress().Canary).To(Equal("z"))
	})
}

func TestAnAnswerMakesUpForTheTroubleBeforeIt(t *testing.T) {
	t.Run("the next setback is short again", func(t *testing.T) {
		w := newWorld(anyJob(), lost("a", 30), lost("b", 29), lost("c", 28), lost("z", 1))
		troubled := map[string]bool{}
		w.trouble = func(id string) (*outcome, bool) {
			if (id == "a" || id == "c") && !troubled[id] {
				troubled[id] = true
				return &outcome{verdict: unclear}, true
			}
			return nil, false
		}
		g := played(t, w)
		g.Expect(w.told()).To(Equal("z, a(unclear), b, c(unclear)"))
		g.Expect(w.round.progress().Delivered).To(Equal(4))
		g.Expect(w.lists[1].Sub(w.calls[1].at)).To(BeNumerically("~", 10*time.Second, time.Second))
		g.Expect(w.lists[2].Sub(w.calls[3].at)).To(BeNumerically("~", 10*time.Second, time.Second))
	})
	t.Run("patience begins anew", func(t *testing.T) {
		w := newWorld(anyJob(), lost("a", 30), lost("z", 1))
		asked := 0
		w.trouble = func(id string) (*outcome, bool) {
			switch asked++; {
			case id == "a" && asked < 6:
				return &outcome{verdict: tooSoon, wait: 9 * time.Minute}, false
			case asked == 7:
				return &outcome{verdict: tooSoon, wait: time.Minute}, false
			}
			return nil, false
		}
		w.receiver = func(string) int {
			if asked == 6 {
				return 503
			}
			return 200
		}
		g := played(t, w)
		g.Expect(w.told()).To(Equal("z, a(too soon), a(too soon), a(too soon), a(too soon), a(failed), a(too soon), a"))
		g.Expect(w.calls[7].at.Sub(w.calls[6].at)).To(BeNumerically("~", time.Minute, time.Second), "in the same look")
	})
	t.Run("events that are too soon now and then do not hold up the others", func(t *testing.T) {
		w := newWorld(anyJob(), lost("a", 30), lost("b", 29), lost("c", 28), lost("d", 27), lost("e", 26), lost("f", 25), lost("z", 1))
		w.trouble = func(id string) (*outcome, bool) {
			if slices.Contains([]string{"a", "c", "e"}, id) && w.now.Sub(start) < time.Minute {
				return &outcome{verdict: tooSoon, wait: 10 * time.Minute}, false
			}
			return nil, false
		}
		g := played(t, w)
		g.Expect(w.told()).To(Equal("z, a(too soon), b, c(too soon), d, e(too soon), f, a, c, e"))
		g.Expect(w.calls[6].at.Sub(start)).To(BeNumerically("<", time.Minute))
	})
}

func TestAListThatIsLeftBeforeItsEndProvesNoAbsence(t *testing.T) {
	w := newWorld(anyJob(), lost("a", 30), lost("b", 29), lost("z", 1))
	w.trouble = inVain("a", 1, outcome{verdict: unclear}, false)
	for len(w.calls) < 2 {
		w.step()
	}
	w.cut = func() map[string]event { return map[string]event{"b": lost("b", 29)} }
	g := played(t, w)
	g.Expect(w.told()).To(Equal("z, a(unclear), b, a"))
	g.Expect(w.round.progress().Delivered).To(Equal(3))
}

func TestTheExhaustedEventsAreTheNewestThatFailed(t *testing.T) {
	var events []event
	for i := range 300 {
		e := lost(fmt.Sprintf("%03d", i), 1000-i)
		if i%2 == 1 {
			e.attempts = 3
		}
		events = append(events, e)
	}
	w := newWorld(anyJob(), append(events, lost("z", 1))...)
	w.receiver = func(id string) int {
		if id == "z" {
			return 200
		}
		return 422
	}
	g := played(t, w)
	p := w.round.progress()
	g.Expect(p.Failed).To(Equal(300))
	g.Expect(p.Exhausted).To(HaveLen(101), "one more than a resource's status holds")
	g.Expect(slices.IsSorted(p.Exhausted)).To(BeTrue())
	g.Expect(p.Exhausted[100]).To(Equal("298"))
}

func TestALargeJobTakesLittleTimeToThinkAbout(t *testing.T) {
	events := map[string]event{}
	for i := range maxListed {
		e := lost(fmt.Sprintf("%05d", i), 1)
		events[e.id] = e
	}
	w := newWorld(anyJob(func(j *Job) { j.Limit = 3000 }))
	w.events = map[string]*event{}
	for id, e := range events {
		w.events[id] = &e
	}
	begun := time.Now()
	g := played(t, w)
	g.Expect(w.round.progress()).To(And(HaveField("Delivered", 3000), HaveField("Omitted", 47_000)))
	g.Expect(time.Since(begun)).To(BeNumerically("<", time.Minute), "less than a second, on a machine that is not busy")
}
