// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package e2e

import (
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/test/node"
	"github.com/medblocks/webhook-operator/test/node/image"
	"github.com/medblocks/webhook-operator/test/receiver"
	"github.com/medblocks/webhook-operator/test/stack"
)

// There is no DNS in this cluster: Services are called by their addresses, which the manifests in testdata give them.
const (
	medblocksIP = "10.96.0.80"
	receiverIP  = "10.96.0.81"

	medblocksNamespace = "medblocks"
)

// saveImages makes the operator's image as the Dockerfile has it, and one of each other program.
func (w *world) saveImages(path string) error {
	program, err := image.Compile(w.ctx, w.root, w.folder)
	if err != nil {
		return err
	}
	operator, err := image.Operator(w.root, program)
	if err != nil {
		return err
	}
	pause, err := image.Pause(w.ctx, w.root)
	if err != nil {
		return err
	}
	images := map[string]v1.Image{"medblocks/webhook-operator:v0.1.0": operator, node.PauseImage: pause}
	for name, program := range map[string]string{"emulator": "bin/emulator", "receiver": "bin/receiver", "prometheus": "bin/tools/prometheus"} {
		if images[name+":e2e"], err = image.Program(name, filepath.Join(w.root, program)); err != nil {
			return err
		}
	}
	return image.Write(path, images)
}

// startPrograms starts Medblocks, which is an emulator, and the receiver, each as a Pod under the restricted Pod Security Standard.
func (w *world) startPrograms() {
	w.Helper()
	w.kubectl("label", "namespace", metav1.NamespaceDefault, "pod-security.kubernetes.io/enforce=restricted")
	w.kubectl("create", "namespace", medblocksNamespace)
	w.certify(medblocksNamespace, "emulator-tls", medblocksIP)
	w.certify(metav1.NamespaceDefault, "receiver-tls", receiverIP, "receiver.default.svc")
	w.trust(medblocksNamespace)
	w.apply(w.testdata("emulator.yaml"))
	w.apply(w.testdata("receiver.yaml"))
	w.medblocks = &stack.Emulator{URL: "https://" + medblocksIP, Caller: stack.Caller{Client: w.trusting()}}
	w.receiver = &stack.Receiver{URL: "https://" + receiverIP, Caller: stack.Caller{Client: w.trusting()}}
	w.receiver.WebhookURL = w.receiver.URL + receiver.WebhookPath
	w.ready(medblocksNamespace, "app.kubernetes.io/name=emulator", 1)
	w.ready(metav1.NamespaceDefault, "app.kubernetes.io/name=receiver", 1)
}

// certify stores a certificate of the test's authority.
func (w *world) certify(namespace, name string, hosts ...string) {
	w.Helper()
	certificate, key, err := w.ca.Issue(hosts...)
	w.must(err)
	w.must(w.api.Create(w.ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Type: corev1.SecretTypeTLS,
		Data: map[string][]byte{corev1.TLSCertKey: certificate, corev1.TLSPrivateKeyKey: key},
	}))
}

// trust puts the authority of the test into a namespace, for Pods to mount.
func (w *world) trust(namespace string) {
	w.Helper()
	w.must(w.api.Create(w.ctx, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "authority"}, Data: map[string]string{"ca.crt": string(w.ca.PEM())},
	}))
}
