// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package controlplane starts a real Kubernetes control plane on this machine for tests and for the demo: etcd and
// kube-apiserver with RBAC, on request kube-controller-manager, with the CRDs and the permissions that the repository
// ships. Several may run at once; each has its own ports, data and credentials on 127.0.0.1.
//
// It needs a Unix and the programs that `make controlplane` builds.
package controlplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

const (
	// startTimeout is how long one program may take to become healthy. It is generous because a machine that also
	// compiles is slow; a healthy start takes under five seconds.
	startTimeout = 90 * time.Second
	// stopTimeout is how long one program may take to end after SIGTERM, before it is killed.
	stopTimeout = 30 * time.Second
)

// Options says what to start. The zero value starts etcd and kube-apiserver with everything the repository ships.
type Options struct {
	// ControllerManager also starts kube-controller-manager: namespaces can then be deleted, service accounts are
	// created, garbage is collected, and aggregated ClusterRoles (view, edit, admin) are filled.
	ControllerManager bool

	// AttachOutput gets what all programs write to their standard output and error. When it is nil, that goes to log
	// files, of which an error of Start quotes the end.
	AttachOutput io.Writer

	// AuditUsers are users of whose requests the API server keeps a log: one line of JSON for each answer, see AuditLog.
	// None by default.
	AuditUsers []string

	// Fsync makes etcd wait for its disk. Off by default, because nothing of a test needs to survive a power failure
	// and waiting multiplies the time of every write.
	Fsync bool

	// RepositoryRoot is the folder with config/ and bin/. Default: the nearest parent of the working directory that
	// holds this module's go.mod.
	RepositoryRoot string

	// CRDDirectory is the folder whose CustomResourceDefinitions are installed. It may be missing or empty.
	// Default: config/crd/bases.
	CRDDirectory string

	// Bare leaves out the CRDs, the namespace and the permissions, for those who try out how they are installed. There is no
	// OperatorConfig then, nor its kubeconfig.
	Bare bool
}

// ControlPlane is a running control plane.
type ControlPlane struct {
	// Admin is a configuration with all permissions and without client-side rate limits. Copy it before changing it.
	Admin *rest.Config

	options   Options
	programs  programs
	dir       string
	env       *envtest.Environment
	guard     *guard
	manager   *process
	operator  *rest.Config
	closeLogs []io.Closer
	stopOnce  sync.Once
	stopErr   error
}

