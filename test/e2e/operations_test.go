// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"crypto/tls"
	"io"
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/controlplane"
	"github.com/medblocks/webhook-operator/test/stack"
)

func TestAnOperatorThatRunsIsHealthyAndReady(t *testing.T) {
	for _, path := range []string{"/healthz", "/readyz"} {
		status, err := stack.Status(t.Context(), suite.manager.ProbeURL+path)
		if err != nil || status != http.StatusOK {
			t.Errorf("%s: %d, %v", path, status, err)
		}
	}
}

// scrape reads the metrics with a token, or without.
func scrape(t *testing.T, token string) (status int, body string) {
	t.Helper()
	g := NewWithT(t)
	// The certificate is made at the start and signed by nobody, as Prometheus is told for this endpoint.
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, suite.manager.MetricsURL+"/metrics", http.NoBody)
	g.Expect(err).NotTo(HaveOccurred())
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := (&http.Client{Transport: transport, Timeout: 30 * time.Second}).Do(req)
	g.Expect(err).NotTo(HaveOccurred())
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	g.Expect(err).NotTo(HaveOccurred())
	return resp.StatusCode, string(content)
}

// tokenOf makes a service account and returns a token of it.
func tokenOf(t *testing.T, namespace, name string) string {
	t.Helper()
	g := NewWithT(t)
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	g.Expect(suite.api.Create(t.Context(), account)).To(Succeed())
	config, err := suite.plane.ServiceAccountConfig(t.Context(), namespace, name)
	g.Expect(err).NotTo(HaveOccurred())
	return config.BearerToken
}

// metricsReader is a token of a service account that may read the metrics.
func metricsReader(t *testing.T, n *tenant) string {
	t.Helper()
	token := tokenOf(t, n.namespace, "prometheus")
	NewWithT(t).Expect(suite.api.Create(t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: n.namespace + "-metrics-reader"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "medblocks-webhook-operator-metrics-reader"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: n.namespace, Name: "prometheus"}},
	})).To(Succeed())
	return token
}

func TestMetricsAreForThoseWhoMayReadThem(t *testing.T) {
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "measured")
	n.awaitReady(t, "measured")
	n.secret(t, "measured")

	status, _ := scrape(t, "")
	g.Expect(status).To(Equal(http.StatusUnauthorized), "nobody")
	status, _ = scrape(t, "not.a.token")
	g.Expect(status).To(BeNumerically(">=", 400), "somebody who is not who he says (controller-runtime answers 500)")
	status, _ = scrape(t, tokenOf(t, n.namespace, "anybody"))
	g.Expect(status).To(Equal(http.StatusForbidden), "somebody without permission")

	prometheus := metricsReader(t, n)
	g.Eventually(func(g Gomega) { // permissions are cached for some seconds
		status, body := scrape(t, prometheus)
		g.Expect(status).To(Equal(http.StatusOK))
		g.Expect(body).To(And(
			MatchRegexp(`(?m)^medblocks_api_requests_total\{code="201",operation="CreateEndpoint"\} [1-9]`),
			MatchRegexp(`(?m)^medblocks_webhook_operator_writes_total\{action="RegisterEndpoint",trigger="Spec"\} [1-9]`),
			ContainSubstring("medblocks_api_request_duration_seconds_bucket"),
			ContainSubstring("controller_runtime_reconcile_total"),
			ContainSubstring("workqueue_depth"),
			ContainSubstring(`medblocks_webhook_operator_endpoint_enabled{name="measured",namespace="`+n.namespace+`"} 1`),
			ContainSubstring(`medblocks_webhook_operator_account_users{account="`+n.namespace+`/`+keySecretName+`"} 1`),
			MatchRegexp(`(?m)^medblocks_webhook_operator_sweep_duration_seconds_count\{kind="full"\} [1-9]`),
		))
		suite.secrets.hear("metrics", body)
	}).WithTimeout(patience).WithPolling(often).Should(Succeed())
}

