// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// reasonsOfTheAPI are the values of all constants of the API's package whose name begins with Reason.
func reasonsOfTheAPI(g Gomega) []string {
	files, err := filepath.Glob(filepath.Join(root, "api", "v1alpha1", "*.go"))
	g.Expect(err).NotTo(HaveOccurred())
	var found []string
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		g.Expect(err).NotTo(HaveOccurred())
		ast.Inspect(file, func(node ast.Node) bool {
			spec, ok := node.(*ast.ValueSpec)
			if !ok || !strings.HasPrefix(spec.Names[0].Name, "Reason") {
				return true
			}
			literal, ok := spec.Values[0].(*ast.BasicLit)
			g.Expect(ok).To(BeTrue(), "%s is no plain string", spec.Names[0].Name)
			value, err := strconv.Unquote(literal.Value)
			g.Expect(err).NotTo(HaveOccurred())
			found = append(found, value)
			return true
		})
	}
	return found
}

func TestTheTroubleshootingPageHasASectionForEveryReason(t *testing.T) {
	g := NewWithT(t)
	wanted := reasonsOfTheAPI(g)
	g.Expect(len(wanted)).To(BeNumerically(">=", 32))
	var sections []string
	for _, line := range prose(t, "docs/troubleshooting.md") {
		if title, ok := strings.CutPrefix(line, "### "); ok {
			sections = append(sections, title)
		}
	}
	g.Expect(sections).To(ConsistOf(wanted), "one section for each reason, and for nothing else")
}
