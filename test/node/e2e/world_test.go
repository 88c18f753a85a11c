// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/authority"
	"github.com/medblocks/webhook-operator/test/controlplane"
	"github.com/medblocks/webhook-operator/test/node"
	"github.com/medblocks/webhook-operator/test/stack"
)

const (
	// patience is how long one thing may take to happen.
	patience = 2 * time.Minute
	interval = 200 * time.Millisecond

	operatorNamespace = controlplane.OperatorNamespace
	operatorName      = "medblocks-webhook-operator"
)

// world is the cluster, and what runs in it.
type world struct {
	*testing.T
	gomega.Gomega

	// ctx is that of the whole test, which no step outlives.
	ctx     context.Context //nolint:containedctx // see above
	root    string
	folder  string
	cluster *node.Cluster
	api     client.WithWatch
	ca      *authority.Authority

	medblocks *stack.Emulator
	receiver  *stack.Receiver
	apiKey    string

	signers *signers
}

// begin starts the cluster, and what is not the operator.
func begin(ctx context.Context, t *testing.T) *world {
	t.Helper()
	w := &world{T: t, Gomega: gomega.NewWithT(t), ctx: ctx, folder: t.TempDir(), signers: &signers{}, apiKey: "mb_sk_sbx_" + strings.ToLower(rand.Text())}
	w.SetDefaultEventuallyTimeout(patience)
	w.SetDefaultEventuallyPollingInterval(interval)
	var err error
	w.root, err = filepath.Abs("../../..")
	w.must(err)
	w.ca, err = authority.New()
	w.must(err)
	w.cluster, err = node.Start(ctx, node.Options{
		BinDir: filepath.Join(w.root, "bin", "k8s"), SaveImages: w.saveImages, AuditUsers: []string{controlplane.OperatorUser},
	})
	w.must(err)
	scheme := runtime.NewScheme()
	w.must(errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)))
	w.api, err = client.NewWithWatch(w.cluster.Admin, client.Options{Scheme: scheme})
	w.must(err)
	w.startPrograms()
	return w
}

// at is the world as one step sees it.
func (w *world) at(t *testing.T) *world {
	step := *w
	step.T, step.Gomega = t, gomega.NewWithT(t)
	step.SetDefaultEventuallyTimeout(patience)
	step.SetDefaultEventuallyPollingInterval(interval)
	return &step
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// kubectl runs a command of the administrator, who expects it to succeed.
func (w *world) kubectl(args ...string) string {
	w.Helper()
	out, err := w.cluster.Kubectl(w.ctx, nil, args...)
	w.must(err)
	return out
}

func (w *world) apply(manifest string) {
	w.Helper()
	_, err := w.cluster.Kubectl(w.ctx, strings.NewReader(manifest), "apply", "--server-side", "--force-conflicts", "-f", "-")
	w.must(err)
}

// testdata is a manifest of this test.
func (w *world) testdata(name string) string {
	w.Helper()
	content, err := os.ReadFile(filepath.Join(w.root, "test", "node", "testdata", name))
	w.must(err)
	return string(content)
}

// trusting is a client that trusts the authority of the test.
func (w *world) trusting() *http.Client {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(w.ca.PEM())
	return &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
}

// ready returns when all Pods with a label are.
func (w *world) ready(namespace, selector string, want int) {
	w.Helper()
	w.Eventually(func() error {
		pods := &corev1.PodList{}
		if err := w.api.List(w.ctx, pods, client.InNamespace(namespace), w.matching(selector)); err != nil {
			return err
		}
		ready := 0
		for i := range pods.Items {
			if isReady(&pods.Items[i]) {
				ready++
			}
		}
		if ready != want || len(pods.Items) != want {
			return fmt.Errorf("%d of %d Pods are ready, there are to be %d", ready, len(pods.Items), want)
		}
		return nil
	}).Should(gomega.Succeed())
}

func (w *world) matching(selector string) client.MatchingLabels {
	key, value, _ := strings.Cut(selector, "=")
	return client.MatchingLabels{key: value}
}

func isReady(pod *corev1.Pod) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue && pod.DeletionTimestamp.IsZero()
		}
	}
	return false
}

// explain shows what somebody would look at first who wonders what went wrong.
func (w *world) explain() string {
	var all bytes.Buffer
	for _, args := range [][]string{
		{"get", "pods", "--all-namespaces", "-o", "wide"},
		{"get", "mwe", "--all-namespaces", "-o", "yaml"},
		{"get", "events", "--all-namespaces", "--sort-by=.lastTimestamp"},
		{"logs", "-n", operatorNamespace, "-l", "app.kubernetes.io/name=" + operatorName, "--prefix", "--tail=60"},
	} {
		out, err := w.cluster.Kubectl(context.WithoutCancel(w.ctx), nil, args...)
		fmt.Fprintf(&all, "$ kubectl %s\n%s", strings.Join(args, " "), out)
		if err != nil {
			fmt.Fprintln(&all, err)
		}
	}
	all.WriteString(w.cluster.Logs())
	return all.String()
}

// program runs one of this machine's, with the cluster's kubeconfig.
func (w *world) program(path string, args ...string) string {
	w.Helper()
	cmd := exec.CommandContext(w.ctx, path, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+w.cluster.Kubeconfig(), "HOME="+w.folder)
	out, err := cmd.CombinedOutput()
	if err != nil {
		w.Fatalf("%s %q: %v: %s", filepath.Base(path), args, err, out)
	}
	return string(out)
}

// procFile is a file of a process in /proc, such as root/etc/hosts.
func procFile(pid int, names ...string) string {
	return filepath.Join(append([]string{"/proc", strconv.Itoa(pid)}, names...)...)
}
