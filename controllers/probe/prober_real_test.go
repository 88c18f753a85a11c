// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"
)

// rig is a prober with real connections, and with a clock that the test sets.
type rig struct {
	*WithT
	*Prober
	clock *clocktesting.FakeClock
	told  chan types.NamespacedName
	end   func()

	mu  sync.Mutex
	log []string
}

func newRig(t *testing.T, cluster *services) *rig {
	t.Helper()
	r := &rig{WithT: NewWithT(t), clock: clocktesting.NewFakeClock(time.Now()), told: make(chan types.NamespacedName, 100)}
	r.SetDefaultEventuallyTimeout(10 * time.Second)
	r.Prober = New(Options{
		Services: cluster, Allowed: loopback, Clock: r.clock,
		Enqueue: func(all ...types.NamespacedName) {
			for _, who := range all {
				r.told <- who
			}
		},
		Log: funcr.New(func(_, args string) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.log = append(r.log, args)
		}, funcr.Options{}),
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Start(ctx) }()
	r.end = sync.OnceFunc(func() {
		cancel()
		r.Expect(<-done).To(Succeed())
	})
	t.Cleanup(r.end)
	return r
}

// pass lets time pass once the next probe is waited for.
func (r *rig) pass(d time.Duration) {
	r.Eventually(r.clock.HasWaiters).Should(BeTrue())
	r.clock.Step(d)
}

func TestAReceiverThatIsRepairedIsFoundHealthy(t *testing.T) {
	var status atomic.Int64
	var asked atomic.Int64
	status.Store(http.StatusServiceUnavailable)
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(int(status.Load()))
	})
	r := newRig(t, nil)
	target := Target{URL: server.URL}
	r.Watch(orders, target)
	r.Eventually(r.told).Should(Receive(Equal(orders)))
	r.Expect(r.Result(orders, target)).To(Equal(Result{Last: "it answered 503"}))

	status.Store(http.StatusOK)
	r.pass(interval)
	r.Eventually(r.told).Should(Receive(Equal(orders)))
	r.Expect(r.Result(orders, target)).To(Equal(Result{Last: "it answered 200"}))
	r.pass(interval - 1)
	r.Expect(asked.Load()).To(BeEquivalentTo(2), "not yet")
	r.pass(1)
	r.Eventually(r.told).Should(Receive(Equal(orders)))
	r.Expect(r.Result(orders, target)).To(Equal(Result{Healthy: true, Last: "it answered 200"}))
	r.pass(interval)
	r.Eventually(asked.Load).Should(BeEquivalentTo(4))

	server.Close()
	r.pass(interval)
	r.Eventually(r.told).Should(Receive(Equal(orders)))
	r.Expect(r.Result(orders, target)).To(Equal(Result{Last: "it refused the connection"}))
	r.Expect(r.told).NotTo(Receive())
	r.end()
	r.Expect(r.log).To(HaveLen(4), "one line for each new result")
	r.Expect(r.log[3]).To(And(ContainSubstring(`"resource"={"name"="orders" "namespace"="shop"}`), ContainSubstring(`"healthy"=false`), ContainSubstring("connection refused")))
}

func TestTheProberProbesServicesOfTheResourcesNamespaceOnly(t *testing.T) {
	server := serve(t, answering(200))
	port := portNumber(t, portOf(server))
	cluster := &services{}
	cluster.set(specOf(port, "127.0.0.1"))
	r := newRig(t, cluster)
	stranger := types.NamespacedName{Namespace: "bank", Name: "orders"}
	r.Watch(stranger, serviceOf(port))
	r.Eventually(r.told).Should(Receive(Equal(stranger)))
	r.Expect(r.Result(stranger, serviceOf(port))).To(Equal(Result{Last: `Service "orders" is not in the namespace of the resource`}))
	r.Watch(orders, serviceOf(port))
	r.Eventually(r.told).Should(Receive(Equal(orders)))
	r.Expect(r.Result(orders, serviceOf(port))).To(Equal(Result{Last: "it answered 200"}))
}

func TestNothingIsLeftRunningWhenProbingEnds(t *testing.T) {
	before := gleak.Goroutines()
	t.Run("", func(t *testing.T) {
		held := make(chan struct{}, 100)
		silent := converse(t, func(conn net.Conn) { held <- struct{}{}; hold(conn) })
		chatty := serve(t, func(w http.ResponseWriter, _ *http.Request) { repeat(w, "data") })
		r := newRig(t, nil)
		for i, url := range []string{"http://" + silent, "https://" + silent, chatty.URL, "http://127.0.0.1:0", "nonsense"} {
			for n := range 5 {
				r.Watch(types.NamespacedName{Namespace: "shop", Name: string(rune('a'+i)) + string(rune('0'+n))}, Target{URL: url})
			}
		}
		for range 10 { // each of those that get no answer
			r.Eventually(held).Should(Receive())
		}
		for n := range 3 {
			r.Stop(types.NamespacedName{Namespace: "shop", Name: "a" + string(rune('0'+n))})
		}
		began := time.Now()
		r.end()
		r.Expect(time.Since(began)).To(BeNumerically("<", timeLimit), "they are cancelled, and not waited for until they give up")
	})
	NewWithT(t).Eventually(gleak.Goroutines).WithTimeout(10 * time.Second).ShouldNot(gleak.HaveLeaked(before))
}
