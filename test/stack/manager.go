// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/medblocks/webhook-operator/test/controlplane"
	"github.com/medblocks/webhook-operator/test/process"
)

// portTries is how often a free port is looked for: between finding one and listening on it, somebody else may take it.
const portTries = 5

// Manager is an operator that runs.
type Manager struct {
	*process.Process
	// ProbeURL serves /healthz and /readyz, MetricsURL serves /metrics over TLS.
	ProbeURL, MetricsURL string
}

// StartManager starts the operator with its service account's token and the flags of the shipped Deployment, and waits until it
// is ready. More flags may be given; of two that contradict, the later one counts. The name is that of its log.
func (s *Stack) StartManager(ctx context.Context, name, apiBaseURL string, flags ...string) (*Manager, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for try := 1; ; try++ {
		m, err := s.tryManager(ctx, name, apiBaseURL, flags)
		if err == nil || try == portTries || m == nil || m.Running() || !strings.Contains(m.Tail(20), "address already in use") {
			return m, err
		}
		s.disown(m.Process)
	}
}

func (s *Stack) tryManager(ctx context.Context, name, apiBaseURL string, flags []string) (*Manager, error) {
	m, err := s.LaunchManager(ctx, name, apiBaseURL, flags...)
	if err != nil {
		return nil, err
	}
	return m, m.awaitReady(ctx)
}

// LaunchManager is StartManager for an operator that may never be ready: it is not waited for.
func (s *Stack) LaunchManager(ctx context.Context, name, apiBaseURL string, flags ...string) (*Manager, error) {
	probes, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	metrics, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	p, err := s.start(name, s.Programs.Manager, append([]string{
		"--kubeconfig=" + s.Plane.OperatorKubeconfig(),
		"--api-base-url=" + apiBaseURL,
		"--leader-elect", "--leader-election-namespace=" + controlplane.OperatorNamespace,
		"--health-probe-bind-address=" + probes,
		"--metrics-bind-address=" + metrics, "--metrics-secure",
	}, flags...)...)
	if err != nil {
		return nil, err
	}
	return &Manager{Process: p, ProbeURL: "http://" + probes, MetricsURL: "https://" + metrics}, nil
}

func (m *Manager) awaitReady(ctx context.Context) error {
	err := wait.PollUntilContextCancel(ctx, 50*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		if !m.Running() {
			return false, m.EndedError()
		}
		status, err := Status(ctx, m.ProbeURL+"/readyz")
		return err == nil && status == http.StatusOK, nil
	})
	if err != nil {
		return fmt.Errorf("wait until %s is ready: %w", m.Name(), err)
	}
	return nil
}

// freeAddress is a loopback address that nobody listens on at this moment.
func freeAddress(ctx context.Context) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}
