// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package node

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// PauseImage is the image whose only process keeps a Pod's namespaces open.
const PauseImage = "docker.io/library/pause:e2e"

var getOptions = metav1.GetOptions{}

// What the programs are told, as templates over a variables.
var (
	//go:embed config/containerd.toml
	containerdConfig string
	//go:embed config/kubelet.yaml
	kubeletConfig string
	//go:embed config/kube-proxy.yaml
	proxyConfig string
	//go:embed config/cni.conflist
	cniConfig string
	//go:embed config/audit.yaml
	auditConfig string
)

// variables are what is not known before.
type variables struct {
	Folder, PKI, CgroupRoot, NodeIP, NodeName, PodCIDR, PodSwitch, PauseImage, CNIPlugins, Socket string
	AuditUsers                                                                                    []string
}

func (c *Cluster) configure() error {
	values := variables{
		Folder: c.folder, PKI: c.pki.folder, CgroupRoot: "/" + filepath.Base(c.folder), NodeIP: nodeIP, NodeName: nodeName, PodCIDR: podCIDR, PodSwitch: podSwitch,
		PauseImage: PauseImage, CNIPlugins: cniPlugins, Socket: containerdSocket, AuditUsers: c.options.AuditUsers,
	}
	for path, text := range map[string]string{
		"config/containerd.toml": containerdConfig, "config/kubelet.yaml": kubeletConfig, "config/kube-proxy.yaml": proxyConfig,
		"cni/10-e2e.conflist": cniConfig, "config/audit.yaml": auditConfig,
	} {
		parsed, err := template.New(path).Option("missingkey=error").Parse(text)
		if err != nil {
			return err
		}
		var out strings.Builder
		if err := parsed.Execute(&out, values); err != nil {
			return fmt.Errorf("configure the cluster: %w", err)
		}
		if err := os.WriteFile(filepath.Join(c.folder, path), []byte(out.String()), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) auditPolicyPath() string { return filepath.Join(c.folder, "config", "audit.yaml") }
func (c *Cluster) auditLogPath() string    { return filepath.Join(c.folder, "logs", "audit.json") }

// admitNodePrograms lets kube-proxy read what it needs, as whoever installs it does. Kubelet, kube-controller-manager and kube-scheduler have
// their permissions from kube-apiserver.
func (c *Cluster) admitNodePrograms(ctx context.Context) error {
	api, err := kubernetes.NewForConfig(c.Admin)
	if err != nil {
		return err
	}
	_, err = api.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "kube-proxy"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "system:node-proxier"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "system:kube-proxy"}},
	}, metav1.CreateOptions{})
	return err
}
