// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// TestTheGoCodeOfPagesCompiles builds the blocks, each as a package of its own. They are laid over the module for the one command
// that needs them, so that nothing is written into the checkout.
func TestTheGoCodeOfPagesCompiles(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	paths, err := findPages(root)
	g.Expect(err).NotTo(HaveOccurred())
	var (
		dir     = t.TempDir()
		overlay = map[string]string{}
		command = []string{"build", "-overlay=" + filepath.Join(dir, "overlay.json")}
	)
	for _, path := range paths {
		p, err := readPage(root, path)
		g.Expect(err).NotTo(HaveOccurred())
		for i := range p.blocks {
			b := &p.blocks[i]
			if b.language != "go" {
				continue
			}
			name := fmt.Sprintf("page-%s-%d", slug(p), b.line)
			file := filepath.Join(dir, name+".go")
			g.Expect(os.WriteFile(file, []byte(around(b)), 0o600)).To(Succeed())
			overlay[filepath.Join(root, "test", "docs", name, "page.go")] = file
			command = append(command, "./test/docs/"+name)
		}
	}
	g.Expect(len(overlay)).To(BeNumerically(">=", 3))
	content, err := json.Marshal(map[string]any{"Replace": overlay})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.WriteFile(filepath.Join(dir, "overlay.json"), content, 0o600)).To(Succeed())
	cmd := exec.CommandContext(t.Context(), "go", command...)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred(), string(out))
}

// around is a block within the code that its comment has for it; without one it has to be a whole file.
func around(b *block) string {
	code, ok := b.marks["go"]
	if !ok {
		return b.text
	}
	return strings.Replace(code, "FRAGMENT", strings.TrimRight(b.text, "\n"), 1) + "\n"
}
