// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/medblocks/webhook-operator/test/process"
)

// imagesFile is the name of the archive with the images, in the cluster's folder.
const imagesFile = "images.tar"

// Options says what to start.
type Options struct {
	// BinDir holds the programs of Kubernetes, as hack/controlplane/build.sh builds them.
	BinDir string
	// SaveImages writes an archive of all images that Pods are to run, as `docker save` does. The one that a Pod's network lives in must be
	// among them, with the name PauseImage.
	SaveImages func(path string) error
	// AuditUsers are those of whose requests the API server keeps a log.
	AuditUsers []string
}

// Cluster is a control plane and a node. It ends with the machine room.
type Cluster struct {
	// Admin may do everything.
	Admin *rest.Config

	folder    string
	options   Options
	programs  programs
	pki       *pki
	apiServer *process.Process
	running   []*process.Process
	node      *exec.Cmd
	audited   int // how many bytes of the log have been read
}

// programs are the paths of what runs in the machine room.
type programs struct{ etcd, apiServer, controllerManager, scheduler, kubectl string }

// Start starts a cluster, in the machine room, and returns when the node is ready for Pods.
func Start(ctx context.Context, options Options) (*Cluster, error) {
	in := func(name string) string { return filepath.Join(options.BinDir, name) }
	c := &Cluster{folder: os.Getenv(folderVariable), options: options, programs: programs{
		etcd: in("etcd"), apiServer: in("kube-apiserver"), controllerManager: in("kube-controller-manager"),
		scheduler: in("kube-scheduler"), kubectl: in("kubectl"),
	}}
	for _, step := range []func(context.Context) error{c.prepare, c.startControlPlane, c.admitNodePrograms, c.startNode, c.awaitNode} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, errors.New(c.Logs()))
		}
	}
	return c, nil
}

// prepare writes the files that the programs need.
func (c *Cluster) prepare(context.Context) (err error) {
	for _, name := range []string{"logs", "config", "bin", "cni"} {
		if err := os.MkdirAll(filepath.Join(c.folder, name), 0o755); err != nil {
			return err
		}
	}
	for _, name := range []string{"kubelet", "kube-proxy"} {
		if err := os.Symlink(filepath.Join(c.options.BinDir, name), filepath.Join(c.folder, "bin", name)); err != nil {
			return err
		}
	}
	if c.pki, err = newPKI(filepath.Join(c.folder, "pki")); err != nil {
		return err
	}
	if c.Admin, err = c.pki.issueAll(); err != nil {
		return err
	}
	if err := c.configure(); err != nil {
		return err
	}
	return c.options.SaveImages(filepath.Join(c.folder, imagesFile))
}

// startNode starts the node, or starts it again.
func (c *Cluster) startNode(ctx context.Context) error {
	// The node is to live longer than this call.
	node, begin, err := stage(context.WithoutCancel(ctx), stageNode, c.folder)
	if err != nil {
		return err
	}
	log, err := os.OpenFile(logPath(c.folder, "node"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	node.Stdout, node.Stderr = log, log
	// The thread that starts it is any of this process', and may end before.
	node.SysProcAttr.Pdeathsig = 0
	if err := node.Start(); err != nil {
		return fmt.Errorf("start the node: %w", err)
	}
	c.node = node
	if err := plugIn(ctx, node.Process.Pid); err != nil {
		return err
	}
	return begin.Close()
}

// awaitNode returns when kubelet says that the node is ready.
func (c *Cluster) awaitNode(ctx context.Context) error { return c.nodeReadySince(ctx, time.Time{}) }

// nodeReadySince returns when the node has been ready, as kubelet said after a moment.
func (c *Cluster) nodeReadySince(ctx context.Context, moment time.Time) error {
	api, err := kubernetes.NewForConfig(c.Admin)
	if err != nil {
		return err
	}
	missing := errors.New("it has not reported")
	err = wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		for _, p := range append([]*process.Process{c.apiServer}, c.running...) {
			if err := ended(p); err != nil {
				return false, err
			}
		}
		var node *corev1.Node
		if node, missing = getNode(ctx, api); missing != nil {
			return false, nil //nolint:nilerr // it is told in the end
		}
		for _, condition := range node.Status.Conditions {
			if condition.Type == corev1.NodeReady {
				missing = fmt.Errorf("condition Ready is %s since %s: %s", condition.Status, condition.LastHeartbeatTime, condition.Message)
				return condition.Status == corev1.ConditionTrue && condition.LastHeartbeatTime.After(moment), nil
			}
		}
		return false, nil
	})
	if err != nil {
		return fmt.Errorf("wait for the node: %w: %w", err, missing)
	}
	return nil
}

func getNode(ctx context.Context, api kubernetes.Interface) (*corev1.Node, error) {
	node, err := api.CoreV1().Nodes().Get(ctx, nodeName, getOptions)
	if apierrors.IsNotFound(err) {
		return nil, errors.New("kubelet has not registered the node")
	}
	return node, err
}

// RestartNode has the node lose power, and boots it again: everything that ran on it is killed at once, and only its disk is left. It
// returns when the node is ready again. Pods are not waited for.
func (c *Cluster) RestartNode(ctx context.Context) error {
	off := time.Now().Truncate(time.Second) // as precise as times in the API are
	if err := c.node.Process.Kill(); err != nil {
		return fmt.Errorf("kill the node: %w", err)
	}
	_ = c.node.Wait() // it was killed
	// The cable goes with the node's end of it.
	if err := c.unplugged(ctx); err != nil {
		return err
	}
	if err := (cgroups{name: filepath.Base(c.folder)}).removePods(); err != nil {
		return err
	}
	if err := c.startNode(ctx); err != nil {
		return err
	}
	return c.nodeReadySince(ctx, off)
}

// RestartKubelet has kubelet end, and waits until it is back. Pods go on meanwhile.
func (c *Cluster) RestartKubelet(ctx context.Context) error {
	before := time.Now().Truncate(time.Second)
	pid, err := c.processOf("kubelet")
	if err != nil {
		return err
	}
	if err := kill(pid, terminate); err != nil {
		return err
	}
	return c.nodeReadySince(ctx, before)
}

// Kubeconfig is the path of a kubeconfig that may do everything.
func (c *Cluster) Kubeconfig() string { return c.pki.path(adminName, "kubeconfig") }

// Kubectl runs kubectl as the administrator, and returns what it printed. What it complained about is in the error.
func (c *Cluster) Kubectl(ctx context.Context, stdin io.Reader, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, c.programs.kubectl, args...)
	cmd.Env = []string{"KUBECONFIG=" + c.Kubeconfig(), "HOME=" + c.folder, "PATH=" + os.Getenv("PATH")}
	cmd.Stdin = stdin
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, stderr.String())
	}
	return stdout.String(), nil
}

// Audited are the lines that the API server has logged of Options.AuditUsers since they were read last.
func (c *Cluster) Audited() (string, error) {
	log, err := os.ReadFile(c.auditLogPath())
	if err != nil {
		return "", err
	}
	// A line may be half written.
	end := bytes.LastIndexByte(log, '\n') + 1
	lines := log[min(c.audited, end):end]
	c.audited = end
	return string(lines), nil
}

// Logs are the last words of every program of the cluster, for somebody who wonders what went wrong.
func (c *Cluster) Logs() string {
	const lastBytes = 3 << 10
	paths, _ := filepath.Glob(logPath(c.folder, "*"))
	var all strings.Builder
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		fmt.Fprintf(&all, "last words of %s:\n%s\n", strings.TrimSuffix(filepath.Base(path), ".log"), content[max(0, len(content)-lastBytes):])
	}
	return all.String()
}
