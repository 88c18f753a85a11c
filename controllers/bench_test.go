// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"encoding/json"
	"fmt"
	"runtime"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// The benchmarks show what one object takes in the cache. They have what a resource of a team looks like once it is registered.

const benchResource = `{
	"metadata": {"name": "hook-%06[1]d", "namespace": "team", "uid": "00000000-0000-0000-0000-000000%06[1]d", "resourceVersion": "%[1]d",
		"generation": 1, "creationTimestamp": "2026-11-26T12:00:00Z", "finalizers": ["connect.medblocks.com/endpoint"],
		"annotations": {"connect.medblocks.com/registration": "{\"uid\":\"00000000-0000-0000-0000-000000%06[1]d\",\"time\":\"2026-11-26T12:00:00Z\",\"attempt\":1,\"nonce\":\"ABCDEFGHIJKLMNOPQRST%06[1]d\",\"keyHash\":\"v1:00000000000000000000000000000000\"}"}},
	"spec": {"url": "https://api.example.com/medblocks/hook-%06[1]d", "description": "Endpoint hook-%06[1]d of the benchmark",
		"events": ["patient_flow.completed", "records.sync.failed"], "metadata": {"team": "records", "stage": "bench"},
		"apiKeySecretRef": {"name": "medblocks-api-key"}},
	"status": {"observedGeneration": 1, "endpointID": "wh_01M8CPJPEKH15AS80G3G%06[1]d", "keyHash": "v1:00000000000000000000000000000000",
		"appliedHash": "v1:00000000000000000000000000%06[1]d", "acceptedHash": "v1:00000000000000000000000000%06[1]d",
		"endpoint": {"status": "active", "url": "https://api.example.com/medblocks/hook-%06[1]d", "apiVersion": "2026-04-25",
			"events": ["patient_flow.completed", "records.sync.failed"], "createdAt": "2026-11-26T12:00:00Z"},
		"signingSecret": {"name": "hook-%06[1]d-signing-secret", "lastRotated": "2026-11-26T12:00:00Z"},
		"history": [{"action": "RegisterEndpoint", "time": "2026-11-26T12:00:00Z", "trigger": "Spec"}],
		"conditions": [
			{"type": "Synced", "status": "True", "reason": "Registered", "observedGeneration": 1, "lastTransitionTime": "2026-11-26T12:00:00Z",
				"message": "endpoint wh_01M8CPJPEKH15AS80G3G%06[1]d matches the spec"},
			{"type": "SigningSecretReady", "status": "True", "reason": "Published", "observedGeneration": 1, "lastTransitionTime": "2026-11-26T12:00:00Z",
				"message": "Secret \"hook-%06[1]d-signing-secret\" holds the signing secret"},
			{"type": "Enabled", "status": "True", "reason": "Active", "observedGeneration": 1, "lastTransitionTime": "2026-11-26T12:00:00Z",
				"message": "Medblocks delivers events to the endpoint"},
			{"type": "Ready", "status": "True", "reason": "Registered", "observedGeneration": 1, "lastTransitionTime": "2026-11-26T12:00:00Z",
				"message": "the endpoint is registered and active, and its signing secret is published"}]}}`

const benchSecret = `{
	"metadata": {"name": "hook-%06[1]d-signing-secret", "namespace": "team", "uid": "00000000-0000-0000-0001-000000%06[1]d", "resourceVersion": "%[1]d",
		"creationTimestamp": "2026-11-26T12:00:00Z", "labels": {"app.kubernetes.io/managed-by": "medblocks-webhook-operator"},
		"annotations": {"connect.medblocks.com/owner": "team/hook-%06[1]d", "connect.medblocks.com/rotated-at": "2026-11-26T12:00:00Z",
			"connect.medblocks.com/rotated-for": "", "connect.medblocks.com/secret-generation": "ABCDEFGHIJKLMNOPQRST%06[1]d",
			"connect.medblocks.com/secret-name": "hook-%06[1]d-signing-secret",
			"connect.medblocks.com/secret-sha256": "0000000000000000000000000000000000000000000000000000000000%06[1]d"}},
	"type": "Opaque",
	"data": {"MEDBLOCKS_WEBHOOK_ID": "d2hfMDFNOENQSlBFS0gxNUFTODBHM0c5OUtWMkE=",
		"MEDBLOCKS_WEBHOOK_SECRET": "d2hzZWNfM2EyYTZmODM2N2M3NTY5NjkxNDY0NzZiN2E1ZTFkZTFjYzhhYjAxNDNhN2QzMDNj"}}`

func BenchmarkResourceInTheCache(b *testing.B) {
	benchCached(b, benchResource, func() client.Object { return &v1alpha1.MedblocksWebhookEndpoint{} })
}

func BenchmarkSecretInTheCache(b *testing.B) {
	benchCached(b, benchSecret, func() client.Object { return &corev1.Secret{} })
}

func benchCached(b *testing.B, manifest string, empty func() client.Object) {
	const many = 1000
	kept := make([]any, many)
	before := liveBytes()
	for b.Loop() {
		for i := range kept {
			object := empty()
			if err := json.Unmarshal(fmt.Appendf(nil, manifest, i), object); err != nil {
				b.Fatal(err)
			}
			kept[i], _ = CacheOptions(nil, nil).DefaultTransform(object)
		}
	}
	b.ReportMetric((liveBytes()-before)/many, "live-B/object")
	runtime.KeepAlive(kept)
}

func liveBytes() float64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return float64(stats.HeapAlloc)
}
