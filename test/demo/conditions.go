// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// change is one condition that took another value.
type change struct {
	at       time.Time
	kind     string
	from, to string // "" where there was no such condition, or is none any more
	reason   string
	message  string
}

// conditionOrder is the order in which changes of one moment are told: causes first.
var conditionOrder = []string{
	v1alpha1.ConditionSynced, v1alpha1.ConditionSigningSecretReady, v1alpha1.ConditionEnabled,
	v1alpha1.ConditionReady, v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled,
}

// changesBetween tells what is different after.
func changesBetween(before, after []metav1.Condition, at time.Time) []change {
	var changes []change
	was, is := byType(before), byType(after)
	for _, kind := range conditionOrder {
		if was[kind].Status == is[kind].Status && was[kind].Reason == is[kind].Reason {
			continue
		}
		changes = append(changes, change{
			at: at, kind: kind, from: string(was[kind].Status), to: string(is[kind].Status), reason: is[kind].Reason, message: is[kind].Message,
		})
	}
	return changes
}

func byType(conditions []metav1.Condition) map[string]metav1.Condition {
	found := map[string]metav1.Condition{}
	for _, c := range conditions {
		found[c.Type] = c
	}
	return found
}

// conditions follows a resource's conditions through a watch, so that no change is missed, however short.
type conditions struct {
	mu    sync.Mutex
	all   []change
	told  int
	uid   types.UID
	now   []metav1.Condition
	ended chan struct{}
}

// follow watches until ctx ends.
func follow(ctx context.Context, api client.WithWatch, key client.ObjectKey) *conditions {
	c := &conditions{ended: make(chan struct{})}
	go func() {
		defer close(c.ended)
		// A watch that ends is started again; what is unchanged then counts as no change.
		wait.UntilWithContext(ctx, func(ctx context.Context) { c.watch(ctx, api, key) }, 100*time.Millisecond)
	}()
	return c
}

func (c *conditions) watch(ctx context.Context, api client.WithWatch, key client.ObjectKey) {
	watch, err := api.Watch(ctx, &v1alpha1.MedblocksWebhookEndpointList{}, client.InNamespace(key.Namespace), client.MatchingFields{"metadata.name": key.Name})
	if err != nil {
		return
	}
	defer watch.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case e, open := <-watch.ResultChan():
			if !open {
				return
			}
			if resource, ok := e.Object.(*v1alpha1.MedblocksWebhookEndpoint); ok {
				c.note(resource.UID, resource.Status.Conditions, time.Now())
			}
		}
	}
}

func (c *conditions) note(uid types.UID, now []metav1.Condition, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if uid != c.uid {
		c.uid, c.now = uid, nil // deleted and created again: what the former one had, this one has not lost
	}
	c.all = append(c.all, changesBetween(c.now, now, at)...)
	c.now = now
}

// untold are the changes that nobody has asked for yet.
func (c *conditions) untold() []change {
	c.mu.Lock()
	defer c.mu.Unlock()
	changes := c.all[c.told:]
	c.told = len(c.all)
	return changes
}

// since finds the first change after a moment that gave a condition this status and reason; an empty reason is any.
func (c *conditions) since(after time.Time, kind string, status metav1.ConditionStatus, reason string) (change, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.all, func(ch change) bool {
		return ch.kind == kind && ch.to == string(status) && ch.at.After(after) && (reason == "" || ch.reason == reason)
	})
	if i < 0 {
		return change{}, false
	}
	return c.all[i], true
}

// tell prints the changes that were not told yet, one line each; the message is Ready's, which repeats that of the cause.
func (c *conditions) tell(s *screen) {
	for _, ch := range c.untold() {
		from, to := ch.from, ch.to
		if from == "" {
			from = "–"
		}
		reason := ch.reason
		how := yellow
		switch to {
		case "":
			to, how = "gone", dim
		case string(metav1.ConditionTrue):
			if ch.kind != v1alpha1.ConditionReconciling && ch.kind != v1alpha1.ConditionStalled {
				how = green
			}
		}
		s.at(ch.at, s.paint(how, "●")+" condition "+pad(ch.kind, 19)+pad(from, 8)+"→ "+s.paint(how, pad(to, 8))+reason)
		if ch.kind == v1alpha1.ConditionReady {
			for _, line := range wrap(ch.message, width-gutter-4) {
				s.line("    " + s.paint(dim, line))
			}
		}
	}
}

func pad(text string, columns int) string {
	return text + strings.Repeat(" ", max(1, columns-len([]rune(text))))
}
