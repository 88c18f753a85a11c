// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

func TestAMinimalManifestIsStoredWithoutDefaultsInItsSpec(t *testing.T) {
	m := newManifest(t)
	stored := mustStore(t)(applyServerSide(t, m))
	if diff := cmp.Diff(m.clone(t)["spec"], stored.clone(t)["spec"]); diff != "" {
		t.Errorf("-sent +stored:\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{"observedGeneration": -1.0}, read(t, m.name())["status"]); diff != "" {
		t.Errorf("status before the first reconcile: -want +stored:\n%s", diff)
	}
}

func TestAStatusInAManifestIsNotStored(t *testing.T) {
	stored := mustCreate(t, newManifest(t, set("status", map[string]any{"observedGeneration": 1, "endpointID": "wh_forged"})))
	if diff := cmp.Diff(map[string]any{"observedGeneration": -1.0}, stored["status"]); diff != "" {
		t.Errorf("-want +stored:\n%s", diff)
	}
}

func TestKstatusDoesNotReportANewResourceAsCurrent(t *testing.T) {
	stored := mustCreate(t, newManifest(t))
	object := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(stored.yaml(t), object); err != nil {
		t.Fatal(err)
	}
	result, err := status.Compute(object)
	if err != nil {
		t.Fatal(err)
	}
	if result.Status != status.InProgressStatus {
		t.Errorf("kstatus reports %s (%s), want InProgress", result.Status, result.Message)
	}
}

func TestADateThatYAMLTakesForATimestampIsAVersion(t *testing.T) {
	m := newManifest(t)
	body := strings.Replace(string(m.yaml(t)), "spec:\n", "spec:\n  medblocksAPIVersion: 2026-04-25\n", 1)
	stored := mustStore(t)(createBytes(t, "application/yaml", []byte(body)))
	if got := stored["spec"].(map[string]any)["medblocksAPIVersion"]; got != "2026-04-25" {
		t.Errorf("stored %v, want 2026-04-25", got)
	}
}

func TestEverySampleAndEveryManifestInTheDocumentationIsAccepted(t *testing.T) {
	root := filepath.Join("..", "..")
	documents := map[string][]string{}
	for _, file := range glob(t, filepath.Join(root, "config", "samples", "*.yaml")) {
		documents[file] = strings.Split(contentOf(t, file), "\n---\n")
	}
	if len(documents) < 2 {
		t.Fatalf("want a minimal and a full sample, got %d files", len(documents))
	}
	pages := append(glob(t, filepath.Join(root, "*.md")), glob(t, filepath.Join(root, "docs", "*.md"))...)
	for _, file := range append(pages, glob(t, filepath.Join(root, "docs", "spec", "v1alpha1", "*.md"))...) {
		for _, block := range yamlBlock.FindAllStringSubmatch(contentOf(t, file), -1) {
			documents[file] = append(documents[file], strings.Split(block[1], "\n---\n")...)
		}
	}
	accepted := 0
	for file, list := range documents {
		for _, document := range list {
			m := manifest{}
			if err := yaml.Unmarshal([]byte(document), &m); err != nil || m["kind"] != v1alpha1.Kind {
				continue // an excerpt, or another kind
			}
			named(uniqueName("sample-", 40))(m)
			set("metadata.namespace", "default")(m)
			if _, err := create(t, m); err != nil {
				t.Errorf("%s: %v", file, err)
			}
			accepted++
		}
	}
	if accepted < 3 {
		t.Errorf("found %d manifests, want two samples and the spec page's at least", accepted)
	}
}

// yamlBlock is a fenced block of YAML in a page.
var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)\n```")

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func contentOf(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// readTyped reads as the operator does; an object that cannot be decoded would stop its whole cache.
func readTyped(t *testing.T, name string) *v1alpha1.MedblocksWebhookEndpoint {
	t.Helper()
	endpoint := &v1alpha1.MedblocksWebhookEndpoint{}
	if err := apiServer.typed.Get(t.Context(), client.ObjectKey{Namespace: "default", Name: name}, endpoint); err != nil {
		t.Fatalf("typed read of %s: %v", name, err)
	}
	return endpoint
}

// durationsOf finds the Go value of each duration field.
func durationsOf(e *v1alpha1.MedblocksWebhookEndpoint) map[string]*metav1.Duration {
	found := map[string]*metav1.Duration{}
	if e.Spec.SigningSecret != nil && e.Spec.SigningSecret.Rotation != nil {
		found["spec.signingSecret.rotation.interval"] = &e.Spec.SigningSecret.Rotation.Interval
	}
	if e.Spec.DeliveryMonitoring != nil {
		found["spec.deliveryMonitoring.interval"] = &e.Spec.DeliveryMonitoring.Interval
	}
	if p := e.Spec.ReenablePolicy; p != nil {
		found["spec.reenablePolicy.window"] = p.Window
		if p.Backoff != nil {
			found["spec.reenablePolicy.backoff.initial"], found["spec.reenablePolicy.backoff.max"] = p.Backoff.Initial, p.Backoff.Max
		}
		if p.Redelivery != nil {
			found["spec.reenablePolicy.redelivery.maxAge"] = p.Redelivery.MaxAge
		}
	}
	return found
}

// TestEveryStoredDurationIsDecodedByTheTypedClient sends generated strings, half of them well-formed, to every
// duration field. Whatever the API server stores must decode to the same time that Go reads in the string.
func TestEveryStoredDurationIsDecodedByTheTypedClient(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	stored, refused := 0, 0
	for _, f := range durationFields() {
		for _, value := range append(awkwardDurations(), generateDurations(random, 60)...) {
			m := newManifest(t, f.is(value))
			if _, err := create(t, m); err != nil {
				refused++
				continue
			}
			stored++
			want, err := time.ParseDuration(value)
			if err != nil {
				t.Errorf("%s: %q is stored and Go does not parse it: %v", f.path, value, err)
				continue
			}
			got := durationsOf(readTyped(t, m.name()))[f.path]
			if got == nil || got.Duration != want {
				t.Errorf("%s: %q decodes to %v, want %v", f.path, value, got, want)
			}
		}
	}
	t.Logf("%d stored, %d refused", stored, refused)
	if stored < 50 || refused < 50 {
		t.Errorf("%d stored and %d refused: the generator misses one side of the bounds", stored, refused)
	}
}

func awkwardDurations() []string {
	return []string{
		"1.5h", "1h1h", "0.000000001h", "100ms", "2h0.000000001s", "999999h999999h99999h", "00001h00001m000001ms", "3600.5s",
		"1.123456789h", "87600h", "0.5h0.5h0.000000001s", "90m", "9223372036854775807s", "1h\u00a0", "1h\x00", "１h", "1h1", "..h", "", "-0h",
	}
}

// generateDurations makes strings of the alphabet of durations, every other one well-formed, of up to 22 characters.
func generateDurations(random *rand.Rand, n int) []string {
	var list []string
	for i := range n {
		var s strings.Builder
		for length := 1 + random.IntN(20); s.Len() < length; {
			if i%2 == 0 {
				s.WriteByte("0123456789.hms-+ nuµ"[random.IntN(20)])
				continue
			}
			fmt.Fprintf(&s, "%d", random.IntN(3000))
			if random.IntN(3) == 0 {
				fmt.Fprintf(&s, ".%d", random.IntN(1000))
			}
			s.WriteString([]string{"h", "m", "s", "ms"}[random.IntN(4)])
		}
		list = append(list, strings.ToValidUTF8(s.String(), "µ"))
	}
	return list
}

// TestNumbersInOtherSpellingsAreDecodedByTheTypedClient: JSON has more ways to write an integer than Go reads.
func TestNumbersInOtherSpellingsAreDecodedByTheTypedClient(t *testing.T) {
	for spelling, accepted := range map[string]bool{
		"5": true, "5.0": true, "5e0": true, "1e1": true, "0.5e1": true, "-0": false, "1e-1": false, "5.5": false, "1e400": false, "99999999999999999999": false,
	} {
		m := newManifest(t)
		body := fmt.Sprintf(`{"apiVersion":"connect.medblocks.com/v1alpha1","kind":"MedblocksWebhookEndpoint","metadata":{"name":%q},`+
			`"spec":{"url":"https://api.example.com","events":["*"],"apiKeySecretRef":{"name":"a"},"reenablePolicy":{"maxAttempts":%s}}}`, m.name(), spelling)
		_, err := createBytes(t, "application/json", []byte(body))
		if accepted != (err == nil) {
			t.Errorf("maxAttempts %s: accepted must be %v, got: %v", spelling, accepted, err)
		}
		if err == nil {
			if got := readTyped(t, m.name()).Spec.ReenablePolicy.MaxAttempts; got == nil || *got < 1 || *got > 20 {
				t.Errorf("maxAttempts %s decodes to %v", spelling, got)
			}
		}
	}
}

// TestNullsAreDecodedByTheTypedClient: a null is dropped by the API server, at every depth.
func TestNullsAreDecodedByTheTypedClient(t *testing.T) {
	m := newManifest(t, set("spec.state", nil), set("spec.metadata", map[string]any{"a": nil, "b": "c"}), set("spec.reenablePolicy", map[string]any{
		"window": nil, "maxAttempts": nil, "backoff": nil, "probe": map[string]any{"expectedStatuses": nil, "serviceRef": nil},
	}), set("spec.signingSecret", map[string]any{"labels": nil, "rotation": nil}), set("spec.adopt", nil), set("spec.suspend", nil))
	mustCreate(t, m)
	spec := readTyped(t, m.name()).Spec
	want := map[string]v1alpha1.MetadataValue{"b": "c"}
	if diff := cmp.Diff(want, spec.Metadata); diff != "" {
		t.Errorf("metadata: -want +got:\n%s", diff)
	}
	if spec.Adopt != nil || spec.ReenablePolicy.Window != nil || spec.ReenablePolicy.Backoff != nil || spec.SigningSecret.Rotation != nil {
		t.Errorf("nulls are not absent: %+v", spec)
	}
}

// TestAFullSpecIsTheSameThroughTheTypedClient: no field of the schema is lost or renamed in the Go types.
func TestAFullSpecIsTheSameThroughTheTypedClient(t *testing.T) {
	m := newManifest(t, set("spec", map[string]any{
		"url": "https://api.example.com/hook", "events": []any{"*"}, "description": "text", "metadata": map[string]any{"a": "b"},
		"medblocksAPIVersion": "2026-04-25", "apiKeySecretRef": map[string]any{"name": "n", "key": "k"}, "state": "Disabled",
		"signingSecret": map[string]any{"name": "s", "labels": map[string]any{"a": "b"}, "annotations": map[string]any{"c": "d"}, "rotation": map[string]any{"interval": "720h0m0s", "window": map[string]any{"days": []any{"Sunday"}, "hours": "02:00-05:00"}}},
		"reenablePolicy": map[string]any{
			"mode": "WhenHealthy", "backoff": map[string]any{"initial": "2m0s", "max": "3h0m0s"}, "maxAttempts": 7, "window": "24h0m0s",
			"probe":      map[string]any{"serviceRef": map[string]any{"name": "r", "port": 80, "path": "/healthz", "scheme": "HTTPS"}, "expectedStatuses": []any{204}},
			"redelivery": map[string]any{"mode": "Undelivered", "maxAge": "96h0m0s", "maxEvents": 10},
		},
		"adopt":            map[string]any{"endpointID": "wh_A", "existingSecretRef": map[string]any{"name": "e", "key": "k"}},
		"managementPolicy": "Observe", "deletionPolicy": "Orphan", "deliveryMonitoring": map[string]any{"interval": "5m0s"}, "suspend": true,
	}))
	mustCreate(t, m)
	typed, err := yaml.Marshal(readTyped(t, m.name()).Spec)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{}
	if err := yaml.Unmarshal(typed, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m.clone(t)["spec"], any(got)); diff != "" {
		t.Errorf("-sent +through the Go types:\n%s", diff)
	}
}
