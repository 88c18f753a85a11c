// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// register makes an endpoint at Medblocks that no resource of this cluster has, and returns its id.
func (n *tenant) register(t *testing.T, owner string) string {
	t.Helper()
	metadata := map[string]string{}
	if owner != "" {
		metadata[v1alpha1.MarkOwner] = owner
	}
	e, _, err := n.vendor(t).CreateEndpoint(t.Context(), medblocks.CreateEndpointRequest{
		URL: "https://receiver.example.com/left?token=hidden", Events: []string{"*"}, Metadata: metadata,
	})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return e.ID
}

// strip removes the finalizer of a resource that is being deleted, as people do who are impatient.
func (n *tenant) strip(t *testing.T, name string) {
	t.Helper()
	n.change(t, name, func(e *v1alpha1.MedblocksWebhookEndpoint) { e.Finalizers = nil })
}

func orphansIn(t *testing.T, is outcome) *OrphanReport {
	t.Helper()
	var report OrphanReport
	NewWithT(t).Expect(json.Unmarshal([]byte(is.out), &report)).To(Succeed(), is.err)
	return &report
}

func idsOf(endpoints []OrphanEndpoint) []string {
	ids := []string{}
	for _, e := range endpoints {
		ids = append(ids, e.ID)
	}
	return ids
}

// TestOrphansAreThoseWhoseResourceIsGone needs a deletion that nobody carries out, and so the operator stopped.
func TestOrphansAreThoseWhoseResourceIsGone(t *testing.T) {
	g, n := NewWithT(t), newTenant(t)
	n.create(t, "kept")
	n.create(t, "gone")
	n.awaitReady(t, "kept")
	n.awaitReady(t, "gone")
	is := n.invoke(t, "orphans")
	g.Expect(is.code).To(Equal(ExitOK), is.out+is.err)
	g.Expect(is.out).To(HavePrefix("There are no orphans among the 2 endpoints that the API key of Secret " + n.namespace + "/" + keySecretName + " shows."))

	start := stopOperator(t)
	defer start()
	gone, kept := n.get(t, "gone").Status.EndpointID, n.get(t, "kept").Status.EndpointID
	n.delete(t, "gone")
	n.strip(t, "gone")
	cluster := ownerOfEndpoint(t, n, kept)
	duplicate := n.register(t, cluster)
	others, unmarked := n.register(t, "another-cluster/"+n.namespace+"/gone"), n.register(t, "")
	adopted := n.register(t, "another-cluster/x/y")
	n.create(t, "adopter", func(e *v1alpha1.MedblocksWebhookEndpoint) {
		e.Spec.Adopt = &v1alpha1.AdoptSpec{EndpointID: adopted, RotateSecret: true}
	})

	g.Expect(suite.emulator.ForgetCalls(t.Context())).To(Succeed())
	is = n.invoke(t, "orphans", "-o=json")
	g.Expect(is.code).To(Equal(ExitUnhealthy), is.err)
	expectOnlyReads(t)
	report := orphansIn(t, is)
	g.Expect(idsOf(report.Orphans)).To(ConsistOf(gone, duplicate))
	g.Expect(report.OtherClusters).To(BeEmpty())
	for _, e := range report.Orphans {
		want := map[string]string{gone: verdictOrphaned, duplicate: verdictDuplicate}[e.ID]
		g.Expect(e.Verdict).To(Equal(want))
		g.Expect(e.CreatedAt).NotTo(BeNil())
		g.Expect(e.Status).To(Equal("active"))
	}
	g.Expect(report.Keys).To(HaveLen(1), "each key is listed once: %v", report.Keys)

	report = orphansIn(t, n.invoke(t, "orphans", "--all", "-o=json"))
	g.Expect(idsOf(report.OtherClusters)).To(Equal([]string{others}))
	g.Expect(idsOf(report.Unmarked)).To(Equal([]string{unmarked}))

	is = n.invoke(t, "orphans", "kept", "--all")
	g.Expect(is.code).To(Equal(ExitUnhealthy))
	g.Expect(plain(is.out)).To(And(
		ContainSubstring(gone+": create MedblocksWebhookEndpoint "+n.namespace+"/gone again, and the operator takes the endpoint over"),
		ContainSubstring(duplicate+": MedblocksWebhookEndpoint "+n.namespace+"/kept has endpoint "+kept),
		ContainSubstring("kubectl medblocks import"), Not(ContainSubstring("token=hidden")),
	))
	n.expectNoVerdictWithoutTheWholeTruth(t, gone)
}

