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
	// timeScale makes 12 hours one second, and the nine attempts (3.6 days) some seven.
	timeScale = 43_200
	// disabledPollInterval is short, for nobody likes to wait in a demo.
	disabledPollInterval = time.Second
	// backoff is long enough to look around while the endpoint is disabled.
	backoff = 10 * time.Second

	resourceName = "patient-events"
	keySecret    = "medblocks-api-key"
	keyFile      = "api-key.txt"
	manifestFile = "endpoint.yaml"
	eventType    = "patient_flow.completed"
	resource     = "mwe/" + resourceName
)

var (
	resourceKey   = client.ObjectKey{Namespace: metav1.NamespaceDefault, Name: resourceName}
	signingSecret = client.ObjectKey{Namespace: metav1.NamespaceDefault, Name: resourceName + "-signing-secret"}
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
    mode: Always    # bring it back when Medblocks disables it
    backoff:
      initial: %s  # by default 1m
`, resourceName, s.receiver.WebhookURL, eventType, keySecret, backoff)
}

// declare does what a user does: a Secret with the API key, a manifest, and waiting for Ready.
func (s *story) declare(ctx context.Context) error {
	s.apiKey = "mb_sk_sbx_" + strings.ToLower(rand.Text())
	for name, content := range map[string]string{keyFile: s.apiKey + "\n", manifestFile: s.manifest()} {
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
	if err := s.terminal.kubectl(ctx, "apply", "-f", manifestFile); err != nil {
		return err
	}
	if err := s.terminal.kubectl(ctx, "wait", "--for=condition=Ready", resource, "--timeout="+patience.String()); err != nil {
		return err
	}
	return s.await(ctx, "Ready to be seen", func(context.Context) error { return s.is(v1alpha1.ConditionReady, metav1.ConditionTrue, "") })
}

// is tells whether the watch has seen a condition like that, at any time.
func (s *story) is(kind string, status metav1.ConditionStatus, reason string) error {
	if _, found := s.following.since(time.Time{}, kind, status, reason); !found {
		return fmt.Errorf("condition %s was not %s", kind, status)
	}
	return nil
}

func (s *story) showRegistered(ctx context.Context) error {
	endpoint, err := s.onlyEndpoint(ctx)
	if err != nil {
		return err
	}
	if endpoint.URL != s.receiver.WebhookURL || endpoint.Status != emulator.StatusActive {
		return fmt.Errorf("Medblocks has %s with status %s", endpoint.URL, endpoint.Status)
	}
	s.endpointID = endpoint.ID
	s.screen.seen("Medblocks has the endpoint %s, active, marked as this resource's", endpoint.ID)
	if err := s.terminal.kubectl(ctx, "get", "mwe"); err != nil {
		return err
	}
	if err := s.terminal.kubectl(ctx, "get", "secret", signingSecret.Name); err != nil {
		return err
	}
	var secret corev1.Secret
	if err := s.api.Get(ctx, signingSecret, &secret); err != nil {
		return err
	}
	if string(secret.Data[v1alpha1.SecretKeyValue]) != endpoint.Secret || string(secret.Data[v1alpha1.SecretKeyEndpointID]) != endpoint.ID {
		return errors.New("the Secret does not hold what Medblocks signs with")
	}
	s.screen.seen("the Secret holds %s: the very one that Medblocks signs with", v1alpha1.SecretKeyValue)
	err = s.await(ctx, "the receiver's copy of the Secret", func(context.Context) error {
		mounted, err := os.ReadFile(filepath.Join(s.volume.Dir, v1alpha1.SecretKeyValue))
		if err == nil && string(mounted) != endpoint.Secret {
			err = errors.New("the file holds something else")
		}
		return err
	})
	if err != nil {
		return err
	}
	s.screen.seen("the receiver has it as a file")
	s.screen.prose("(A kubelet would mount the Secret into the receiver's pod. There is none here, so the demo does as it does: it writes the " +
		"files, and swaps them all at once through the link ..data.)")
	return nil
}

// onlyEndpoint is the one that Medblocks has; there must be no other.
func (s *story) onlyEndpoint(ctx context.Context) (stack.Endpoint, error) {
	endpoints, err := s.emulator.Endpoints(ctx, s.apiKey)
	if err != nil {
		return stack.Endpoint{}, err
	}
	if len(endpoints) != 1 {
		return stack.Endpoint{}, fmt.Errorf("Medblocks has %d endpoints, and not one", len(endpoints))
	}
	owner, _ := endpoints[0].Metadata[v1alpha1.MarkOwner].(string)
	if !strings.HasSuffix(owner, "/"+resourceKey.String()) {
		return stack.Endpoint{}, fmt.Errorf("the endpoint's owner mark is %q", owner)
	}
	return endpoints[0], nil
}

// tellCalls shows what the operator wrote to Medblocks since the last time.
func (s *story) tellCalls(ctx context.Context) error {
	calls, err := s.emulator.Calls(ctx)
	if err != nil {
		return err
	}
	for _, call := range calls[min(s.callsTold, len(calls)):] {
		if call.Method == http.MethodGet {
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

// deliver has Medblocks send an event, and the receiver say what it makes of it.
func (s *story) deliver(ctx context.Context) error {
	id, err := s.fire(ctx)
	if err != nil {
		return err
	}
	err = s.await(ctx, "the receiver to accept the event", func(ctx context.Context) error {
		report, err := s.receiver.Report(ctx)
		if err != nil {
			return err
		}
		for _, e := range report.Events {
			if e.ID == id {
				s.screen.seen("the receiver has verified its signature with the %s secret, and accepted it", e.Secret)
				return nil
			}
		}
		return fmt.Errorf("it accepted %d events, but not %s", len(report.Events), id)
	})
	if err != nil {
		return err
	}
	return s.await(ctx, "Medblocks to see that", func(ctx context.Context) error {
		deliveries, err := s.emulator.Deliveries(ctx, id)
		if err != nil {
			return err
		}
		if n := len(deliveries); n == 0 || deliveries[n-1].StatusCode != http.StatusOK {
			return fmt.Errorf("%d attempts, none answered with 200", n)
		}
		s.screen.seen("Medblocks got the answer %d at attempt %d: delivered", http.StatusOK, len(deliveries))
		return nil
	})
}

func (s *story) fire(ctx context.Context) (id string, err error) {
	fired, err := s.emulator.Fire(ctx, s.apiKey, eventType)
	if err != nil {
		return "", err
	}
	if len(fired) != 1 {
		return "", fmt.Errorf("Medblocks made %d events, and not one", len(fired))
	}
	s.screen.at(time.Now(), fmt.Sprintf("a patient completes a flow: Medblocks makes the event %s (%s)", fired[0].ID, eventType))
	return fired[0].ID, nil
}

// breakDown lets an event fail nine times, and waits until the resource tells.
func (s *story) breakDown(ctx context.Context) error {
	start := time.Now()
	if err := s.receiver.Fail(ctx); err != nil {
		return err
	}
	s.screen.at(time.Now(), "the receiver is told to fail: it answers everything with 503")
	id, err := s.fire(ctx)
	if err != nil {
		return err
	}
	if err := s.awaitNineFailures(ctx, id); err != nil {
		return err
	}
	s.screen.seen("Medblocks has set the endpoint to disabled. It told nobody: no event, no call, no mail")
	var noticed change
	err = s.await(ctx, "the operator to notice", func(context.Context) error {
		var found bool
		noticed, found = s.following.since(start, v1alpha1.ConditionEnabled, metav1.ConditionFalse, v1alpha1.ReasonAutoDisabled)
		_, unready := s.following.since(start, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonAutoDisabled)
		if !found || !unready {
			return errors.New("conditions Enabled and Ready are not False with reason AutoDisabled")
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.screen.seen("the resource says so, %.1f s later", noticed.at.Sub(s.disabledAt).Seconds())
	return s.showDisabled(ctx)
}

// awaitNineFailures shows the attempts as they are made.
func (s *story) awaitNineFailures(ctx context.Context, eventID string) error {
	told, scheduled := 0, time.Duration(0)
	delays := emulator.RetryDelays()
	return s.await(ctx, "nine failed attempts", func(ctx context.Context) error {
		deliveries, err := s.emulator.Deliveries(ctx, eventID)
		if err != nil {
			return err
		}
		for ; told < min(len(deliveries), len(delays)); told++ {
			d := deliveries[told]
			scheduled += delays[told]
			s.screen.at(d.At, fmt.Sprintf("  attempt %d  %s→ %d", d.Attempt, pad(afterText(scheduled), 16), d.StatusCode))
			s.disabledAt = d.At
		}
		endpoint, err := s.onlyEndpoint(ctx)
		if err != nil {
			return err
		}
		if told != len(delays) || endpoint.Status != emulator.StatusDisabled {
			return fmt.Errorf("%d attempts, endpoint %s", told, endpoint.Status)
		}
		return nil
	})
}

// afterText says when an attempt is due, in the vendor's time.
func afterText(d time.Duration) string {
	switch hours := d.Hours(); {
	case d == 0:
		return "at once"
	case hours < 1:
		return fmt.Sprintf("after %.0f min", d.Minutes())
	case hours < 24:
		return fmt.Sprintf("after %.1f h", hours)
	default:
		return fmt.Sprintf("after %.1f days", hours/24)
	}
}

func (s *story) showDisabled(ctx context.Context) error {
	if err := s.terminal.kubectl(ctx, "get", "mwe"); err != nil {
		return err
	}
	err := s.await(ctx, "the Warning event", func(ctx context.Context) error {
		return s.hasEvent(ctx, corev1.EventTypeWarning, v1alpha1.ReasonAutoDisabled)
	})
	if err != nil {
		return err
	}
	if err := s.terminal.kubectlFrom(ctx, "Events:", "describe", "mwe", resourceName); err != nil {
		return err
	}
	return s.terminal.kubectl(ctx, "get", "mwe", resourceName, "-o", `jsonpath=now disabled since {.status.disabled.since}, next attempt {.status.reenable.nextAttempt}{"\n"}`)
}

// hasEvent tells whether there is a Kubernetes event about the resource.
func (s *story) hasEvent(ctx context.Context, kind, reason string) error {
	var events corev1.EventList
	if err := s.api.List(ctx, &events, client.InNamespace(resourceKey.Namespace)); err != nil {
		return err
	}
	for i := range events.Items {
		if e := &events.Items[i]; e.InvolvedObject.Name == resourceName && e.Type == kind && e.Reason == reason {
			return nil
		}
	}
	return fmt.Errorf("no %s event %s about %s", kind, reason, resource)
}

// recover mends the receiver and waits for the policy to do its part.
func (s *story) recover(ctx context.Context) error {
	if err := s.receiver.Recover(ctx); err != nil {
		return err
	}
	s.screen.at(time.Now(), "the receiver is mended; nobody touches the endpoint. The operator waits for the end of the backoff")
	var back change
	err := s.await(ctx, "the operator to bring the endpoint back", func(context.Context) error {
		var found bool
		back, found = s.following.since(s.disabledAt, v1alpha1.ConditionEnabled, metav1.ConditionTrue, v1alpha1.ReasonActive)
		_, ready := s.following.since(s.disabledAt, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonRegistered)
		if !found || !ready {
			return errors.New("conditions Enabled and Ready are not True")
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.checkRecovered(ctx); err != nil {
		return err
	}
	s.screen.seen("the endpoint is active again at Medblocks, %.1f s after it was disabled, and the resource is Ready", back.at.Sub(s.disabledAt).Seconds())
	if err := s.terminal.kubectl(ctx, "get", "mwe"); err != nil {
		return err
	}
	return s.terminal.kubectl(ctx, "get", "mwe", resourceName, "-o", `jsonpath={range .status.history[*]}{.time}  {.action}  {.trigger}{"\n"}{end}`)
}

func (s *story) checkRecovered(ctx context.Context) error {
	endpoint, err := s.onlyEndpoint(ctx)
	if err != nil {
		return err
	}
	if endpoint.ID != s.endpointID || endpoint.Status != emulator.StatusActive {
		return fmt.Errorf("Medblocks has %s with status %s", endpoint.ID, endpoint.Status)
	}
	var mwe v1alpha1.MedblocksWebhookEndpoint
	if err := s.api.Get(ctx, resourceKey, &mwe); err != nil {
		return err
	}
	if r := mwe.Status.Reenable; r == nil || len(r.Attempts) != 1 {
		return fmt.Errorf("status.reenable is %+v, and not one attempt", r)
	}
	return s.await(ctx, "the event about it", func(ctx context.Context) error {
		return s.hasEvent(ctx, corev1.EventTypeNormal, "Reenabled")
	})
}

// remove deletes the manifest and looks for what is left.
func (s *story) remove(ctx context.Context) error {
	if err := s.terminal.kubectl(ctx, "delete", "-f", manifestFile); err != nil {
		return err
	}
	if err := s.tellCalls(ctx); err != nil {
		return err
	}
	endpoints, err := s.emulator.Endpoints(ctx, "")
	if err != nil {
		return err
	}
	if len(endpoints) > 0 {
		return fmt.Errorf("Medblocks still has %s", endpoints[0].ID)
	}
	if err := s.api.Get(ctx, signingSecret, &corev1.Secret{}); !apierrors.IsNotFound(err) {
		return fmt.Errorf("the signing Secret is still there (%w)", err)
	}
	if err := s.terminal.kubectl(ctx, "get", "mwe,secrets"); err != nil {
		return err
	}
	s.screen.seen("the endpoint is gone at Medblocks, and the signing Secret with it; the Secret of the user stays")
	return nil
}
