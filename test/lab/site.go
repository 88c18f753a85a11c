// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/medblocks/webhook-operator/test/controlplane"
)

// Site is a control plane with the worlds on it. All worlds of a package share one, unless a test needs one for itself: because it
// takes the API server away from everybody.
type Site struct {
	plane    *controlplane.ControlPlane
	mapper   meta.RESTMapper
	admin    *access // may do everything
	operator *access // may do what config/rbac allows

	// outage is held while there is no API server: tests wait until there is one again. Operators do not.
	outage sync.RWMutex
}

// NewSite starts a control plane that ends with the test. Setup.Site puts worlds on it.
func NewSite(t testing.TB) *Site {
	t.Helper()
	s, err := newSite(t.Context(), controlplane.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.plane.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func newSite(ctx context.Context, options controlplane.Options) (_ *Site, err error) {
	s := &Site{}
	if s.plane, err = controlplane.Start(ctx, options); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.plane.Stop())
		}
	}()
	if s.admin, err = newAccess(s.plane.Admin); err != nil {
		return nil, err
	}
	if s.operator, err = newAccess(s.plane.OperatorConfig()); err != nil {
		return nil, err
	}
	adminClient := &http.Client{Transport: s.admin.transport}
	if s.mapper, err = apiutil.NewDynamicRESTMapper(s.admin.config(asIs), adminClient); err != nil {
		return nil, fmt.Errorf("lab: a mapper: %w", err)
	}
	return s, nil
}

// KillAPIServer kills the API server as soon as it has answered what tests have asked. From then on operators find nobody at its
// address; tests wait. StartAPIServer has to follow.
func (s *Site) KillAPIServer() error {
	s.outage.Lock()
	return s.plane.KillAPIServer()
}

// StartAPIServer starts the API server on the data, at the address, and with the credentials that it had.
func (s *Site) StartAPIServer(ctx context.Context) error {
	defer s.outage.Unlock()
	return s.plane.StartAPIServer(ctx)
}

// Compact has etcd forget all history, up to now.
func (s *Site) Compact(ctx context.Context) error { return s.plane.Compact(ctx) }

// attended sends a request of a test while there is an API server, and has the whole answer before that can end.
func (s *Site) attended(next http.RoundTripper, req *http.Request) (*http.Response, error) {
	s.outage.RLock()
	defer s.outage.RUnlock()
	resp, err := next.RoundTrip(req)
	if err != nil || req.URL.Query().Get("watch") != "" {
		return resp, err
	}
	content, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return nil, fmt.Errorf("lab: reading an answer: %w", err)
	}
	resp.Body = io.NopCloser(bytes.NewReader(content))
	return resp, nil
}
