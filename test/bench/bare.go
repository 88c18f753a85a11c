// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers"
)

// bare makes the requests of a registration one after another, with contents as large as the operator's, and decides nothing: it
// has no cache, no queue and no plan. How long it takes is what the API server, etcd and the vendor take.
type bare struct {
	cfg    config
	api    client.WithWatch
	vendor *medblocks.Client
	like   template
	secret string // the template's Secret, as JSON
	status string // the template's status, as JSON
}

func kubeConfig(cfg config) (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", cfg.kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	config.QPS, config.Burst = cfg.kubeQPS, cfg.kubeBurst
	return config, nil
}

func runBare(ctx context.Context, cfg config) error {
	config, err := kubeConfig(cfg)
	if err != nil {
		return err
	}
	b := &bare{cfg: cfg}
	if b.api, err = client.NewWithWatch(config, client.Options{Scheme: controllers.Scheme()}); err != nil {
		return err
	}
	if b.vendor, err = medblocks.New(medblocks.Config{BaseURL: cfg.vendorURL, APIKey: apiKey}); err != nil {
		return err
	}
	if err := b.readTemplate(); err != nil {
		return err
	}
	created, err := b.api.Watch(ctx, &v1alpha1.MedblocksWebhookEndpointList{}, client.InNamespace(namespace))
	if err != nil {
		return err
	}
	defer created.Stop()
	return b.registerAll(ctx, created)
}

func (b *bare) readTemplate() error {
	content, err := os.ReadFile(b.cfg.sample)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(content, &b.like); err != nil {
		return fmt.Errorf("read the template: %w", err)
	}
	secret, err := json.Marshal(&corev1.Secret{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: b.like.Secret.Namespace, Name: b.like.Secret.Name,
			Labels: b.like.Secret.Labels, Annotations: b.like.Secret.Annotations,
		},
		Data: b.like.Secret.Data, Type: b.like.Secret.Type,
	})
	if err != nil {
		return err
	}
	status, err := json.Marshal(b.like.Resource.Status)
	b.secret, b.status = string(secret), string(status)
	return err
}

// registerAll registers what the watch shows, until the context ends.
func (b *bare) registerAll(ctx context.Context, created watch.Interface) error {
	work := make(chan *v1alpha1.MedblocksWebhookEndpoint, 1<<16)
	failed := make(chan error, b.cfg.concurrency)
	for range b.cfg.concurrency {
		go func() {
			for res := range work {
				if err := b.register(ctx, res); err != nil && ctx.Err() == nil {
					failed <- fmt.Errorf("%s: %w", res.Name, err)
					return
				}
			}
		}()
	}
	defer close(work)
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return err
		case event, open := <-created.ResultChan():
			if !open {
				return ctx.Err() // the watch ends with the context
			}
			if res, ok := event.Object.(*v1alpha1.MedblocksWebhookEndpoint); ok && event.Type == watch.Added {
				work <- res
			}
		}
	}
}

// register makes the operator's requests for one resource, in the operator's order.
func (b *bare) register(ctx context.Context, res *v1alpha1.MedblocksWebhookEndpoint) error {
	marks := b.names(res, "")
	intent := b.like.Resource.Annotations[v1alpha1.AnnotationRegistration]
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"resourceVersion": res.ResourceVersion, "finalizers": b.like.Resource.Finalizers,
		"annotations": map[string]string{v1alpha1.AnnotationRegistration: marks.Replace(intent)},
	}})
	if err != nil {
		return err
	}
	if err := b.api.Patch(ctx, res, client.RawPatch(types.MergePatchType, patch)); err != nil {
		return err
	}
	var secret corev1.Secret
	if err := json.Unmarshal([]byte(marks.Replace(b.secret)), &secret); err != nil {
		return err
	}
	if err := client.IgnoreNotFound(b.api.Get(ctx, client.ObjectKeyFromObject(&secret), &corev1.Secret{})); err != nil {
		return err
	}
	if err := b.api.Create(ctx, secret.DeepCopy(), client.DryRunAll); err != nil {
		return err
	}
	endpoint, value, err := b.vendor.CreateEndpoint(ctx, b.request(res))
	if err != nil {
		return err
	}
	secret.Data[v1alpha1.SecretKeyValue], secret.Data[v1alpha1.SecretKeyEndpointID] = []byte(value), []byte(endpoint.ID)
	if err := b.api.Create(ctx, &secret); err != nil {
		return err
	}
	status := fmt.Sprintf(`{"metadata":{"resourceVersion":%q},"status":%s}`, res.ResourceVersion, b.names(res, endpoint.ID).Replace(b.status))
	if err := b.api.Status().Patch(ctx, res, client.RawPatch(types.MergePatchType, []byte(status))); err != nil {
		return err
	}
	return b.publish(ctx, res, endpoint.ID)
}

// names puts a resource's own names in place of those of the template, which are as long.
func (b *bare) names(res *v1alpha1.MedblocksWebhookEndpoint, endpointID string) *strings.Replacer {
	pairs := []string{b.like.Resource.Name, res.Name, string(b.like.Resource.UID), string(res.UID)}
	if endpointID != "" {
		pairs = append(pairs, b.like.Resource.Status.EndpointID, endpointID)
	}
	return strings.NewReplacer(pairs...)
}

func (b *bare) request(res *v1alpha1.MedblocksWebhookEndpoint) medblocks.CreateEndpointRequest {
	events := make([]string, 0, len(res.Spec.Events))
	for _, event := range res.Spec.Events {
		events = append(events, string(event))
	}
	metadata := medblocks.Metadata{
		v1alpha1.MarkOwner:            string(res.UID) + "/" + res.Namespace + "/" + res.Name,
		v1alpha1.MarkIncarnation:      string(res.UID),
		v1alpha1.MarkSecretGeneration: b.like.Secret.Annotations[v1alpha1.AnnotationSecretGeneration],
	}
	for key, value := range res.Spec.Metadata {
		metadata[key] = string(value)
	}
	return medblocks.CreateEndpointRequest{URL: res.Spec.URL, Events: events, Description: &res.Spec.Description, Metadata: metadata}
}

// publish makes as many Kubernetes events as the operator publishes. It waits for them; the operator does not.
func (b *bare) publish(ctx context.Context, res *v1alpha1.MedblocksWebhookEndpoint, endpointID string) error {
	for i := range b.cfg.events {
		now := metav1.NewMicroTime(time.Now())
		err := b.api.Create(ctx, &eventsv1.Event{
			ObjectMeta: metav1.ObjectMeta{Namespace: res.Namespace, Name: fmt.Sprintf("%s.%x", res.Name, now.UnixNano()+int64(i))},
			EventTime:  now, Type: corev1.EventTypeNormal, Reason: "Registered", Action: "Registered", Note: "Registered endpoint " + endpointID,
			ReportingController: "medblocks-webhook-operator", ReportingInstance: "medblocks-webhook-operator-bench",
			Regarding: corev1.ObjectReference{
				APIVersion: v1alpha1.GroupVersion.String(), Kind: "MedblocksWebhookEndpoint", Namespace: res.Namespace, Name: res.Name, UID: res.UID,
			},
		})
		if err != nil {
			return err
		}
	}
	return nil
}
