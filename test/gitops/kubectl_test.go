// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/medblocks/webhook-operator/test/lab"
)

// patience is how long anything may take: a busy machine with two cores gets its time.
const patience = 90 * time.Second

// tool applies manifests. None of them forces: what conflicts with the operator's fields would fail.
type tool struct {
	name  string
	flags []string
}

// tools apply as Flux and Argo CD do, by their names for themselves, and as kubectl does.
func tools() []tool {
	return []tool{
		{name: "flux", flags: []string{"--server-side", "--field-manager=kustomize-controller"}},
		{name: "argocd-server-side", flags: []string{"--server-side", "--field-manager=argocd-controller"}},
		{name: "argocd-client-side", flags: []string{"--field-manager=argocd-controller"}},
		{name: "kubectl", flags: nil},
	}
}

// kubectl runs kubectl as a cluster administrator.
func kubectl(t testing.TB, stdin string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	plane := lab.ControlPlane()
	cmd := plane.Command(ctx, plane.KubectlPath(), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+plane.AdminKubeconfig(), "KUBECACHEDIR="+filepath.Join(filepath.Dir(plane.AdminKubeconfig()), "kube-cache"))
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (a tool) run(t testing.TB, verb, namespace string, manifest *unstructured.Unstructured) (string, error) {
	t.Helper()
	content, err := yaml.Marshal(manifest.Object)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return kubectl(t, string(content), append([]string{verb, "-n", namespace, "-f", "-"}, a.flags...)...)
}

func (a tool) apply(t testing.TB, namespace string, manifest *unstructured.Unstructured) {
	t.Helper()
	out, err := a.run(t, "apply", namespace, manifest)
	NewWithT(t).Expect(err).NotTo(HaveOccurred(), out)
	NewWithT(t).Expect(out).NotTo(ContainSubstring("Warning"))
}

// expectNoDiff expects that kubectl diff prints nothing and succeeds. That is also what Argo CD and Flux call in sync.
func (a tool) expectNoDiff(t testing.TB, namespace string, manifest *unstructured.Unstructured) {
	t.Helper()
	out, err := a.run(t, "diff", namespace, manifest)
	NewWithT(t).Expect(err).NotTo(HaveOccurred(), out)
	NewWithT(t).Expect(out).To(BeEmpty())
}

// sample is a manifest in config/samples, which has to have just one.
func sample(t testing.TB, name string) *unstructured.Unstructured {
	t.Helper()
	content, err := os.ReadFile("../../config/samples/" + name)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return parse(t, string(content))
}