// leader is who holds the Lease.
func leader(g Gomega, t *testing.T) string {
	t.Helper()
	var lease coordinationv1.Lease
	key := client.ObjectKey{Namespace: controlplane.OperatorNamespace, Name: "medblocks-webhook-operator.connect.medblocks.com"}
	g.Expect(suite.api.Get(t.Context(), key, &lease)).To(Succeed())
	g.Expect(lease.Spec.HolderIdentity).NotTo(BeNil())
	return *lease.Spec.HolderIdentity
}

func TestASecondOperatorWaitsUntilTheFirstOneEnds(t *testing.T) {
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "first")
	n.awaitReady(t, "first")
	first := leader(g, t)

	second, err := startManager(t.Context(), "manager-second")
	g.Expect(err).NotTo(HaveOccurred(), "one that waits is ready too: a rollout needs that")
	n.create(t, "second")
	n.awaitReady(t, "second")
	g.Expect(leader(g, t)).To(Equal(first))
	g.Expect(second.Log()).NotTo(ContainSubstring("Starting workers"), "it waits")

	g.Expect(suite.stack.EndProcess(suite.manager.Process)).To(Succeed(), "SIGTERM is not an error")
	suite.manager = second
	g.Eventually(func(g Gomega) string { return leader(g, t) }).WithTimeout(patience).WithPolling(often).ShouldNot(Or(Equal(first), BeEmpty()))
	n.create(t, "third")
	n.awaitReady(t, "third")
	g.Expect(n.endpoints(t)).To(HaveLen(3))
}

// TestARestartChangesNothing: a settled system makes no Kubernetes write and no vendor call beyond the polls, also when its
// operator starts anew.
func TestARestartChangesNothing(t *testing.T) {
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "settled")
	n.create(t, "disabled", func(e *v1alpha1.MedblocksWebhookEndpoint) { e.Spec.State = v1alpha1.StateDisabled })
	names := []string{"settled", "disabled"}
	versions := func() (found []string) {
		for _, name := range names {
			found = append(found, n.get(t, name).ResourceVersion, n.secret(t, name).ResourceVersion)
		}
		return found
	}
	for _, name := range names {
		n.awaitReady(t, name)
	}
	before, writesBefore := versions(), writes(n.calls(t))

	g.Expect(suite.stack.EndProcess(suite.manager.Process)).To(Succeed())
	callsBefore := n.calls(t)
	var err error
	suite.manager, err = startManager(t.Context(), "manager-restarted")
	g.Expect(err).NotTo(HaveOccurred())

	// It polls for a resource once it has reconciled it.
	since := func() int { return polls(n.calls(t)) - polls(callsBefore) }
	g.Eventually(since).WithTimeout(patience).WithPolling(often).Should(BeNumerically(">=", 5))
	g.Expect(versions()).To(Equal(before), "no Kubernetes write")
	g.Expect(writes(n.calls(t))).To(Equal(writesBefore), "no vendor write")
	for _, call := range n.calls(t)[len(callsBefore):] {
		g.Expect(call.Path).To(HavePrefix("/webhooks?"), "only polls")
	}

	// And it is at work.
	n.change(t, "settled", func(e *v1alpha1.MedblocksWebhookEndpoint) { e.Spec.Description = "changed" })
	g.Eventually(func() int { return len(writes(n.calls(t))) }).WithTimeout(patience).WithPolling(often).Should(Equal(len(writesBefore) + 1))
}

func TestAPersonsDisableStays(t *testing.T) {
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "manual", func(e *v1alpha1.MedblocksWebhookEndpoint) {
		e.Spec.ReenablePolicy = &v1alpha1.ReenablePolicy{Mode: v1alpha1.ReenableAlways, Backoff: &v1alpha1.ReenableBackoff{Initial: &metav1.Duration{Duration: time.Second}}}
	})
	n.awaitReady(t, "manual")
	g.Expect(suite.emulator.Disable(t.Context(), n.endpoint(t).ID)).To(Succeed())
	n.awaitCondition(t, "manual", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonDisabledManually)
	seen := polls(n.calls(t))
	g.Eventually(func() int { return polls(n.calls(t)) - seen }).WithTimeout(patience).WithPolling(often).Should(BeNumerically(">=", 8), "longer than the backoff")
	g.Expect(n.endpoint(t).Status).To(Equal("disabled"))
	g.Expect(writes(n.calls(t))).To(Equal([]string{"POST /webhooks"}))
}
