// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

func TestTheHelpIsForSomebodyWhoHasNeverSeenTheProject(t *testing.T) {
	g := NewWithT(t)
	for _, args := range [][]string{nil, {"help"}, {"--help"}} {
		is := invoke(t, args...)
		g.Expect(is.code).To(Equal(ExitOK))
		g.Expect(is.out).To(And(ContainSubstring("MedblocksWebhookEndpoint"), ContainSubstring("kubectl medblocks status"), Not(ContainSubstring("kubectl-medblocks"))))
		g.Expect(is.out).NotTo(ContainSubstring("--certificate-authority"), "the flags of kubectl are listed by options")
	}
	is := invoke(t, "options")
	g.Expect(is.out).To(And(ContainSubstring("--certificate-authority"), ContainSubstring("--namespace")))
}

func TestAWrongCommandLineEndsWithItsOwnCodeAndSaysWhereToRead(t *testing.T) {
	for name, args := range map[string][]string{
		"no such subcommand": {"nonsense"},
		"no such flag":       {"--nonsense"},
		"too many arguments": {"options", "nonsense"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			is := invoke(t, args...)
			g.Expect(is.code).To(Equal(ExitUsage))
			g.Expect(is.out).To(BeEmpty())
			g.Expect(is.err).To(And(HavePrefix("error: "), ContainSubstring("--help")))
		})
	}
}

// kubectl runs the real one, which finds the plugin on the PATH, and what completes its command line.
func kubectl(t *testing.T, args ...string) outcome {
	t.Helper()
	program, links := suite.stack.Programs.Plugin, t.TempDir()
	NewWithT(t).Expect(os.Symlink(program, filepath.Join(links, "kubectl_complete-medblocks"))).To(Succeed())
	cmd := exec.CommandContext(t.Context(), suite.plane.KubectlPath(), args...)
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(program)+":"+links+":"+os.Getenv("PATH"), "KUBECONFIG="+suite.plane.AdminKubeconfig(), "KUBECACHEDIR="+t.TempDir())
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	_ = cmd.Run() // its exit code is looked at
	is := outcome{code: cmd.ProcessState.ExitCode(), out: out.String(), err: errOut.String()}
	expectNoSecret(t, is)
	return is
}

func TestKubectlFindsThePlugin(t *testing.T) {
	g := NewWithT(t)
	is := kubectl(t, "medblocks", "options")
	g.Expect(is.code).To(Equal(ExitOK), is.err)
	g.Expect(is.out).To(ContainSubstring("--namespace"))
	is = kubectl(t, "medblocks", "nonsense")
	g.Expect(is.code).To(Equal(ExitUsage), "kubectl hands the exit code on")
	is = kubectl(t, "__complete", "medblocks", "stat")
	g.Expect(is.out).To(HavePrefix("status\t"), is.err)
	g.Expect(kubectl(t, "plugin", "list").out).To(ContainSubstring(suite.stack.Programs.Plugin))
}

// completions are what the shell offers for the last of the arguments.
func completions(t *testing.T, args ...string) []string {
	t.Helper()
	var out, errOut bytes.Buffer
	streams := genericiooptions.IOStreams{In: strings.NewReader(""), Out: &out, ErrOut: &errOut}
	code := Run(t.Context(), append([]string{"__complete"}, args...), streams)
	NewWithT(t).Expect(code).To(Equal(ExitOK), errOut.String())
	var words []string
	for line := range strings.Lines(out.String()) {
		if word, _, _ := strings.Cut(strings.TrimSpace(line), "\t"); !strings.HasPrefix(word, ":") {
			words = append(words, word)
		}
	}
	return words
}

func TestTheShellCompletesNamesNamespacesAndFormats(t *testing.T) {
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "labs")
	n.create(t, "flows")
	t.Setenv("KUBECONFIG", suite.plane.AdminKubeconfig())
	here := "--namespace=" + n.namespace

	g.Expect(completions(t, "")).To(ContainElements("status", "completion"))
	g.Expect(completions(t, here, "status", "")).To(ConsistOf("labs", "flows"))
	g.Expect(completions(t, here, "status", "labs", "")).To(ConsistOf("flows"))
	g.Expect(completions(t, here, "status", "x")).To(BeEmpty())
	g.Expect(completions(t, "status", "--namespace", n.namespace[:3])).To(ContainElement(n.namespace))
	g.Expect(completions(t, "status", "--context", "")).To(ConsistOf("controlplane"))
	g.Expect(completions(t, "status", "-o", "")).To(ConsistOf("json", "yaml"))
	g.Expect(completions(t, "status", "--operator-namespace", "medb")).To(ConsistOf(DefaultOperatorNamespace))
}
