// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/utils/ptr"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

func full(res *v1alpha1.MedblocksWebhookEndpoint) {
	res.Spec.Description = "Production"
	res.Spec.Metadata = map[string]v1alpha1.MetadataValue{"team": "intake"}
}

// wanted is what drift must not change for long.
func wanted(e emulator.EndpointWithSecret) emulator.Endpoint {
	is := e.Endpoint
	slices.Sort(is.Events)
	return emulator.Endpoint{ID: is.ID, URL: is.URL, Events: is.Events, Status: is.Status, Description: is.Description, Metadata: is.Metadata}
}

func TestWhatSomebodyChangesAtMedblocksIsPutBackFieldByField(t *testing.T) {
	for name, test := range map[string]struct {
		edit  func(*emulator.Endpoint)
		field string
	}{
		"url":                                  {func(e *emulator.Endpoint) { e.URL = "https://elsewhere.example.com/" }, "url"},
		"a missing event":                      {func(e *emulator.Endpoint) { e.Events = e.Events[:1] }, "events"},
		"all events":                           {func(e *emulator.Endpoint) { e.Events = []string{"*"} }, "events"},
		"description":                          {func(e *emulator.Endpoint) { e.Description = ptr.To("hands off") }, "description"},
		"no description":                       {func(e *emulator.Endpoint) { e.Description = nil }, "description"},
		"a metadata value":                     {func(e *emulator.Endpoint) { e.Metadata["team"] = "billing" }, "metadata"},
		"a lost metadata key":                  {func(e *emulator.Endpoint) { delete(e.Metadata, "team") }, "metadata"},
		"an extra metadata key":                {func(e *emulator.Endpoint) { e.Metadata["more"] = "1" }, "metadata"},
		"metadata of a type that is no string": {func(e *emulator.Endpoint) { e.Metadata["team"] = map[string]any{"a": 1} }, "metadata"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.createReady(hooks, full)
			before := wanted(w.remote(hooks))
			w.settle()
			w.forget()
			w.edit(hooks, test.edit)
			w.Eventually(func() emulator.Endpoint { return wanted(w.remote(hooks)) }).Should(Equal(before))
			w.settle()

			calls := w.calls()
			w.Expect(operationsOf(calls)).To(Equal([]string{"GetEndpoint", "UpdateEndpoint"}))
			var body map[string]any
			w.Expect(json.Unmarshal([]byte(calls[1].Body), &body)).To(Succeed())
			w.Expect(slices.Collect(maps.Keys(body))).To(ConsistOf(test.field), "only what differs")
			w.untilEvent("Warning DriftCorrected: Endpoint " + before.ID + " was changed at Medblocks; put back: " + test.field)
			w.untilReady(hooks)
		})
	}
}

func TestTheOrderOfEventsIsNoDrift(t *testing.T) {
	w := newWorld(t)
	before := w.createReady(hooks)
	w.settle()
	w.forget()
	w.edit(hooks, func(e *emulator.Endpoint) { slices.Reverse(e.Events) })
	w.settle()
	w.Expect(w.calls()).To(BeEmpty())
	w.Expect(w.get(hooks).ResourceVersion).To(Equal(before.ResourceVersion))
}

func TestMarksThatAreMissingArePutBackWithoutARotation(t *testing.T) {
	for name, marks := range map[string][]string{
		"owner":             {v1alpha1.MarkOwner},
		"incarnation":       {v1alpha1.MarkIncarnation},
		"secret generation": {v1alpha1.MarkSecretGeneration},
		"all":               {v1alpha1.MarkOwner, v1alpha1.MarkIncarnation, v1alpha1.MarkSecretGeneration},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.createReady(hooks, full)
			before, secret := wanted(w.remote(hooks)), w.secret(signing)
			w.settle()
			w.edit(hooks, func(e *emulator.Endpoint) {
				for _, mark := range marks {
					delete(e.Metadata, mark)
				}
			})
			w.Eventually(func() emulator.Endpoint { return wanted(w.remote(hooks)) }).Should(Equal(before))
			w.settle()
			w.Expect(w.calls(emulator.OperationRotateSecret)).To(BeEmpty())
			w.Expect(w.calls(emulator.OperationCreateEndpoint)).To(HaveLen(1))
			w.Expect(len(w.calls(emulator.OperationUpdateEndpoint))).To(BeNumerically("<=", 2))
			w.Expect(w.secret(signing).ResourceVersion).To(Equal(secret.ResourceVersion))
			w.untilReady(hooks)
		})
	}
}

