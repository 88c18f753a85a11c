// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// controllers are the ones that a test can notice. Those for nodes and workloads would have nothing to do here.
var controllers = []string{
	"namespace-controller",
	"serviceaccount-controller",
	"garbage-collector-controller",
	"clusterrole-aggregation-controller",
}

// Command is exec.CommandContext for a program that must end with the control plane: if the calling process dies, the program
// is killed. It is for the operator and whatever else a test runs beside the control plane. The caller still starts the command,
// ends it and waits for it.
func (c *ControlPlane) Command(ctx context.Context, path string, args ...string) *exec.Cmd {
	return c.guard.command(ctx, path, args...)
}

// process is a program that we started ourselves.
type process struct {
	name string
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

func startProcess(name string, cmd *exec.Cmd) (*process, error) {
	cmd.SysProcAttr = ownGroup()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &process{name: name, cmd: cmd, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		_ = cmd.Wait() // How it ended is in cmd.ProcessState.
	}()
	return p, nil
}

// stop asks the process to end, and kills it if it does not. A process that had ended by itself, or had to be killed, is an error.
func (p *process) stop() error {
	select {
	case <-p.done:
		return fmt.Errorf("%s had already ended by itself (%s)", p.name, p.cmd.ProcessState)
	default:
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop %s: %w", p.name, err)
	}
	select {
	case <-p.done:
		return nil
	case <-time.After(stopTimeout):
		err := p.cmd.Process.Kill()
		<-p.done
		return errors.Join(fmt.Errorf("%s did not end within %s of SIGTERM and was killed", p.name, stopTimeout), err)
	}
}

// startManager starts kube-controller-manager, if it is wanted, and waits until its controllers work.
func (c *ControlPlane) startManager(ctx context.Context) error {
	if !c.options.ControllerManager {
		return nil
	}
	// Not bound to ctx, which only says how long Start may take.
	cmd := c.guard.command(context.WithoutCancel(ctx), c.programs.controllerManager,
		"--kubeconfig="+c.AdminKubeconfig(),
		"--controllers="+strings.Join(controllers, ","),
		"--service-account-private-key-file="+filepath.Join(c.env.ControlPlane.APIServer.CertDir, "sa-signer.key"),
		"--leader-elect=false",
		"--secure-port=0", // No port, so that any number of them can run at once.
		"--kube-api-qps=500",
		"--kube-api-burst=1000",
	)
	out, err := c.output("kube-controller-manager")
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = out, out
	if c.manager, err = startProcess("kube-controller-manager", cmd); err != nil {
		return err
	}
	return c.awaitManager(ctx)
}

// awaitManager waits for the first thing that the controllers do: the default namespace gets its default service account.
func (c *ControlPlane) awaitManager(ctx context.Context) error {
	api, err := client.New(c.Admin, client.Options{})
	if err != nil {
		return fmt.Errorf("connect to the API server: %w", err)
	}
	key := client.ObjectKey{Namespace: metav1.NamespaceDefault, Name: "default"}
	err = wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, startTimeout, true, func(ctx context.Context) (bool, error) {
		select {
		case <-c.manager.done:
			return false, fmt.Errorf("it ended (%s)", c.manager.cmd.ProcessState)
		default:
		}
		err := api.Get(ctx, key, &corev1.ServiceAccount{})
		return err == nil, client.IgnoreNotFound(err)
	})
	if err != nil {
		return fmt.Errorf("wait for kube-controller-manager: %w", err)
	}
	return nil
}
