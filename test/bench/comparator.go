// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers"
)

// textbook is a controller as tutorials have it: it registers, and then reads its endpoint by id at an interval, compares, and
// writes the status where it differs. It survives no crash between two writes.
type textbook struct {
	client.Client
	cfg config
}

func runComparator(ctx context.Context, cfg config) error {
	config, err := kubeConfig(cfg)
	if err != nil {
		return err
	}
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme: controllers.Scheme(), Cache: controllers.CacheOptions(nil, nil),
		Metrics: metricsserver.Options{BindAddress: "0"}, HealthProbeBindAddress: "0",
		Client: client.Options{Cache: &client.CacheOptions{DisableFor: []client.Object{&corev1.Secret{}}}},
	})
	if err != nil {
		return err
	}
	err = builder.ControllerManagedBy(mgr).
		Named("textbook").
		For(&v1alpha1.MedblocksWebhookEndpoint{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WithOptions(controller.Options{MaxConcurrentReconciles: cfg.concurrency}).
		Complete(&textbook{Client: mgr.GetClient(), cfg: cfg})
	if err != nil {
		return err
	}
	return mgr.Start(ctx)
}

// Reconcile registers, or looks whether everything is as it should be, and comes back after the interval.
func (t *textbook) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	var res v1alpha1.MedblocksWebhookEndpoint
	if err := t.Get(ctx, req.NamespacedName, &res); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	// One key for all: the textbook would read its Secret each time.
	vendor, err := medblocks.New(medblocks.Config{BaseURL: t.cfg.vendorURL, APIKey: apiKey})
	if err != nil {
		return ctrl.Result{}, err
	}
	var endpoint medblocks.Endpoint
	base := res.DeepCopy()
	if res.Status.EndpointID == "" {
		endpoint, err = t.register(ctx, vendor, &res)
	} else {
		endpoint, err = compare(ctx, vendor, &res)
	}
	if err != nil {
		return ctrl.Result{}, err
	}
	show(&res, &endpoint)
	if !equality.Semantic.DeepEqual(base.Status, res.Status) {
		if err := t.Status().Patch(ctx, &res, client.MergeFrom(base)); err != nil {
			return ctrl.Result{}, err
		}
	}
	return ctrl.Result{RequeueAfter: t.cfg.interval}, nil
}

func (t *textbook) register(ctx context.Context, vendor *medblocks.Client, res *v1alpha1.MedblocksWebhookEndpoint) (medblocks.Endpoint, error) {
	before := res.DeepCopy()
	res.Finalizers = append(res.Finalizers, v1alpha1.Finalizer)
	if err := t.Patch(ctx, res, client.MergeFrom(before)); err != nil {
		return medblocks.Endpoint{}, err
	}
	metadata := medblocks.Metadata{}
	for key, value := range res.Spec.Metadata {
		metadata[key] = string(value)
	}
	endpoint, value, err := vendor.CreateEndpoint(ctx, medblocks.CreateEndpointRequest{
		URL: res.Spec.URL, Events: eventsOf(res), Description: &res.Spec.Description, Metadata: metadata,
	})
	if err != nil {
		return endpoint, err
	}
	err = t.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: res.Namespace, Name: res.SigningSecretName(), Labels: map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy},
		},
		StringData: map[string]string{v1alpha1.SecretKeyValue: string(value), v1alpha1.SecretKeyEndpointID: endpoint.ID},
	})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return endpoint, fmt.Errorf("create the Secret: %w", err)
	}
	return endpoint, nil
}

// compare reads the endpoint, and puts back what differs.
func compare(ctx context.Context, vendor *medblocks.Client, res *v1alpha1.MedblocksWebhookEndpoint) (medblocks.Endpoint, error) {
	endpoint, err := vendor.GetEndpoint(ctx, res.Status.EndpointID)
	if err != nil {
		return endpoint, err
	}
	events := slices.Sorted(slices.Values(endpoint.Events))
	if endpoint.URL == res.Spec.URL && slices.Equal(events, eventsOf(res)) {
		return endpoint, nil
	}
	return vendor.UpdateEndpoint(ctx, endpoint.ID, medblocks.UpdateEndpointRequest{URL: &res.Spec.URL, Events: eventsOf(res)})
}

func eventsOf(res *v1alpha1.MedblocksWebhookEndpoint) []string {
	events := map[string]bool{}
	for _, event := range res.Spec.Events {
		events[string(event)] = true
	}
	return slices.Sorted(maps.Keys(events))
}

// show puts what was seen into the status.
func show(res *v1alpha1.MedblocksWebhookEndpoint, endpoint *medblocks.Endpoint) {
	enabled := metav1.ConditionFalse
	if endpoint.Status == medblocks.EndpointStatusActive {
		enabled = metav1.ConditionTrue
	}
	res.Status.ObservedGeneration, res.Status.EndpointID = res.Generation, endpoint.ID
	for condition, status := range map[string]metav1.ConditionStatus{
		v1alpha1.ConditionReady: enabled, v1alpha1.ConditionEnabled: enabled,
		v1alpha1.ConditionSynced: metav1.ConditionTrue, v1alpha1.ConditionSigningSecretReady: metav1.ConditionTrue,
	} {
		meta.SetStatusCondition(&res.Status.Conditions, metav1.Condition{
			Type: condition, Status: status, ObservedGeneration: res.Generation, Reason: "Seen", Message: "Endpoint " + strings.TrimSpace(endpoint.ID),
		})
	}
}
