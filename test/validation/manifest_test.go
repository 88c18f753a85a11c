// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"
)

const resourcePlural = "medblockswebhookendpoints"

// defaultManifest is the smallest manifest that is valid. Every case of every table is this one, tweaked.
const defaultManifest = `
apiVersion: connect.medblocks.com/v1alpha1
kind: MedblocksWebhookEndpoint
metadata:
  name: replaced-by-each-case
  namespace: default
spec:
  url: https://api.example.com/medblocks/webhook
  events:
  - patient_flow.completed
  - connection.token_refresh_failed
  apiKeySecretRef:
    name: medblocks-api-key
`

// manifest is a manifest as a user writes it: nothing of it passes through the Go types of the API.
type manifest map[string]any

// tweak changes one thing in a manifest.
type tweak func(manifest)

var nameCounter atomic.Int64

// newManifest is the default manifest under a name of its own, tweaked.
func newManifest(t *testing.T, tweaks ...tweak) manifest {
	t.Helper()
	m := manifest{}
	if err := yaml.UnmarshalStrict([]byte(defaultManifest), &m); err != nil {
		t.Fatalf("default manifest: %v", err)
	}
	set("metadata.name", fmt.Sprintf("case-%d", nameCounter.Add(1)))(m)
	for _, change := range tweaks {
		change(m)
	}
	return m
}

// set puts a value at a dotted path, making the objects on the way. Keys that have dots go into the value.
func set(path string, value any) tweak {
	return func(m manifest) {
		keys := strings.Split(path, ".")
		at := map[string]any(m)
		for _, key := range keys[:len(keys)-1] {
			next, ok := at[key].(map[string]any)
			if !ok {
				next = map[string]any{}
				at[key] = next
			}
			at = next
		}
		at[keys[len(keys)-1]] = value
	}
}

// remove takes away what is at a dotted path.
func remove(path string) tweak {
	return func(m manifest) {
		keys := strings.Split(path, ".")
		at := map[string]any(m)
		for _, key := range keys[:len(keys)-1] {
			next, ok := at[key].(map[string]any)
			if !ok {
				return
			}
			at = next
		}
		delete(at, keys[len(keys)-1])
	}
}

func all(tweaks ...tweak) tweak {
	return func(m manifest) {
		for _, change := range tweaks {
			change(m)
		}
	}
}

func (m manifest) name() string { return m["metadata"].(map[string]any)["name"].(string) }

func (m manifest) yaml(t *testing.T) []byte {
	t.Helper()
	out, err := yaml.Marshal(m)
	if err != nil {
		t.Fatalf("marshal the manifest: %v", err)
	}
	return out
}

// create sends a manifest as kubectl create does, with strict field validation, and returns what was stored.
func create(t *testing.T, m manifest) (manifest, error) {
	t.Helper()
	return createBytes(t, "application/yaml", m.yaml(t))
}

func createBytes(t *testing.T, contentType string, body []byte) (manifest, error) {
	t.Helper()
	return decode(apiServer.raw.Post().Namespace("default").Resource(resourcePlural).
		Param("fieldValidation", "Strict").
		SetHeader("Content-Type", contentType).SetHeader("Accept", "application/json").
		Body(body).Do(t.Context()).Raw())
}

// mustCreate is create for what has to be accepted. The resource stays: decodeAll reads it at the end.
func mustCreate(t *testing.T, m manifest) manifest {
	t.Helper()
	stored, err := create(t, m)
	if err != nil {
		t.Fatalf("must be accepted: %v\n%s", err, m.yaml(t))
	}
	return stored
}

// applyServerSide sends a manifest as kubectl apply --server-side does.
func applyServerSide(t *testing.T, m manifest) (manifest, error) {
	t.Helper()
	return decode(apiServer.raw.Patch(types.ApplyPatchType).Namespace("default").Resource(resourcePlural).Name(m.name()).
		Param("fieldManager", "user").Param("fieldValidation", "Strict").
		Body(m.yaml(t)).Do(t.Context()).Raw())
}

