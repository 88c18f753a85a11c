// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package controllers puts the accounts and the controller together on a manager, the same way in the operator and
// under test.
package controllers

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
	"github.com/medblocks/webhook-operator/controllers/endpoint"
	"github.com/medblocks/webhook-operator/controllers/intern"
	"github.com/medblocks/webhook-operator/controllers/medblocksaccount"
	"github.com/medblocks/webhook-operator/controllers/probe"
	"github.com/medblocks/webhook-operator/controllers/redelivery"
)

// fieldOwner is the name that the operator writes and publishes events under.
const fieldOwner = "medblocks-webhook-operator"

// Options are what the operator can be told. Those without a comment are required, and documented with the manager's flags.
type Options struct {
	APIBaseURL              string
	APIVersion              string // empty: medblocks.DefaultAPIVersion
	APIQPS                  float64
	APIBurst                int
	APITimeout              time.Duration
	PollInterval            time.Duration
	DisabledPollInterval    time.Duration
	ClusterID               string // empty: the UID of kube-system
	ReadOnly                bool
	SecretsByName           bool
	MaxConcurrentReconciles int

	// AllowedEnvironments that API keys may be of; by default all.
	AllowedEnvironments []v1alpha1.Environment
	// OperatorNamespace is where the API keys of MedblocksAccounts are; empty: not known, and there are no such accounts.
	OperatorNamespace string
	// WithoutAccounts: the operator has no permissions in the cluster as a whole (--watch-namespaces), and so no MedblocksAccounts.
	WithoutAccounts bool
	// Selector selects the MedblocksAccounts that this shard reports on; nil: all.
	Selector labels.Selector
	// ProbeAllow are networks that receiver probes may reach although they are loopback, link-local or private.
	ProbeAllow []netip.Prefix
	// Clock is the real one by default.
	Clock clock.Clock
	// Transport carries the calls to Medblocks; by default one that all accounts share.
	Transport http.RoundTripper
	// NewQueue makes the controller's work queue; by default controller-runtime's own.
	NewQueue endpoint.NewQueueFunc
	// Metrics is where what this operator's caches and accounts show is registered; nil: nowhere. A registry takes one operator only.
	// (Counts and durations are those of the whole process, and always in controller-runtime's registry.)
	Metrics prometheus.Registerer
}

// Scheme holds all types that the operator reads or writes.
func Scheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	return scheme
}

// CacheOptions keep in memory what the operator needs and nothing else: its own kinds, resources as far as the selector goes (nil:
// all of them), of the Secrets only those that it wrote (with SecretsByName none, because nobody asks for them), and of the namespaces their
// labels. API key Secrets are never cached. Without namespaces, all are watched.
func CacheOptions(namespaces []string, selector labels.Selector) cache.Options {
	options := cache.Options{
		DefaultTransform: strip,
		ByObject: map[client.Object]cache.ByObject{
			&v1alpha1.MedblocksWebhookEndpoint{}: {Label: selector},
			&corev1.Secret{}:                     {Label: labels.SelectorFromSet(ownLabels)},
			&corev1.Namespace{}:                  {Transform: onlyLabels},
		},
	}
	if len(namespaces) > 0 {
		options.DefaultNamespaces = map[string]cache.Config{}
		for _, namespace := range namespaces {
			options.DefaultNamespaces[namespace] = cache.Config{}
		}
	}
	return options
}

// lastApplied is where kubectl apply keeps a copy of the whole manifest.
const lastApplied = corev1.LastAppliedConfigAnnotation

// ownLabels are those of a signing Secret. Nobody changes a cached object, and so many can have them in common.
var ownLabels = map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy}

// strip leaves out of the cache what the operator never reads and what is as large as all the rest: managed fields, and the copy of the
// manifest that kubectl apply leaves. Both stay in the stored object: the operator's patches name only its own keys. What many objects
// say is kept once.
func strip(in any) (any, error) {
	object, ok := in.(client.Object)
	if !ok {
		return in, nil // a tombstone of the cache
	}
	object.SetManagedFields(nil)
	delete(object.GetAnnotations(), lastApplied) // from the object's own map, and nobody else has the object yet
	intern.Strings(object)
	if maps.Equal(object.GetLabels(), ownLabels) {
		object.SetLabels(ownLabels) // almost every Secret has just these
	}
	return object, nil
}

