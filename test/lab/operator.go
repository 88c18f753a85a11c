// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"context"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/gomega"
	"go.uber.org/zap/zapcore"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers"
	"github.com/medblocks/webhook-operator/controllers/endpoint"
)

// OperatorOptions are what the manager has flags for, and a few things for tests.
type OperatorOptions struct {
	// APITimeout is how long a call may be in flight, in virtual time.
	APITimeout           time.Duration
	PollInterval         time.Duration
	DisabledPollInterval time.Duration
	ClusterID            string
	ReadOnly             bool
	SecretsByName        bool
	Workers              int
	// CallTimeout, if set, is how long (real time) a call to Medblocks may hang; default APITimeout.
	CallTimeout time.Duration
	// Blind operators are not waited for until their cache shows what is stored.
	Blind bool
}

// Operator is a running operator.
type Operator struct {
	// Wire carries all its requests.
	Wire *Wire
	// Queue has resources reconciled.
	Queue *endpoint.Queue

	world   *World
	options OperatorOptions
	manager manager.Manager
	sleeper *sleeper
	queue   atomic.Pointer[queue]
	paused  atomic.Bool
	handled handled
	cancel  context.CancelFunc
	ended   chan struct{}
	err     error
	once    sync.Once

	mu         sync.Mutex
	asked      inquiry
	wasCurrent bool
}

// Start runs an operator with cold caches, as a new process would.
func (w *World) Start(tweaks ...func(*OperatorOptions)) *Operator {
	w.T.Helper()
	return w.StartThrough(newWire(w), tweaks...)
}

// NewWire is for StartThrough: middleware can be set before the first request.
func (w *World) NewWire() *Wire { return newWire(w) }

// StartThrough is Start with a wire that the test has prepared.
func (w *World) StartThrough(wire *Wire, tweaks ...func(*OperatorOptions)) *Operator {
	w.T.Helper()
	op := &Operator{world: w, options: w.Defaults, Wire: wire, sleeper: &sleeper{}, asked: inquiry{writes: -1}, ended: make(chan struct{})}
	for _, tweak := range tweaks {
		tweak(&op.options)
	}
	var err error
	op.manager, err = ctrl.NewManager(w.site.operator.config(op.kubernetes), op.managerOptions())
	w.Expect(err).NotTo(HaveOccurred())
	op.Queue, err = controllers.Setup(w.Context(), op.manager, controllers.Options{
		APIBaseURL: w.vendorServer.URL, APIQPS: 1e6, APIBurst: 1e6, APITimeout: op.options.APITimeout,
		PollInterval: op.options.PollInterval, DisabledPollInterval: op.options.DisabledPollInterval,
		ClusterID: op.options.ClusterID, ReadOnly: op.options.ReadOnly, MaxConcurrentReconciles: op.options.Workers,
		SecretsByName:   op.options.SecretsByName,
		WithoutAccounts: true,                                                                                   // it watches one namespace
		ProbeAllow:      []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}, // receivers are here
		Clock:           operatorClock{Clock: w.Clock, sleeper: op.sleeper}, Transport: op.medblocks(), NewQueue: op.newQueue,
	})
	w.Expect(err).NotTo(HaveOccurred())
	ctx, cancel := context.WithCancel(context.Background())
	op.cancel = cancel
	go func() {
		defer close(op.ended)
		op.err = op.manager.Start(ctx)
	}()
	w.operators = append(w.operators, op)
	return op
}

func (op *Operator) managerOptions() ctrl.Options {
	return ctrl.Options{
		Scheme: shared.scheme,
		MapperProvider: func(*rest.Config, *http.Client) (meta.RESTMapper, error) {
			return op.world.site.mapper, nil
		},
		Logger:                  controllers.NewLogger(zap.WriteTo(op.world.Logs), zap.Level(zapcore.Level(-10))), // all there is
		NewCache:                op.newCache,
		Cache:                   controllers.CacheOptions([]string{op.world.Namespace}, nil),
		Metrics:                 metricsserver.Options{BindAddress: "0"},
		HealthProbeBindAddress:  "0",
		GracefulShutdownTimeout: ptr.To(10 * time.Second),
		// Names are unique per process, and each world has controllers of the same name.
		Controller: config.Controller{SkipNameValidation: ptr.To(true)},
	}
}

