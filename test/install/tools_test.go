// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// tools are the paths of the programs that make tools builds.
var tools = map[string]string{"helm": "", "kubeconform": ""}

func findTools() error {
	for name := range tools {
		path, err := filepath.Abs(filepath.Join(root, "bin", "tools", name))
		if err != nil {
			return err
		}
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("%w: run make tools", err)
		}
		tools[name] = path
	}
	return nil
}

// kubectl runs kubectl with all permissions, and returns what it says.
func (p *plane) kubectl(ctx context.Context, stdin io.Reader, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, p.KubectlPath(), append([]string{"--kubeconfig", p.AdminKubeconfig()}, args...)...)
	cmd.Stdin = stdin
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// helm runs helm, with folders of this test and nothing of the person who runs it. What it says on standard output is returned; an error
// has the rest.
func helm(t *testing.T, kubeconfig string, args ...string) (string, error) {
	t.Helper()
	home := t.TempDir()
	cmd := exec.CommandContext(t.Context(), tools["helm"], args...)
	cmd.Env = []string{"HOME=" + home, "KUBECONFIG=" + kubeconfig, "PATH=" + os.Getenv("PATH")}
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%w: %s", err, complaint.String())
	}
	return out.String(), nil
}

// render is what helm template makes of a file with values; none: the defaults.
func render(t *testing.T, valuesFile string) string {
	t.Helper()
	out, err := tryRender(t, valuesFile)
	NewWithT(t).Expect(err).NotTo(HaveOccurred(), valuesFile)
	return out
}

func tryRender(t *testing.T, valuesFile string) (string, error) {
	t.Helper()
	args := []string{"template", release, chart, "--namespace", namespace, "--kube-version", "v1.37.0"}
	if valuesFile != "" {
		args = append(args, "--values", valuesFile)
	}
	return helm(t, "", args...)
}

// valueSets are the files with values that the chart has to cope with, and the defaults under an empty path.
func valueSets(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob("testdata/values/*.yaml")
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	NewWithT(t).Expect(paths).NotTo(BeEmpty())
	sets := map[string]string{"defaults": ""}
	for _, path := range paths {
		sets[strings.TrimSuffix(filepath.Base(path), ".yaml")] = path
	}
	return sets
}