func TestAnotherFormThatMedblocksStoresIsAcceptedOnceAndNotFoughtOver(t *testing.T) {
	for name, test := range map[string]struct {
		quirks emulator.Quirks
		before func(*v1alpha1.MedblocksWebhookEndpoint)
		after  func(*v1alpha1.MedblocksWebhookEndpoint)
		event  string
	}{
		"a normalised URL": {
			quirks: emulator.Quirks{NormalizeURL: true},
			before: func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.URL = "https://Receiver.Example.com:443" },
			after:  func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.URL = "https://Other.Example.com:443" },
			event:  "Normal Normalized: Medblocks stores url in another form",
		},
		"metadata that is merged": {
			quirks: emulator.Quirks{MetadataMerge: true},
			before: full,
			after: func(res *v1alpha1.MedblocksWebhookEndpoint) {
				res.Spec.Metadata = map[string]v1alpha1.MetadataValue{"other": "1"}
			},
			event: "Normal Normalized: Medblocks stores metadata in another form",
		},
		"events in another order": {
			quirks: emulator.Quirks{ReorderEvents: true},
			before: func(res *v1alpha1.MedblocksWebhookEndpoint) { slices.Reverse(res.Spec.Events) },
			after: func(res *v1alpha1.MedblocksWebhookEndpoint) {
				res.Spec.Events = []v1alpha1.EventType{v1alpha1.EventRecordsSyncFailed, v1alpha1.EventConnectionTokenRefreshFailed}
			},
		},
		"empty values in another form": {
			quirks: emulator.Quirks{NullMetadata: true, EmptyDescription: true, SecondTimestamps: true, ExtraFields: true, CreateStatus: 200},
			before: full,
			after:  func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.Description, res.Spec.Metadata = "", nil },
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(s *setup) { s.vendor.Quirks = test.quirks })
			w.createReady(hooks, test.before)
			w.settle()
			w.Expect(operationsOf(w.calls())).To(Equal([]string{"CreateEndpoint"}))
			w.change(hooks, test.after)
			w.untilReady(hooks)
			w.settle()
			w.Expect(operationsOf(w.calls())).To(Equal([]string{"CreateEndpoint", "GetEndpoint", "UpdateEndpoint"}))
			if test.event != "" {
				w.untilEvent(test.event)
			}

			// A change by somebody is still told apart, and put back.
			w.edit(hooks, func(e *emulator.Endpoint) { e.Description = ptr.To("hands off") })
			w.Eventually(func() string { return ptr.Deref(w.remote(hooks).Description, "") }).ShouldNot(Equal("hands off"))
			w.settle()
			w.Expect(w.calls(emulator.OperationUpdateEndpoint)).To(HaveLen(2))
			w.untilReady(hooks)
		})
	}
}

func TestAnEndpointThatAnotherOwnerTookOverIsNeverWrittenAgain(t *testing.T) {
	w := newWorld(t)
	w.expects.leftBehind = true
	w.createReady(hooks)
	w.settle()
	w.forget()
	id := w.get(hooks).Status.EndpointID
	w.edit(hooks, func(e *emulator.Endpoint) {
		e.Metadata[v1alpha1.MarkOwner] = "another-cluster/apps/hooks"
		e.URL = "https://new-owner.example.com/"
	})
	w.until(hooks, beStalled(v1alpha1.ReasonOwnershipLost, id, "another-cluster/apps/hooks", v1alpha1.MarkOwner))
	taken := w.remote(hooks)
	w.untilEvent("Warning OwnershipLost")

	w.deleteSecret(signing)
	w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.Description = "ours?" })
	w.until(hooks, beStalled(v1alpha1.ReasonOwnershipLost))
	w.settle()
	w.Expect(writes(w.calls())).To(BeEmpty())
	w.Expect(w.remote(hooks)).To(Equal(taken))
	w.Expect(w.vendor.Endpoints(w.key)).To(HaveLen(1 + len(w.bystanders)))

	t.Log("The mark is removed: it is ours again, and the lost Secret is healed.")
	w.edit(hooks, func(e *emulator.Endpoint) { delete(e.Metadata, v1alpha1.MarkOwner) })
	w.untilReady(hooks)
	w.Expect(w.remote(hooks).URL).To(Equal("https://receiver.example.com/hooks"))
}

func TestAResourceWhoseEndpointWasTakenOverIsDeletedWithoutTouchingIt(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks)
	w.edit(hooks, func(e *emulator.Endpoint) { e.Metadata[v1alpha1.MarkOwner] = "another-cluster/apps/hooks" })
	w.until(hooks, beStalled(v1alpha1.ReasonOwnershipLost))
	taken := w.remote(hooks)
	w.forget()
	w.delete(hooks)
	w.untilGone(hooks)
	w.Expect(writes(w.calls())).To(BeEmpty())
	is, err := w.vendor.Endpoint(taken.ID)
	w.Expect(err).NotTo(HaveOccurred())
	w.Expect(is).To(Equal(taken))
	w.Expect(w.secret(signing)).To(BeNil())
}

func TestAnotherIncarnationsMarkIsAConflictAndNothingIsWritten(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks)
	w.settle()
	w.forget()
	w.edit(hooks, func(e *emulator.Endpoint) {
		e.Metadata[v1alpha1.MarkIncarnation] = "another-uid"
		e.URL = "https://other-cluster.example.com/"
	})
	w.until(hooks, beStalled(v1alpha1.ReasonConflict, "--cluster-id", v1alpha1.MarkIncarnation))
	w.settle()
	w.Expect(writes(w.calls())).To(BeEmpty())

	w.edit(hooks, func(e *emulator.Endpoint) { delete(e.Metadata, v1alpha1.MarkIncarnation) })
	w.untilReady(hooks)
	w.Expect(w.remote(hooks).URL).To(Equal("https://receiver.example.com/hooks"))
}

// writes are the calls that change something at Medblocks.
func writes(calls []emulator.Call) []string {
	var names []string
	for _, call := range calls {
		if name := string(call.Operation); !strings.HasPrefix(name, "List") && !strings.HasPrefix(name, "Get") {
			names = append(names, name)
		}
	}
	return names
}
