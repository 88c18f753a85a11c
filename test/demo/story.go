// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
	"github.com/medblocks/webhook-operator/test/stack"
)

const (
	// TimeScale of the emulator makes 3 hours one second, and the nine attempts (3.6 days) some 29: enough to be warned before the last
	// one, on a busy machine too.
	TimeScale = 10_800
	// DisabledPollInterval of the operator is short, for nobody likes to wait in a demo.
	DisabledPollInterval = time.Second
	// backoff is long enough to look around before the receiver is probed.
	backoff = 3 * time.Second
	// thisMachine is where the receiver is. The operator would not probe it otherwise.
	thisMachine = "127.0.0.0/8"
	// mountDelay is how much later than the Secret the receiver's files change.
	mountDelay = 500 * time.Millisecond

	resourceName = "patient-events"
	keySecret    = "medblocks-api-key"
	keyFile      = "api-key.txt"
	manifestFile = "endpoint.yaml"
	eventType    = "patient_flow.completed"
	resource     = "mwe/" + resourceName
)

// ResourceKey and SigningSecret name the story's resource, and the Secret that it gets.
var (
	ResourceKey   = client.ObjectKey{Namespace: metav1.NamespaceDefault, Name: resourceName}
	SigningSecret = client.ObjectKey{Namespace: metav1.NamespaceDefault, Name: resourceName + "-signing-secret"}
)

func (s *story) manifest() string {
	return fmt.Sprintf(`apiVersion: connect.medblocks.com/v1alpha1
kind: MedblocksWebhookEndpoint
metadata:
  name: %s
spec:
  url: %s  # https, except on this machine
  events: [%s]
  apiKeySecretRef:
    name: %s
  reenablePolicy:
    mode: WhenHealthy    # bring it back when Medblocks disables it, once the receiver answers again
    backoff:
      initial: %s        # by default 1m
%s    redelivery:
      mode: Undelivered  # and have it sent what it missed
`, resourceName, s.Receiver.WebhookURL, eventType, keySecret, backoff, s.probed())
}

// monitoring is added to the manifest later.
const monitoring = `  deliveryMonitoring:
    interval: 1m
`

// declare does what a user does: a Secret with the API key, a manifest, and waiting for Ready.
func (s *story) declare(ctx context.Context) error {
	if s.APIKey == "" {
		s.APIKey = "mb_sk_sbx_" + strings.ToLower(rand.Text())
	}
	for name, content := range map[string]string{keyFile: s.APIKey + "\n", manifestFile: s.manifest()} {
		if err := os.WriteFile(filepath.Join(s.terminal.dir, name), []byte(content), 0o600); err != nil {
			return err
		}
	}
	s.screen.typed("cat " + manifestFile)
	s.screen.output(s.manifest())
	if err := s.terminal.kubectl(ctx, "create", "secret", "generic", keySecret, "--from-file="+v1alpha1.DefaultAPIKeySecretKey+"="+keyFile); err != nil {
		return err
	}
	if err := s.applyAndWait(ctx); err != nil {
		return err
	}
	return s.showRegistered(ctx)
}

func (s *story) applyAndWait(ctx context.Context) error {
	start := time.Now()
	if err := s.terminal.kubectl(ctx, "apply", "-f", manifestFile); err != nil {
		return err
	}
	if err := s.terminal.kubectl(ctx, "wait", "--for=condition=Ready", resource, "--timeout="+patience.String()); err != nil {
		return err
	}
	return s.await(ctx, "Ready to be seen", func(context.Context) error {
		if _, found := s.following.since(start, v1alpha1.ConditionReady, metav1.ConditionTrue, ""); !found {
			return errors.New("condition Ready is not True")
		}
		return nil
	})
}

func (s *story) showRegistered(ctx context.Context) error {
	endpoint, err := s.onlyEndpoint(ctx)
	if err != nil {
		return err
	}
	if endpoint.URL != s.Receiver.WebhookURL || endpoint.Status != emulator.StatusActive {
		return fmt.Errorf("at Medblocks, %s has status %s", endpoint.URL, endpoint.Status)
	}
	s.endpointID = endpoint.ID
	s.screen.seen("Medblocks has the endpoint %s, active, marked as this resource's", endpoint.ID)
	if err := s.terminal.kubectl(ctx, "get", "mwe"); err != nil {
		return err
	}
	if err := s.terminal.kubectl(ctx, "get", "secret", SigningSecret.Name); err != nil {
		return err
	}
	return s.showSecret(ctx, endpoint)
}

