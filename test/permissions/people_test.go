// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package permissions

import (
	"slices"
	"testing"

	. "github.com/onsi/gomega"
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var (
	looks  = []string{"get", "list", "watch"}
	edits  = []string{"create", "update", "patch", "delete", "deletecollection"}
	status = []string{"get"}
)

// may are the verbs that a group may use on a resource, in a namespace or, without one, in the cluster.
func may(g Gomega, t *testing.T, group, resource, subresource, namespace string) []string {
	t.Helper()
	allowed := []string{}
	for _, verb := range slices.Concat(looks, edits) {
		review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
			User: "somebody", Groups: []string{group},
			ResourceAttributes: &authorizationv1.ResourceAttributes{
				Group: "connect.medblocks.com", Resource: resource, Subresource: subresource, Verb: verb, Namespace: namespace,
			},
		}}
		g.Expect(suite.api.Create(t.Context(), review)).To(Succeed())
		if review.Status.Allowed {
			allowed = append(allowed, verb)
		}
	}
	return allowed
}

// TestWhatPeopleMayDo: the roles for people, and the cluster's own roles that two of them are part of.
func TestWhatPeopleMayDo(t *testing.T) {
	n := newTenant(t, "people")
	everything := slices.Concat(looks, edits)
	for role, is := range map[string]struct {
		cluster                                            bool // bound in the cluster, not in the namespace
		endpoints, endpointStatus, accounts, accountStatus []string
	}{
		"medblocks-webhook-operator-viewer": {false, looks, status, nil, nil},
		"medblocks-webhook-operator-editor": {false, everything, status, nil, nil},
		"view":                              {false, looks, status, nil, nil},
		"edit":                              {false, everything, status, nil, nil},
		"admin":                             {false, everything, status, nil, nil},
		"medblocks-webhook-operator-account-viewer": {true, nil, nil, looks, status},
		"medblocks-webhook-operator-account-editor": {true, nil, nil, everything, status},
	} {
		t.Run(role, func(t *testing.T) {
			group := n.namespace + "-" + role
			if is.cluster {
				n.store(&rbacv1.ClusterRoleBinding{
					ObjectMeta: metav1.ObjectMeta{Name: group},
					RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
					Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: group}},
				})
			} else {
				n.let(role, group)
			}
			NewWithT(t).Eventually(func(g Gomega) { // bindings and aggregated roles are seen after a moment
				g.Expect(may(g, t, group, "medblockswebhookendpoints", "", n.namespace)).To(ConsistOf(is.endpoints), "endpoints")
				g.Expect(may(g, t, group, "medblockswebhookendpoints", "status", n.namespace)).To(ConsistOf(is.endpointStatus), "status of endpoints")
				g.Expect(may(g, t, group, "medblocksaccounts", "", "")).To(ConsistOf(is.accounts), "accounts")
				g.Expect(may(g, t, group, "medblocksaccounts", "status", "")).To(ConsistOf(is.accountStatus), "status of accounts")
			}).Should(Succeed())
			NewWithT(t).Expect(may(NewWithT(t), t, group, "medblockswebhookendpoints", "", "another")).To(BeEmpty(), "elsewhere")
		})
	}
}
