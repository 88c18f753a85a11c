// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/controlplane"
	"github.com/medblocks/webhook-operator/test/stack"
)

// outcome is what an invocation of the plugin has printed, and its exit code.
type outcome struct {
	code     int
	out, err string
}

// invoke runs the plugin as somebody with all permissions would.
func invoke(t *testing.T, args ...string) outcome {
	t.Helper()
	return invokeWith(t, suite.plane.AdminKubeconfig(), "", args...)
}

// invokeWith runs the plugin with a kubeconfig, and standard input.
func invokeWith(t *testing.T, kubeconfig, stdin string, args ...string) outcome {
	t.Helper()
	var out, errOut bytes.Buffer
	streams := genericiooptions.IOStreams{In: strings.NewReader(stdin), Out: &out, ErrOut: &errOut}
	code := Run(t.Context(), append(args, "--kubeconfig="+kubeconfig), streams)
	is := outcome{code: code, out: out.String(), err: errOut.String()}
	expectNoSecret(t, is)
	return is
}

// aSecret is what no output ever holds.
var aSecret = regexp.MustCompile(`whsec_[0-9A-Za-z+/]{8}|mb_sk_(sbx|live)_[0-9A-Za-z]`)

func expectNoSecret(t *testing.T, is outcome) {
	t.Helper()
	NewWithT(t).Expect(is.out+is.err).NotTo(MatchRegexp(aSecret.String()), "a secret or an API key")
}

// tenant is a namespace with an API key of its own, so that tests do not see each other.
type tenant struct {
	namespace, apiKey string
}

const keySecretName = "medblocks-api-key"

var tenants atomic.Int64

// newTenant makes a namespace and puts an API key into it.
func newTenant(t *testing.T) *tenant {
	t.Helper()
	g := NewWithT(t)
	number := tenants.Add(1)
	n := &tenant{namespace: fmt.Sprintf("tenant-%d", number), apiKey: fmt.Sprintf("mb_sk_sbx_plugin%d", number)}
	g.Expect(suite.api.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: n.namespace}})).To(Succeed())
	g.Expect(suite.api.Create(t.Context(), n.keySecret())).To(Succeed())
	return n
}

func (n *tenant) keySecret() *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: n.namespace, Name: keySecretName},
		StringData: map[string]string{v1alpha1.DefaultAPIKeySecretKey: n.apiKey},
	}
}

func (n *tenant) key(name string) client.ObjectKey {
	return client.ObjectKey{Namespace: n.namespace, Name: name}
}

// invoke runs the plugin in the tenant's namespace.
func (n *tenant) invoke(t *testing.T, args ...string) outcome {
	t.Helper()
	return invoke(t, append(args, "--namespace="+n.namespace)...)
}

type tweak func(*v1alpha1.MedblocksWebhookEndpoint)

// at has deliveries go to a URL.
func at(url string) tweak {
	return func(e *v1alpha1.MedblocksWebhookEndpoint) { e.Spec.URL = url }
}

// create makes a resource. Unless a tweak says otherwise it has a receiver that nobody can reach, and all events.
func (n *tenant) create(t *testing.T, name string, tweaks ...tweak) {
	t.Helper()
	resource := &v1alpha1.MedblocksWebhookEndpoint{
		ObjectMeta: metav1.ObjectMeta{Namespace: n.namespace, Name: name},
		Spec: v1alpha1.MedblocksWebhookEndpointSpec{
			URL: "https://receiver.example.com/" + name, Events: []v1alpha1.EventType{v1alpha1.EventAll},
			APIKeySecretRef: v1alpha1.APIKeySecretReference{Name: keySecretName},
		},
	}
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
func (n *tenant) awaitCondition(t *testing.T, name, kind string, status metav1.ConditionStatus, reason string) {
	t.Helper()
	NewWithT(t).Eventually(func(g Gomega) {
		resource := n.get(t, name)
		condition := meta.FindStatusCondition(resource.Status.Conditions, kind)
		g.Expect(condition).NotTo(BeNil(), "conditions: %+v", resource.Status.Conditions)
		g.Expect(condition.Status).To(Equal(status), "%+v", condition)
		g.Expect(condition.ObservedGeneration).To(Equal(resource.Generation))
		if reason != "" {
			g.Expect(condition.Reason).To(Equal(reason), "%+v", condition)
		}
	}).WithTimeout(patience).WithPolling(often).Should(Succeed())
}

func (n *tenant) awaitReady(t *testing.T, name string) {
	t.Helper()
	n.awaitCondition(t, name, v1alpha1.ConditionReady, metav1.ConditionTrue, "")
}

// endpoints are those of the tenant's workspace.
func (n *tenant) endpoints(t *testing.T) []stack.Endpoint {
	t.Helper()
	endpoints, err := suite.emulator.Endpoints(t.Context(), n.apiKey)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return endpoints
}

// fire makes one event for every active endpoint of the tenant's workspace, and returns the ids.
func (n *tenant) fire(t *testing.T) []string {
	t.Helper()
	g := NewWithT(t)
	fired, err := suite.emulator.Fire(t.Context(), n.apiKey, string(v1alpha1.EventPatientFlowCompleted))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(fired).NotTo(BeEmpty())
	var ids []string
	for _, event := range fired {
		ids = append(ids, event.ID)
	}
	return ids
}

// autoDisable has Medblocks disable the resource's endpoint: its receiver must fail.
func (n *tenant) autoDisable(t *testing.T, name string) {
	t.Helper()
	n.awaitReady(t, name)
	n.fire(t)
	n.awaitCondition(t, name, v1alpha1.ConditionEnabled, metav1.ConditionFalse, v1alpha1.ReasonAutoDisabled)
}

// hook is a receiver that answers as it is told.
type hook struct {
	*httptest.Server
	status atomic.Int64
}

func startHook(t *testing.T, status int) *hook {
	t.Helper()
	h := &hook{}
	h.answer(status)
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(int(h.status.Load())) }))
	t.Cleanup(h.Close)
	return h
}

func (h *hook) answer(status int) { h.status.Store(int64(status)) }

// user makes a service account in the tenant's namespace that has a ClusterRole there, and returns the path of its kubeconfig. Without a
// role it may do nothing.
func (n *tenant) user(t *testing.T, name, clusterRole string) (kubeconfig string) {
	t.Helper()
	g := NewWithT(t)
	g.Expect(suite.api.Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: n.namespace, Name: name}})).To(Succeed())
	if clusterRole != "" {
		n.bind(t, name, clusterRole)
	}
	config, err := suite.plane.ServiceAccountConfig(t.Context(), n.namespace, name)
	g.Expect(err).NotTo(HaveOccurred())
	kubeconfig = t.TempDir() + "/kubeconfig"
	g.Expect(controlplane.WriteKubeconfig(kubeconfig, config)).To(Succeed())
	return kubeconfig
}

func (n *tenant) bind(t *testing.T, name, clusterRole string) {
	t.Helper()
	NewWithT(t).Expect(suite.api.Create(t.Context(), &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: n.namespace, Name: name + "-" + clusterRole},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: clusterRole},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: n.namespace, Name: name}},
	})).To(Succeed())
}
