// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"context"
	"net/netip"
	"time"

	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap/zapcore"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers"
	"github.com/medblocks/webhook-operator/controllers/endpoint"
	"github.com/medblocks/webhook-operator/test/controlplane"
)

const clusterID = "suite"

// operatorOptions are what the manager has flags for.
type operatorOptions struct {
	baseURL              string
	apiTimeout           time.Duration
	pollInterval         time.Duration
	disabledPollInterval time.Duration
	readOnly             bool
	secretsByName        bool
	selector             labels.Selector
	namespaces           []string // empty: all
	// operatorNamespace and environments are those of accounts.
	operatorNamespace string
	environments      []v1alpha1.Environment
	probeAllow        []netip.Prefix
}

// operator is a running manager.
type operator struct {
	queue *endpoint.Queue
	cache client.Reader
	stop  func() error
}

// startOperator runs an operator in the cluster that all tests share.
func (w *world) startOperator() {
	w.t.Helper()
	w.operator = w.runOperator(shared.plane)
}

// runOperator builds a manager like that of cmd/manager and runs it.
func (w *world) runOperator(cluster *controlplane.ControlPlane) *operator {
	w.t.Helper()
	cfg := cluster.OperatorConfig()
	cfg.QPS = -1 // as ctrl.GetConfig does
	cfg.Wrap(w.kube.wrap)
	logger := controllers.NewLogger(zap.WriteTo(w.logs), zap.UseDevMode(true), zap.Level(zapcore.Level(-10))) // all there is
	mgr, err := ctrl.NewManager(cfg, ctrl.Options{
		Scheme:                 controllers.Scheme(),
		Logger:                 logger,
		Cache:                  controllers.CacheOptions(w.options.namespaces, w.options.selector),
		Metrics:                metricsserver.Options{BindAddress: "0"},
		HealthProbeBindAddress: "0",
		// Names are unique per process, and each test has a controller of the same name.
		Controller: config.Controller{SkipNameValidation: ptr.To(true)},
	})
	w.Expect(err).NotTo(HaveOccurred())
	w.collected = prometheus.NewRegistry()
	queue, err := controllers.Setup(w.t.Context(), mgr, controllers.Options{
		APIBaseURL: w.options.baseURL, APIQPS: 1000, APIBurst: 1000, APITimeout: w.options.apiTimeout,
		PollInterval: w.options.pollInterval, DisabledPollInterval: w.options.disabledPollInterval,
		ClusterID: clusterID, ReadOnly: w.options.readOnly, MaxConcurrentReconciles: 4, Clock: w.clock,
		SecretsByName:       w.options.secretsByName,
		Metrics:             w.collected,
		AllowedEnvironments: w.options.environments, OperatorNamespace: w.options.operatorNamespace,
		WithoutAccounts: len(w.options.namespaces) > 0, Selector: w.options.selector, ProbeAllow: w.options.probeAllow,
	})
	w.Expect(err).NotTo(HaveOccurred())

	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	return &operator{queue: queue, cache: mgr.GetCache(), stop: func() error { cancel(); return <-ended }}
}

// stopOperator ends the operator as SIGTERM does.
func (w *world) stopOperator() {
	w.t.Helper()
	if w.operator != nil {
		w.Expect(w.operator.stop()).To(Succeed())
		w.operator = nil
	}
}

// restartOperator also makes it forget all that it keeps in memory.
func (w *world) restartOperator() {
	w.t.Helper()
	w.stopOperator()
	w.startOperator()
}
