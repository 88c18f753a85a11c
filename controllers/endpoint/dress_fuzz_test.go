// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// FuzzApplied gives the record of the labels and annotations that the spec once asked for any content: whoever can write to the
// Secret can write that too. What is removed on its word must be what the operator itself has set, and nobody has changed since.
func FuzzApplied(f *testing.F) {
	f.Add("", "team", "billing", "", false)
	f.Add(`{"labels":`, "team", "billing", "", false)
	f.Add(`null`, "team", "billing", "team", false)
	f.Add(`{"labels":{"team":null},"annotations":[]}`, "team", "billing", "", false)
	f.Add(`{"labels":{"team":""},"annotations":{"team":"0000000000000000"}}`, "team", "", "", false)
	f.Add("", "team", "billing", "", true)
	f.Add("", "team", "billing", "team", true)
	f.Add("", v1alpha1.LabelManagedBy, v1alpha1.ManagedBy, "", true)
	f.Add("", v1alpha1.AnnotationSecretGeneration, "N", "", true)
	f.Add("", v1alpha1.AnnotationSecretApplied, "{}", "other", true)
	f.Fuzz(func(t *testing.T, record, key, value, wanted string, truthful bool) {
		if truthful { // a fuzzer does not guess a hash
			record = applied{Labels: recordOf(key, value), Annotations: recordOf(key, value)}.encode()
		}
		if strings.HasPrefix(wanted, v1alpha1.Group+"/") || wanted == v1alpha1.LabelManagedBy {
			return // the API server accepts neither in a spec
		}
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
			Labels:      map[string]string{key: value, v1alpha1.LabelManagedBy: v1alpha1.ManagedBy},
			Annotations: map[string]string{key: value, v1alpha1.AnnotationSecretGeneration: "N", v1alpha1.AnnotationSecretApplied: record},
		}}
		res := &v1alpha1.MedblocksWebhookEndpoint{}
		if wanted != "" {
			res.Spec.SigningSecret = &v1alpha1.SigningSecretSpec{
				Labels:      map[string]v1alpha1.LabelValue{wanted: "x"},
				Annotations: map[string]v1alpha1.AnnotationValue{wanted: "x"},
			}
		}
		left := leftoversOf(secret, res)
		checkLeftovers(t, secret, res, left)
		checkRemoval(t, secret, res, left)
	})
}

// recordOf is what is remembered of a key, computed in another place than the code under test.
func recordOf(key, value string) map[string]string {
	sum := sha256.Sum256([]byte(value))
	return map[string]string{key: hex.EncodeToString(sum[:])[:16]}
}

// checkLeftovers: each key is there with the value that the record has the hash of, and neither the operator's nor wanted. The
// record itself goes once it says nothing any more.
func checkLeftovers(t *testing.T, secret *corev1.Secret, res *v1alpha1.MedblocksWebhookEndpoint, left leftovers) {
	t.Helper()
	var was applied
	record := secret.Annotations[v1alpha1.AnnotationSecretApplied]
	if json.Unmarshal([]byte(record), &was) != nil {
		was = applied{}
	}
	annotations := left.annotations
	if last := len(annotations) - 1; last >= 0 && annotations[last] == v1alpha1.AnnotationSecretApplied {
		annotations = annotations[:last]
		if res.Spec.SigningSecret != nil || record == "" {
			t.Errorf("the record %q is removed although it is needed, or is not there", record)
		}
	}
	for _, of := range []struct {
		keys          []string
		is, was, want map[string]string
	}{
		{left.labels, secret.Labels, was.Labels, secretLabels(res)},
		{annotations, secret.Annotations, was.Annotations, specAnnotations(res)},
	} {
		for _, key := range of.keys {
			value, there := of.is[key]
			_, wanted := of.want[key]
			if !there || wanted || strings.HasPrefix(key, v1alpha1.Group+"/") {
				t.Errorf("%q is to be removed; there %t, wanted %t", key, there, wanted)
			}
			if of.was[key] != recordOf(key, value)[key] {
				t.Errorf("%q is to be removed with the value %q, and recorded is %q", key, value, of.was[key])
			}
		}
	}
}

// checkRemoval: one write removes all that is to be removed, and what the operator needs stays.
func checkRemoval(t *testing.T, secret *corev1.Secret, res *v1alpha1.MedblocksWebhookEndpoint, left leftovers) {
	t.Helper()
	annotations := specAnnotations(res)
	annotations[v1alpha1.AnnotationSecretGeneration] = "N"
	if record := appliedOf(res).encode(); record != "" {
		annotations[v1alpha1.AnnotationSecretApplied] = record
	}
	merge(secret.Labels, without(secretLabels(res), left.labels))
	merge(secret.Annotations, without(annotations, left.annotations))
	if !isDressed(secret, res) {
		t.Errorf("another write is needed: %v %v", secret.Labels, secret.Annotations)
	}
	if again := leftoversOf(secret, res); len(again.labels)+len(again.annotations) > 0 {
		t.Errorf("another write removes %v", again)
	}
	if secret.Annotations[v1alpha1.AnnotationSecretGeneration] != "N" || secret.Labels[v1alpha1.LabelManagedBy] != v1alpha1.ManagedBy {
		t.Errorf("what the operator needs is gone: %v %v", secret.Labels, secret.Annotations)
	}
}

// merge is a JSON merge patch of a flat map.
func merge(is map[string]string, patch map[string]any) {
	for _, key := range slices.Sorted(maps.Keys(patch)) {
		delete(is, key)
		if value, ok := patch[key].(string); ok {
			is[key] = value
		}
	}
}
