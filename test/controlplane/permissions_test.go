// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	authorizationv1 "k8s.io/api/authorization/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func connect(t *testing.T, config *rest.Config) client.Client {
	t.Helper()
	api, err := client.New(config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return api
}

func TestTheControlPlaneServesWhatTheRepositoryShips(t *testing.T) {
	t.Parallel()
	plane := start(t, Options{ControllerManager: true})
	admin := connect(t, plane.Admin)
	unlimited := plane.OperatorConfig()
	unlimited.QPS = -1
	operator := connect(t, unlimited)

	t.Run("kubectl talks to it with both kubeconfigs, in one version", func(t *testing.T) {
		for _, kubeconfig := range []string{plane.AdminKubeconfig(), plane.OperatorKubeconfig()} {
			expectOneVersion(t, plane, kubeconfig)
		}
	})
	t.Run("credentials are for their owner only", func(t *testing.T) {
		g := NewWithT(t)
		for _, path := range []string{plane.AdminKubeconfig(), plane.OperatorKubeconfig()} {
			info, err := os.Stat(path)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(info.Mode().Perm()).To(Equal(os.FileMode(0o600)), path)
		}
	})
	t.Run("the operator may do what it needs and nothing else", func(t *testing.T) { expectPermissions(t, operator) })
	t.Run("the operator's real calls agree with that", func(t *testing.T) { expectRealCalls(t, operator) })
	t.Run("no shipped role has a wildcard", func(t *testing.T) { expectNoWildcards(t, admin) })
	t.Run("view and edit of the cluster include the resource", func(t *testing.T) { expectAggregation(t, admin) })
	t.Run("kubectl accepts what users are told to apply", func(t *testing.T) { expectManifests(t, plane) })
	t.Run("a namespace with things in it can be deleted", func(t *testing.T) { expectNamespaceDeletion(t, admin) })
}

func expectOneVersion(t *testing.T, plane *ControlPlane, kubeconfig string) {
	t.Helper()
	g := NewWithT(t)
	out, err := exec.CommandContext(t.Context(), plane.KubectlPath(), "--kubeconfig", kubeconfig, "version", "--output=json").Output()
	g.Expect(err).NotTo(HaveOccurred())
	var versions struct{ ClientVersion, ServerVersion version.Info }
	g.Expect(json.Unmarshal(out, &versions)).To(Succeed())
	g.Expect(versions.ClientVersion.GitVersion).To(MatchRegexp(`^v1\.\d+\.\d+$`))
	g.Expect(versions.ServerVersion.GitVersion).To(Equal(versions.ClientVersion.GitVersion))
}

// access is one question to the API server: may the asker do this?
type access struct {
	verb, group, resource, subresource, namespace, name string
}

func (a access) allowed(ctx context.Context, api client.Client) (bool, error) {
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Verb: a.verb, Group: a.group, Resource: a.resource, Subresource: a.subresource, Namespace: a.namespace, Name: a.name,
		},
	}}
	err := api.Create(ctx, review)
	return review.Status.Allowed, err
}

