// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package e2e

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/test/demo"
	"github.com/medblocks/webhook-operator/test/receiver"
)

// storyAndMetrics has the demo's story happen in this cluster, and Prometheus look on.
func storyAndMetrics(w *world) {
	for name, look := range map[string]func(*world){"the story": story, "Prometheus": prometheusIsLetIn} {
		w.Run(name, func(t *testing.T) {
			t.Parallel()
			look(w.at(t))
		})
	}
}

func story(w *world) {
	var told strings.Builder
	err := demo.RunAt(w.ctx, demo.Options{Out: &told}, demo.Place{
		Config: w.cluster.Admin, Kubeconfig: w.cluster.Kubeconfig(), Kubectl: filepath.Join(w.root, "bin", "k8s", "kubectl"),
		Command: exec.CommandContext, Dir: filepath.Join(w.folder, "terminal"),
		Emulator: w.medblocks, Receiver: w.receiver, APIKey: w.apiKey, MountedSecret: w.mountedSecret(), RealMount: true,
		Probe: "serviceRef:\n  name: receiver\n  port: 443\n  scheme: HTTPS\n  path: " + receiver.WebhookPath,
		Check: func() error { return w.ctx.Err() }, OperatorLog: w.operatorLog,
	})
	if err != nil {
		w.Errorf("%s\n%v", told.String(), err)
	}
}

// mountedSecret is where kubelet mounts the signing Secret into the receiver's Pod, as the machine room sees it.
func (w *world) mountedSecret() string {
	w.Helper()
	pods := &corev1.PodList{}
	w.must(w.api.List(w.ctx, pods, client.InNamespace(metav1.NamespaceDefault), client.MatchingLabels{"app.kubernetes.io/name": "receiver"}))
	w.Expect(pods.Items).To(gomega.HaveLen(1))
	return w.cluster.NodeFile(fmt.Sprintf("/var/lib/kubelet/pods/%s/volumes/kubernetes.io~secret/signing-secret", pods.Items[0].UID))
}

func (w *world) operatorLog(lines int) string {
	out, err := w.cluster.Kubectl(context.WithoutCancel(w.ctx), nil, "logs", "-n", operatorNamespace, "-l", "app.kubernetes.io/name="+operatorName,
		"--prefix", fmt.Sprintf("--tail=%d", lines))
	if err != nil {
		return err.Error()
	}
	return out
}
