// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// start starts a control plane that ends with the test.
func start(t *testing.T, options Options) *ControlPlane {
	t.Helper()
	plane, err := Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := plane.Stop(); err != nil {
			t.Error(err)
		}
	})
	return plane
}

// mentions returns the processes that have text in their command line.
func mentions(t *testing.T, text string) []string {
	t.Helper()
	commandLines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(commandLines) == 0 {
		t.Skip("no /proc to look for processes in")
	}
	var found []string
	for _, path := range commandLines {
		// A process may be gone by now: then it does not count.
		if line, err := os.ReadFile(path); err == nil && strings.Contains(string(line), text) {
			found = append(found, path+": "+strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return found
}

func TestAControlPlaneStartsWithoutAnyCRDAndLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	plane := start(t, Options{CRDDirectory: t.TempDir(), Fsync: true})

	scheme := runtime.NewScheme()
	g.Expect(apiextensionsv1.AddToScheme(scheme)).To(Succeed())
	api, err := client.New(plane.Admin, client.Options{Scheme: scheme})
	g.Expect(err).NotTo(HaveOccurred())
	crds := &apiextensionsv1.CustomResourceDefinitionList{}
	g.Expect(api.List(t.Context(), crds)).To(Succeed())
	g.Expect(crds.Items).To(BeEmpty())

	dir := filepath.Dir(plane.AdminKubeconfig())
	g.Expect(mentions(t, dir)).NotTo(BeEmpty())
	g.Expect(plane.Stop()).To(Succeed())
	g.Expect(mentions(t, dir)).To(BeEmpty())
	_, err = os.Stat(dir)
	g.Expect(err).To(MatchError(fs.ErrNotExist))
	g.Expect(plane.Stop()).To(Succeed(), "a second time")
}

func TestAMissingProgramIsNamedTogetherWithTheCommandThatBuildsIt(t *testing.T) {
	g := NewWithT(t)
	assets := t.TempDir()
	t.Setenv("KUBEBUILDER_ASSETS", assets)
	_, err := Start(t.Context(), Options{RepositoryRoot: t.TempDir()})
	g.Expect(err).To(MatchError(And(
		MatchRegexp("^(etcd|kube-apiserver|kubectl) is not in "), ContainSubstring(assets), ContainSubstring("make controlplane"),
	)))
}

func TestAStartThatFailsSaysWhatTheProgramSaidAndLeavesNothingBehind(t *testing.T) {
	g := NewWithT(t)
	// Temporary folders of its own, to see what is left in them.
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	assets := t.TempDir()
	for _, name := range []string{"etcd", "kube-apiserver", "kubectl"} {
		script := fmt.Sprintf("#!/bin/sh\necho %s has no wish to run >&2\nexit 1\n", name)
		g.Expect(os.WriteFile(filepath.Join(assets, name), []byte(script), 0o700)).To(Succeed())
	}
	t.Setenv("KUBEBUILDER_ASSETS", assets)

	_, err := Start(t.Context(), Options{})
	g.Expect(err).To(MatchError(And(ContainSubstring("start etcd"), ContainSubstring("etcd has no wish to run"))))
	left, err := os.ReadDir(tmp)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(left).To(BeEmpty())
}

// helperVariable is the environment variable that makes this test's binary be the process that is killed.
const helperVariable = "CONTROLPLANE_TEST_HELPER"

func TestMain(m *testing.M) {
	if os.Getenv(helperVariable) == "" {
		os.Exit(m.Run())
	}
	if err := startAndNeverStop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func startAndNeverStop() error {
	plane, err := Start(context.Background(), Options{ControllerManager: true})
	if err != nil {
		return err
	}
	dir := filepath.Dir(plane.AdminKubeconfig())
	// A program that ends by nothing but a signal.
	cmd := plane.Command(context.Background(), "/usr/bin/env", "tail", "-f", plane.AdminKubeconfig())
	cmd.SysProcAttr = ownGroup()
	if err := cmd.Start(); err != nil {
		return err
	}
	fmt.Fprintln(os.Stdout, "running in "+dir)
	select {} // Until it is killed.
}

func TestNothingOutlivesAProcessThatWasKilled(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	helper := exec.CommandContext(t.Context(), os.Args[0])
	helper.Env = append(os.Environ(), helperVariable+"=1")
	helper.Stderr = os.Stderr
	out, err := helper.StdoutPipe()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(helper.Start()).To(Succeed())

	var dir string
	for lines := bufio.NewScanner(out); dir == "" && lines.Scan(); {
		_, dir, _ = strings.Cut(lines.Text(), "running in ")
	}
	g.Expect(dir).NotTo(BeEmpty(), "the helper did not start its control plane")
	g.Expect(len(mentions(t, dir))).To(BeNumerically(">=", 5), "etcd, kube-apiserver, kube-controller-manager, the watchdog, a command")

	g.Expect(helper.Process.Kill()).To(Succeed())
	var exit *exec.ExitError
	g.Expect(errors.As(helper.Wait(), &exit)).To(BeTrue())
	g.Eventually(func() []string { return mentions(t, dir) }).WithTimeout(20 * time.Second).Should(BeEmpty())
	g.Eventually(func() error { _, err := os.Stat(dir); return err }).WithTimeout(20 * time.Second).Should(MatchError(fs.ErrNotExist))
}
