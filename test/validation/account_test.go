// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

const accountPlural = "medblocksaccounts"

// defaultAccount is the smallest valid account.
const defaultAccount = `
apiVersion: connect.medblocks.com/v1alpha1
kind: MedblocksAccount
metadata:
  name: replaced-by-each-case
spec:
  apiKeySecretRef:
    name: medblocks-api-key
`

func newAccount(t *testing.T, tweaks ...tweak) manifest {
	t.Helper()
	m := manifest{}
	if err := yaml.UnmarshalStrict([]byte(defaultAccount), &m); err != nil {
		t.Fatalf("default account: %v", err)
	}
	set("metadata.name", fmt.Sprintf("account-%d", nameCounter.Add(1)))(m)
	for _, change := range tweaks {
		change(m)
	}
	return m
}

func createAccount(t *testing.T, m manifest) (manifest, error) {
	t.Helper()
	return decode(apiServer.raw.Post().Resource(accountPlural).Param("fieldValidation", "Strict").
		SetHeader("Content-Type", "application/yaml").SetHeader("Accept", "application/json").Body(m.yaml(t)).Do(t.Context()).Raw())
}

// testAccounts checks that accounts are stored as they were sent, created and applied server-side, or refused for exactly the reasons named.
func testAccounts(t *testing.T, accepted []acceptedCase, refused []refusedCase) {
	t.Helper()
	for _, c := range accepted {
		t.Run("accepted: "+c.name, func(t *testing.T) {
			m := newAccount(t, c.tweak)
			stored, err := createAccount(t, m)
			if err != nil {
				t.Fatalf("must be accepted: %v\n%s", err, m.yaml(t))
			}
			if diff := cmp.Diff(m.clone(t)["spec"], stored.clone(t)["spec"]); diff != "" {
				t.Errorf("the stored spec is not the one sent (-sent +stored):\n%s", diff)
			}
			_, err = decode(apiServer.raw.Patch(types.ApplyPatchType).Resource(accountPlural).Name(m.name()).
				Param("fieldManager", "user").Param("fieldValidation", "Strict").Body(m.yaml(t)).Do(t.Context()).Raw())
			if err != nil {
				t.Errorf("the same manifest applied server-side: %v", err)
			}
		})
	}
	for _, c := range refused {
		t.Run("refused: "+c.name, func(t *testing.T) {
			_, err := createAccount(t, newAccount(t, c.tweak))
			expectRefusal(t, err, c.wants...)
		})
	}
}

func texts(n int, format string) []any {
	var all []any
	for i := range n {
		all = append(all, fmt.Sprintf(format, i))
	}
	return all
}

func TestAccountAPIKeyAndEnvironment(t *testing.T) {
	testAccounts(t, []acceptedCase{
		{"the least", func(manifest) {}},
		{"a key", set("spec.apiKeySecretRef.key", "api_KEY.1-x")},
		{"Sandbox", set("spec.environment", "Sandbox")},
		{"Production", set("spec.environment", "Production")},
	}, []refusedCase{
		{"no key", remove("spec.apiKeySecretRef"), because("spec.apiKeySecretRef", "Required value")},
		{"another namespace", set("spec.apiKeySecretRef.name", "other/key"), because("spec.apiKeySecretRef.name", "name must be the name of a Secret")},
		{"an invalid key", set("spec.apiKeySecretRef.key", "a b"), because("spec.apiKeySecretRef.key", "key must be a key of a Secret")},
		{"another environment", set("spec.environment", "Staging"), because("spec.environment", `supported values: "Sandbox", "Production"`)},
	})
}

