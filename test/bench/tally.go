// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
)

// tally counts requests by what they were: "vendor GetEndpoint 200", "kube patch medblockswebhookendpoints/status".
type tally map[string]int

// minus is what was added since.
func (t tally) minus(before tally) tally {
	left := tally{}
	for what, count := range t {
		if count -= before[what]; count != 0 {
			left[what] = count
		}
	}
	return left
}

// sum counts what begins with one of the prefixes.
func (t tally) sum(prefixes ...string) int {
	total := 0
	for what, count := range t {
		if slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(what, prefix) }) {
			total += count
		}
	}
	return total
}

// count is how many kinds of request begin with one of the prefixes.
func (t tally) count(prefixes ...string) int {
	kinds := 0
	for what := range t {
		if slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(what, prefix) }) {
			kinds++
		}
	}
	return kinds
}

// The names under which requests are counted, or the beginnings of them.
const (
	vendorCreate  = "vendor CreateEndpoint"
	vendorGet     = "vendor GetEndpoint"
	vendorUpdate  = "vendor UpdateEndpoint"
	vendorDelete  = "vendor DeleteEndpoint"
	vendorEvents  = "vendor ListEvents"
	vendorList    = "vendor ListEndpoints"
	kubeResource  = "kube patch medblockswebhookendpoints"
	kubeStatus    = "kube patch medblockswebhookendpoints/status"
	kubeSecret    = "kube create secrets"
	kubeSecretDry = "kube dry run: create secrets"
	kubeSecretGet = "kube get secrets"
	kubeEvents    = "kube create events"
	// keyReads are the reads of the API key Secret, which come with each full sweep.
	keyReads = "kube read of the API key"
	// leases are what a leader pays to remain one.
	leases = "lease "
	// refused begins writes on an outdated view, which changed nothing.
	refused = "kube refused with a conflict: "
	// newcomer begins what was done for a resource that was made during a restart.
	newcomer = "newcomer "
)

// kubeWrites are all requests that change something, but for the leader's lease.
func (t tally) kubeWrites() int {
	total := 0
	for what, count := range t {
		if isWrite(what) {
			total += count
		}
	}
	return total
}

func isWrite(what string) bool {
	return slices.ContainsFunc([]string{"kube create", "kube update", "kube patch", "kube delete"}, func(verb string) bool {
		return strings.HasPrefix(what, verb)
	})
}

// vendorCalls are all calls but the lists.
func (t tally) vendorCalls() int { return t.sum("vendor ") - t.sum(vendorList) }

// auditLog counts the lines of the API server's log of requests.
type auditLog struct {
	path   string
	offset int64
	counts tally
}

// auditEvent is what is read of a line.
type auditEvent struct {
	Verb       string `json:"verb"`
	RequestURI string `json:"requestURI"`
	ObjectRef  struct {
		Resource    string `json:"resource"`
		Subresource string `json:"subresource"`
		Name        string `json:"name"`
	} `json:"objectRef"`
	ResponseStatus struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
}

// read takes in what was written since the last time.
func (a *auditLog) read() error {
	file, err := os.Open(a.path)
	if err != nil {
		return fmt.Errorf("read the log of requests: %w", err)
	}
	defer file.Close()
	if _, err := file.Seek(a.offset, io.SeekStart); err != nil {
		return fmt.Errorf("read the log of requests: %w", err)
	}
	for lines := bufio.NewReader(file); ; {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil // the rest of a line comes next time
		}
		if err != nil {
			return fmt.Errorf("read the log of requests: %w", err)
		}
		var event auditEvent
		if err := json.Unmarshal(line, &event); err != nil {
			return fmt.Errorf("read the log of requests: %w", err)
		}
		a.offset += int64(len(line))
		a.counts[event.kind()]++
	}
}

func (e *auditEvent) kind() string {
	what := e.Verb + " " + e.ObjectRef.Resource
	if e.ObjectRef.Subresource != "" {
		what += "/" + e.ObjectRef.Subresource
	}
	switch {
	case e.ObjectRef.Resource == "leases":
		return leases + what
	case e.ObjectRef.Resource == "events" && strings.HasPrefix(e.ObjectRef.Name, "medblocks-webhook-operator."):
		return leases + what // who leads
	case strings.HasPrefix(e.ObjectRef.Name, newcomerName):
		return newcomer + what
	case e.Verb == "get" && e.ObjectRef.Resource == "secrets" && e.ObjectRef.Name == keySecretName:
		return keyReads
	case e.ResponseStatus.Code == http.StatusConflict:
		return refused + what
	case strings.Contains(e.RequestURI, "dryRun=All"):
		return "kube dry run: " + what
	}
	return "kube " + what
}
