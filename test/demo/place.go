// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/stack"
)

// Place is where the story happens: beside a control plane, with programs of this machine, or in a cluster, with Pods.
type Place struct {
	// Config and Kubeconfig may do everything in the namespace default. Kubectl is the program, and Command starts it.
	Config              *rest.Config
	Kubeconfig, Kubectl string
	Command             func(ctx context.Context, program string, args ...string) *exec.Cmd
	// Dir is a new folder for what a user writes.
	Dir string

	// APIKey of the workspace; empty: one is made up for this run.
	APIKey   string
	Emulator *stack.Emulator
	Receiver *stack.Receiver
	// MountedSecret is the folder with the receiver's copy of the signing Secret.
	MountedSecret string
	// RealMount: a kubelet mounts it.
	RealMount bool
	// Probe is what the manifest says below reenablePolicy.probe, and how the operator is to reach the receiver; empty: by its URL.
	Probe string

	// Check tells what has ended that should run. OperatorLog returns the last lines of the operator's log.
	Check       func() error
	OperatorLog func(lines int) string
}

// enter has the story happen at a place where everything is started.
func (s *story) enter(ctx context.Context, place Place) error {
	s.Place = place
	if err := s.openTerminal(); err != nil {
		return err
	}
	s.screen.seen("Kubernetes is at %s, Medblocks (an emulator of it) at %s, the receiver at %s", strings.TrimSuffix(s.Config.Host, "/"), s.Emulator.URL,
		s.Receiver.WebhookURL)
	s.follow(ctx)
	return nil
}

// openTerminal connects the story with the API server, and gives the user a folder.
func (s *story) openTerminal() (err error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return err
	}
	if s.api, err = client.NewWithWatch(s.Config, client.Options{Scheme: scheme}); err != nil {
		return err
	}
	if err := os.Mkdir(s.Dir, 0o700); err != nil {
		return err
	}
	s.terminal = &terminal{command: s.Command, program: s.Kubectl, kubeconfig: s.Kubeconfig, dir: s.Dir, screen: s.screen}
	return nil
}

// follow follows the resource from now on, until the story ends.
func (s *story) follow(ctx context.Context) {
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.following = follow(watching, s.api, ResourceKey)
	s.atEnd(func() error { stop(); <-s.following.ended; return nil })
}

// probed are the lines of the manifest about how the receiver is probed.
func (p *Place) probed() string {
	if p.Probe == "" {
		return ""
	}
	return fmt.Sprintf("    probe:             # the receiver is in this cluster\n      %s\n", strings.ReplaceAll(p.Probe, "\n", "\n      "))
}