// ownerOfEndpoint is the owner mark of an endpoint.
func ownerOfEndpoint(t *testing.T, n *tenant, id string) string {
	t.Helper()
	e, err := n.vendor(t).GetEndpoint(t.Context(), id)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return e.Metadata[v1alpha1.MarkOwner]
}

// expectNoVerdictWithoutTheWholeTruth looks as somebody who may not list the resources of all namespaces: an endpoint of one that cannot
// be seen is not taken for an orphan.
func (n *tenant) expectNoVerdictWithoutTheWholeTruth(t *testing.T, gone string) {
	t.Helper()
	g := NewWithT(t)
	key := filepath.Join(t.TempDir(), "key")
	g.Expect(os.WriteFile(key, []byte(n.apiKey+"\n"), 0o600)).To(Succeed())
	clusterID, _, _ := strings.Cut(ownerOfEndpoint(t, n, gone), "/")
	nobody := n.user(t, "nobody", "")
	is := invokeWith(t, nobody, "", "orphans", "-o=json", "--cluster-id="+clusterID, "--api-key-file="+key, "--namespace="+n.namespace)
	g.Expect(is.code).To(Equal(ExitFailed))
	g.Expect(is.err).To(ContainSubstring("it cannot be told which endpoints are orphans: you may not list"))
	report := orphansIn(t, is)
	g.Expect(idsOf(report.Orphans)).To(ContainElements(gone, n.get(t, "kept").Status.EndpointID))
	g.Expect(report.Orphans).To(HaveEach(HaveField("Verdict", verdictUnclear)))
}

func TestAKeyThatCannotBeReadIsNoAllClear(t *testing.T) {
	t.Parallel()
	g, n := NewWithT(t), newTenant(t)
	n.create(t, "keyless", func(e *v1alpha1.MedblocksWebhookEndpoint) { e.Spec.APIKeySecretRef.Name = "nowhere" })
	is := n.invoke(t, "orphans")
	g.Expect(is.code).To(Equal(ExitFailed))
	g.Expect(is.err).To(ContainSubstring("there may be orphans in a workspace that could not be listed"))
	g.Expect(plain(is.out)).To(ContainSubstring("Not looked at: the Secret " + n.namespace + "/nowhere with the API key does not exist"))

	empty := newTenant(t)
	is = empty.invoke(t, "orphans")
	g.Expect(is.code).To(Equal(ExitFailed))
	g.Expect(is.err).To(ContainSubstring("there is no API key to look with"))
	g.Expect(empty.invoke(t, "orphans", "account/none").err).To(ContainSubstring(`there is no MedblocksAccount "none"`))
	g.Expect(empty.invoke(t, "orphans", "-A", "name").code).To(Equal(ExitUsage))
}

func TestAnEndpointIsJudgedByItsMarkAndByWhatResourcesSay(t *testing.T) {
	t.Parallel()
	resources := []v1alpha1.MedblocksWebhookEndpoint{
		{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "orders"}, Status: v1alpha1.MedblocksWebhookEndpointStatus{EndpointID: "wh_1"}},
		{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "new"}},
	}
	for _, tc := range []struct {
		name, id, owner string
		incomplete      bool
		verdict         string // empty: a resource has it
	}{
		{"managed", "wh_1", "c/shop/orders", false, ""},
		{"named by another resource", "wh_1", "c/shop/gone", false, ""},
		{"registered and not yet in the status", "wh_2", "c/shop/new", false, ""},
		{"the second one", "wh_2", "c/shop/orders", false, verdictDuplicate},
		{"of a resource that is gone", "wh_2", "c/shop/gone", false, verdictOrphaned},
		{"of one that may exist", "wh_2", "c/other/hidden", true, verdictUnclear},
		{"the second one, whatever is hidden", "wh_2", "c/shop/orders", true, verdictDuplicate},
		{"of a cluster whose id begins alike", "wh_2", "cc/shop/gone", false, verdictOtherCluster},
		{"nobody's", "wh_2", "", false, verdictUnmarked},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := NewWithT(t)
			e := OrphanEndpoint{ID: tc.id, Owner: tc.owner}
			judged := judgeEndpoints([]OrphanEndpoint{e, e}, resources, "c", !tc.incomplete)
			if tc.verdict == "" {
				g.Expect(judged).To(BeEmpty())
				return
			}
			g.Expect(judged).To(HaveLen(1), "two keys that show it do not make it two")
			g.Expect(judged[0].Verdict).To(Equal(tc.verdict))
			g.Expect(judged[0].Advice).NotTo(BeEmpty())
		})
	}
}
