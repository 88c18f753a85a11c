// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package shards

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/controlplane"
	"github.com/medblocks/webhook-operator/test/stack"
)

const shard = "example.com/shard"

// lists counts the complete lists of all endpoints that an operator has made.
func lists(metrics string) int {
	found := regexp.MustCompile(`(?m)^medblocks_webhook_operator_sweep_duration_seconds_count\{kind="full"\} (\d+)$`).FindStringSubmatch(metrics)
	if found == nil {
		return 0
	}
	count, err := strconv.Atoi(found[1])
	if err != nil {
		panic(err)
	}
	return count
}

// wroteAbout are the log lines of an operator about writes to Medblocks for a resource.
func wroteAbout(m *stack.Manager, name string) []string {
	var lines []string
	for line := range strings.Lines(m.Log()) {
		if strings.Contains(line, "Wrote to Medblocks") && strings.Contains(line, `"`+name+`"`) {
			lines = append(lines, line)
		}
	}
	return lines
}

// allowLeases gives the operator the leases of the shards, as docs/sharding.md says.
func (s *site) allowLeases(names ...string) {
	s.t.Helper()
	var role rbacv1.Role
	s.Expect(s.api.Get(s.t.Context(), client.ObjectKey{Namespace: controlplane.OperatorNamespace, Name: "medblocks-webhook-operator-leader-election"}, &role)).To(Succeed())
	for i, rule := range role.Rules {
		if len(rule.ResourceNames) > 0 {
			role.Rules[i].ResourceNames = slices.Concat(rule.ResourceNames, names)
		}
	}
	s.Expect(s.api.Update(s.t.Context(), &role)).To(Succeed())
}

func (s *site) startShard(name string) *stack.Manager {
	s.t.Helper()
	return s.start("shard-"+name, "--watch-label-selector="+shard+"="+name, "--leader-election-id=shard-"+name)
}

func labelled(name string) map[string]string { return map[string]string{shard: name} }

func TestTwoShardsShareAnAccountAndNothingElseAndAResourceChangesHandsWithoutAWrite(t *testing.T) {
	s := newSite(t, controlplane.Options{})
	s.allowLeases("shard-a", "shard-b")
	s.namespace("team")
	a, b := s.startShard("a"), s.startShard("b")
	s.create("team", "stays", labelled("a"))
	s.create("team", "moves", labelled("a"))
	s.create("team", "theirs", labelled("b"))
	nobodys := s.create("team", "nobodys", labelled("c"))
	for _, name := range []string{"stays", "moves", "theirs"} {
		s.untilReady("team", name)
	}
	s.settle(a)
	s.settle(b)
	s.Expect(s.get("team", "nobodys").ResourceVersion).To(Equal(nobodys.ResourceVersion), "what no shard matches is never touched")
	s.Expect(wroteAbout(a, "moves")).To(HaveLen(1))
	s.Expect(wroteAbout(a, "theirs")).To(BeEmpty())
	s.Expect(wroteAbout(b, "theirs")).To(HaveLen(1))
	s.Expect(wroteAbout(b, "moves")).To(BeEmpty())

	t.Log("One is handed over.")
	before, secret, endpoints, writes := s.get("team", "moves"), s.secret("team", "moves"), s.owned("team", "moves"), s.writes()
	s.Expect(endpoints).To(HaveLen(1))
	enabled := ContainSubstring(`medblocks_webhook_operator_endpoint_enabled{name="moves",namespace="team"} 1`)
	s.Expect(s.metrics(a)).To(enabled)
	s.change("team", "moves", func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Labels[shard] = "b" })
	s.Eventually(func() string { return s.metrics(b) }).Should(And(enabled, ContainSubstring(`account_users{account="team/key"} 2`)))
	s.Eventually(func() string { return s.metrics(a) }).Should(And(Not(ContainSubstring(`"moves"`)), ContainSubstring(`account_users{account="team/key"} 1`)))
	s.settle(a)
	s.settle(b)
	s.Expect(s.writes()).To(Equal(writes), "no endpoint is registered, deleted, changed or rotated")
	s.Expect(s.owned("team", "moves")).To(Equal(endpoints))
	s.Expect(s.secret("team", "moves").ResourceVersion).To(Equal(secret.ResourceVersion))
	s.Expect(s.get("team", "moves").Status).To(Equal(before.Status))
	for _, m := range []*stack.Manager{a, b} {
		s.Expect(m.Log()).NotTo(ContainSubstring("Found an orphaned endpoint"))
		s.Expect(s.metrics(m)).NotTo(ContainSubstring("orphaned_endpoints{"))
	}

	t.Log("The new shard heals it, changes it and deletes it.")
	s.Expect(s.api.Delete(s.t.Context(), secret)).To(Succeed())
	s.Eventually(func() []string { return wroteAbout(b, "moves") }).Should(ContainElement(ContainSubstring("RotateSecret")))
	s.untilReady("team", "moves")
	s.change("team", "moves", func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.Description = "changed" })
	s.Eventually(func() []string { return wroteAbout(b, "moves") }).Should(ContainElement(ContainSubstring("UpdateEndpoint")))
	s.untilReady("team", "moves")
	s.Expect(s.owned("team", "moves")).To(HaveExactElements(HaveField("ID", endpoints[0].ID)))
	s.delete("team", "moves")
	s.Expect(s.owned("team", "moves")).To(BeEmpty())
	s.settle(a)
	s.Expect(wroteAbout(a, "moves")).To(HaveLen(1), "the registration, long ago")
	s.Expect(wroteAbout(a, "stays")).To(HaveLen(1))
}

// TestAShardThatIsStoppedHandsItsResourcesOverToTheOthersThatMatchThem: a shard is not a place where anything is kept.
func TestAShardThatIsStoppedHandsItsResourcesOverToTheOthersThatMatchThem(t *testing.T) {
	s := newSite(t, controlplane.Options{})
	s.allowLeases("shard-a", "all")
	s.namespace("team")
	a := s.startShard("a")
	s.create("team", "moves", labelled("a"))
	before := s.untilReady("team", "moves")
	s.settle(a)
	writes := s.writes()
	s.Expect(s.stack.EndProcess(a.Process)).To(Succeed())
	all := s.start("all", "--watch-label-selector="+shard, "--leader-election-id=all")
	s.settle(all)
	s.Expect(s.writes()).To(Equal(writes))
	s.Expect(s.get("team", "moves").ResourceVersion).To(Equal(before.ResourceVersion))
	s.delete("team", "moves")
	s.Expect(s.owned("team", "moves")).To(BeEmpty())
}
