// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package redelivery

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	. "github.com/onsi/gomega"
	dto "github.com/prometheus/client_model/go"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/controllers/account"
)

var orders = types.NamespacedName{Namespace: "shop", Name: "orders"}

// scripted is an account whose answers a test writes. It is for tests whose time is not the real one.
type scripted struct {
	// redeliver answers a call for an event, and may take its time for it.
	redeliver func(ctx context.Context, id string) (medblocks.EventRecord, error)
	// list is what is listed.
	list func() ([]medblocks.EventRecord, error)

	mu    sync.Mutex
	calls []string
	lists int
}

// newScripted has so many lost events, and takes a second to deliver each of them.
func newScripted(events int) *scripted {
	s := &scripted{redeliver: func(ctx context.Context, id string) (medblocks.EventRecord, error) {
		return takesIt(id), wait(ctx, time.Second)
	}}
	s.list = func() ([]medblocks.EventRecord, error) {
		var all []medblocks.EventRecord
		for i := range events {
			all = append(all, record(fmt.Sprintf("e%03d", i), time.Duration(events-i)*time.Minute))
		}
		return all, nil
	}
	return s
}

// takesIt is the record of an event that was delivered.
func takesIt(id string) medblocks.EventRecord {
	return record(id, time.Hour, func(r *medblocks.EventRecord) {
		r.DeliveredAt, r.RequestID = &medblocks.Timestamp{Time: start}, "req_"+id
	})
}

// refusesIt is the record of one that was not.
func refusesIt(id string, status int) medblocks.EventRecord {
	return record(id, time.Hour, func(r *medblocks.EventRecord) { r.LastStatusCode, r.Attempts = ptr.To(status), 10 })
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return &medblocks.TransportError{Err: ctx.Err()}
	}
}

func (s *scripted) RedeliverEvent(ctx context.Context, id string) (medblocks.EventRecord, error) {
	s.mu.Lock()
	s.calls = append(s.calls, id)
	s.mu.Unlock()
	return s.redeliver(ctx, id)
}

func (s *scripted) ListUndelivered(context.Context, string) iter.Seq2[medblocks.EventRecord, error] {
	return func(yield func(medblocks.EventRecord, error) bool) {
		s.mu.Lock()
		s.lists++
		s.mu.Unlock()
		records, err := s.list()
		for _, r := range records {
			if !yield(r, nil) {
				return
			}
		}
		if err != nil {
			yield(medblocks.EventRecord{}, err)
		}
	}
}

func (s *scripted) made() (calls, lists int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.calls), s.lists
}

// news is what a resource finds that is reconciled.
type news struct {
	who      types.NamespacedName
	at       time.Duration // after the beginning
	progress Progress
}

// office is a courier, and what is heard of it.
type office struct {
	*Courier
	opened time.Time

	mu   sync.Mutex
	told []news
	log  []string
}

func newOfficeAt(c clock.Clock) *office {
	o := &office{opened: c.Now()}
	o.Courier = New(Options{Clock: c, Enqueue: o.enqueue, Log: funcr.New(o.write, funcr.Options{})})
	return o
}

// newOffice starts a courier that ends with the test.
func newOffice(t *testing.T) *office {
	t.Helper()
	o := newOfficeAt(clock.RealClock{})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- o.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return o
}

// enqueue does what a reconcile would: it looks how far the job has come.
func (o *office) enqueue(who ...types.NamespacedName) {
	for _, resource := range who {
		p, _ := o.Progress(resource, start)
		o.mu.Lock()
		o.told = append(o.told, news{resource, o.opts.Clock.Since(o.opened), p})
		o.mu.Unlock()
	}
}

func (o *office) write(_, line string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.log = append(o.log, line)
}

func (o *office) logged() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.log)
}

func (o *office) news() []news {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.told)
}

// end waits until a job has ended, and returns how.
func (o *office) end(t *testing.T) Progress {
	t.Helper()
	for range 100_000 {
		synctest.Wait()
		if p, known := o.Progress(orders, start); known && p.State != Running {
			return p
		}
		<-time.After(time.Second)
	}
	t.Fatal("the job does not end")
	return Progress{}
}

func TestHowFarAJobHasComeIsPublishedEveryTenSecondsAndAtItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, o := NewWithT(t), newOffice(t)
		o.Go(orders, newScripted(24), anyJob())
		_, known := o.Progress(orders, start)
		g.Expect(known).To(BeFalse(), "not yet")
		o.end(t)
		at := func(seconds, delivered int, state State) news {
			p := Progress{State: state, Pending: 24 - delivered, Delivered: delivered}
			if delivered > 0 {
				p.Canary, p.Cursor = "e023", fmt.Sprintf("e%03d", delivered-2)
			}
			return news{orders, time.Duration(seconds) * time.Second, p}
		}
		g.Expect(o.news()).To(Equal([]news{at(10, 10, Running), at(20, 20, Running), at(24, 24, Completed)}))
	})
}

func TestAShortJobIsPublishedOnceAtItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, o := NewWithT(t), newOffice(t)
		o.Go(orders, newScripted(3), anyJob())
		o.end(t)
		g.Expect(o.news()).To(Equal([]news{{
			orders, 3 * time.Second, Progress{State: Completed, Delivered: 3, Canary: "e002", Cursor: "e001"},
		}}))
	})
}

func TestWhatHasHappenedIsPublishedWhileAJobWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, o, acct := NewWithT(t), newOffice(t), newScripted(3)
		acct.redeliver = func(ctx context.Context, id string) (medblocks.EventRecord, error) {
			if id == "e000" {
				return refusesIt(id, 503), wait(ctx, time.Second)
			}
			return takesIt(id), wait(ctx, time.Second)
		}
		acct.list = func() ([]medblocks.EventRecord, error) {
			if len(acct.calls) > 0 {
				return []medblocks.EventRecord{refusesIt("e000", 503)}, nil
			}
			return newScripted(3).list()
		}
		o.Go(orders, acct, anyJob())
		g.Expect(o.end(t).State).To(Equal(Completed))
		var times []time.Duration
		for _, n := range o.news() {
			times = append(times, n.at)
		}
		g.Expect(times).To(Equal([]time.Duration{10 * time.Second, 64 * time.Second, 9367 * time.Second}), "in between, nothing has changed")
		g.Expect(o.news()[0].progress).To(Equal(Progress{
			State: Running, Delivered: 2, Failed: 1, Cursor: "e001", Canary: "e002", Answer: "it answered 503", Exhausted: []string{"e000"},
		}))
	})
}

func TestAnOutageIsWaitedOutInSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, o, acct := NewWithT(t), newOffice(t), newScripted(3)
		list := acct.list
		acct.list = func() ([]medblocks.EventRecord, error) {
			if time.Since(o.opened) < 10*time.Hour {
				return nil, &medblocks.APIError{StatusCode: 503}
			}
			return list()
		}
		o.Go(orders, acct, anyJob())
		g.Expect(o.end(t).Delivered).To(Equal(3))
		g.Expect(acct.lists).To(BeNumerically("~", 10*12, 6), "every five minutes")
		g.Expect(o.news()).To(HaveLen(2))
	})
}

func TestAJobThatIsResumedIsNotShownBeforeItKnowsAsMuchAsBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, o, acct := NewWithT(t), newOffice(t), newScripted(30)
		list := acct.list
		acct.list = func() ([]medblocks.EventRecord, error) {
			if time.Since(o.opened) < time.Minute {
				return nil, &medblocks.APIError{StatusCode: 503}
			}
			return list()
		}
		acct.redeliver = func(ctx context.Context, id string) (medblocks.EventRecord, error) {
			return takesIt(id), wait(ctx, time.Hour)
		}
		o.Go(orders, acct, anyJob(func(j *Job) { j.Delivered, j.Failed, j.Resumed, j.Cursor = 5, 2, true, "e" }))
		<-time.After(time.Minute)
		_, known := o.Progress(orders, start)
		g.Expect(known).To(BeFalse())
		<-time.After(10 * time.Minute)
		g.Expect(o.shown()).To(Equal(Progress{State: Running, Pending: 30, Delivered: 5, Failed: 2, Cursor: "e"}))
		g.Expect(o.news()).To(HaveLen(1))
	})
}

func TestTheFirstNewsOfAJobIsToldWhateverItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, o, acct := NewWithT(t), newOffice(t), newScripted(0)
		before := record("e000", time.Hour, func(r *medblocks.EventRecord) { // it had its turn before a restart
			r.Attempts, r.LastRedeliveredAt = 2, &medblocks.Timestamp{Time: start}
		})
		acct.list = func() ([]medblocks.EventRecord, error) { return []medblocks.EventRecord{before}, nil }
		o.Go(orders, acct, anyJob(func(j *Job) { j.Failed, j.Resumed, j.Cursor = 1, true, "e000" }))
		<-time.After(30 * time.Second)
		g.Expect(o.news()).To(Equal([]news{{orders, 10 * time.Second, Progress{State: Running, Failed: 1, Cursor: "e000"}}}), "what was pending is not")
	})
}

func TestAPausedAccountIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, o, acct := NewWithT(t), newOffice(t), newScripted(3)
		until := time.Now().Add(time.Hour)
		redeliver := acct.redeliver
		acct.redeliver = func(ctx context.Context, id string) (medblocks.EventRecord, error) {
			if time.Now().Before(until) {
				return medblocks.EventRecord{}, &account.PausedError{Until: until}
			}
			return redeliver(ctx, id)
		}
		o.Go(orders, acct, anyJob())
		g.Expect(o.end(t).Delivered).To(Equal(3))
		g.Expect(acct.calls).To(HaveLen(4))
		g.Expect(acct.lists).To(Equal(1))
	})
}

func TestAJobIsBegunOnceAndReplacedByAnother(t *testing.T) {
	for name, test := range map[string]struct {
		tweak   func(*Job)
		another bool // account
		begins  bool
	}{
		"the same job":                      {func(*Job) {}, false, false},
		"the same job, told of its past":    {func(j *Job) { j.Delivered, j.Resumed, j.Limit = 2, true, 5 }, false, false},
		"begun at the same moment":          {func(j *Job) { j.Begun = j.Begun.In(time.FixedZone("elsewhere", 3600)) }, false, false},
		"another try":                       {func(j *Job) { j.Begun = j.Begun.Add(time.Minute) }, false, true},
		"another endpoint":                  {func(j *Job) { j.EndpointID = "wh_2" }, false, true},
		"the same job with another account": {func(*Job) {}, true, true},
	} {
		for _, ended := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, ended %t", name, ended), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					g, o, first, second := NewWithT(t), newOffice(t), newScripted(3), newScripted(3)
					o.Go(orders, first, anyJob())
					if ended {
						o.end(t)
					}
					synctest.Wait()
					before, _ := first.made()
					job, acct := anyJob(test.tweak), first
					if test.another {
						acct = second
					}
					o.Go(orders, acct, job)
					<-time.After(time.Minute)
					_, listsOfFirst := first.made()
					_, listsOfSecond := second.made()
					g.Expect(listsOfFirst + listsOfSecond).To(Equal(1 + oneIf(test.begins)))
					_, known := o.Progress(orders, start)
					g.Expect(known).To(Equal(job.Begun.Equal(start)))
					if after, _ := first.made(); test.another {
						g.Expect(after).To(Equal(before), "it was ended")
					}
				})
			})
		}
	}
}

func oneIf(condition bool) int {
	if condition {
		return 1
	}
	return 0
}

func TestAJobThatIsStoppedIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, o, acct := NewWithT(t), newOffice(t), newScripted(30)
		o.Go(orders, acct, anyJob())
		<-time.After(15500 * time.Millisecond)
		o.Stop(orders)
		o.Stop(orders)
		_, known := o.Progress(orders, start)
		g.Expect(known).To(BeFalse())
		<-time.After(time.Hour)
		calls, _ := acct.made()
		g.Expect(calls).To(Equal(16))
		g.Expect(o.news()).To(HaveLen(1))

		o.Go(orders, acct, anyJob())
		g.Expect(o.end(t).Delivered).To(Equal(30), "it may begin again")
	})
}

// TestWhatBecomesKnownTooLateIsNotRecorded has a call answered that does not heed that nobody wants to know any more.
func TestWhatBecomesKnownTooLateIsNotRecorded(t *testing.T) {
	for name, stop := range map[string]func(*office){
		"the job is stopped":  func(o *office) { o.Stop(orders) },
		"the job is replaced": func(o *office) { o.Go(orders, newScripted(0), anyJob()) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, o, acct := NewWithT(t), newOffice(t), newScripted(3)
				answer := make(chan struct{})
				acct.redeliver = func(_ context.Context, id string) (medblocks.EventRecord, error) {
					<-answer
					return refusesIt(id, 503), nil // the canary
				}
				o.Go(orders, acct, anyJob())
				<-time.After(time.Minute) // long enough for the next publication
				stop(o)
				synctest.Wait()
				before, told := len(o.news()), o.shown()
				close(answer)
				<-time.After(time.Hour)
				synctest.Wait()
				g.Expect(o.news()).To(HaveLen(before))
				g.Expect(o.shown()).To(Equal(told))
				g.Expect(acct.calls).To(HaveLen(1))
				g.Expect(o.logged()).To(ContainElement(ContainSubstring(`"Wrote to Medblocks"`)), "it was written all the same")
			})
		})
	}
}

