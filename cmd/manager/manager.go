// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/medblocks/webhook-operator/controllers"
)

// leaderElectionID is the default of --leader-election-id, and the lease that config/rbac allows.
const leaderElectionID = "medblocks-webhook-operator.connect.medblocks.com"

// newManager wires everything together.
func newManager(ctx context.Context, opts *options) (manager.Manager, error) {
	config, err := ctrl.GetConfig()
	if err != nil {
		return nil, fmt.Errorf("finding the cluster (see --kubeconfig): %w", err)
	}
	mgr, err := ctrl.NewManager(config, managerOptions(opts))
	if err != nil {
		return nil, fmt.Errorf("creating the manager: %w", err)
	}
	if err := addChecks(mgr); err != nil {
		return nil, err
	}
	_, err = controllers.Setup(ctx, mgr, controllers.Options{
		APIBaseURL: opts.apiBaseURL, APIVersion: opts.apiVersion, APIQPS: opts.apiQPS, APIBurst: opts.apiBurst,
		APITimeout: opts.apiTimeout, PollInterval: opts.pollInterval, DisabledPollInterval: opts.disabledPollInterval,
		ClusterID: opts.clusterID, ReadOnly: opts.readOnly, SecretsByName: opts.secretAccess == accessGet, MaxConcurrentReconciles: opts.maxConcurrent,
		Metrics:             ctrlmetrics.Registry,
		AllowedEnvironments: opts.environments(), OperatorNamespace: opts.namespace(), WithoutAccounts: len(opts.watchNamespaces) > 0,
		Selector: opts.selector(), ProbeAllow: opts.probeAllow(),
	})
	return mgr, err
}

func managerOptions(opts *options) ctrl.Options {
	metrics := metricsserver.Options{BindAddress: opts.metricsAddress, SecureServing: opts.metricsSecure}
	if opts.metricsSecure {
		metrics.FilterProvider = filters.WithAuthenticationAndAuthorization
	}
	// Long enough for a call to Medblocks and the writes that keep its answer; see Reconcile.
	shutdownTimeout := opts.apiTimeout + 15*time.Second
	return ctrl.Options{
		Scheme:                        controllers.Scheme(),
		Cache:                         controllers.CacheOptions(opts.watchNamespaces, opts.selector()),
		Metrics:                       metrics,
		HealthProbeBindAddress:        opts.probeAddress,
		LeaderElection:                opts.leaderElect,
		LeaderElectionID:              cmp.Or(opts.leaderID, leaderElectionID),
		LeaderElectionNamespace:       opts.leaderNamespace,
		LeaderElectionReleaseOnCancel: true, // the process ends right after the manager
		GracefulShutdownTimeout:       &shutdownTimeout,
	}
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
