// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// specPage is the user contract. It changes in the same commit as what it describes; these tests notice an omission.
func specPage(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", "docs", "spec", "v1alpha1", "medblockswebhookendpoint.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func accountPage(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", "docs", "spec", "v1alpha1", "medblocksaccount.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestTheAccountsPageNamesEveryFieldAndReason(t *testing.T) {
	g := NewWithT(t)
	page := accountPage(t)
	for _, part := range []string{"spec", "status"} {
		schemasOf(t, "medblocksaccounts", part, func(path string, _ apiextensionsv1.JSONSchemaProps) {
			leaf := path[strings.LastIndex(path, ".")+1:]
			if path == part || strings.HasPrefix(path, "status.conditions[]") || strings.ContainsAny(leaf, "[{") {
				return
			}
			g.Expect(regexp.MustCompile("[`.]"+leaf+"[`.:\\[]").MatchString(page)).To(BeTrue(), path)
		})
	}
	for _, reason := range []string{
		ReasonAccepted, ReasonPending, ReasonCredentialsUnavailable, ReasonWrongEnvironment, ReasonInvalidAPIKey, ReasonForbidden, ReasonRateLimited,
		ReasonAPIUnavailable, ReasonNotAllowed, ConditionReady, ConditionReconciling, ConditionStalled,
	} {
		g.Expect(strings.Contains(page, "`"+reason+"`")).To(BeTrue(), reason)
	}
}

// vocabulary returns the string constants of conditions.go whose names start with one of the prefixes, by name.
func vocabulary(t *testing.T, prefixes ...string) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "conditions.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for i, name := range spec.Names {
			for _, prefix := range prefixes {
				if strings.HasPrefix(name.Name, prefix) {
					found[name.Name] = stringOf(t, spec.Values[i])
				}
			}
		}
		return true
	})
	return found
}

// stringOf evaluates a literal, or a prefix and a literal.
func stringOf(t *testing.T, expression ast.Expr) string {
	t.Helper()
	switch e := expression.(type) {
	case *ast.BasicLit:
		value, err := strconv.Unquote(e.Value)
		if err != nil {
			t.Fatal(err)
		}
		return value
	case *ast.BinaryExpr:
		return stringOf(t, e.X) + stringOf(t, e.Y)
	case *ast.Ident:
		if value, ok := map[string]string{"Group": Group, "MarkPrefix": MarkPrefix}[e.Name]; ok {
			return value
		}
	}
	t.Fatalf("a constant is neither a string nor a known prefix and a string: %v", expression)
	return ""
}

func TestTheSpecPageExplainsEveryConditionAndReason(t *testing.T) {
	g := NewWithT(t)
	page := specPage(t)
	conditions, reasons := vocabulary(t, "Condition"), vocabulary(t, "Reason")
	g.Expect(conditions).To(HaveLen(7))
	g.Expect(len(reasons)).To(BeNumerically(">=", 26))
	for _, condition := range conditions {
		g.Expect(strings.Contains(page, "`"+condition+"`")).To(BeTrue(), condition)
	}
	for _, reason := range reasons {
		g.Expect(strings.Contains(page, "\n| `"+reason+"` |")).To(BeTrue(), "a row for %s in one of the tables of reasons", reason)
	}
}

func TestTheSpecPageNamesEveryAnnotationAndKey(t *testing.T) {
	g := NewWithT(t)
	page := specPage(t)
	names := vocabulary(t, "Annotation", "SecretKey", "Finalizer", "DefaultAPIKeySecretKey", "Mark")
	g.Expect(len(names)).To(BeNumerically(">=", 17))
	for name, value := range names {
		// The annotations of the signing Secret and the marks stand in the text without their common prefix.
		short := strings.TrimPrefix(strings.TrimPrefix(value, Group+"/"), MarkPrefix)
		g.Expect(strings.Contains(page, short)).To(BeTrue(), "%s (%s)", name, value)
	}
}

func TestTheSpecPageNamesEveryFieldThatAManifestCanUse(t *testing.T) {
	g := NewWithT(t)
	page := specPage(t)
	for _, part := range []string{"spec", "status"} {
		schemasOf(t, kinds[0], part, func(path string, _ apiextensionsv1.JSONSchemaProps) {
			if path == part || strings.HasPrefix(path, "status.conditions[]") || !strings.HasPrefix(path, part+".") {
				return
			}
			leaf := path[strings.LastIndex(path, ".")+1:]
			if strings.ContainsAny(leaf, "[{") {
				return // an item of a list or a value of a map
			}
			if strings.HasPrefix(leaf, "lastHandled") {
				leaf = "lastHandled…"
			}
			g.Expect(regexp.MustCompile("[`.]"+leaf+"[`.:]").MatchString(page)).To(BeTrue(), path)
		})
	}
}
