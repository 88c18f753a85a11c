// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package e2e

import (
	"errors"
	"fmt"

	"github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/demo"
	"github.com/medblocks/webhook-operator/test/emulator"
	"github.com/medblocks/webhook-operator/test/stack"
)

// stepKey is the key of the endpoint's metadata that tells which declaration it matches.
const stepKey = "step"

// declare declares the endpoint, or changes what is declared, and returns when Medblocks has it so and the resource is Ready. The Secret is the
// one that the receiver's Pod mounts.
func (w *world) declare(step string) {
	w.Helper()
	w.manifest(step)
	w.declared(step)
}

// manifest declares the endpoint, or changes what is declared, and waits for nothing.
func (w *world) manifest(step string) {
	w.Helper()
	w.apply(w.endpointManifest(demo.ResourceKey, step))
}

// endpointManifest is a resource, with the Secret that holds its API key.
func (w *world) endpointManifest(key client.ObjectKey, step string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: Secret
metadata:
  namespace: %[1]s
  name: medblocks-api-key
stringData:
  MEDBLOCKS_API_KEY: %[3]s
---
apiVersion: connect.medblocks.com/v1alpha1
kind: MedblocksWebhookEndpoint
metadata:
  namespace: %[1]s
  name: %[2]s
spec:
  url: %[4]s
  events: [patient_flow.completed]
  metadata:
    %[5]s: %[6]q
  apiKeySecretRef:
    name: medblocks-api-key
`, key.Namespace, key.Name, w.apiKey, w.receiver.WebhookURL, stepKey, step)
}

// declared returns when Medblocks has the endpoint as it was declared, once, and the resource is Ready.
func (w *world) declared(step string) {
	w.Helper()
	w.Eventually(func() error {
		endpoint, err := w.onlyEndpoint()
		if err != nil {
			return err
		}
		if endpoint.Metadata[stepKey] != step {
			return fmt.Errorf("at Medblocks, it is as after %v", endpoint.Metadata[stepKey])
		}
		return w.isReady(demo.ResourceKey)
	}).Should(gomega.Succeed())
}

func (w *world) onlyEndpoint() (stack.Endpoint, error) {
	endpoints, err := w.medblocks.Endpoints(w.ctx, w.apiKey)
	if err != nil {
		return stack.Endpoint{}, err
	}
	if len(endpoints) != 1 {
		return stack.Endpoint{}, fmt.Errorf("there are %d endpoints at Medblocks, and not one", len(endpoints))
	}
	return endpoints[0], nil
}

func (w *world) isReady(key client.ObjectKey) error {
	res := &v1alpha1.MedblocksWebhookEndpoint{}
	if err := w.api.Get(w.ctx, key, res); err != nil {
		return err
	}
	if meta.IsStatusConditionTrue(res.Status.Conditions, v1alpha1.ConditionReady) && res.Status.ObservedGeneration == res.Generation {
		return nil
	}
	return fmt.Errorf("it is not Ready: %+v", res.Status.Conditions)
}

// delivers fires an event, and returns when the receiver has accepted it: it was signed with what the mounted Secret holds.
func (w *world) delivers() {
	w.Helper()
	fired, err := w.medblocks.Fire(w.ctx, w.apiKey, "patient_flow.completed")
	w.must(err)
	w.Expect(fired).To(gomega.HaveLen(1))
	w.Eventually(func() error {
		report, err := w.receiver.Report(w.ctx)
		if err != nil {
			return err
		}
		for _, accepted := range report.Events {
			if accepted.ID == fired[0].ID {
				return nil
			}
		}
		return errors.New("the receiver has not accepted the event")
	}).Should(gomega.Succeed())
}

// registrations is how often an endpoint was registered since Medblocks started.
func (w *world) registrations() int {
	w.Helper()
	counters, err := w.medblocks.Counters(w.ctx)
	w.must(err)
	return counters.Calls[emulator.OperationCreateEndpoint]
}
