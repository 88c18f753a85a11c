// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package permissions

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/stack"
)

const (
	keySecret = "medblocks-api-key"
	hooks     = "hooks"
	signing   = hooks + "-signing-secret"
	// caseLabel tells the operators whose resources they are to manage.
	caseLabel = "example.com/case"
)

// tenant is a namespace with an API key, and so with a workspace, of its own.
type tenant struct {
	*WithT
	t              *testing.T
	namespace, key string
}

// tenants counts them: a test that runs again has others.
var tenants atomic.Int64

// newTenant makes a namespace with that beginning of its name.
func newTenant(t *testing.T, name string) *tenant {
	t.Helper()
	return newTenantIn(t, fmt.Sprintf("%s-%d", name, tenants.Add(1)))
}

// newTenantIn is for a namespace that a manifest names.
func newTenantIn(t *testing.T, namespace string) *tenant {
	t.Helper()
	n := &tenant{WithT: NewWithT(t), t: t, namespace: namespace, key: "mb_sk_sbx_permissions" + rand.Text()}
	err := suite.api.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
	n.Expect(client.IgnoreAlreadyExists(err)).To(Succeed())
	n.storeForNow(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: keySecret},
		StringData: map[string]string{v1alpha1.DefaultAPIKeySecretKey: n.key},
	})
	return n
}

func (n *tenant) store(object client.Object) {
	n.t.Helper()
	n.Expect(suite.api.Create(n.t.Context(), object)).To(Succeed())
}

func (n *tenant) create(name string, tweaks ...func(*v1alpha1.MedblocksWebhookEndpoint)) {
	n.t.Helper()
	n.store(n.manifest(name, tweaks...))
}

// storeForNow stores an object until the test ends.
func (n *tenant) storeForNow(object client.Object) {
	n.t.Helper()
	n.store(object)
	n.t.Cleanup(func() { n.Expect(client.IgnoreNotFound(suite.api.Delete(context.Background(), object))).To(Succeed()) })
}

// remove deletes a resource, and waits until the operator has let it go.
func (n *tenant) remove(name string) {
	n.t.Helper()
	n.Expect(suite.api.Delete(n.t.Context(), n.get(name))).To(Succeed())
	n.Eventually(func() any { return n.get(name) }).Should(BeNil())
}

func (n *tenant) manifest(name string, tweaks ...func(*v1alpha1.MedblocksWebhookEndpoint)) *v1alpha1.MedblocksWebhookEndpoint {
	res := &v1alpha1.MedblocksWebhookEndpoint{
		ObjectMeta: metav1.ObjectMeta{Namespace: n.namespace, Name: name, Labels: map[string]string{caseLabel: n.namespace}},
		Spec: v1alpha1.MedblocksWebhookEndpointSpec{
			URL: "http://127.0.0.1:1/" + name, Events: []v1alpha1.EventType{v1alpha1.EventAll}, // nobody is there
			APIKeySecretRef: v1alpha1.APIKeySecretReference{Name: keySecret},
		},
	}
	for _, tweak := range tweaks {
		tweak(res)
	}
	return res
}

// get is nil where there is no such resource.
func (n *tenant) get(name string) *v1alpha1.MedblocksWebhookEndpoint {
	n.t.Helper()
	var res v1alpha1.MedblocksWebhookEndpoint
	err := suite.api.Get(n.t.Context(), client.ObjectKey{Namespace: n.namespace, Name: name}, &res)
	if apierrors.IsNotFound(err) {
		return nil
	}
	n.Expect(err).NotTo(HaveOccurred())
	return &res
}

func (n *tenant) change(name string, edit func(*v1alpha1.MedblocksWebhookEndpoint)) {
	n.t.Helper()
	res := n.get(name)
	before := res.DeepCopy()
	edit(res)
	n.Expect(suite.api.Patch(n.t.Context(), res, client.MergeFrom(before))).To(Succeed())
}

func (n *tenant) annotate(name, annotation, value string) {
	n.t.Helper()
	n.change(name, func(res *v1alpha1.MedblocksWebhookEndpoint) {
		metav1.SetMetaDataAnnotation(&res.ObjectMeta, annotation, value)
	})
}

func (n *tenant) rename(name, secret string) {
	n.t.Helper()
	n.change(name, func(res *v1alpha1.MedblocksWebhookEndpoint) {
		res.Spec.SigningSecret = &v1alpha1.SigningSecretSpec{Name: secret}
	})
}

// has tells whether the present generation of a resource has a condition with that status and, unless it is empty, reason.
func (n *tenant) has(name, condition string, status metav1.ConditionStatus, reason string) bool {
	n.t.Helper()
	res := n.get(name)
	if res == nil {
		return false
	}
	c := meta.FindStatusCondition(res.Status.Conditions, condition)
	return c != nil && c.Status == status && c.ObservedGeneration == res.Generation && (reason == "" || c.Reason == reason)
}

// conditions are what a resource says.
func (n *tenant) conditions(name string) string {
	n.t.Helper()
	if res := n.get(name); res != nil {
		return fmt.Sprint(res.Status.Conditions)
	}
	return ""
}

func (n *tenant) ready(name string) bool {
	n.t.Helper()
	return n.has(name, v1alpha1.ConditionReady, metav1.ConditionTrue, "")
}

func (n *tenant) untilReady(names ...string) {
	n.t.Helper()
	for _, name := range names {
		n.Eventually(func() bool { return n.ready(name) }).Should(BeTrue(), name)
	}
}

// secret is nil where there is no such Secret.
func (n *tenant) secret(name string) *corev1.Secret {
	n.t.Helper()
	var secret corev1.Secret
	err := suite.api.Get(n.t.Context(), client.ObjectKey{Namespace: n.namespace, Name: name}, &secret)
	if apierrors.IsNotFound(err) {
		return nil
	}
	n.Expect(err).NotTo(HaveOccurred())
	return &secret
}

func (n *tenant) value(name string) string {
	n.t.Helper()
	if secret := n.secret(name); secret != nil {
		return string(secret.Data[v1alpha1.SecretKeyValue])
	}
	return ""
}

// endpoints are those in the workspace, by the name of the resource in their owner mark.
func (n *tenant) endpoints() map[string]stack.Endpoint {
	n.t.Helper()
	all, err := suite.emulator.Endpoints(n.t.Context(), n.key)
	n.Expect(err).NotTo(HaveOccurred())
	byName := map[string]stack.Endpoint{}
	for _, endpoint := range all {
		owner, _ := endpoint.Metadata[v1alpha1.MarkOwner].(string)
		byName[owner[strings.LastIndex(owner, "/")+1:]] = endpoint
	}
	return byName
}

// register puts an endpoint with an owner mark into the workspace.
func (n *tenant) register(owner string) {
	n.t.Helper()
	body, err := json.Marshal(map[string]any{
		"url": "https://receiver.example.com/", "events": []string{"*"}, "metadata": map[string]string{v1alpha1.MarkOwner: owner},
	})
	n.Expect(err).NotTo(HaveOccurred())
	req, err := http.NewRequestWithContext(n.t.Context(), http.MethodPost, suite.emulator.URL+"/webhooks", bytes.NewReader(body))
	n.Expect(err).NotTo(HaveOccurred())
	req.Header.Set("Authorization", "Bearer "+n.key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	n.Expect(err).NotTo(HaveOccurred())
	n.Expect(resp.Body.Close()).To(Succeed())
	n.Expect(resp.StatusCode).To(Equal(http.StatusCreated))
}
