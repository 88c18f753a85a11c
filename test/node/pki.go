// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package node

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net"
	"os"
	"path/filepath"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/keyutil"

	"github.com/medblocks/webhook-operator/test/authority"
	"github.com/medblocks/webhook-operator/test/controlplane"
)

// pki holds the keys and certificates of the cluster, as files.
type pki struct {
	folder    string
	authority *authority.Authority
}

// Names of files, without what they end with.
const (
	caName              = "ca"
	apiServerName       = "kube-apiserver"
	apiServerClientName = "kube-apiserver-to-kubelet"
	kubeletServerName   = "kubelet-server"
	adminName           = "admin"
)

func newPKI(folder string) (*pki, error) {
	made, err := authority.New()
	if err != nil {
		return nil, err
	}
	p := &pki{folder: folder, authority: made}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	return p, os.WriteFile(p.path(caName, "crt"), made.PEM(), 0o600)
}

func (p *pki) path(name, ending string) string { return filepath.Join(p.folder, name+"."+ending) }

// pair writes a certificate and its key.
func (p *pki) pair(name string, certificate, key []byte, err error) error {
	if err != nil {
		return err
	}
	if err := os.WriteFile(p.path(name, "crt"), certificate, 0o600); err != nil {
		return err
	}
	return os.WriteFile(p.path(name, "key"), key, 0o600)
}

func (p *pki) server(name string, hosts ...string) error {
	certificate, key, err := p.authority.Issue(hosts...)
	return p.pair(name, certificate, key, err)
}

func (p *pki) client(name, user string, groups ...string) error {
	certificate, key, err := p.authority.IssueClient(user, groups...)
	return p.pair(name, certificate, key, err)
}

// kubeconfig writes one for a user in these groups, and returns what is in it.
func (p *pki) kubeconfig(name, user string, groups ...string) (*rest.Config, error) {
	certificate, key, err := p.authority.IssueClient(user, groups...)
	if err != nil {
		return nil, err
	}
	config := &rest.Config{
		Host:            "https://" + net.JoinHostPort(roomIP, apiServerPort),
		TLSClientConfig: rest.TLSClientConfig{CAData: p.authority.PEM(), CertData: certificate, KeyData: key},
		QPS:             -1,
	}
	return config, controlplane.WriteKubeconfig(p.path(name, "kubeconfig"), config)
}

// signer writes a key with which tokens of ServiceAccounts are signed, and verified.
func (p *pki) signer(name string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	private, err := keyutil.MarshalPrivateKeyToPEM(key)
	if err != nil {
		return err
	}
	return os.WriteFile(p.path(name, "key"), private, 0o600)
}

// issueAll writes everything that the programs of a cluster need, and returns the administrator's.
func (p *pki) issueAll() (admin *rest.Config, err error) {
	if err := p.server(apiServerName, "localhost", "127.0.0.1", roomIP, serviceIP, "kubernetes", "kubernetes.default", "kubernetes.default.svc"); err != nil {
		return nil, err
	}
	if err := p.server(kubeletServerName, nodeName, nodeIP); err != nil {
		return nil, err
	}
	if err := p.client(apiServerClientName, "kube-apiserver", "system:masters"); err != nil {
		return nil, err
	}
	for _, name := range []string{"kube-controller-manager", "kube-scheduler", "kube-proxy"} {
		if _, err := p.kubeconfig(name, "system:"+name); err != nil {
			return nil, err
		}
	}
	if _, err := p.kubeconfig("kubelet", "system:node:"+nodeName, "system:nodes"); err != nil {
		return nil, err
	}
	if err := p.signer(string(FirstSigner)); err != nil {
		return nil, err
	}
	return p.kubeconfig(adminName, "admin", "system:masters")
}
