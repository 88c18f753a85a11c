// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// change is one condition that took another value, or says something else.
type change struct {
	at       time.Time
	kind     string
	from, to string // "" where there was no such condition, or is none any more
	reason   string
	message  string
	// still: only the message is another one.
	still bool
}

// conditionOrder is the order in which changes of one moment are told: causes first.
var conditionOrder = []string{
	v1alpha1.ConditionSynced, v1alpha1.ConditionSigningSecretReady, v1alpha1.ConditionEnabled,
	v1alpha1.ConditionReady, v1alpha1.ConditionDeliveriesHealthy, v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled,
}

// talkative are the conditions of which another message is a change too. Ready only repeats the others' messages.
var talkative = []string{v1alpha1.ConditionEnabled, v1alpha1.ConditionDeliveriesHealthy}

// changesBetween tells what is different after.
func changesBetween(before, after []metav1.Condition, at time.Time) []change {
	var changes []change
	was, is := byType(before), byType(after)
	for _, kind := range conditionOrder {
		still := was[kind].Status == is[kind].Status && was[kind].Reason == is[kind].Reason
		if still && (was[kind].Message == is[kind].Message || !slices.Contains(talkative, kind)) {
			continue
		}
		changes = append(changes, change{
			at: at, kind: kind, from: string(was[kind].Status), to: string(is[kind].Status), reason: is[kind].Reason, message: is[kind].Message,
			still: still,
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
	// recorded is how many attempts to re-enable the endpoint the status has had while it still called the endpoint disabled.
	recorded int
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
				c.noteAttempts(&resource.Status)
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

func (c *conditions) noteAttempts(status *v1alpha1.MedblocksWebhookEndpointStatus) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if status.Reenable != nil && meta.IsStatusConditionFalse(status.Conditions, v1alpha1.ConditionEnabled) {
		c.recorded = max(c.recorded, len(status.Reenable.Attempts))
	}
}

func (c *conditions) attemptsRecorded() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.recorded
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
	return c.first(after, func(ch change) bool {
		return ch.kind == kind && ch.to == string(status) && (reason == "" || ch.reason == reason)
	})
}

// said finds the first change after a moment with which a condition said this.
func (c *conditions) said(after time.Time, kind, text string) (change, bool) {
	return c.first(after, func(ch change) bool { return ch.kind == kind && strings.Contains(ch.message, text) })
}

func (c *conditions) first(after time.Time, is func(change) bool) (change, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.all, func(ch change) bool { return ch.at.After(after) && is(ch) })
	if i < 0 {
		return change{}, false
	}
	return c.all[i], true
}

// tell prints the changes that were not told yet, one line each, and the messages of Ready and of the talkative ones, unless the
// change before has said the same.
func (c *conditions) tell(s *screen) {
	said := ""
	for _, ch := range c.untold() {
		s.at(ch.at, ch.line(s))
		if ch.message == "" || ch.message == said || ch.kind != v1alpha1.ConditionReady && !slices.Contains(talkative, ch.kind) {
			continue
		}
		said = ch.message
		for _, line := range wrap(ch.message, width-gutter-4) {
			s.line("    " + s.paint(dim, line))
		}
	}
}

func (ch change) line(s *screen) string {
	how, to := yellow, ch.to
	switch {
	case ch.to == "":
		how, to = dim, "gone"
	case ch.to == string(metav1.ConditionTrue) && ch.kind != v1alpha1.ConditionReconciling && ch.kind != v1alpha1.ConditionStalled:
		how = green
	}
	from, arrow := ch.from, "→ "
	if from == "" {
		from = "–"
	}
	if ch.still {
		from, arrow = "still", "  "
	}
	return s.paint(how, "●") + " condition " + pad(ch.kind, 19) + pad(from, 8) + arrow + s.paint(how, pad(to, 8)) + ch.reason
}

func pad(text string, columns int) string {
	return text + strings.Repeat(" ", max(1, columns-len([]rune(text))))
}
