// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// Somebody who keeps changing a label or an annotation of the Secret is not fought: what the spec wants is put back so many
// times within the period, and not before the period is over after that. The secret itself is not affected.
const (
	maxDressings   = 3
	dressingPeriod = time.Hour
)

// dressings are the times at which labels and annotations were put back that somebody had changed. They are kept in memory
// only: after a restart it is tried again.
type dressings struct {
	// what was wanted then: another wish is no fight.
	what string
	at   []time.Time
	// told: people know that somebody else keeps changing them.
	told bool
}

// since are those that count for this wish.
func (d *dressings) since(what string, earliest time.Time) []time.Time {
	if d.what != what {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(d.at), func(at time.Time) bool { return !at.After(earliest) })
}

// note adds one.
func (d *dressings) note(what string, now time.Time) {
	recent := d.since(what, now.Add(-dressingPeriod))
	*d = dressings{what: what, at: append(recent, now), told: d.told && len(recent) > 0}
}

// dressing names the labels, annotations and id that a Secret should have.
func dressing(res *v1alpha1.MedblocksWebhookEndpoint, endpointID string) string {
	return endpointID + " " + appliedOf(res).encode()
}

// applied are the labels and annotations that the spec asked for when the Secret was last written, each with a hash of its
// value. The Secret keeps them, so that those which are taken out of the spec later can be told from somebody else's.
type applied struct {
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

func appliedOf(res *v1alpha1.MedblocksWebhookEndpoint) applied {
	labels := secretLabels(res)
	delete(labels, v1alpha1.LabelManagedBy)
	return applied{Labels: hashed(labels), Annotations: hashed(specAnnotations(res))}
}

func hashed(all map[string]string) map[string]string {
	hashes := map[string]string{}
	for key, value := range all {
		hashes[key] = digest([]byte(value))[:16]
	}
	return hashes
}

// encode is empty where there is nothing to remember.
func (a applied) encode() string {
	if len(a.Labels)+len(a.Annotations) == 0 {
		return ""
	}
	raw, err := json.Marshal(a)
	if err != nil {
		panic(err) // two maps of strings
	}
	return string(raw)
}

// leftovers are the labels and annotations that the spec asked for once and does not any more, as far as nobody has changed
// them since.
type leftovers struct {
	labels, annotations []string
}

func leftoversOf(secret *corev1.Secret, res *v1alpha1.MedblocksWebhookEndpoint) leftovers {
	var was applied
	if err := json.Unmarshal([]byte(secret.Annotations[v1alpha1.AnnotationSecretApplied]), &was); err != nil {
		was = applied{} // somebody damaged it: nothing is removed on what it says
	}
	left := leftovers{
		labels:      unwanted(secret.Labels, was.Labels, secretLabels(res)),
		annotations: unwanted(secret.Annotations, was.Annotations, specAnnotations(res)),
	}
	if appliedOf(res).encode() == "" && secret.Annotations[v1alpha1.AnnotationSecretApplied] != "" {
		left.annotations = append(left.annotations, v1alpha1.AnnotationSecretApplied)
	}
	return left
}

func unwanted(is, was, want map[string]string) []string {
	var keys []string
	for _, key := range slices.Sorted(maps.Keys(was)) {
		value, there := is[key]
		_, wanted := want[key]
		if there && !wanted && hashed(map[string]string{key: value})[key] == was[key] && !strings.HasPrefix(key, v1alpha1.Group+"/") {
			keys = append(keys, key)
		}
	}
	return keys
}

// without is the part of a merge patch that sets some keys and removes others.
func without(set map[string]string, removed []string) map[string]any {
	part := map[string]any{}
	for _, key := range removed {
		part[key] = nil
	}
	for key, value := range set {
		part[key] = value
	}
	return part
}

// isDressed tells whether a Secret has the labels and annotations that it should have, and none that the spec has let go.
func isDressed(secret *corev1.Secret, res *v1alpha1.MedblocksWebhookEndpoint) bool {
	return contains(secret.Labels, secretLabels(res)) && contains(secret.Annotations, specAnnotations(res)) &&
		secret.Annotations[v1alpha1.AnnotationSecretApplied] == appliedOf(res).encode()
}
