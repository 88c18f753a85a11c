// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// Revision is one change of what operators watch.
type Revision struct {
	// Number is the API server's: what was stored from then on, until the next one.
	Number string
	// Collection is ResourceViews or SecretViews.
	Collection string
	// Event tells what happened to whom.
	Event string
}

func (r Revision) number() uint64 {
	n, err := strconv.ParseUint(r.Number, 10, 64)
	if err != nil {
		panic(err) // the API server promises numbers
	}
	return n
}

// History records all that happens to the resources and signing Secrets of a world.
type History struct {
	world *World
	since string

	mu        sync.Mutex
	revisions []Revision
	versions  map[string]map[string]string // by collection and name
}

// Record begins a history.
func (w *World) Record() *History {
	w.T.Helper()
	h := &History{world: w, versions: map[string]map[string]string{ResourceViews: {}, SecretViews: {}}}
	ctx, cancel := context.WithCancel(w.Context())
	w.T.Cleanup(cancel)
	for collection, list := range collections() {
		w.Expect(w.Client.List(ctx, list, h.options(collection)...)).To(Succeed())
		for _, version := range strings.Fields(versions(list)) {
			name, rv, _ := strings.Cut(version, "=")
			h.versions[collection][name] = rv
		}
		// The revisions of all collections are numbered together.
		if h.since == "" {
			h.since = list.GetResourceVersion()
		}
		watcher, err := w.Client.Watch(ctx, list, append(h.options(collection), &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: list.GetResourceVersion()}})...)
		w.Expect(err).NotTo(HaveOccurred())
		w.T.Cleanup(watcher.Stop)
		go h.follow(collection, watcher)
	}
	return h
}

func collections() map[string]client.ObjectList {
	return map[string]client.ObjectList{ResourceViews: &v1alpha1.MedblocksWebhookEndpointList{}, SecretViews: &corev1.SecretList{}}
}

func (h *History) options(collection string) []client.ListOption {
	options := []client.ListOption{client.InNamespace(h.world.Namespace)}
	if collection == SecretViews {
		options = append(options, client.MatchingLabels{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy})
	}
	return options
}

func (h *History) follow(collection string, watcher watch.Interface) {
	for event := range watcher.ResultChan() {
		if object, ok := event.Object.(client.Object); ok {
			h.add(collection, event.Type, object)
		}
	}
}

func (h *History) add(collection string, kind watch.EventType, object client.Object) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.versions[collection][object.GetName()] = object.GetResourceVersion()
	if kind == watch.Deleted {
		delete(h.versions[collection], object.GetName())
	}
	h.revisions = append(h.revisions, Revision{
		Number: object.GetResourceVersion(), Collection: collection,
		Event: fmt.Sprintf("%s %s", object.GetName(), strings.ToLower(string(kind))),
	})
}

// Revisions are all since Record, and before them the one at which it began. It waits until none is missing.
func (h *History) Revisions() []Revision {
	w := h.world
	w.T.Helper()
	w.Eventually(h.isComplete, h.world.patience, time.Millisecond).Should(BeTrue())
	h.mu.Lock()
	defer h.mu.Unlock()
	all := slices.Clone(h.revisions)
	slices.SortFunc(all, func(a, b Revision) int { return cmp.Compare(a.number(), b.number()) })
	return append([]Revision{{Number: h.since, Event: "the beginning"}}, all...)
}

func (h *History) isComplete() bool {
	for collection, list := range collections() {
		if h.world.Client.List(h.world.Context(), list, h.options(collection)...) != nil || versions(list) != h.recorded(collection) {
			return false
		}
	}
	return true
}

// recorded is what versions makes of the last recorded state.
func (h *History) recorded(collection string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []string
	for name, version := range h.versions[collection] {
		all = append(all, name+"="+version)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}
