// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/secrecy"
)

// secretKeeper knows the secrets of this run, and what was said in public.
type secretKeeper struct {
	secrecy.Keeper
	mu     sync.Mutex
	logs   []string // paths of log files
	spoken []spoken
}

// spoken is something that people who may not see secrets can read.
type spoken struct {
	where, text string
}

func (k *secretKeeper) watchLog(path string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.logs = append(k.logs, path)
}

func (k *secretKeeper) hear(where, text string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.spoken = append(k.spoken, spoken{where: where, text: text})
}

// newAPIKey is an API key that is nobody else's.
func (k *secretKeeper) newAPIKey() string {
	key := "mb_sk_sbx_canary" + strings.ToLower(rand.Text())
	k.Keep(key)
	return key
}

// noLeak looks through everything that was said. Without a secret, or without anything said, it fails: then it proves nothing.
func (k *secretKeeper) noLeak() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	said := k.spoken
	for _, path := range k.logs {
		text, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("look for secrets: %w", err)
		}
		said = append(said, spoken{where: path, text: string(text)})
	}
	if k.Kept() == 0 || len(said) == 0 {
		return fmt.Errorf("looked for %d secrets in %d places: that proves nothing", k.Kept(), len(said))
	}
	var errs []error
	for _, s := range said {
		errs = append(errs, k.Leak(s.where, s.text))
	}
	return errors.Join(errs...)
}

// collectFromCluster hears what the cluster tells everyone: events, and resources with their conditions.
func collectFromCluster(ctx context.Context) error {
	var (
		events    eventsv1.EventList
		old       corev1.EventList
		resources v1alpha1.MedblocksWebhookEndpointList
	)
	if err := errors.Join(suite.api.List(ctx, &events), suite.api.List(ctx, &old), suite.api.List(ctx, &resources)); err != nil {
		return fmt.Errorf("look for secrets in the cluster: %w", err)
	}
	for i := range resources.Items {
		resource := &resources.Items[i]
		if resource.Status.SigningSecret == nil {
			continue
		}
		var secret corev1.Secret
		key := client.ObjectKey{Namespace: resource.Namespace, Name: resource.Status.SigningSecret.Name}
		if err := suite.api.Get(ctx, key, &secret); err != nil {
			return fmt.Errorf("read the secrets to look for: %w", err)
		}
		suite.secrets.Keep(string(secret.Data[v1alpha1.SecretKeyValue]))
	}
	for where, list := range map[string]any{"events": events, "events of the older API": old, "resources": resources} {
		text, err := json.Marshal(list)
		if err != nil {
			return err
		}
		suite.secrets.hear(where, string(text))
	}
	return nil
}

func TestASearchForNothingProvesNothing(t *testing.T) {
	NewWithT(t).Expect((&secretKeeper{}).noLeak()).NotTo(Succeed())
}

func TestAVendorThatEchoesTheKeyAndASecretIsNotQuoted(t *testing.T) {
	g := NewWithT(t)
	tenant := newTenant(t)
	tenant.create(t, "echo")
	tenant.awaitReady(t, "echo")
	secret := tenant.signingSecret(t, "echo")

	message := "no good: Authorization: Bearer " + tenant.apiKey + " and " + secret
	g.Expect(suite.emulator.Fault(t.Context(), map[string]any{
		"operation": "UpdateEndpoint", "times": -1, "api_key": tenant.apiKey, "kind": "status",
		"status": 400, "type": "invalid_request_error", "code": "parameter_invalid", "param": "description", "message": message,
	})).To(Succeed())
	tenant.change(t, "echo", func(e *v1alpha1.MedblocksWebhookEndpoint) { e.Spec.Description = "changed" })

	refused := tenant.awaitCondition(t, "echo", v1alpha1.ConditionStalled, "True", v1alpha1.ReasonInvalidRequest)
	g.Expect(refused.Message).To(And(ContainSubstring("no good"), ContainSubstring("description")), "the rest of the message is for people")
	g.Expect(suite.secrets.Leak("the condition", refused.Message)).To(Succeed())
}