// onlyLabels strips a namespace of all but its name and labels.
func onlyLabels(object any) (any, error) {
	if namespace, ok := object.(*metav1.PartialObjectMetadata); ok {
		namespace.ObjectMeta = metav1.ObjectMeta{
			Name: namespace.Name, UID: namespace.UID, ResourceVersion: namespace.ResourceVersion, Labels: namespace.Labels,
		}
	}
	return object, nil
}

// Setup adds the accounts and the controllers to a manager. The queue that it returns has resources reconciled.
func Setup(ctx context.Context, mgr manager.Manager, opts Options) (*endpoint.Queue, error) {
	clusterID, err := account.ClusterID(ctx, mgr.GetAPIReader(), opts.ClusterID)
	if err != nil {
		return nil, err
	}
	if opts.Clock == nil {
		opts.Clock = clock.RealClock{}
	}
	queue := endpoint.NewQueue()
	queue.Accounts = endpoint.NewQueue()
	recorder := mgr.GetEventRecorder(fieldOwner)
	orphans := &endpoint.Orphans{
		Cache: mgr.GetClient(), Live: mgr.GetAPIReader(), Events: recorder, Log: mgr.GetLogger().WithName("orphans"), ClusterID: clusterID,
	}
	registry := account.NewRegistry(account.Options{
		Secrets: mgr.GetAPIReader(),
		NewAPI: func(apiKey string) (account.API, error) {
			return medblocks.New(medblocks.Config{
				BaseURL: opts.APIBaseURL, APIKey: apiKey, APIVersion: opts.APIVersion, Timeout: opts.APITimeout,
				Transport: opts.Transport, UserAgent: fieldOwner, Observer: account.ObserveCall,
			})
		},
		AllowedEnvironments: opts.AllowedEnvironments,
		ClusterID:           clusterID, PollInterval: opts.PollInterval, DisabledPollInterval: opts.DisabledPollInterval,
		QPS: opts.APIQPS, Burst: opts.APIBurst, Clock: opts.Clock, Log: mgr.GetLogger().WithName("account"),
		Witness: orphans,
	}, queue.Enqueue)
	if err := mgr.Add(registry); err != nil {
		return nil, fmt.Errorf("adding the accounts: %w", err)
	}
	courier := redelivery.New(redelivery.Options{Clock: opts.Clock, Enqueue: queue.Enqueue, Log: mgr.GetLogger().WithName("redelivery")})
	if err := mgr.Add(courier); err != nil {
		return nil, fmt.Errorf("adding the redelivery of events: %w", err)
	}
	prober := probe.New(probe.Options{
		Services: mgr.GetAPIReader(), Allowed: opts.ProbeAllow, Clock: opts.Clock, Enqueue: queue.Enqueue, Log: mgr.GetLogger().WithName("probe"),
	})
	if err := mgr.Add(prober); err != nil {
		return nil, fmt.Errorf("adding the receiver probes: %w", err)
	}
	reconciler := &endpoint.Reconciler{
		Client: mgr.GetClient(), APIReader: mgr.GetAPIReader(), Accounts: registry, Prober: prober, Courier: courier, Events: recorder,
		Orphans: orphans, Clock: opts.Clock, ClusterID: clusterID, APITimeout: opts.APITimeout, ReadOnly: opts.ReadOnly,
		PollInterval: opts.PollInterval, Enqueue: queue.Enqueue, SecretsByName: opts.SecretsByName,
		OperatorNamespace: opts.OperatorNamespace, WithoutAccounts: opts.WithoutAccounts,
	}
	if err := reconciler.SetupWithManager(ctx, mgr, queue, opts.MaxConcurrentReconciles, opts.NewQueue); err != nil {
		return nil, err
	}
	if err := registerMetrics(opts.Metrics, registry, &endpoint.Collector{Cache: mgr.GetCache()}); err != nil || opts.WithoutAccounts {
		return queue, err
	}
	accounts := &medblocksaccount.Reconciler{
		Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Accounts: registry, Orphans: orphans, Deleter: reconciler, Events: recorder, Clock: opts.Clock,
		ClusterID: clusterID, OperatorNamespace: opts.OperatorNamespace, Selector: opts.Selector, ReadOnly: opts.ReadOnly,
	}
	return queue, accounts.SetupWithManager(mgr, queue.Accounts)
}

func registerMetrics(registerer prometheus.Registerer, collectors ...prometheus.Collector) error {
	if registerer == nil {
		return nil
	}
	for _, collector := range collectors {
		if err := registerer.Register(collector); err != nil {
			return fmt.Errorf("registering metrics: %w", err)
		}
	}
	return nil
}