// Start starts a control plane, installs the CRDs, and creates the operator's namespace and everything in config/rbac.
// It returns when all of that is served. When it fails or ctx ends, nothing is left running.
//
// Stop must be called. If the calling process dies before it can, a small watchdog process kills what was started.
func Start(ctx context.Context, options Options) (_ *ControlPlane, err error) {
	c := &ControlPlane{options: options}
	if err := c.locate(); err != nil {
		return nil, err
	}
	if c.dir, err = os.MkdirTemp("", "controlplane-"); err != nil {
		return nil, fmt.Errorf("create a folder for the control plane: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(c.explain(err), c.Stop())
		}
	}()
	steps := []func(context.Context) error{c.startGuard, c.startEnvironment, c.installManifests, c.startManager, c.issueCredentials}
	if options.Bare {
		steps = []func(context.Context) error{c.startGuard, c.startEnvironment, c.startManager}
	}
	for _, step := range steps {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Stop ends all programs, waits until they have ended, and removes their data and credentials. It may be called more
// than once.
func (c *ControlPlane) Stop() error {
	c.stopOnce.Do(func() { c.stopErr = c.stop() })
	return c.stopErr
}

func (c *ControlPlane) stop() error {
	var errs []error
	if c.manager != nil {
		errs = append(errs, c.manager.stop())
	}
	if c.env != nil {
		errs = append(errs, c.stopPrograms())
	}
	for _, log := range c.closeLogs {
		errs = append(errs, log.Close())
	}
	// Only now, so that the watchdog kills what could not be stopped.
	if c.guard != nil {
		errs = append(errs, c.guard.dismiss(errors.Join(errs...) == nil))
	}
	errs = append(errs, os.RemoveAll(c.dir))
	return errors.Join(errs...)
}

// stopPrograms ends the API server and etcd. One that was killed a moment ago may be gone before envtest has noticed, which then
// has nobody to signal: it is asked again.
func (c *ControlPlane) stopPrograms() error {
	var last error
	_ = wait.PollUntilContextTimeout(context.Background(), 10*time.Millisecond, stopTimeout, true, func(context.Context) (bool, error) {
		last = c.env.Stop()
		return !errors.Is(last, syscall.ESRCH), nil
	}) // if it times out, last is what people should read
	return last
}

// AdminKubeconfig returns the path of a kubeconfig file with all permissions. The file is removed by Stop.
func (c *ControlPlane) AdminKubeconfig() string { return filepath.Join(c.dir, "admin.kubeconfig") }

// OperatorConfig returns a configuration that holds a token of the operator's ServiceAccount, so that it may do what
// config/rbac allows and no more. It has client-go's default rate limits, as in a cluster.
func (c *ControlPlane) OperatorConfig() *rest.Config { return rest.CopyConfig(c.operator) }

// OperatorKubeconfig returns the path of a kubeconfig file with the token of OperatorConfig. The file is removed by Stop.
func (c *ControlPlane) OperatorKubeconfig() string {
	return filepath.Join(c.dir, "operator.kubeconfig")
}

// KubectlPath returns the path of a kubectl of the control plane's version.
func (c *ControlPlane) KubectlPath() string { return c.programs.kubectl }

// startEnvironment starts etcd and kube-apiserver and installs the CRDs.
func (c *ControlPlane) startEnvironment(context.Context) error {
	c.env = &envtest.Environment{
		ControlPlaneStartTimeout: startTimeout,
		ControlPlaneStopTimeout:  stopTimeout,
	}
	if !c.options.Bare {
		c.env.CRDDirectoryPaths = []string{c.options.CRDDirectory}
	}
	if err := c.configureEtcd(); err != nil {
		return err
	}
	token, err := c.configureAPIServer()
	if err != nil {
		return err
	}
	if c.Admin, err = c.env.Start(); err != nil {
		return fmt.Errorf("start etcd and kube-apiserver: %w", err)
	}
	// envtest makes certificates for webhooks, outside of our folder, where the watchdog would not find them. There are no webhooks.
	if err := os.RemoveAll(c.env.WebhookInstallOptions.LocalServingCertDir); err != nil {
		return fmt.Errorf("remove the certificates for webhooks: %w", err)
	}
	c.Admin.QPS, c.Admin.Burst = -1, 0
	c.Admin.BearerToken, c.Admin.CertData, c.Admin.KeyData = token, nil, nil
	return WriteKubeconfig(c.AdminKubeconfig(), c.Admin)
}

func (c *ControlPlane) configureEtcd() error {
	path, err := c.guard.wrap(c.programs.etcd)
	if err != nil {
		return err
	}
	etcd := &envtest.Etcd{Path: path, DataDir: filepath.Join(c.dir, "etcd")}
	if c.options.Fsync {
		etcd.Configure().Set("unsafe-no-fsync", "false")
	}
	if etcd.Out, err = c.output("etcd"); err != nil {
		return err
	}
	etcd.Err = etcd.Out
	c.env.ControlPlane.Etcd = etcd
	return nil
}

// configureAPIServer returns the token of the admin.
func (c *ControlPlane) configureAPIServer() (token string, err error) {
	plane := &c.env.ControlPlane
	plane.KubectlPath = c.programs.kubectl
	server := plane.GetAPIServer()
	if server.Path, err = c.guard.wrap(c.programs.apiServer); err != nil {
		return "", err
	}
	server.CertDir = filepath.Join(c.dir, "certs")
	if err := os.Mkdir(server.CertDir, 0o700); err != nil {
		return "", fmt.Errorf("create a folder for certificates: %w", err)
	}
	server.Configure().Set("authorization-mode", "RBAC")
	if err := c.configureAudit(server); err != nil {
		return "", err
	}
	if server.Out, err = c.output("kube-apiserver"); err != nil {
		return "", err
	}
	server.Err = server.Out
	return c.admitAdmin(server)
}
