// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
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
	s.plane = plane
	s.atEnd(plane.Stop)
	if s.stack, err = stack.New(plane, programs); err != nil {
		return "", err
	}
	s.atEnd(s.stack.Stop)
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return "", err
	}
	if s.api, err = client.NewWithWatch(plane.Admin, client.Options{Scheme: scheme}); err != nil {
		return "", err
	}
	dir := filepath.Join(s.stack.Dir, "terminal")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	s.terminal = &terminal{plane: plane, dir: dir, screen: s.screen}
	return "control plane at " + strings.TrimSuffix(plane.Admin.Host, "/") + ", with RBAC, and the CRD and roles as shipped", nil
}

func (s *story) startEmulator(ctx context.Context) (_ string, err error) {
	if s.emulator, err = s.stack.StartEmulator(ctx, fmt.Sprintf("--time-scale=%d", timeScale)); err != nil {
		return "", err
	}
	return "emulator at " + s.emulator.URL, nil
}

// startReceiver also mounts the signing Secret for it, which does not exist yet.
func (s *story) startReceiver(ctx context.Context) (string, error) {
	var err error
	if s.volume, err = s.stack.NewVolume("mounted-secret"); err != nil {
		return "", err
	}
	s.volume.Delay = mountDelay
	s.atEnd(s.volume.Follow(context.WithoutCancel(ctx), s.api, signingSecret))
	if s.receiver, err = s.stack.StartReceiver(ctx, s.volume.Dir); err != nil {
		return "", err
	}
	return "sample server at " + s.receiver.WebhookURL, nil
}

func (s *story) startManager(ctx context.Context) (_ string, err error) {
	s.manager, err = s.stack.StartManager(ctx, "manager", s.emulator.URL, "--disabled-poll-interval="+disabledPollInterval.String(),
		"--probe-allow-cidr="+thisMachine)
	if err != nil {
		return "", err
	}
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.following = follow(watching, s.api, resourceKey)
	s.atEnd(func() error { stop(); <-s.following.ended; return nil })
	return fmt.Sprintf("bin/manager under its ServiceAccount; looks for disabled endpoints every %s (default: 30s)", disabledPollInterval), nil
}
