// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"context"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
	"github.com/medblocks/webhook-operator/controllers/endpoint"
)

const clusterID = "suite"

// operatorOptions are what the manager has flags for.
type operatorOptions struct {
	baseURL              string
	apiTimeout           time.Duration
	pollInterval         time.Duration
	disabledPollInterval time.Duration
	readOnly             bool
	selector             labels.Selector
	namespaces           []string // empty: all
}

// operator is a running manager.
type operator struct {
	queue *endpoint.Queue
	stop  func() error
}

// startOperator builds the manager as cmd/manager does and runs it.
func (w *world) startOperator() {
	w.t.Helper()
	cfg := shared.plane.OperatorConfig()
	cfg.QPS = -1 // as ctrl.GetConfig does
	cfg.Wrap(w.kube.wrap)
	logger := zap.New(zap.WriteTo(w.logs), zap.UseDevMode(true))
	mgr, err := ctrl.NewManager(cfg, ctrl.Options{
		Scheme:                 shared.scheme,
		Logger:                 logger,
		Cache:                  cacheOptions(w.options),
		Metrics:                metricsserver.Options{BindAddress: "0"},
		HealthProbeBindAddress: "0",
		// Names are unique per process, and each test has a controller of the same name.
		Controller: config.Controller{SkipNameValidation: ptr.To(true)},
	})
	w.Expect(err).NotTo(HaveOccurred())
	queue := endpoint.NewQueue()
	w.Expect(w.addController(mgr, queue)).To(Succeed())

	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	w.operator = &operator{queue: queue, stop: func() error { cancel(); return <-ended }}
}

func (w *world) addController(mgr manager.Manager, queue *endpoint.Queue) error {
	registry := account.NewRegistry(account.Options{
		Secrets: mgr.GetAPIReader(),
		NewAPI: func(apiKey string) (account.API, error) {
			return medblocks.New(medblocks.Config{BaseURL: w.options.baseURL, APIKey: apiKey, Timeout: w.options.apiTimeout})
		},
		ClusterID: clusterID, PollInterval: w.options.pollInterval, DisabledPollInterval: w.options.disabledPollInterval,
		QPS: 1000, Burst: 1000, Clock: w.clock, Log: mgr.GetLogger().WithName("account"),
	}, queue.Enqueue)
	if err := mgr.Add(registry); err != nil {
		return err
	}
	reconciler := &endpoint.Reconciler{
		Client: mgr.GetClient(), APIReader: mgr.GetAPIReader(), Accounts: registry,
		Events: mgr.GetEventRecorder("medblocks-webhook-operator"), Clock: w.clock,
		ClusterID: clusterID, APITimeout: w.options.apiTimeout, ReadOnly: w.options.readOnly,
	}
	return reconciler.SetupWithManager(mgr, queue, 4)
}

func cacheOptions(opts operatorOptions) cache.Options {
	options := cache.Options{
		DefaultTransform: cache.TransformStripManagedFields(),
		ByObject: map[client.Object]cache.ByObject{
			&v1alpha1.MedblocksWebhookEndpoint{}: {Label: opts.selector},
			&corev1.Secret{}:                     {Label: labels.SelectorFromSet(labels.Set{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy})},
		},
		DefaultNamespaces: map[string]cache.Config{},
	}
	for _, namespace := range opts.namespaces {
		options.DefaultNamespaces[namespace] = cache.Config{}
	}
	return options
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