func TestAccountAllowedURLHosts(t *testing.T) {
	const path, says = "spec.allowedURLHosts", "allowedURLHosts must hold hosts such as api.example.com or *.example.com"
	hosts := func(hosts ...any) tweak { return set(path, hosts) }
	testAccounts(t, []acceptedCase{
		{"hosts and wildcards", hosts("api.example.com", "*.example.com", "localhost", "127.0.0.1", "xn--bcher-kva.example")},
		{"64 hosts", set(path, texts(64, "h%d.example.com"))},
		{"a host of 253 characters", hosts(strings.Repeat(strings.Repeat("a", 62)+".", 4)[:251] + "aa")},
		{"a wildcard of 255 characters", hosts("*." + strings.Repeat(strings.Repeat("a", 62)+".", 4)[:251] + "aa")},
	}, []refusedCase{
		{"none", set(path, []any{}), because(path, "should have at least 1 items")},
		{"65 hosts", set(path, texts(65, "h%d.example.com")), because(path, "must have at most 64 items")},
		{"a host twice", hosts("a.example.com", "a.example.com"), because(path+"[1]", "Duplicate value")},
		{"an asterisk alone", hosts("*"), because(path+"[0]", says)},
		{"an asterisk in the middle", hosts("a.*.example.com"), because(path+"[0]", says)},
		{"two asterisks", hosts("*.*.example.com"), because(path+"[0]", says)},
		{"an asterisk without a dot", hosts("*example.com"), because(path+"[0]", says)},
		{"uppercase", hosts("API.example.com"), because(path+"[0]", says)},
		{"a dot at the end", hosts("api.example.com."), because(path+"[0]", says)},
		{"a port", hosts("api.example.com:443"), because(path+"[0]", says)},
		{"a URL", hosts("https://api.example.com"), because(path+"[0]", says)},
		{"an international name", hosts("b\u00fccher.example"), because(path+"[0]", says)},
		{"an empty host", hosts(""), []refusal{{path + "[0]", "should be at least 1 chars long"}, {path + "[0]", says}}},
		{"a host of 256 characters", hosts(strings.Repeat("a", 256)), because(path+"[0]", "may not be more than 255")},
	})
}

func TestAccountNamespaceSelector(t *testing.T) {
	const path, first = "spec.namespaceSelector.matchExpressions", "spec.namespaceSelector.matchExpressions[0]"
	is := func(key, operator string, values ...any) map[string]any {
		requirement := map[string]any{"key": key, "operator": operator}
		if values != nil {
			requirement["values"] = values
		}
		return requirement
	}
	expressions := func(all ...any) tweak { return set(path, all) }
	many := make([]any, 0, 17)
	for range 17 {
		many = append(many, is("a", "Exists"))
	}
	const says = "values are needed for the operators In and NotIn, and for no other"
	testAccounts(t, []acceptedCase{
		{"an empty one", set("spec.namespaceSelector", map[string]any{})},
		{"labels", set("spec.namespaceSelector.matchLabels", map[string]any{"example.com/team": "a", "tier": ""})},
		{"all operators", expressions(is("a", "In", "x", "y"), is("example.com/b", "NotIn", "z"), is("c", "Exists"), is("d", "DoesNotExist"))},
		{"16 expressions", set(path, many[:16])},
		{"64 values", expressions(is("a", "In", texts(64, "v%d")...))},
	}, []refusedCase{
		{"an invalid label", set("spec.namespaceSelector.matchLabels", map[string]any{"a b": "c"}), because("spec.namespaceSelector.matchLabels", "matchLabels must have valid label keys")},
		{"33 labels", set("spec.namespaceSelector.matchLabels", entries(33)), because("spec.namespaceSelector.matchLabels", "must have at most 32 items")},
		{"In without values", expressions(is("a", "In")), because(first, says)},
		{"NotIn with no values", expressions(is("a", "NotIn", []any{}...)), because(first, says)},
		{"Exists with values", expressions(is("a", "Exists", "b")), because(first, says)},
		{"an invalid key", expressions(is("a b", "Exists")), because(first+".key", "key must be a valid label key")},
		{"an unknown operator", expressions(is("a", "Gt", "1")), because(first+".operator", "Unsupported value")},
		{"17 expressions", set(path, many), because(path, "must have at most 16 items")},
		{"65 values", expressions(is("a", "In", texts(65, "v%d")...)), because(first+".values", "must have at most 64 items")},
	})
}

func TestAccountMaxEndpointsPerNamespace(t *testing.T) {
	const path = "spec.maxEndpointsPerNamespace"
	testAccounts(t, []acceptedCase{
		{"1", set(path, 1)}, {"10000", set(path, 10000)},
	}, []refusedCase{
		{"0", set(path, 0), because(path, "should be greater than or equal to 1")},
		{"10001", set(path, 10001), because(path, "should be less than or equal to 10000")},
		{"a text", set(path, "5"), because(path, "must be of type integer")},
	})
}

