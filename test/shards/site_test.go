// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package shards

import (
	"crypto/rand"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/controlplane"
	"github.com/medblocks/webhook-operator/test/stack"
)

const (
	// patience is how long anything may take: a busy machine with two cores gets its time.
	patience = 90 * time.Second
	// often is how often one looks.
	often = 50 * time.Millisecond
)

// site is a control plane and an emulator that a test has to itself.
type site struct {
	*WithT
	t *testing.T

	plane    *controlplane.ControlPlane
	stack    *stack.Stack
	emulator *stack.Emulator
	api      client.WithWatch
	// key is the API key in all namespaces.
	key string
}

func newSite(t *testing.T, options controlplane.Options) *site {
	t.Helper()
	s := &site{WithT: NewWithT(t), t: t, key: "mb_sk_sbx_shards" + rand.Text()}
	s.SetDefaultEventuallyTimeout(patience)
	s.SetDefaultEventuallyPollingInterval(often)
	programs, err := stack.FindPrograms(filepath.Join("..", "..", "bin"))
	s.Expect(err).NotTo(HaveOccurred())
	s.plane, err = controlplane.Start(t.Context(), options)
	s.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { s.Expect(s.plane.Stop()).To(Succeed()) })
	s.stack, err = stack.New(s.plane, programs)
	s.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { s.Expect(s.stack.Stop()).To(Succeed()) })
	scheme := runtime.NewScheme()
	s.Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	s.Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	s.api, err = client.NewWithWatch(s.plane.Admin, client.Options{Scheme: scheme})
	s.Expect(err).NotTo(HaveOccurred())
	s.emulator, err = s.stack.StartEmulator(t.Context())
	s.Expect(err).NotTo(HaveOccurred())
	return s
}

// start starts an operator with short intervals and metrics for everybody. The name is that of its log.
func (s *site) start(name string, flags ...string) *stack.Manager {
	s.t.Helper()
	m, err := s.stack.StartManager(s.t.Context(), name, s.emulator.URL, append([]string{
		"--disabled-poll-interval=300ms", "--poll-interval=1s", "--api-qps=200", "--api-burst=400", "--metrics-secure=false",
	}, flags...)...)
	s.Expect(err).NotTo(HaveOccurred())
	return m
}

// namespace makes a namespace with the API key in it.
func (s *site) namespace(name string) {
	s.t.Helper()
	s.Expect(s.api.Create(s.t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})).To(Succeed())
	s.Expect(s.api.Create(s.t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "key"},
		StringData: map[string]string{v1alpha1.DefaultAPIKeySecretKey: s.key},
	})).To(Succeed())
}

func (s *site) create(namespace, name string, labels map[string]string) *v1alpha1.MedblocksWebhookEndpoint {
	s.t.Helper()
	res := &v1alpha1.MedblocksWebhookEndpoint{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: labels},
		Spec: v1alpha1.MedblocksWebhookEndpointSpec{
			URL: "https://receiver.example.com/" + name, Events: []v1alpha1.EventType{v1alpha1.EventAll},
			APIKeySecretRef: v1alpha1.APIKeySecretReference{Name: "key"},
		},
	}
	s.Expect(s.api.Create(s.t.Context(), res)).To(Succeed())
	return res
}

// get is nil where there is no such resource.
func (s *site) get(namespace, name string) *v1alpha1.MedblocksWebhookEndpoint {
	s.t.Helper()
	var res v1alpha1.MedblocksWebhookEndpoint
	err := s.api.Get(s.t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, &res)
	if apierrors.IsNotFound(err) {
		return nil
	}
	s.Expect(err).NotTo(HaveOccurred())
	return &res
}

func (s *site) change(namespace, name string, edit func(*v1alpha1.MedblocksWebhookEndpoint)) {
	s.t.Helper()
	res := s.get(namespace, name)
	before := res.DeepCopy()
	edit(res)
	s.Expect(s.api.Patch(s.t.Context(), res, client.MergeFrom(before))).To(Succeed())
}

// delete deletes a resource and waits until it is gone.
func (s *site) delete(namespace, name string) {
	s.t.Helper()
	s.Expect(s.api.Delete(s.t.Context(), s.get(namespace, name))).To(Succeed())
	s.Eventually(func() any { return s.get(namespace, name) }).Should(BeNil())
}

// untilReady waits until the present generation of a resource is Ready.
func (s *site) untilReady(namespace, name string) *v1alpha1.MedblocksWebhookEndpoint {
	s.t.Helper()
	var res *v1alpha1.MedblocksWebhookEndpoint
	s.Eventually(func(g Gomega) {
		res = s.get(namespace, name)
		ready := meta.FindStatusCondition(res.Status.Conditions, v1alpha1.ConditionReady)
		g.Expect(ready).To(HaveValue(And(HaveField("Status", metav1.ConditionTrue), HaveField("ObservedGeneration", res.Generation))))
	}).Should(Succeed(), name)
	return res
}

func (s *site) secret(namespace, name string) *corev1.Secret {
	s.t.Helper()
	var secret corev1.Secret
	s.Expect(s.api.Get(s.t.Context(), client.ObjectKey{Namespace: namespace, Name: name + "-signing-secret"}, &secret)).To(Succeed())
	return &secret
}

// owned are the endpoints at Medblocks that carry the mark of a resource.
func (s *site) owned(namespace, name string) []stack.Endpoint {
	s.t.Helper()
	all, err := s.emulator.Endpoints(s.t.Context(), s.key)
	s.Expect(err).NotTo(HaveOccurred())
	var owned []stack.Endpoint
	for _, endpoint := range all {
		if owner, ok := endpoint.Metadata[v1alpha1.MarkOwner].(string); ok && strings.HasSuffix(owner, "/"+namespace+"/"+name) {
			owned = append(owned, endpoint)
		}
	}
	return owned
}

// writes are the calls that changed something at Medblocks so far.
func (s *site) writes() []string {
	s.t.Helper()
	calls, err := s.emulator.Calls(s.t.Context())
	s.Expect(err).NotTo(HaveOccurred())
	found := []string{}
	for _, call := range calls {
		if call.Method != http.MethodGet {
			found = append(found, call.Method+" "+call.Path)
		}
	}
	return found
}

// metrics is what an operator shows.
func (s *site) metrics(m *stack.Manager) string {
	s.t.Helper()
	body, err := stack.Get(s.t.Context(), strings.Replace(m.MetricsURL, "https:", "http:", 1)+"/metrics")
	s.Expect(err).NotTo(HaveOccurred())
	return body
}

// settle waits until an operator with an account has listed it several times from now on.
func (s *site) settle(m *stack.Manager) {
	s.t.Helper()
	start := lists(s.metrics(m))
	s.Eventually(func() int { return lists(s.metrics(m)) }).Should(BeNumerically(">=", start+4))
}

// kubectl runs kubectl as a cluster administrator.
func (s *site) kubectl(args ...string) {
	s.t.Helper()
	cmd := s.plane.Command(s.t.Context(), s.plane.KubectlPath(), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+s.plane.AdminKubeconfig(), "KUBECACHEDIR="+filepath.Join(s.stack.Dir, "kube-cache"))
	out, err := cmd.CombinedOutput()
	s.Expect(err).NotTo(HaveOccurred(), string(out))
}
