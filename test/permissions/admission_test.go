// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package permissions

import (
	"context"
	"testing"

	. "github.com/onsi/gomega"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers"
)

// guarded are the annotations that the policy is about.
var guarded = []string{
	v1alpha1.AnnotationReenableRequestedAt, v1alpha1.AnnotationRotateSecretRequestedAt,
	v1alpha1.AnnotationReregisterRequestedAt, v1alpha1.AnnotationRelease,
}

// as is the API as somebody sees it.
func as(t *testing.T, user string, groups ...string) client.Client {
	t.Helper()
	config := rest.CopyConfig(suite.plane.Admin)
	config.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: append(groups, "system:authenticated")}
	api, err := client.New(config, client.Options{Scheme: controllers.Scheme()})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return api
}

// guard installs the policy for as long as the test runs.
func (n *tenant) guard() {
	n.t.Helper()
	out, err := kubectl(n.t.Context(), "apply", "--server-side", "-k", root+"/config/admission")
	n.Expect(err).NotTo(HaveOccurred(), out)
	release := func(res *v1alpha1.MedblocksWebhookEndpoint) {
		res.Annotations = map[string]string{v1alpha1.AnnotationRelease: "true"}
	}
	n.Eventually(func() error { // it takes the API server a moment to see the policy
		return suite.api.Create(n.t.Context(), n.manifest("guarded", release), client.DryRunAll)
	}).Should(deniedAbout(v1alpha1.AnnotationRelease), "a cluster administrator is not in the group either")
	n.t.Cleanup(func() {
		out, err := kubectl(context.Background(), "delete", "-k", root+"/config/admission")
		n.Expect(err).NotTo(HaveOccurred(), out)
	})
}

// let binds groups to a ClusterRole in a namespace.
func (n *tenant) let(role string, groups ...string) {
	n.t.Helper()
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: n.namespace, GenerateName: "people-"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
	}
	for _, group := range groups {
		binding.Subjects = append(binding.Subjects, rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: group})
	}
	n.store(binding)
}

// deniedAbout is the answer to who may not touch an annotation.
func deniedAbout(annotation string) OmegaMatcher {
	return And(
		MatchError(apierrors.IsForbidden, "is forbidden"),
		MatchError(ContainSubstring("only members of the group medblocks-operators may set, change or remove "+annotation)),
	)
}

// edited is what a person makes of an annotation; empty: nothing is left of it.
func edited(res *v1alpha1.MedblocksWebhookEndpoint, annotation, value string) client.Patch {
	before := res.DeepCopy()
	if value == "" {
		delete(res.Annotations, annotation)
	} else {
		metav1.SetMetaDataAnnotation(&res.ObjectMeta, annotation, value)
	}
	return client.MergeFrom(before)
}

func TestWithThePolicyOnlyAGroupMakesRequests(t *testing.T) {
	n := newTenant(t, "guarded")
	n.let("medblocks-webhook-operator-editor", "team", "medblocks-operators")
	alice, olga := as(t, "alice", "team"), as(t, "olga", "team", "medblocks-operators")
	n.guard()
	n.create(hooks)
	try := func(api client.Client, annotation, value string) error {
		res := n.get(hooks)
		return api.Patch(t.Context(), res, edited(res, annotation, value), client.DryRunAll)
	}
	for _, annotation := range guarded {
		change := func(api client.Client, value string) error { return try(api, annotation, value) }
		withIt := func() *v1alpha1.MedblocksWebhookEndpoint {
			return n.manifest("new", func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Annotations = map[string]string{annotation: "1"} })
		}
		n.Expect(alice.Create(t.Context(), withIt(), client.DryRunAll)).To(deniedAbout(annotation), "create")
		n.Expect(olga.Create(t.Context(), withIt(), client.DryRunAll)).To(Succeed(), "create")
		n.Expect(change(alice, "1")).To(deniedAbout(annotation), "add")
		n.Expect(change(olga, "1")).To(Succeed(), "add")
		n.ask(olga, annotation, "1")
		n.Expect(change(alice, "2")).To(deniedAbout(annotation), "change")
		n.Expect(change(olga, "2")).To(Succeed(), "change")
		n.Expect(change(alice, "")).To(deniedAbout(annotation), "remove")
		n.Expect(change(olga, "")).To(Succeed(), "remove")
	}
	out, err := kubectl(t.Context(), "annotate", "mwe", hooks, "-n", n.namespace, v1alpha1.AnnotationRelease+"=false", "--overwrite", "--as=alice", "--as-group=team")
	n.Expect(err).To(HaveOccurred())
	n.Expect(out).To(Equal(`Error from server (Forbidden): medblockswebhookendpoints.connect.medblocks.com "hooks" is forbidden: ` + // as in docs/permissions.md
		`ValidatingAdmissionPolicy 'medblocks-webhook-operator-requests' with binding 'medblocks-webhook-operator-requests' denied request: ` +
		"only members of the group medblocks-operators may set, change or remove connect.medblocks.com/release\n"))
	n.Expect(alice.Create(t.Context(), n.manifest("plain"), client.DryRunAll)).To(Succeed())
	res := n.get(hooks)
	before := res.DeepCopy()
	res.Spec.Description = "changed by alice"
	metav1.SetMetaDataAnnotation(&res.ObjectMeta, v1alpha1.AnnotationReconcileRequestedAt, "now")
	n.Expect(alice.Patch(t.Context(), res, client.MergeFrom(before))).To(Succeed(), "and everything else is as before")
}

// TestThePolicyDoesNotHinderTheOperator: it writes the finalizer, its own annotations and the status of resources with such annotations.
func TestThePolicyDoesNotHinderTheOperator(t *testing.T) {
	buildWith(t, "default").install(t)
	n := newTenant(t, "guarded-life")
	n.guard()
	n.let("medblocks-webhook-operator-editor", "team", "medblocks-operators")
	m := startByName(t, n.namespace)
	olga := as(t, "olga", "team", "medblocks-operators")
	n.Expect(olga.Create(t.Context(), n.manifest(hooks))).To(Succeed())
	n.untilReady(hooks)
	n.ask(olga, v1alpha1.AnnotationRotateSecretRequestedAt, "now")
	n.Eventually(func() string { return n.get(hooks).Status.LastHandledRotateSecretAt }).Should(Equal("now"))
	n.rename(hooks, "renamed")
	n.untilReady(hooks)
	n.Expect(as(t, "alice", "team").Delete(t.Context(), n.get(hooks))).To(Succeed())
	n.Eventually(func() any { return n.get(hooks) }).Should(BeNil())
	n.Expect(m.Log()).NotTo(MatchRegexp("(?i)forbidden"))
}

// ask has somebody set an annotation.
func (n *tenant) ask(api client.Client, annotation, value string) {
	n.t.Helper()
	n.Eventually(func() error {
		res := n.get(hooks)
		return api.Patch(n.t.Context(), res, edited(res, annotation, value))
	}).Should(Succeed())
}
