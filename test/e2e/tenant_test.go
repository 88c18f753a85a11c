// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
	"github.com/medblocks/webhook-operator/test/stack"
)

// tenant is a namespace with an API key of its own, so that tests do not see each other.
type tenant struct {
	namespace, apiKey string
}

const keySecretName = "medblocks-api-key"

var tenants atomic.Int64

// newTenant makes a namespace and puts an API key into it. Both stay after the test: what it leaves is looked at in the end.
func newTenant(t *testing.T) *tenant {
	t.Helper()
	return newTenantOf(t, "tenant")
}

// newTenantOf makes one whose namespace begins with that.
func newTenantOf(t *testing.T, kind string) *tenant {
	t.Helper()
	g := NewWithT(t)
	n, err := makeTenant(t.Context(), kind)
	g.Expect(err).NotTo(HaveOccurred())
	return n
}

func makeTenant(ctx context.Context, kind string) (*tenant, error) {
	n := &tenant{namespace: fmt.Sprintf("%s-%d", kind, tenants.Add(1)), apiKey: suite.secrets.newAPIKey()}
	if err := suite.api.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: n.namespace}}); err != nil {
		return nil, err
	}
	return n, suite.api.Create(ctx, n.keySecret(n.apiKey))
}

func (n *tenant) keySecret(apiKey string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: n.namespace, Name: keySecretName},
		StringData: map[string]string{v1alpha1.DefaultAPIKeySecretKey: apiKey},
	}
}

func (n *tenant) key(name string) client.ObjectKey {
	return client.ObjectKey{Namespace: n.namespace, Name: name}
}

type tweak func(*v1alpha1.MedblocksWebhookEndpoint)

// resource has a receiver that nobody listens at, and all events.
func (n *tenant) resource(name string) *v1alpha1.MedblocksWebhookEndpoint {
	return &v1alpha1.MedblocksWebhookEndpoint{
		ObjectMeta: metav1.ObjectMeta{Namespace: n.namespace, Name: name},
		Spec: v1alpha1.MedblocksWebhookEndpointSpec{
			URL: "https://receiver.example.com/" + name, Events: []v1alpha1.EventType{v1alpha1.EventAll},
			APIKeySecretRef: v1alpha1.APIKeySecretReference{Name: keySecretName},
		},
	}
}

// create makes a resource, tweaked.
func (n *tenant) create(t *testing.T, name string, tweaks ...tweak) {
	t.Helper()
	resource := n.resource(name)
	for _, change := range tweaks {
		change(resource)
	}
	NewWithT(t).Expect(suite.api.Create(t.Context(), resource)).To(Succeed())
}

func (n *tenant) get(t *testing.T, name string) *v1alpha1.MedblocksWebhookEndpoint {
	t.Helper()
	var resource v1alpha1.MedblocksWebhookEndpoint
	NewWithT(t).Expect(suite.api.Get(t.Context(), n.key(name), &resource)).To(Succeed())
	return &resource
}

func (n *tenant) change(t *testing.T, name string, change tweak) {
	t.Helper()
	resource := n.get(t, name)
	before := resource.DeepCopy()
	change(resource)
	NewWithT(t).Expect(suite.api.Patch(t.Context(), resource, client.MergeFrom(before))).To(Succeed())
}

// awaitCondition waits until a condition of the current generation has a status and, unless that is empty, a reason.
func (n *tenant) awaitCondition(t *testing.T, name, kind string, status metav1.ConditionStatus, reason string) metav1.Condition {
	t.Helper()
	var found metav1.Condition
	NewWithT(t).Eventually(func(g Gomega) {
		resource := n.get(t, name)
		condition := meta.FindStatusCondition(resource.Status.Conditions, kind)
		g.Expect(condition).NotTo(BeNil(), "conditions: %+v", resource.Status.Conditions)
		g.Expect(condition.Status).To(Equal(status), "%+v", condition)
		g.Expect(condition.ObservedGeneration).To(Equal(resource.Generation))
		if reason != "" {
			g.Expect(condition.Reason).To(Equal(reason), "%+v", condition)
		}
		found = *condition
	}).WithTimeout(patience).WithPolling(often).Should(Succeed())
	return found
}

func (n *tenant) awaitReady(t *testing.T, name string) {
	t.Helper()
	n.awaitCondition(t, name, v1alpha1.ConditionReady, metav1.ConditionTrue, "")
}

// secret is the Secret that the operator wrote.
func (n *tenant) secret(t *testing.T, name string) *corev1.Secret {
	t.Helper()
	var secret corev1.Secret
	NewWithT(t).Expect(suite.api.Get(t.Context(), n.key(name+"-signing-secret"), &secret)).To(Succeed())
	suite.secrets.Keep(string(secret.Data[v1alpha1.SecretKeyValue]))
	suite.secrets.Keep(string(secret.Data[v1alpha1.SecretKeyPrevious]))
	return &secret
}

func (n *tenant) signingSecret(t *testing.T, name string) string {
	t.Helper()
	return string(n.secret(t, name).Data[v1alpha1.SecretKeyValue])
}

// endpoints are those in the tenant's workspace at Medblocks.
func (n *tenant) endpoints(t *testing.T) []stack.Endpoint {
	t.Helper()
	endpoints, err := suite.emulator.Endpoints(t.Context(), n.apiKey)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	for _, endpoint := range endpoints {
		suite.secrets.Keep(endpoint.Secret)
	}
	return endpoints
}

// endpoint is the only one there.
func (n *tenant) endpoint(t *testing.T) stack.Endpoint {
	t.Helper()
	endpoints := n.endpoints(t)
	NewWithT(t).Expect(endpoints).To(HaveLen(1))
	return endpoints[0]
}

// calls are those that were made with the tenant's key, oldest first.
func (n *tenant) calls(t *testing.T) []emulator.Call {
	t.Helper()
	all, err := suite.emulator.Calls(t.Context())
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	var own []emulator.Call
	for _, call := range all {
		if call.APIKey == n.apiKey {
			own = append(own, call)
		}
	}
	return own
}

// writes are the calls that change something.
func writes(calls []emulator.Call) []string {
	var found []string
	for _, call := range calls {
		if call.Method != http.MethodGet {
			found = append(found, call.Method+" "+call.Path)
		}
	}
	return found
}

// polls counts the lists of disabled endpoints.
func polls(calls []emulator.Call) int {
	count := 0
	for _, call := range calls {
		if strings.HasPrefix(call.Path, "/webhooks?") && strings.Contains(call.Path, "status=disabled") {
			count++
		}
	}
	return count
}

// eventOf waits for a Kubernetes event about an object.
func eventOf(t *testing.T, namespace, kind, name, reason string) corev1.Event {
	t.Helper()
	var found corev1.Event
	NewWithT(t).Eventually(func(g Gomega) {
		var events corev1.EventList
		g.Expect(suite.api.List(t.Context(), &events, client.InNamespace(namespace))).To(Succeed())
		var seen []string
		for _, e := range events.Items {
			if e.InvolvedObject.Kind == kind && e.InvolvedObject.Name == name {
				seen = append(seen, e.Reason)
				if e.Reason == reason {
					found = e
				}
			}
		}
		g.Expect(seen).To(ContainElement(reason))
	}).WithTimeout(patience).WithPolling(often).Should(Succeed())
	return found
}

// kubectl runs kubectl as a cluster administrator and returns what it prints; an error fails the test.
func kubectl(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	cmd := suite.plane.Command(ctx, suite.plane.KubectlPath(), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+suite.plane.AdminKubeconfig(), "KUBECACHEDIR="+filepath.Join(suite.stack.Dir, "kube-cache"))
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}
