// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// progress is what has happened to a resource between two sights of it, in lines for people: what the operator did at Medblocks, its
// attempts to enable the endpoint, and the conditions that say something new.
func progress(was, is *v1alpha1.MedblocksWebhookEndpoint) []string {
	var lines []string
	for _, entry := range newEntries(was.Status.History, is.Status.History) {
		lines = append(lines, fmt.Sprintf("%s (%s)", entry.Action, entry.Trigger))
	}
	lines = append(lines, attempts(was.Status.Reenable, is.Status.Reenable)...)
	if was.DeletionTimestamp.IsZero() && !is.DeletionTimestamp.IsZero() {
		lines = append(lines, "is being deleted")
	}
	return append(lines, news(was.Status.Conditions, is.Status.Conditions)...)
}

// newEntries are those at the end of a history that were not there before. The history is bounded, so that its beginning may be gone.
func newEntries(was, is []v1alpha1.HistoryEntry) []v1alpha1.HistoryEntry {
	for from := range len(was) + 1 {
		known := was[from:]
		if len(known) <= len(is) && slices.EqualFunc(known, is[:len(known)], sameEntry) {
			return is[len(known):]
		}
	}
	return is
}

func sameEntry(a, b v1alpha1.HistoryEntry) bool {
	return a.Time.Equal(&b.Time) && a.Action == b.Action && a.Trigger == b.Trigger
}

// attempts says what the re-enable policy has done or put off.
func attempts(was, is *v1alpha1.ReenableStatus) []string {
	if is == nil {
		return nil
	}
	if was == nil {
		was = &v1alpha1.ReenableStatus{}
	}
	var lines []string
	if n := len(is.Attempts); n > len(was.Attempts) {
		lines = append(lines, fmt.Sprintf("attempt %d of the re-enable policy", n))
	}
	if is.NextAttempt != nil && !is.NextAttempt.Equal(was.NextAttempt) {
		lines = append(lines, "next attempt of the re-enable policy at "+is.NextAttempt.UTC().Format(time.RFC3339))
	}
	return lines
}

// news are the conditions that say something new. The others are derived from those, and would only repeat them.
func news(was, is []metav1.Condition) []string {
	var lines []string
	for _, condition := range []string{v1alpha1.ConditionSynced, v1alpha1.ConditionSigningSecretReady, v1alpha1.ConditionEnabled} {
		before, now := meta.FindStatusCondition(was, condition), meta.FindStatusCondition(is, condition)
		if now == nil || (before != nil && before.Status == now.Status && before.Reason == now.Reason && before.Message == now.Message) {
			continue
		}
		lines = append(lines, fmt.Sprintf("%s is %s, %s: %s", condition, now.Status, now.Reason, now.Message))
	}
	return lines
}
