// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package e2e

import (
	"os"
	"path/filepath"

	"github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/test/demo"
)

// chartValues are those of overlay, for the chart.
const chartValues = `apiBaseURL: https://` + medblocksIP + `
pollInterval: 5s
disabledPollInterval: 1s
env:
- name: SSL_CERT_DIR
  value: /etc/test-authority
volumes:
- name: authority
  configMap:
    name: authority
volumeMounts:
- name: authority
  mountPath: /etc/test-authority
  readOnly: true
`

// deployedFromTheChart uninstalls what came from dist/install.yaml, and installs the chart in its place: everything works as before.
func deployedFromTheChart(w *world) {
	w.kubectl("delete", "mwe", "--all", "--all-namespaces", "--timeout="+patience.String())
	endpoints, err := w.medblocks.Endpoints(w.ctx, w.apiKey)
	w.must(err)
	w.Expect(endpoints).To(gomega.BeEmpty())
	w.kubectl("delete", "-k", w.overlay(), "--timeout="+patience.String())

	w.kubectl("create", "namespace", operatorNamespace)
	w.kubectl("label", "namespace", operatorNamespace, "pod-security.kubernetes.io/enforce=restricted")
	w.trust(operatorNamespace)
	values := filepath.Join(w.folder, "values.yaml")
	w.must(os.WriteFile(values, []byte(chartValues), 0o600))
	helm := filepath.Join(w.root, "bin", "tools", "helm")
	w.program(helm, "install", operatorName, filepath.Join(w.root, "dist", "chart"), "--namespace", operatorNamespace, "--values", values,
		"--wait", "--timeout", patience.String())
	w.ready(operatorNamespace, "app.kubernetes.io/name="+operatorName, 2)
	for _, pod := range w.operators() {
		w.looksRestricted(&pod)
	}
	w.declare("deployed from the chart")
	w.delivers()

	w.kubectl("delete", "mwe", "-n", demo.ResourceKey.Namespace, demo.ResourceKey.Name, "--timeout="+patience.String())
	w.program(helm, "uninstall", operatorName, "--namespace", operatorNamespace, "--wait", "--timeout", patience.String())
	w.ready(operatorNamespace, "app.kubernetes.io/name="+operatorName, 0)
	w.Expect(w.onlyEndpoint()).Error().To(gomega.HaveOccurred())
}
