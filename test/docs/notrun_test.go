// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/medblocks/webhook-operator/test/stack"
)

// reasons are those for which a block is not run, or not tried. Each block with one is listed by the test.
var reasons = []string{
	"another test runs it",
	"it takes long",
	"needs a cloud",
	"needs a container engine",
	"needs a GitHub account",
	"needs a kubelet",
	"needs a registry",
	"needs Argo CD",
	"needs external-dns",
	"needs External Secrets",
	"needs Flux",
	"needs git",
	"needs Grafana",
	"needs helm",
	"needs kubelogin",
	"needs Medblocks",
	"needs Prometheus",
	"needs Reloader",
	"needs Terraform",
	"needs the release",
	"needs Velero",
	"needs your receiver",
}

// inspect checks what can be checked of a block that is not run: that the reason is a known one, and that targets of make, flags of
// our programs, and files of the repository are there.
func inspect(ctx context.Context, p *page, b *block) error {
	if reason := b.marks["not run"]; !slices.Contains(reasons, reason) {
		return fmt.Errorf("line %d: not run: %q is none of %q", b.line, reason, reasons)
	}
	if b.language != "sh" && b.language != "console" {
		return nil
	}
	text := strings.ReplaceAll(b.text, "\\\n", " ")
	for line := range strings.Lines(text) {
		if b.language == "console" && !strings.HasPrefix(line, "$ ") {
			continue
		}
		line, _, _ = strings.Cut(strings.TrimPrefix(line, "$ "), " #")
		if err := inspectCommand(ctx, strings.Fields(line)); err != nil {
			return fmt.Errorf("%s:%d: %w", p.path, b.line, err)
		}
	}
	return nil
}

var (
	repositoryPath = regexp.MustCompile(`^(\./)?(config|docs|hack|cmd|api|test|controllers|dist)(/[\w.-]+)+/?$`)
	makeTarget     = regexp.MustCompile(`^[a-z][a-z-]*$`)
	longFlag       = regexp.MustCompile(`^--([a-z][a-z0-9-]*)`)
)

func inspectCommand(ctx context.Context, words []string) error {
	program := ""
	for _, word := range words {
		word = strings.Trim(word, `'"`)
		switch flag := longFlag.FindStringSubmatch(word); {
		case word == "make" || strings.HasPrefix(word, "bin/"):
			program = word
		case slices.Contains([]string{"|", "&&", "||", ";"}, word):
			program = ""
		case program == "make" && makeTarget.MatchString(word):
			if err := checkTarget(word); err != nil {
				return err
			}
		case flag != nil && programs.MatchString(program):
			if err := checkFlag(ctx, program, flag[1]); err != nil {
				return err
			}
		case repositoryPath.MatchString(word) && !strings.HasPrefix(word, "dist/"): // a release writes dist
			if _, err := os.Stat(filepath.Join(root, word)); err != nil {
				return fmt.Errorf("%s is not there", word)
			}
		}
	}
	return nil
}

func checkTarget(name string) error {
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		return err
	}
	if !regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + `:`).Match(makefile) {
		return fmt.Errorf("the Makefile has no target %s", name)
	}
	return nil
}

func checkFlag(ctx context.Context, program, flag string) error {
	found, err := stack.FindPrograms(filepath.Join(root, "bin"))
	if err != nil {
		return err
	}
	path := map[string]string{"bin/manager": found.Manager, "bin/emulator": found.Emulator, "bin/receiver": found.Receiver}[program]
	help, err := exec.CommandContext(ctx, path, "--help").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s --help: %w", program, err)
	}
	if !regexp.MustCompile(`(?m)^\s+--?` + flag + `\b`).Match(help) {
		return fmt.Errorf("%s has no flag --%s", program, flag)
	}
	return nil
}