func (op *Operator) kubernetes(next http.RoundTripper) http.RoundTripper {
	return op.Wire.side(Kubernetes, next)
}

func (op *Operator) newQueue(_ string, limiter workqueue.TypedRateLimiter[reconcile.Request]) workqueue.TypedRateLimitingInterface[reconcile.Request] {
	q := newQueue(op.world.Clock, limiter)
	op.queue.Store(q)
	return q
}

// Kill ends the operator as SIGKILL does: from now on, nothing of it reaches anybody.
func (op *Operator) Kill() {
	op.Wire.Cut()
	op.once.Do(op.cancel)
}

// Stop ends the operator as SIGTERM does, and waits until it has ended.
func (op *Operator) Stop() {
	op.world.T.Helper()
	op.once.Do(op.cancel)
	<-op.ended
	op.Wire.Cut()
	op.world.Expect(op.err).NotTo(HaveOccurred())
}

// Dead tells whether it was killed, stopped, or has crashed.
func (op *Operator) Dead() bool {
	if op.Wire.closed() {
		op.once.Do(op.cancel)
		return true
	}
	return false
}

// SetBlind changes the option Blind: whether anything can be settled that the operator has not seen.
func (op *Operator) SetBlind(blind bool) { op.options.Blind = blind }

// Pause has nobody wait for what the operator has under way, which the test holds back: its process does not run.
func (op *Operator) Pause() { op.paused.Store(true) }

// Resume ends Pause.
func (op *Operator) Resume() { op.paused.Store(false) }

// Enqueue has a resource reconciled.
func (op *Operator) Enqueue(name string) {
	op.Queue.Enqueue(types.NamespacedName{Namespace: op.world.Namespace, Name: name})
}

// idle tells whether nothing is under way.
func (op *Operator) idle() bool {
	return op.queue.Load().idle() && op.Wire.idle() && op.sleeper.asleep() && (op.options.Blind || op.isCurrent())
}

// isCurrent tells whether the controller knows what is stored. That is read again only after a write, or after the controller
// has learned of something: to read it again and again while a change is on its way would be most of what the API server has to do.
func (op *Operator) isCurrent() bool {
	op.mu.Lock()
	defer op.mu.Unlock()
	asked := inquiry{writes: op.world.active.Load(), known: op.handled.all()}
	if asked == op.asked && !op.world.Outsiders {
		return op.wasCurrent
	}
	ctx, cancel := context.WithTimeout(op.world.Context(), time.Second)
	defer cancel()
	current, err := op.isStored(ctx, asked.known)
	if err != nil {
		return false
	}
	op.asked, op.wasCurrent = asked, current
	return current
}

// inquiry is with what somebody last asked whether the controller knows what is stored.
type inquiry struct {
	writes int64
	known  knowledge
}

// isStored compares what the controller knew a moment ago with what is stored, which cannot be older.
func (op *Operator) isStored(ctx context.Context, known knowledge) (bool, error) {
	in := client.InNamespace(op.world.Namespace)
	resources := &v1alpha1.MedblocksWebhookEndpointList{}
	if err := op.world.Client.List(ctx, resources, in); err != nil || versions(resources) != known.resources {
		return false, err
	}
	if op.options.SecretsByName {
		return true, nil // nobody tells it of them
	}
	secrets := &corev1.SecretList{}
	err := op.world.Client.List(ctx, secrets, in, client.MatchingLabels{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy})
	return err == nil && versions(secrets) == known.secrets, err
}
