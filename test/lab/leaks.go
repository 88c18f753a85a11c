// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	. "github.com/onsi/gomega"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/medblocks/webhook-operator/test/secrecy"
)

// Leaks checks invariant 6: no API key and no signing secret that there ever was in this world is in a log line at the
// highest verbosity, a panic, an event, a resource, the metadata of a Secret, or a request where it does not belong. Every
// world is checked when its test ends.
func (w *World) Leaks() []error {
	credentials := append(w.Vendor.Credentials(), w.Key)
	shared.secrets.Keep(credentials...)
	w.secrets.Keep(credentials...)
	return w.leaksOf(&w.secrets)
}

func (w *World) leaksOf(secrets *secrecy.Keeper) []error {
	var leaks []error
	look := func(where, text string) {
		if err := secrets.Leak(where, text); err != nil {
			leaks = append(leaks, err)
		}
	}
	look("the log", w.Logs.String())
	for _, event := range w.publicEvents() {
		look("an event", event)
	}
	for _, res := range w.Resources() {
		look("resource "+res.Name, asJSON(&res))
	}
	for _, secret := range w.storedSecrets() {
		look("the metadata of Secret "+secret.Name, asJSON(&secret.ObjectMeta))
	}
	for _, op := range w.operators {
		for _, r := range op.Wire.Requests() {
			look(r.String(), r.Path+"?"+r.Query.Encode()+" "+r.withoutData())
		}
	}
	return leaks
}

// publicEvents are the events of the namespace and about it.
func (w *World) publicEvents() []string {
	list := &eventsv1.EventList{}
	w.Expect(w.Client.List(w.Context(), list, client.InNamespace(w.Namespace))).To(Succeed())
	about := &eventsv1.EventList{}
	w.Expect(w.Client.List(w.Context(), about, client.InNamespace(metav1.NamespaceDefault))).To(Succeed())
	var all []string
	for _, event := range list.Items {
		all = append(all, asJSON(&event))
	}
	for _, event := range about.Items {
		if event.Regarding.Name == w.Namespace {
			all = append(all, asJSON(&event))
		}
	}
	return all
}

func asJSON(object any) string {
	raw, err := json.Marshal(object)
	if err != nil {
		panic(err) // an API type
	}
	return string(raw)
}

// withoutData is the body of a request, but for the data of a Secret: that is where secrets belong. Of a Secret in
// protobuf, nothing is left; its metadata is looked at when it is stored.
func (r *Request) withoutData() string {
	if r.Side != Kubernetes || !strings.Contains(r.Path, "/secrets") {
		return r.Body
	}
	var secret map[string]any
	if json.Unmarshal([]byte(r.Body), &secret) != nil {
		return ""
	}
	delete(secret, "data")
	return asJSON(secret)
}

// leaksOfProcess looks for the secrets of all worlds in what they share.
func leaksOfProcess() error {
	families, err := metrics.Registry.Gather()
	if err != nil {
		return fmt.Errorf("lab: the metrics: %w", err)
	}
	return errors.Join(shared.log.wrong(), shared.secrets.Leak("the metrics", fmt.Sprint(families)))
}

// guardedLog takes what is logged without a logger of a manager, looks for secrets and panics in it, and keeps nothing.
type guardedLog struct {
	mu    sync.Mutex
	found error
}

func (g *guardedLog) Write(p []byte) (int, error) {
	err := errors.Join(shared.secrets.Leak("the log of the process", string(p)), panicked(string(p)))
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.found == nil {
		g.found = err
	}
	return len(p), nil
}

func (g *guardedLog) wrong() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.found
}
