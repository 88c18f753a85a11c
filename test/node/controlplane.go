// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package node

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
)

const etcdURL = "http://127.0.0.1:2379"

// Signer is a key that signs tokens of ServiceAccounts.
type Signer string

// FirstSigner is the key that the cluster starts with.
const FirstSigner Signer = "service-accounts-1"

// startControlPlane starts the four programs, in the order in which they need each other.
func (c *Cluster) startControlPlane(ctx context.Context) error {
	etcd, err := start(c.folder, c.programs.etcd, "--data-dir="+filepath.Join(c.folder, "etcd"), "--unsafe-no-fsync",
		"--listen-client-urls="+etcdURL, "--advertise-client-urls="+etcdURL,
		"--listen-peer-urls=http://127.0.0.1:2380", "--log-level=warn")
	if err != nil {
		return err
	}
	c.running = append(c.running, etcd)
	if err := c.startAPIServer(ctx, FirstSigner); err != nil {
		return err
	}
	for _, p := range []struct {
		path string
		args []string
	}{
		{c.programs.controllerManager, []string{
			"--use-service-account-credentials", // each controller has the permissions of its own
			"--service-account-private-key-file=" + c.pki.path(string(FirstSigner), "key"),
			"--root-ca-file=" + c.pki.path(caName, "crt"),
			"--flex-volume-plugin-dir=" + filepath.Join(c.folder, "flex"), // by default it is made in /usr
		}},
		{c.programs.scheduler, nil},
	} {
		name := filepath.Base(p.path)
		started, err := start(c.folder, p.path, append(p.args, "--kubeconfig="+c.pki.path(name, "kubeconfig"),
			"--leader-elect=false", "--secure-port=0")...)
		if err != nil {
			return err
		}
		c.running = append(c.running, started)
	}
	return nil
}

// startAPIServer has tokens of ServiceAccounts signed with the last of signers, and takes those that any of them has signed.
func (c *Cluster) startAPIServer(ctx context.Context, signers ...Signer) error {
	file := c.pki.path
	args := []string{
		"--etcd-servers=" + etcdURL, "--bind-address=0.0.0.0", "--advertise-address=" + roomIP, "--secure-port=" + apiServerPort,
		"--service-cluster-ip-range=" + services, "--allow-privileged=true",
		"--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction", "--client-ca-file=" + file(caName, "crt"),
		"--tls-cert-file=" + file(apiServerName, "crt"), "--tls-private-key-file=" + file(apiServerName, "key"),
		"--kubelet-certificate-authority=" + file(caName, "crt"), "--kubelet-client-certificate=" + file(apiServerClientName, "crt"),
		"--kubelet-client-key=" + file(apiServerClientName, "key"), "--kubelet-preferred-address-types=InternalIP",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-signing-key-file=" + file(string(signers[len(signers)-1]), "key"),
		"--audit-policy-file=" + c.auditPolicyPath(), "--audit-log-path=" + c.auditLogPath(), "--audit-log-maxsize=10000",
	}
	for _, signer := range signers {
		args = append(args, "--service-account-key-file="+file(string(signer), "key")) // of a private key, the public half is used
	}
	server, err := start(c.folder, c.programs.apiServer, args...)
	if err != nil {
		return err
	}
	c.apiServer = server
	return c.awaitAPIServer(ctx)
}

func (c *Cluster) awaitAPIServer(ctx context.Context) error {
	api, err := kubernetes.NewForConfig(c.Admin)
	if err != nil {
		return err
	}
	var last error
	err = wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		code := 0
		last = api.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).StatusCode(&code).Error()
		return code == http.StatusOK, ended(c.apiServer)
	})
	if err != nil {
		return errors.Join(fmt.Errorf("wait for kube-apiserver: %w", err), last)
	}
	return nil
}

// NewSigner makes another key.
func (c *Cluster) NewSigner(name string) (Signer, error) { return Signer(name), c.pki.signer(name) }

// RestartAPIServer kills kube-apiserver and starts it anew, as startAPIServer does. (To stop it in order would take a minute, for which it
// waits for those who watch.) Everybody who is connected with it has to connect again.
func (c *Cluster) RestartAPIServer(ctx context.Context, signers ...Signer) error {
	if err := c.apiServer.Kill(); err != nil {
		return err
	}
	return c.startAPIServer(ctx, signers...)
}