func TestAccountOrphans(t *testing.T) {
	const path, prefix, after = "spec.orphans", "spec.orphans.ownerPrefix", "spec.orphans.after"
	const saysPrefix, saysAfter = "ownerPrefix must hold a whole cluster id and a slash", "after must be a Go duration (units h, m, s and ms) between 1h and 8760h, such as 24h"
	testAccounts(t, []acceptedCase{
		{"an empty one", set(path, map[string]any{})},
		{"Report", set(path, map[string]any{"policy": "Report", "after": "1h"})},
		{"Report with a prefix", set(path, map[string]any{"policy": "Report", "ownerPrefix": "preview-7/"})},
		{"Delete", set(path, map[string]any{"policy": "Delete", "ownerPrefix": "preview-7/team/", "after": "8760h"})},
		{"a prefix of 512 characters", set(prefix, strings.Repeat("a", 511)+"/")},
	}, []refusedCase{
		{"Delete without a prefix", set(path, map[string]any{"policy": "Delete"}), because(prefix, "ownerPrefix is needed with policy Delete")},
		{"Delete with an empty prefix", set(path, map[string]any{"policy": "Delete", "ownerPrefix": ""}), []refusal{{prefix, "should be at least 2 chars long"}, {prefix, saysPrefix}}},
		{"a prefix without a slash", set(prefix, "preview"), because(prefix, saysPrefix)},
		{"a prefix without a cluster id", set(prefix, "/team/"), because(prefix, saysPrefix)},
		{"a prefix of 513 characters", set(prefix, strings.Repeat("a", 512)+"/"), because(prefix, "may not be more than 512")},
		{"another policy", set("spec.orphans.policy", "Keep"), because("spec.orphans.policy", "Unsupported value")},
		{"less than an hour", set(after, "59m59.999999999s"), because(after, saysAfter)},
		{"more than a year", set(after, "8760h0.000000001s"), because(after, saysAfter)},
		{"days", set(after, "1d"), []refusal{{after, "should match"}, {after, saysAfter}}},
		{"a number", set(after, 24), because(after, "must be of type string")},
	})
}

func TestAnAccountBelongsToTheClusterAndIsFoundByItsShortName(t *testing.T) {
	stored, err := createAccount(t, newAccount(t, set("spec.environment", "Sandbox")))
	if err != nil {
		t.Fatal(err)
	}
	g := NewWithT(t)
	out := kubectl(t, "get", "mba", stored.name())
	g.Expect(strings.Fields(strings.Split(out, "\n")[0])).To(Equal([]string{"NAME", "READY", "REASON", "ENVIRONMENT", "RESOURCES", "MANAGED", "ORPHANED", "AGE"}))
	g.Expect(out).To(ContainSubstring("Sandbox"))
	g.Expect(kubectl(t, "get", "medblocks", "-o", "name")).To(ContainSubstring("medblocksaccount.connect.medblocks.com/" + stored.name()))
	g.Expect(stored["status"]).To(Equal(map[string]any{"observedGeneration": float64(-1)}))
}

// TestAFullAccountIsTheSameThroughTheTypedClient: no field of the schema is lost or renamed in the Go types.
func TestAFullAccountIsTheSameThroughTheTypedClient(t *testing.T) {
	m := newAccount(t, set("spec", map[string]any{
		"apiKeySecretRef": map[string]any{"name": "n", "key": "k"}, "environment": "Production",
		"namespaceSelector": map[string]any{"matchLabels": map[string]any{"a": "b"}, "matchExpressions": []any{map[string]any{"key": "c", "operator": "In", "values": []any{"d"}}}},
		"allowedURLHosts":   []any{"a.example.com"}, "maxEndpointsPerNamespace": 3,
		"orphans": map[string]any{"policy": "Delete", "ownerPrefix": "gone/", "after": "24h0m0s"},
	}))
	if _, err := createAccount(t, m); err != nil {
		t.Fatal(err)
	}
	var typed v1alpha1.MedblocksAccount
	if err := apiServer.typed.Get(t.Context(), client.ObjectKey{Name: m.name()}, &typed); err != nil {
		t.Fatal(err)
	}
	spec, err := yaml.Marshal(typed.Spec)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{}
	if err := yaml.Unmarshal(spec, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m.clone(t)["spec"], any(got)); diff != "" {
		t.Errorf("-sent +through the Go types:\n%s", diff)
	}
}
