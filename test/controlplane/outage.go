// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
)

// KillAPIServer ends kube-apiserver with SIGKILL, and returns when it has ended. Its data is etcd's, and stays.
func (c *ControlPlane) KillAPIServer() error {
	note, err := os.ReadFile(filepath.Join(c.guard.latest(), filepath.Base(c.programs.apiServer)))
	if err != nil {
		return fmt.Errorf("kill kube-apiserver: %w", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(note)))
	if err != nil {
		return fmt.Errorf("kill kube-apiserver: %w", err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill kube-apiserver: %w", err)
	}
	err = wait.PollUntilContextTimeout(context.Background(), time.Millisecond, stopTimeout, true, func(context.Context) (bool, error) {
		return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH), nil
	})
	if err != nil {
		return fmt.Errorf("wait for the end of kube-apiserver: %w", err)
	}
	return nil
}

// StartAPIServer starts kube-apiserver after KillAPIServer: on the same data, at the same address, with the same certificates and
// keys, so that everybody's credentials stay valid. It returns when all of the API is served.
func (c *ControlPlane) StartAPIServer(ctx context.Context) error {
	if err := c.env.ControlPlane.GetAPIServer().Start(); err != nil {
		return fmt.Errorf("start kube-apiserver again: %w", err)
	}
	api, err := rest.HTTPClientFor(c.Admin)
	if err != nil {
		return fmt.Errorf("connect to the API server: %w", err)
	}
	var last error
	err = wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, startTimeout, true, func(ctx context.Context) (bool, error) {
		_, last = ask(ctx, api, http.MethodGet, strings.TrimSuffix(c.Admin.Host, "/")+"/readyz", nil)
		return last == nil, nil
	})
	if err != nil {
		return fmt.Errorf("wait until kube-apiserver is ready again: %w: %w", err, last)
	}
	return nil
}

// Compact drops the history in etcd: of no object there is more than its present state. An API server that is started afterwards
// knows no history either, and tells every watch that would go on from an earlier revision that this has expired.
func (c *ControlPlane) Compact(ctx context.Context) error {
	var now struct {
		Header struct{ Revision string }
	}
	if err := c.askEtcd(ctx, "kv/range", map[string]string{"key": "AA=="}, &now); err != nil {
		return err
	}
	return c.askEtcd(ctx, "kv/compaction", map[string]any{"revision": now.Header.Revision, "physical": true}, &struct{}{})
}

// askEtcd makes a call through etcd's JSON gateway.
func (c *ControlPlane) askEtcd(ctx context.Context, call string, request, answer any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return fmt.Errorf("etcd %s: %w", call, err)
	}
	content, err := ask(ctx, http.DefaultClient, http.MethodPost, c.env.ControlPlane.Etcd.URL.JoinPath("v3", call).String(), body)
	if err == nil {
		err = json.Unmarshal(content, answer)
	}
	if err != nil {
		return fmt.Errorf("etcd %s: %w", call, err)
	}
	return nil
}

// ask returns the body of an answer; any but a 200 is an error.
func ask(ctx context.Context, api *http.Client, method, url string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	resp, err := api.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, content)
	}
	return content, err
}