// replaceSpec sends the stored resource again with another spec, as kubectl replace does.
func replaceSpec(t *testing.T, stored manifest, tweaks ...tweak) (manifest, error) {
	t.Helper()
	next := stored.clone(t)
	for _, change := range tweaks {
		change(next)
	}
	return decode(apiServer.raw.Put().Namespace("default").Resource(resourcePlural).Name(stored.name()).
		Param("fieldValidation", "Strict").SetHeader("Content-Type", "application/yaml").
		Body(next.yaml(t)).Do(t.Context()).Raw())
}

// replaceStatus sends the stored resource again with another status, as an operator does.
func replaceStatus(t *testing.T, stored manifest, tweaks ...tweak) (manifest, error) {
	t.Helper()
	next := stored.clone(t)
	for _, change := range tweaks {
		change(next)
	}
	return decode(apiServer.raw.Put().Namespace("default").Resource(resourcePlural).Name(stored.name()).SubResource("status").
		SetHeader("Content-Type", "application/yaml").Body(next.yaml(t)).Do(t.Context()).Raw())
}

func read(t *testing.T, name string) manifest {
	t.Helper()
	m, err := decode(apiServer.raw.Get().Namespace("default").Resource(resourcePlural).Name(name).Do(t.Context()).Raw())
	if err != nil {
		t.Fatalf("read %s: %v", name, err)
	}
	return m
}

func (m manifest) clone(t *testing.T) manifest {
	t.Helper()
	out := manifest{}
	if err := yaml.Unmarshal(m.yaml(t), &out); err != nil {
		t.Fatalf("clone: %v", err)
	}
	return out
}

// decode turns an answer into a manifest. A refusal keeps its causes: Raw leaves the Status object in the body.
func decode(body []byte, err error) (manifest, error) {
	if err != nil {
		status := metav1.Status{}
		if json.Unmarshal(body, &status) == nil && status.Kind == "Status" {
			return nil, &apierrors.StatusError{ErrStatus: status}
		}
		return nil, err
	}
	m := manifest{}
	if err := json.Unmarshal(body, &m); err != nil {
		return nil, fmt.Errorf("decode the answer: %w", err)
	}
	return m, nil
}

// refusal is one thing that the API server has to say about a manifest.
type refusal struct {
	// field is the exact path of the field that is named.
	field string
	// says is a distinctive part of the message.
	says string
}

// incomplete is what the API server adds when it skipped CEL rules because of a plainer mistake.
const incomplete = "some validation rules were not checked"

// expectRefusal checks that the error is a 422 with exactly the wanted causes, so that no wrong or noisy hint stands
// beside the right one.
func expectRefusal(t *testing.T, err error, wanted ...refusal) {
	t.Helper()
	var status apierrors.APIStatus
	if err == nil || !errors.As(err, &status) || !apierrors.IsInvalid(err) {
		t.Fatalf("want a refusal (422 Invalid) that says %q, got: %v", wanted, err)
	}
	var causes []metav1.StatusCause
	for _, cause := range status.Status().Details.Causes {
		if !strings.Contains(cause.Message, incomplete) {
			causes = append(causes, cause)
		}
	}
	for _, want := range wanted {
		if !hasCause(causes, want) {
			t.Errorf("nothing says %q about %s; the causes are:\n%s", want.says, want.field, printCauses(causes))
		}
	}
	if len(causes) != len(wanted) {
		t.Errorf("want %d causes, got:\n%s", len(wanted), printCauses(causes))
	}
}

func hasCause(causes []metav1.StatusCause, want refusal) bool {
	for _, cause := range causes {
		if cause.Field == want.field && strings.Contains(cause.Message, want.says) {
			return true
		}
	}
	return false
}

func printCauses(causes []metav1.StatusCause) string {
	var out strings.Builder
	for _, cause := range causes {
		fmt.Fprintf(&out, "  %s: %s\n", cause.Field, abbreviate(cause.Message))
	}
	return out.String()
}

// abbreviate keeps a message that repeats a long value readable; its end has the hint.
func abbreviate(message string) string {
	if len(message) <= 400 {
		return message
	}
	return message[:100] + " … " + message[len(message)-300:]
}
