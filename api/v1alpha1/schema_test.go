// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// kinds are the plural names of the kinds.
var kinds = []string{"medblockswebhookendpoints", "medblocksaccounts"}

// schemas calls visit for every schema of all generated CRDs below the path ("spec" or "status").
func schemas(t testing.TB, below string, visit func(path string, schema apiextensionsv1.JSONSchemaProps)) {
	t.Helper()
	for _, plural := range kinds {
		schemasOf(t, plural, below, visit)
	}
}

func schemasOf(t testing.TB, plural, below string, visit func(path string, schema apiextensionsv1.JSONSchemaProps)) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", "config", "crd", "bases", "connect.medblocks.com_"+plural+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	crd := apiextensionsv1.CustomResourceDefinition{}
	if err := yaml.UnmarshalStrict(content, &crd); err != nil {
		t.Fatal(err)
	}
	if len(crd.Spec.Versions) != 1 {
		t.Fatalf("want one version, got %d", len(crd.Spec.Versions))
	}
	walk(below, crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties[below], visit)
}

func walk(path string, schema apiextensionsv1.JSONSchemaProps, visit func(string, apiextensionsv1.JSONSchemaProps)) {
	visit(path, schema)
	for name, property := range schema.Properties {
		walk(path+"."+name, property, visit)
	}
	if schema.Items != nil && schema.Items.Schema != nil {
		walk(path+"[]", *schema.Items.Schema, visit)
	}
	if schema.AdditionalProperties != nil && schema.AdditionalProperties.Schema != nil {
		walk(path+"{}", *schema.AdditionalProperties.Schema, visit)
	}
}

func TestTheSchemaWritesNoDefaultIntoASpec(t *testing.T) {
	seen := 0
	schemas(t, "spec", func(path string, schema apiextensionsv1.JSONSchemaProps) {
		seen++
		if schema.Default != nil {
			t.Errorf("%s has a default: GitOps tools would report drift", path)
		}
	})
	NewWithT(t).Expect(seen).To(BeNumerically(">", 60), "the whole of both specs was visited")
}

func TestTheStatusHasNoEnums(t *testing.T) {
	schemas(t, "status", func(path string, schema apiextensionsv1.JSONSchemaProps) {
		// The status of a condition is Kubernetes' own type.
		if len(schema.Enum) > 0 && path != "status.conditions[].status" {
			t.Errorf("%s has an enum: a later release could not write a new value under this CRD", path)
		}
	})
}

func TestEveryFieldIsDescribedAndEveryRuleHasAMessage(t *testing.T) {
	for _, part := range []string{"spec", "status"} {
		schemas(t, part, func(path string, schema apiextensionsv1.JSONSchemaProps) {
			isField := !strings.HasSuffix(path, "{}") && !strings.HasSuffix(path, "[]")
			if isField && schema.Description == "" {
				t.Errorf("%s has no description", path)
			}
			for _, rule := range schema.XValidations {
				if rule.Message == "" {
					t.Errorf("%s: the rule %s has no message", path, rule.Rule)
				}
			}
		})
	}
}

func TestEveryStringListAndMapOfTheSpecIsBounded(t *testing.T) {
	schemas(t, "spec", func(path string, schema apiextensionsv1.JSONSchemaProps) {
		switch {
		case schema.Type == "string" && schema.MaxLength == nil && len(schema.Enum) == 0:
			t.Errorf("%s has no longest length", path)
		case schema.Type == "array" && schema.MaxItems == nil:
			t.Errorf("%s has no most items", path)
		case schema.AdditionalProperties != nil && schema.MaxProperties == nil:
			t.Errorf("%s has no most keys", path)
		case schema.Type == "integer" && (schema.Minimum == nil || schema.Maximum == nil):
			t.Errorf("%s has no bounds", path)
		}
	})
}

// durationSchemas are the schemas of the fields that Go decodes into a metav1.Duration.
func durationSchemas(t testing.TB) map[string]apiextensionsv1.JSONSchemaProps {
	found := map[string]apiextensionsv1.JSONSchemaProps{}
	schemas(t, "spec", func(path string, schema apiextensionsv1.JSONSchemaProps) {
		for _, rule := range schema.XValidations {
			if schema.Type == "string" && strings.Contains(rule.Rule, "duration(self)") {
				found[path] = schema
			}
		}
	})
	return found
}

func TestEveryDurationHasAPatternALengthAndARule(t *testing.T) {
	g := NewWithT(t)
	found := durationSchemas(t)
	g.Expect(found).To(HaveLen(7))
	for path, schema := range found {
		g.Expect(schema.MaxLength).To(HaveValue(BeEquivalentTo(20)), path)
		g.Expect(schema.XValidations).To(HaveLen(1), path)
		// The rule holds the pattern too, so that it has a message of its own where the pattern does not match.
		inRule := strings.ReplaceAll(schema.Pattern, `\.`, `[.]`)
		g.Expect(schema.XValidations[0].Rule).To(HavePrefix("self.matches('"+inRule+"') && "), path)
	}
}

// FuzzAnyDurationThatTheSchemaAcceptsIsDecoded shows that no string which passes the pattern and the length can break
// the decoding of the Go types, whatever the CEL rule says about it.
func FuzzAnyDurationThatTheSchemaAcceptsIsDecoded(f *testing.F) {
	for _, seed := range []string{
		"1h", "1.5h", "1h1h", "0.000000001h", "100ms", "00001h00001m000001ms", "999999h999999h99999h", "999999h999999h9.99h", "0s",
		"-1h", "+1h", "1", "", "h", ".5h", "5.h", "1h\n", "1e3h", "1us", "1µs", "9999999999999999999h", "999999.999999999h", "１h",
	} {
		f.Add(seed)
	}
	type rule struct {
		pattern *regexp.Regexp
		longest int
	}
	var rules []rule
	for _, schema := range durationSchemas(f) {
		rules = append(rules, rule{regexp.MustCompile(schema.Pattern), int(*schema.MaxLength)})
	}
	f.Fuzz(func(t *testing.T, value string) {
		for _, r := range rules {
			if !r.pattern.MatchString(value) || len([]rune(value)) > r.longest {
				continue
			}
			want, err := time.ParseDuration(value)
			if err != nil {
				t.Fatalf("the schema accepts %q and Go does not: %v", value, err)
			}
			body, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			got := metav1.Duration{}
			if err := json.Unmarshal(body, &got); err != nil || got.Duration != want || want < 0 {
				t.Fatalf("%q decodes to %v (%v), want %v", value, got.Duration, err, want)
			}
			checkReencoding(t, got)
		}
	})
}

// checkReencoding: a duration is spelled anew when Go writes it, and must then still be the same one.
func checkReencoding(t *testing.T, duration metav1.Duration) {
	t.Helper()
	body, err := json.Marshal(duration)
	if err != nil {
		t.Fatal(err)
	}
	again := metav1.Duration{}
	if err := json.Unmarshal(body, &again); err != nil || again != duration {
		t.Fatalf("%v is written as %s and read as %v (%v)", duration.Duration, body, again.Duration, err)
	}
}
