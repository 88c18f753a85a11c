// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"context"
	"net/http"

	"github.com/medblocks/webhook-operator/test/process"
	"github.com/medblocks/webhook-operator/test/receiver"
)

// Receiver is a sample receiver that runs, and its admin surface.
type Receiver struct {
	*process.Process
	// URL is its base, WebhookURL where deliveries go.
	URL, WebhookURL string
	// SecretsDir holds its secrets.
	SecretsDir string
	Caller
}

// StartReceiver starts a receiver that reads its secrets from a folder, and waits until it serves.
func (s *Stack) StartReceiver(ctx context.Context, secretsDir string) (*Receiver, error) {
	p, address, err := s.serve(ctx, "receiver", s.Programs.Receiver, "--listen=127.0.0.1:0", "--secrets-dir="+secretsDir)
	if err != nil {
		return nil, err
	}
	return &Receiver{Process: p, URL: address, WebhookURL: address + receiver.WebhookPath, SecretsDir: secretsDir}, nil
}

// Report is what arrived so far.
func (r *Receiver) Report(ctx context.Context) (receiver.Report, error) {
	var report receiver.Report
	err := r.call(ctx, http.MethodGet, r.URL+"/_receiver/events", nil, &report)
	return report, err
}

// Fail has the receiver answer every delivery with status 503.
func (r *Receiver) Fail(ctx context.Context) error {
	return r.call(ctx, http.MethodPost, r.URL+"/_receiver/fail", nil, nil)
}

// LoseAnswers has the receiver handle every delivery, and answer with status 504 all the same.
func (r *Receiver) LoseAnswers(ctx context.Context) error {
	return r.call(ctx, http.MethodPost, r.URL+"/_receiver/lose", nil, nil)
}

// Recover ends either.
func (r *Receiver) Recover(ctx context.Context) error {
	return r.call(ctx, http.MethodPost, r.URL+"/_receiver/recover", nil, nil)
}
