// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
	"github.com/medblocks/webhook-operator/controllers/endpoint"
)

const leaderElectionID = "medblocks-webhook-operator.connect.medblocks.com"

// newManager wires everything together.
func newManager(ctx context.Context, opts *options) (manager.Manager, error) {
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("adding Kubernetes' types: %w", err)
	}
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("adding the operator's types: %w", err)
	}
	config, err := ctrl.GetConfig()
	if err != nil {
		return nil, fmt.Errorf("finding the cluster (see --kubeconfig): %w", err)
	}
	mgr, err := ctrl.NewManager(config, managerOptions(opts, scheme))
	if err != nil {
		return nil, fmt.Errorf("creating the manager: %w", err)
	}
	if err := addChecks(mgr); err != nil {
		return nil, err
	}
	clusterID, err := clusterIDOf(ctx, mgr.GetAPIReader(), opts.clusterID)
	if err != nil {
		return nil, err
	}
	return mgr, addController(mgr, opts, clusterID)
}

func managerOptions(opts *options, scheme *runtime.Scheme) ctrl.Options {
	metrics := metricsserver.Options{BindAddress: opts.metricsAddress, SecureServing: opts.metricsSecure}
	if opts.metricsSecure {
		metrics.FilterProvider = filters.WithAuthenticationAndAuthorization
	}
	// Long enough for a call to Medblocks and the writes that keep its answer; see Reconcile.
	shutdownTimeout := opts.apiTimeout + 15*time.Second
	return ctrl.Options{
		Scheme:                        scheme,
		Cache:                         cacheOptions(opts),
		Metrics:                       metrics,
		HealthProbeBindAddress:        opts.probeAddress,
		LeaderElection:                opts.leaderElect,
		LeaderElectionID:              leaderElectionID,
		LeaderElectionNamespace:       opts.leaderNamespace,
		LeaderElectionReleaseOnCancel: true, // the process ends right after the manager
		GracefulShutdownTimeout:       &shutdownTimeout,
	}
}

// cacheOptions keep in memory what the operator needs and nothing else: its own kind, as far as the selector goes, and of
// the Secrets only those that it wrote. API key Secrets are never cached.
func cacheOptions(opts *options) cache.Options {
	selector, err := labels.Parse(opts.watchSelector)
	if err != nil {
		panic(err) // validated
	}
	options := cache.Options{
		DefaultTransform: cache.TransformStripManagedFields(),
		ByObject: map[client.Object]cache.ByObject{
			&v1alpha1.MedblocksWebhookEndpoint{}: {Label: selector},
			&corev1.Secret{}:                     {Label: labels.SelectorFromSet(labels.Set{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy})},
		},
	}
	if len(opts.watchNamespaces) > 0 {
		options.DefaultNamespaces = map[string]cache.Config{}
		for _, namespace := range opts.watchNamespaces {
			options.DefaultNamespaces[namespace] = cache.Config{}
		}
	}
	return options
}

func addChecks(mgr manager.Manager) error {
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return fmt.Errorf("adding the health check: %w", err)
	}
	synced := func(req *http.Request) error {
		ctx, cancel := context.WithTimeout(req.Context(), time.Second)
		defer cancel()
		if !mgr.GetCache().WaitForCacheSync(ctx) {
			return errors.New("the cache is not filled yet")
		}
		return nil
	}
	if err := mgr.AddReadyzCheck("cache", synced); err != nil {
		return fmt.Errorf("adding the readiness check: %w", err)
	}
	return nil
}

// clusterIDOf is the flag's value or, without it, the UID of kube-system, which lives as long as the cluster.
func clusterIDOf(ctx context.Context, reader client.Reader, flag string) (string, error) {
	if flag != "" {
		return flag, nil
	}
	var namespace metav1.PartialObjectMetadata
	namespace.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	if err := reader.Get(ctx, client.ObjectKey{Name: metav1.NamespaceSystem}, &namespace); err != nil {
		return "", fmt.Errorf("reading the UID of kube-system, the default of --cluster-id: %w", err)
	}
	return string(namespace.UID), nil
}

func addController(mgr manager.Manager, opts *options, clusterID string) error {
	queue := endpoint.NewQueue()
	registry := account.NewRegistry(account.Options{
		Secrets: mgr.GetAPIReader(),
		NewAPI: func(apiKey string) (account.API, error) {
			return medblocks.New(medblocks.Config{
				BaseURL: opts.apiBaseURL, APIKey: apiKey, APIVersion: opts.apiVersion, Timeout: opts.apiTimeout,
				UserAgent: "medblocks-webhook-operator", Observer: account.ObserveCall,
			})
		},
		ClusterID: clusterID, PollInterval: opts.pollInterval, DisabledPollInterval: opts.disabledPollInterval,
		QPS: opts.apiQPS, Burst: opts.apiBurst, Clock: clock.RealClock{}, Log: mgr.GetLogger().WithName("account"),
	}, queue.Enqueue)
	if err := mgr.Add(registry); err != nil {
		return fmt.Errorf("adding the accounts: %w", err)
	}
	reconciler := &endpoint.Reconciler{
		Client: mgr.GetClient(), APIReader: mgr.GetAPIReader(), Accounts: registry,
		Events: mgr.GetEventRecorder("medblocks-webhook-operator"), Clock: clock.RealClock{},
		ClusterID: clusterID, APITimeout: opts.apiTimeout, ReadOnly: opts.readOnly,
	}
	return reconciler.SetupWithManager(mgr, queue, opts.maxConcurrent)
}