func expectPermissions(t *testing.T, operator client.Client) {
	const ours, endpoints, lease = "connect.medblocks.com", "medblockswebhookendpoints", "medblocks-webhook-operator.connect.medblocks.com"
	const accounts = "medblocksaccounts"
	for allowed, questions := range map[bool][]access{
		true: {
			{verb: "list", group: ours, resource: endpoints},
			{verb: "watch", group: ours, resource: endpoints},
			{verb: "patch", group: ours, resource: endpoints, namespace: "team"},
			{verb: "patch", group: ours, resource: endpoints, subresource: "status", namespace: "team"},
			{verb: "get", resource: "secrets", namespace: "team"},
			{verb: "list", resource: "secrets"},
			{verb: "watch", resource: "secrets"},
			{verb: "create", resource: "secrets", namespace: "team"},
			{verb: "patch", resource: "secrets", namespace: "team"},
			{verb: "delete", resource: "secrets", namespace: "team"},
			{verb: "get", resource: "services", namespace: "team"},
			{verb: "get", resource: "namespaces", name: "kube-system"},
			{verb: "list", resource: "namespaces"},
			{verb: "watch", resource: "namespaces"},
			{verb: "list", group: ours, resource: accounts},
			{verb: "watch", group: ours, resource: accounts},
			{verb: "patch", group: ours, resource: accounts, subresource: "status"},
			{verb: "create", group: "events.k8s.io", resource: "events", namespace: "team"},
			{verb: "patch", group: "events.k8s.io", resource: "events", namespace: "team"},
			{verb: "create", resource: "events", namespace: OperatorNamespace},
			{verb: "create", group: "coordination.k8s.io", resource: "leases", namespace: OperatorNamespace},
			{verb: "get", group: "coordination.k8s.io", resource: "leases", namespace: OperatorNamespace, name: lease},
			{verb: "update", group: "coordination.k8s.io", resource: "leases", namespace: OperatorNamespace, name: lease},
			{verb: "create", group: "authentication.k8s.io", resource: "tokenreviews"},
			{verb: "create", group: "authorization.k8s.io", resource: "subjectaccessreviews"},
		},
		false: {
			{verb: "create", group: ours, resource: endpoints, namespace: "team"},
			{verb: "update", group: ours, resource: endpoints, namespace: "team"},
			{verb: "delete", group: ours, resource: endpoints, namespace: "team"},
			{verb: "update", group: ours, resource: endpoints, subresource: "status", namespace: "team"},
			{verb: "update", resource: "secrets", namespace: "team"},
			{verb: "deletecollection", resource: "secrets", namespace: "team"},
			{verb: "list", resource: "services", namespace: "team"},
			{verb: "watch", resource: "services", namespace: "team"},
			{verb: "patch", resource: "services", namespace: "team"},
			{verb: "get", resource: "services", subresource: "proxy", namespace: "team"},
			{verb: "get", resource: "endpoints", namespace: "team"},
			{verb: "create", resource: "events", namespace: "team"},
			{verb: "get", resource: "configmaps", namespace: "team"},
			{verb: "patch", resource: "namespaces", name: "team"},
			{verb: "patch", group: ours, resource: accounts},
			{verb: "create", group: ours, resource: accounts},
			{verb: "delete", group: ours, resource: accounts},
			{verb: "update", group: ours, resource: accounts, subresource: "status"},
			{verb: "get", resource: "pods", namespace: OperatorNamespace},
			{verb: "create", resource: "pods", namespace: OperatorNamespace},
			{verb: "create", resource: "serviceaccounts", subresource: "token", namespace: OperatorNamespace},
			{verb: "update", group: "coordination.k8s.io", resource: "leases", namespace: OperatorNamespace, name: "another"},
			{verb: "create", group: "coordination.k8s.io", resource: "leases", namespace: "team"},
			{verb: "escalate", group: "rbac.authorization.k8s.io", resource: "clusterroles"},
			{verb: "impersonate", resource: "users"},
		},
	} {
		for _, question := range questions {
			g := NewWithT(t)
			answer, err := question.allowed(t.Context(), operator)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(answer).To(Equal(allowed), "%+v", question)
		}
	}
}

func expectRealCalls(t *testing.T, operator client.Client) {
	g, ctx := NewWithT(t), t.Context()
	system := &corev1.Namespace{}
	g.Expect(operator.Get(ctx, client.ObjectKey{Name: metav1.NamespaceSystem}, system)).To(Succeed())
	g.Expect(system.UID).NotTo(BeEmpty())

	service := &corev1.Service{}
	g.Expect(operator.Get(ctx, client.ObjectKey{Namespace: "default", Name: "kubernetes"}, service)).To(Succeed())
	g.Expect(service.Spec.ClusterIP).NotTo(BeEmpty())
	g.Expect(operator.List(ctx, &corev1.ServiceList{})).To(MatchError(apierrors.IsForbidden, "list is forbidden"))

	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "default", GenerateName: "signing-"}}
	g.Expect(operator.Create(ctx, secret)).To(Succeed())
	before := secret.DeepCopy()
	secret.StringData = map[string]string{"a": "b"}
	g.Expect(operator.Patch(ctx, secret, client.MergeFrom(before))).To(Succeed())
	g.Expect(operator.Update(ctx, secret)).To(MatchError(apierrors.IsForbidden, "update is forbidden"))
	g.Expect(operator.Delete(ctx, secret)).To(Succeed())

	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{
		Namespace: OperatorNamespace, Name: "medblocks-webhook-operator.connect.medblocks.com",
	}}
	g.Expect(operator.Create(ctx, lease)).To(Succeed())
	g.Expect(operator.Update(ctx, lease)).To(Succeed())
	g.Expect(operator.Delete(ctx, lease)).To(MatchError(apierrors.IsForbidden, "delete is forbidden"))
	g.Expect(operator.Delete(ctx, system)).To(MatchError(apierrors.IsForbidden, "delete is forbidden"))
}

