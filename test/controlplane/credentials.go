// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// The names under which the repository ships the operator's identity (config/rbac).
const (
	OperatorNamespace      = "medblocks-webhook-operator-system"
	OperatorServiceAccount = "medblocks-webhook-operator"
)

// tokenLifetime is longer than any test run or demo.
const tokenLifetime = 24 * time.Hour

// admitAdmin has the API server know a token with all permissions. The certificate that envtest issues would do, but the API server
// verifies the certificate of its client anew with every request, and remembers tokens.
func (c *ControlPlane) admitAdmin(server *envtest.APIServer) (token string, err error) {
	token = rand.Text()
	path := filepath.Join(c.dir, "tokens.csv")
	if err := os.WriteFile(path, []byte(token+",admin,admin,system:masters\n"), 0o600); err != nil {
		return "", fmt.Errorf("write the token of the admin: %w", err)
	}
	server.Configure().Set("token-auth-file", path)
	return token, nil
}

// issueCredentials asks the API server for a token of the operator's service account, as a kubelet would for its pod.
func (c *ControlPlane) issueCredentials(ctx context.Context) error {
	config, err := c.ServiceAccountConfig(ctx, OperatorNamespace, OperatorServiceAccount)
	if err != nil {
		return err
	}
	c.operator = config
	return WriteKubeconfig(c.OperatorKubeconfig(), config)
}

// ServiceAccountConfig returns a configuration that holds a token of a service account, which must exist.
func (c *ControlPlane) ServiceAccountConfig(ctx context.Context, namespace, name string) (*rest.Config, error) {
	api, err := client.New(c.Admin, client.Options{})
	if err != nil {
		return nil, fmt.Errorf("connect to the API server: %w", err)
	}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	request := &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: ptr.To(int64(tokenLifetime.Seconds()))},
	}
	if err := api.SubResource("token").Create(ctx, account, request); err != nil {
		return nil, fmt.Errorf("request a token for service account %s/%s: %w", namespace, name, err)
	}
	return &rest.Config{
		Host:            c.Admin.Host,
		TLSClientConfig: rest.TLSClientConfig{CAData: c.Admin.CAData},
		BearerToken:     request.Status.Token,
	}, nil
}

// WriteKubeconfig writes a file that only its owner can read, because it holds a credential.
func WriteKubeconfig(path string, config *rest.Config) error {
	const name = "controlplane"
	kubeconfig := clientcmdapi.NewConfig()
	kubeconfig.Clusters[name] = &clientcmdapi.Cluster{Server: config.Host, CertificateAuthorityData: config.CAData}
	kubeconfig.AuthInfos[name] = &clientcmdapi.AuthInfo{
		ClientCertificateData: config.CertData, ClientKeyData: config.KeyData, Token: config.BearerToken,
	}
	kubeconfig.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	kubeconfig.CurrentContext = name
	content, err := clientcmd.Write(*kubeconfig)
	if err != nil {
		return fmt.Errorf("write kubeconfig: %w", err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return fmt.Errorf("write kubeconfig: %w", err)
	}
	return nil
}
