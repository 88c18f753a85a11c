// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/medblocks/webhook-operator/test/controlplane"
	"github.com/medblocks/webhook-operator/test/stack"
)

// begin starts the programs, in the order in which they need each other.
func (s *story) begin(ctx context.Context) error {
	for _, start := range []struct {
		what string
		run  func(context.Context) (string, error)
	}{
		{"Kubernetes", s.startControlPlane},
		{"Medblocks", s.startEmulator},
		{"receiver", s.startReceiver},
		{"operator", s.startManager},
	} {
		since := time.Now()
		said, err := start.run(ctx)
		if err != nil {
			return err
		}
		s.screen.at(time.Now(), fmt.Sprintf("%s %s%s%s", s.screen.paint(green, "✓"), pad(start.what, 12), said,
			s.screen.paint(dim, fmt.Sprintf(" (%.1f s)", time.Since(since).Seconds()))))
	}
	return nil
}

func (s *story) startControlPlane(ctx context.Context) (string, error) {
	s.screen.line(s.screen.paint(dim, "starting etcd, kube-apiserver and kube-controller-manager…"))
	programs, err := stack.FindPrograms(s.BinDir)
	if err != nil {
		return "", err
	}
	plane, err := controlplane.Start(ctx, controlplane.Options{ControllerManager: true, RepositoryRoot: filepath.Dir(s.BinDir)})
	if err != nil {
		return "", err
	}
	s.atEnd(plane.Stop)
	if s.stack, err = stack.New(plane, programs); err != nil {
		return "", err
	}
	s.atEnd(s.stack.Stop)
	s.Place = Place{
		Config: plane.Admin, Kubeconfig: plane.AdminKubeconfig(), Kubectl: plane.KubectlPath(), Command: plane.Command,
		Dir: filepath.Join(s.stack.Dir, "terminal"), Check: s.stack.Check,
	}
	if err := s.openTerminal(); err != nil {
		return "", err
	}
	return "control plane at " + strings.TrimSuffix(plane.Admin.Host, "/") + ", with RBAC, and the CRD and roles as shipped", nil
}

func (s *story) startEmulator(ctx context.Context) (_ string, err error) {
	if s.Emulator, err = s.stack.StartEmulator(ctx, fmt.Sprintf("--time-scale=%d", TimeScale)); err != nil {
		return "", err
	}
	return "emulator at " + s.Emulator.URL, nil
}

// startReceiver also mounts the signing Secret for it, which does not exist yet.
func (s *story) startReceiver(ctx context.Context) (string, error) {
	volume, err := s.stack.NewVolume("mounted-secret")
	if err != nil {
		return "", err
	}
	volume.Delay = mountDelay
	s.MountedSecret = volume.Dir
	s.atEnd(volume.Follow(context.WithoutCancel(ctx), s.api, SigningSecret))
	if s.Receiver, err = s.stack.StartReceiver(ctx, volume.Dir); err != nil {
		return "", err
	}
	return "sample server at " + s.Receiver.WebhookURL, nil
}

func (s *story) startManager(ctx context.Context) (string, error) {
	manager, err := s.stack.StartManager(ctx, "manager", s.Emulator.URL, "--disabled-poll-interval="+DisabledPollInterval.String(),
		"--probe-allow-cidr="+thisMachine)
	if err != nil {
		return "", err
	}
	s.OperatorLog = manager.Tail
	s.follow(ctx)
	return fmt.Sprintf("bin/manager under its ServiceAccount; looks for disabled endpoints every %s (default: 30s)", DisabledPollInterval), nil
}