func expectNoWildcards(t *testing.T, admin client.Client) {
	g := NewWithT(t)
	ours := client.MatchingLabels{"app.kubernetes.io/name": "medblocks-webhook-operator"}
	clusterRoles, roles := &rbacv1.ClusterRoleList{}, &rbacv1.RoleList{}
	g.Expect(admin.List(t.Context(), clusterRoles, ours)).To(Succeed())
	g.Expect(admin.List(t.Context(), roles, ours)).To(Succeed())
	g.Expect(clusterRoles.Items).NotTo(BeEmpty())
	g.Expect(roles.Items).NotTo(BeEmpty())

	rules := map[string][]rbacv1.PolicyRule{}
	for _, role := range clusterRoles.Items {
		rules[role.Name] = role.Rules
	}
	for _, role := range roles.Items {
		rules[role.Name] = role.Rules
	}
	for name, rules := range rules {
		for _, rule := range rules {
			for _, list := range [][]string{rule.Verbs, rule.APIGroups, rule.Resources, rule.NonResourceURLs} {
				g.Expect(list).NotTo(ContainElement(ContainSubstring("*")), name)
			}
		}
	}
}

func expectAggregation(t *testing.T, admin client.Client) {
	for role, verb := range map[string]string{"view": "watch", "edit": "create", "admin": "delete"} {
		NewWithT(t).Eventually(func(g Gomega) {
			aggregated := &rbacv1.ClusterRole{}
			g.Expect(admin.Get(t.Context(), client.ObjectKey{Name: role}, aggregated)).To(Succeed())
			g.Expect(aggregated.Rules).To(ContainElement(And(
				HaveField("Resources", ContainElement("medblockswebhookendpoints")), HaveField("Verbs", ContainElement(verb)),
			)))
			g.Expect(aggregated.Rules).NotTo(ContainElement(HaveField("Resources", ContainElement("medblocksaccounts"))), "accounts are not the tenants'")
		}).WithTimeout(30*time.Second).Should(Succeed(), role)
	}
}

// expectManifests applies the shipped manifests as a user would: without a complaint, and without the API server's warning that a pod
// breaks the rules of its namespace.
func expectManifests(t *testing.T, plane *ControlPlane) {
	for _, source := range [][]string{{"-k", "config/default"}, {"-f", "dist/install.yaml"}, {"-k", "config/samples"}} {
		g := NewWithT(t)
		args := append([]string{"--kubeconfig", plane.AdminKubeconfig(), "apply", "--server-side"}, source...)
		cmd := exec.CommandContext(t.Context(), plane.KubectlPath(), args...)
		cmd.Dir = plane.options.RepositoryRoot
		out, err := cmd.CombinedOutput()
		g.Expect(err).NotTo(HaveOccurred(), "%s: %s", source, out)
		g.Expect(string(out)).NotTo(MatchRegexp("(?i)warning"), "%s", source)
		g.Expect(string(out)).To(ContainSubstring("serverside-applied"), "%s", source)
	}
}

func expectNamespaceDeletion(t *testing.T, admin client.Client) {
	g, ctx := NewWithT(t), t.Context()
	team := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "team"}}
	g.Expect(admin.Create(ctx, team)).To(Succeed())
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "left-behind"}}
	g.Expect(admin.Create(ctx, secret)).To(Succeed())
	g.Expect(admin.Delete(ctx, team)).To(Succeed())
	g.Eventually(func() error { return admin.Get(ctx, client.ObjectKeyFromObject(team), team) }).
		WithTimeout(60 * time.Second).Should(MatchError(apierrors.IsNotFound, "is not found"))
	g.Expect(admin.Get(ctx, client.ObjectKeyFromObject(secret), secret)).To(MatchError(apierrors.IsNotFound, "is not found"))
}