// showSecret sees that the Secret holds the endpoint's, and that the receiver has it.
func (s *story) showSecret(ctx context.Context, endpoint stack.Endpoint) error {
	var secret corev1.Secret
	if err := s.api.Get(ctx, SigningSecret, &secret); err != nil {
		return err
	}
	if string(secret.Data[v1alpha1.SecretKeyValue]) != endpoint.Secret || string(secret.Data[v1alpha1.SecretKeyEndpointID]) != endpoint.ID {
		return errors.New("the Secret does not hold what Medblocks signs with")
	}
	s.screen.seen("the Secret holds %s: the very one that Medblocks signs with", v1alpha1.SecretKeyValue)
	err := s.await(ctx, "the receiver's copy of the Secret", func(context.Context) error {
		mounted, err := os.ReadFile(filepath.Join(s.MountedSecret, v1alpha1.SecretKeyValue))
		if err == nil && string(mounted) != endpoint.Secret {
			err = errors.New("the file holds something else")
		}
		return err
	})
	if err != nil {
		return err
	}
	s.screen.seen("the receiver has it as a file")
	if s.RealMount {
		return nil
	}
	s.screen.prose("(In a cluster, the kubelet mounts the Secret into the receiver's pod. There is no kubelet here, so the demo writes the " +
		"files, in the same way: all are swapped at once, through the link ..data.)")
	return nil
}

// onlyEndpoint is the one that Medblocks has; there must be no other.
func (s *story) onlyEndpoint(ctx context.Context) (stack.Endpoint, error) {
	endpoints, err := s.Emulator.Endpoints(ctx, s.APIKey)
	if err != nil {
		return stack.Endpoint{}, err
	}
	if len(endpoints) != 1 {
		return stack.Endpoint{}, fmt.Errorf("there are %d endpoints at Medblocks, and not one", len(endpoints))
	}
	owner, _ := endpoints[0].Metadata[v1alpha1.MarkOwner].(string)
	if !strings.HasSuffix(owner, "/"+ResourceKey.String()) {
		return stack.Endpoint{}, fmt.Errorf("the endpoint's owner mark is %q", owner)
	}
	return endpoints[0], nil
}

// tellCalls shows what the operator wrote to Medblocks since the last time.
func (s *story) tellCalls(ctx context.Context) error {
	calls, err := s.Emulator.Calls(ctx)
	if err != nil {
		return err
	}
	for _, call := range calls[min(s.callsTold, len(calls)):] {
		if call.Method == http.MethodGet || call.Operation == emulator.OperationRedeliverEvent { // for these see redeliver
			continue
		}
		body := ""
		if len(call.Body) > 0 && len(call.Body) <= 40 {
			body = " " + call.Body
		}
		s.screen.at(call.At, fmt.Sprintf("→ operator calls Medblocks: %s %s%s (%d)", call.Method, call.Path, body, call.Status))
	}
	s.callsTold = len(calls)
	return nil
}

// status is the resource's.
func (s *story) status(ctx context.Context) (*v1alpha1.MedblocksWebhookEndpointStatus, error) {
	var mwe v1alpha1.MedblocksWebhookEndpoint
	if err := s.api.Get(ctx, ResourceKey, &mwe); err != nil {
		return nil, err
	}
	return &mwe.Status, nil
}

// remove deletes the manifest and looks for what is left.
func (s *story) remove(ctx context.Context) error {
	if err := s.terminal.kubectl(ctx, "delete", "-f", manifestFile); err != nil {
		return err
	}
	if err := s.tellCalls(ctx); err != nil {
		return err
	}
	endpoints, err := s.Emulator.Endpoints(ctx, "")
	if err != nil {
		return err
	}
	if len(endpoints) > 0 {
		return fmt.Errorf("endpoint %s is still at Medblocks", endpoints[0].ID)
	}
	if err := s.api.Get(ctx, SigningSecret, &corev1.Secret{}); !apierrors.IsNotFound(err) {
		return fmt.Errorf("the signing Secret is still there (%w)", err)
	}
	if err := s.terminal.kubectl(ctx, "get", "mwe,secrets"); err != nil {
		return err
	}
	s.screen.seen("the endpoint is gone at Medblocks, and the signing Secret with it; the Secret of the user stays")
	return nil
}
