// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// overlay is what an administrator adds to dist/install.yaml who has a private authority, and a test that nobody wants to wait for.
const overlay = `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [install.yaml]
patches:
- target:
    kind: Deployment
    name: medblocks-webhook-operator
  patch: |
    - {op: add, path: /spec/template/spec/containers/0/args/-, value: --api-base-url=https://` + medblocksIP + `}
    - {op: add, path: /spec/template/spec/containers/0/args/-, value: --poll-interval=5s}
    - {op: add, path: /spec/template/spec/containers/0/args/-, value: --disabled-poll-interval=1s}
    - {op: add, path: /spec/template/spec/containers/0/env, value: [{name: SSL_CERT_DIR, value: /etc/test-authority}]}
    - {op: add, path: /spec/template/spec/containers/0/volumeMounts, value: [{name: authority, mountPath: /etc/test-authority, readOnly: true}]}
    - {op: add, path: /spec/template/spec/volumes, value: [{name: authority, configMap: {name: authority}}]}
    - {op: replace, path: /spec/template/spec/containers/0/livenessProbe/periodSeconds, value: 5}
`

// deployed applies the manifest that is shipped, and looks at what runs.
func deployed(w *world) {
	dir := w.overlay()
	w.kubectl("apply", "--server-side", "-k", dir)
	w.trust(operatorNamespace)
	w.kubectl("rollout", "status", "-n", operatorNamespace, "deployment/"+operatorName, "--timeout="+patience.String())
	pods := w.operators()
	w.Expect(pods).To(gomega.HaveLen(2))
	for i := range pods {
		w.looksRestricted(&pods[i])
	}
	w.refusesPrivileged()
}

// overlay writes the overlay, and returns its folder.
func (w *world) overlay() string {
	w.Helper()
	dir := filepath.Join(w.folder, "overlay")
	w.must(os.MkdirAll(dir, 0o750))
	shipped, err := os.ReadFile(filepath.Join(w.root, "dist", "install.yaml"))
	w.must(err)
	w.must(os.WriteFile(filepath.Join(dir, "install.yaml"), shipped, 0o600))
	w.must(os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(overlay), 0o600))
	return dir
}

// operators are the Pods of the operator that are not about to end.
func (w *world) operators() []corev1.Pod {
	w.Helper()
	pods := &corev1.PodList{}
	w.must(w.api.List(w.ctx, pods, client.InNamespace(operatorNamespace), client.MatchingLabels{"app.kubernetes.io/name": operatorName}))
	var live []corev1.Pod
	for i := range pods.Items {
		if pods.Items[i].DeletionTimestamp.IsZero() {
			live = append(live, pods.Items[i])
		}
	}
	return live
}

// looksRestricted looks at what the kernel says of the operator's process, and not at what the manifest asks for.
func (w *world) looksRestricted(pod *corev1.Pod) {
	w.Helper()
	pid, err := w.cluster.ContainerProcess(pod, "manager")
	w.must(err)
	status, err := os.ReadFile(procFile(pid, "status"))
	w.must(err)
	is := map[string]string{}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		is[name] = strings.TrimSpace(value)
	}
	w.Expect(is).To(gomega.HaveKeyWithValue("Name", "manager"))
	w.Expect(strings.Fields(is["Uid"])).To(gomega.HaveEach("65532"))
	w.Expect(strings.Fields(is["Gid"])).To(gomega.HaveEach("65532"))
	w.Expect(is).To(gomega.HaveKeyWithValue("NoNewPrivs", "1"))
	w.Expect(is).To(gomega.HaveKeyWithValue("Seccomp", "2"), "there is no seccomp filter")
	for _, set := range []string{"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"} {
		w.Expect(strings.Trim(is[set], "0")).To(gomega.BeEmpty(), set)
	}
	mounts, err := os.ReadFile(procFile(pid, "mounts"))
	w.must(err)
	w.Expect(string(mounts)).To(gomega.MatchRegexp(`(?m)^\S+ / overlay ro,`), "the root file system can be written")
	w.Expect(procFile(pid, "root", "etc", "ssl", "certs", "ca-certificates.crt")).To(gomega.BeAnExistingFile())
	w.Expect(procFile(pid, "root", "bin")).NotTo(gomega.BeADirectory())
}

// refusesPrivileged sees that the namespace which is shipped takes no Pod that may do more.
func (w *world) refusesPrivileged() {
	w.Helper()
	privileged := true
	err := w.api.Create(w.ctx, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: operatorNamespace, Name: "privileged"},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name: "privileged", Image: "receiver:e2e", SecurityContext: &corev1.SecurityContext{Privileged: &privileged},
		}}},
	}, client.DryRunAll)
	w.Expect(err).To(gomega.MatchError(gomega.ContainSubstring(`violates PodSecurity "restricted`)))
}
