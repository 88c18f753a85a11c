// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// inSource calls visit with every node of this package's source, without its tests.
func inSource(t *testing.T, visit func(ast.Node)) {
	t.Helper()
	noTests := func(file fs.FileInfo) bool { return !strings.HasSuffix(file.Name(), "_test.go") }
	packages, err := parser.ParseDir(token.NewFileSet(), ".", noTests, 0) //nolint:staticcheck // no build tags here, and no dependency for it
	if err != nil {
		t.Fatal(err)
	}
	for _, pkg := range packages {
		ast.Inspect(pkg, func(node ast.Node) bool {
			visit(node)
			return true
		})
	}
}

// text is that of a literal; empty: it is none.
func text(expression ast.Expr) string {
	if literal, ok := expression.(*ast.BasicLit); ok && literal.Kind == token.STRING {
		value, _ := strconv.Unquote(literal.Value)
		return value
	}
	return ""
}

// eventReasons are those of the events that this package publishes, but for reasons of conditions.
func eventReasons(t *testing.T) map[string]bool {
	t.Helper()
	reasons := map[string]bool{}
	at := map[string]int{"announce": 1, "Eventf": 3} // which argument it is
	inSource(t, func(node ast.Node) {
		call, ok := node.(*ast.CallExpr)
		if !ok {
			return
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return
		}
		if i, is := at[method.Sel.Name]; is && text(call.Args[i]) != "" {
			reasons[text(call.Args[i])] = true
		}
	})
	for _, a := range writeAnnouncements {
		reasons[a.reason] = true
	}
	return reasons
}

// constantsOf are the string constants of a type of this package.
func constantsOf(t *testing.T, typeName string) []string {
	t.Helper()
	var values []string
	inSource(t, func(node ast.Node) {
		spec, ok := node.(*ast.ValueSpec)
		if !ok {
			return
		}
		if is, ok := spec.Type.(*ast.Ident); ok && is.Name == typeName && len(spec.Values) == 1 && text(spec.Values[0]) != "" {
			values = append(values, text(spec.Values[0]))
		}
	})
	return values
}

func TestTheSpecPageNamesEveryEventAndWhatTheHistoryTells(t *testing.T) {
	g := NewWithT(t)
	content, err := os.ReadFile("../../docs/spec/v1alpha1/medblockswebhookendpoint.md")
	g.Expect(err).NotTo(HaveOccurred())
	page, events, found := strings.Cut(string(content), "\n## Events\n")
	g.Expect(found).To(BeTrue())

	reasons := eventReasons(t)
	g.Expect(len(reasons)).To(BeNumerically(">=", 20))
	for reason := range reasons {
		g.Expect(events).To(ContainSubstring("`%s`", reason))
	}
	actions, triggers := constantsOf(t, "action"), constantsOf(t, "trigger")
	g.Expect(actions).To(ContainElement(string(actionRegister)))
	g.Expect(triggers).To(ContainElement(string(triggerSpec)))
	for _, is := range actions {
		if action(is).atMedblocks() && action(is) != actionMarkRotation { // the first half of a rotation
			g.Expect(page).To(ContainSubstring("`%s`", is))
		}
	}
	for _, is := range triggers {
		if is := trigger(is); is != triggerSource && is != triggerOrphan { // of a copy, and of an account's deletion
			g.Expect(page).To(ContainSubstring("`%s`", is))
		}
	}
}