func (o *office) shown() Progress {
	p, _ := o.Progress(orders, start)
	return p
}

func TestNothingOfACourierBlocksWhileACallHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, o, acct := NewWithT(t), newOffice(t), newScripted(3)
		answer := make(chan struct{})
		acct.redeliver = func(_ context.Context, id string) (medblocks.EventRecord, error) {
			<-answer
			return takesIt(id), nil
		}
		before := time.Now()
		bills := types.NamespacedName{Namespace: "shop", Name: "bills"}
		o.Go(orders, acct, anyJob())
		o.Go(bills, newScripted(2), anyJob())
		synctest.Wait()
		calls, _ := acct.made()
		g.Expect(calls).To(Equal(1), "it hangs")
		o.Go(orders, acct, anyJob(func(j *Job) { j.Begun = start.Add(time.Hour) }))
		o.Stop(orders)
		g.Expect(time.Since(before)).To(BeZero())
		<-time.After(time.Minute)
		p, _ := o.Progress(bills, start)
		g.Expect(p.Delivered).To(Equal(2), "the others go on")
		close(answer)
	})
}

func TestACourierThatEndsWaitsForItsJobsAndBeginsNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, acct := NewWithT(t), newScripted(3)
		answer := make(chan struct{})
		acct.redeliver = func(ctx context.Context, _ string) (medblocks.EventRecord, error) {
			<-ctx.Done()
			<-answer
			return medblocks.EventRecord{}, &medblocks.TransportError{Err: ctx.Err()}
		}
		c := New(Options{Clock: clock.RealClock{}, Enqueue: func(...types.NamespacedName) {}, Log: logr.Discard()})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- c.Start(ctx) }()
		c.Go(orders, acct, anyJob())
		synctest.Wait()
		cancel()
		<-time.After(time.Minute)
		g.Expect(ended).NotTo(Receive(), "a call is under way")
		close(answer)
		g.Expect(<-ended).To(Succeed())
		late := newScripted(3)
		c.Go(orders, late, anyJob())
		synctest.Wait()
		g.Expect(late.lists).To(BeZero())
	})
}

// counted is how many redeliveries had that outcome.
func counted(g Gomega, outcome verdict) float64 {
	var m dto.Metric
	g.Expect(redelivered.WithLabelValues(string(outcome)).Write(&m)).To(Succeed())
	return m.GetCounter().GetValue()
}

func TestEachRedeliveryIsLoggedAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, o, acct := NewWithT(t), newOffice(t), newScripted(2)
		before := [2]float64{counted(g, delivered), counted(g, failed)}
		failures := 0
		acct.redeliver = func(_ context.Context, id string) (medblocks.EventRecord, error) {
			if id == "e000" {
				if failures++; failures == 1 {
					return medblocks.EventRecord{}, errors.New("no answer")
				}
				return refusesIt(id, 422), nil
			}
			return takesIt(id), nil
		}
		o.Go(orders, acct, anyJob())
		o.end(t)
		line := func(event, request string, delivered bool) string {
			return fmt.Sprintf(`"level"=0 "msg"="Wrote to Medblocks" "namespace"="shop" "name"="orders" "action"="RedeliverEvent" "endpointID"="wh_1" `+
				`"trigger"="Redelivery" "requestID"=%q "eventID"=%q "delivered"=%t`, request, event, delivered)
		}
		refused := line("e000", "", false)
		g.Expect(o.logged()).To(Equal([]string{
			line("e001", "req_e001", true),
			`"level"=0 "msg"="Redelivering an event failed" "namespace"="shop" "name"="orders" "endpointID"="wh_1" "eventID"="e000" "error"="no answer"`,
			refused, refused, refused, refused, refused,
			`"level"=0 "msg"="Redelivery has ended" "namespace"="shop" "name"="orders" "endpointID"="wh_1" "state"="Completed" "delivered"=1 "failed"=1 "pending"=0 "omitted"=0`,
		}))
		g.Expect(counted(g, delivered)).To(Equal(before[0] + 1))
		g.Expect(counted(g, failed)).To(Equal(before[1] + 5))
	})
}

func TestWhatIsShownOfAJobCannotBeChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, o, acct := NewWithT(t), newOffice(t), newScripted(1)
		acct.redeliver = func(_ context.Context, id string) (medblocks.EventRecord, error) { return refusesIt(id, 503), nil }
		o.Go(orders, acct, anyJob())
		o.end(t).Exhausted[0] = "another"
		g.Expect(o.shown().Exhausted).To(Equal([]string{"e000"}))
	})
}
