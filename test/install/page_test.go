// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// helmBlocks are the commands of docs/install.md that call helm.
func helmBlocks(t *testing.T) (blocks []string) {
	t.Helper()
	page, err := os.ReadFile(root + "/docs/install.md")
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		if strings.Contains(block[1], "helm ") {
			blocks = append(blocks, block[1])
		}
	}
	return blocks
}

// TestTheCommandsForHelmInTheDocsWork: one after the other, from the first installation to the shards.
func TestTheCommandsForHelmInTheDocsWork(t *testing.T) {
	g := NewWithT(t)
	blocks := helmBlocks(t)
	g.Expect(len(blocks)).To(BeNumerically(">=", 5))
	p := startEmpty(t, "testdata/none")
	checkout := t.TempDir()
	dist, err := filepath.Abs(root + "/dist")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.Symlink(dist, filepath.Join(checkout, "dist"))).To(Succeed())

	for i, block := range blocks {
		if i == 0 {
			// The control plane has the namespace, and has labelled it.
			block = strings.Replace(block, "kubectl create namespace", "kubectl get namespace", 1)
			p.forgetPermissions(t)
		}
		cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", block)
		cmd.Dir = checkout
		cmd.Env = []string{
			"HOME=" + checkout, "KUBECONFIG=" + p.AdminKubeconfig(),
			"PATH=" + strings.Join([]string{filepath.Dir(tools["helm"]), filepath.Dir(p.KubectlPath()), os.Getenv("PATH")}, ":"),
		}
		out, err := cmd.CombinedOutput()
		g.Expect(err).NotTo(HaveOccurred(), "%s\n%s", block, out)
	}
	deployments := &appsv1.DeploymentList{}
	g.Expect(p.api.List(t.Context(), deployments, client.InNamespace(namespace))).To(Succeed())
	g.Expect(deployments.Items).To(HaveLen(2), "the shards are all that is left")
	for _, deployment := range deployments.Items {
		g.Expect(deployment.Spec.Template.Spec.Containers[0].Args).To(ContainElement("--cluster-id=production-eu"))
		g.Expect(deployment.Spec.Template.Spec.Containers[0].Image).To(Equal("registry.example.com/medblocks/webhook-operator:v0.1.0"))
	}
}

// forgetPermissions removes what the control plane brings along from config/rbac, as if nobody had ever applied it.
func (p *plane) forgetPermissions(t *testing.T) {
	t.Helper()
	out, err := p.kubectl(t.Context(), nil, "delete", "-k", root+"/config/rbac")
	NewWithT(t).Expect(err).NotTo(HaveOccurred(), out)
}
