// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
)

var testTime = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

const (
	testID    = "wh_01SETTLED"
	testUID   = "uid-1"
	testOwner = "cluster/shop/orders"
	testNonce = "NONCE-IN-FORCE"
)

// scenario is a settled, registered, active endpoint; tests change what they are about.
type scenario struct {
	res *v1alpha1.MedblocksWebhookEndpoint
	obs *observation
	now time.Time
}

func settled() *scenario {
	s := &scenario{now: testTime, res: &v1alpha1.MedblocksWebhookEndpoint{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop", Name: "orders", UID: testUID, Generation: 1,
			Finalizers: []string{v1alpha1.Finalizer}, Annotations: map[string]string{},
		},
		Spec: v1alpha1.MedblocksWebhookEndpointSpec{
			URL: "https://example.com/hook", Events: []v1alpha1.EventType{v1alpha1.EventAll},
			APIKeySecretRef: v1alpha1.APIKeySecretReference{Name: "key"},
		},
	}}
	s.obs = &observation{
		owner: testOwner, nonce: "FRESH", inFlight: 30 * time.Second, keyHash: "v1:key",
		live: map[string]*medblocks.Endpoint{}, disposed: map[string]bool{}, since: map[string]time.Time{}, proven: testNonce,
		secret: secretView{
			name: "orders-signing-secret", exists: true, owned: true, intact: true, dressed: true,
			nonce: testNonce, endpointID: testID, value: []byte("whsec_x"),
		},
	}
	e := s.endpoint(testID)
	s.obs.view = account.View{ListedAt: testTime.Add(-time.Minute), Endpoint: &e, Owned: []medblocks.Endpoint{e}}
	s.accept(&e)
	s.res.Status.EndpointID, s.res.Status.KeyHash, s.res.Status.ObservedGeneration = testID, "v1:key", 1
	s.res.Status.SigningSecret = &v1alpha1.SigningSecretStatus{Name: "orders-signing-secret"}
	return s
}

// unregistered is a resource that was just created.
func unregistered() *scenario {
	s := settled()
	s.res.Status = v1alpha1.MedblocksWebhookEndpointStatus{ObservedGeneration: -1}
	s.res.Finalizers = nil
	s.obs.view.Endpoint, s.obs.view.Owned = nil, nil
	s.obs.secret = secretView{name: "orders-signing-secret"}
	s.obs.appliedHash, s.obs.acceptedHash = "", ""
	return s
}

// endpoint is one that matches the spec, with all three marks.
func (s *scenario) endpoint(id string) medblocks.Endpoint {
	want := desiredOf(s.res, testOwner)
	return medblocks.Endpoint{
		ID: id, URL: want.URL, Events: slices.Clone(want.Events), Description: want.Description,
		Status: medblocks.EndpointStatusActive, Metadata: want.withNonce(testNonce),
		CreatedAt: medblocks.Timestamp{Time: testTime.Add(-time.Hour)},
	}
}

// accept records that the operator has asked for what the spec says and was answered with this.
func (s *scenario) accept(e *medblocks.Endpoint) {
	s.obs.appliedHash, s.obs.acceptedHash = desiredOf(s.res, testOwner).hash(), projectionOf(e).hash()
	s.res.Status.AppliedHash, s.res.Status.AcceptedHash = s.obs.appliedHash, s.obs.acceptedHash
}

// edit changes the endpoint at Medblocks.
func (s *scenario) edit(change func(*medblocks.Endpoint)) {
	change(s.obs.view.Endpoint)
	s.obs.view.Owned[0] = *s.obs.view.Endpoint
}

// read makes the endpoints and the Secret known live, as a reconcile does before it writes.
func (s *scenario) read() {
	for i := range s.obs.view.Owned {
		s.obs.live[s.obs.view.Owned[i].ID] = &s.obs.view.Owned[i]
	}
	if s.obs.view.Endpoint != nil {
		s.obs.live[s.obs.view.Endpoint.ID] = s.obs.view.Endpoint
	}
	s.obs.secret.live = true
}

func (s *scenario) gone() {
	s.obs.view.Endpoint, s.obs.view.Owned = nil, nil
	s.obs.live[testID] = nil
}

// TestAContradictionIsLookedAtEverLessOften: lists are the dearest calls, and a vendor that contradicts itself may go on so.
func TestAContradictionIsLookedAtEverLessOften(t *testing.T) {
	g := NewWithT(t)
	s := settled()
	s.obs.live[testID] = nil
	s.obs.view.ListedAt = s.now
	for seen, next := range map[time.Duration]time.Duration{
		0: relistInterval, time.Minute: time.Minute, time.Hour: slowRetry,
	} {
		s.obs.since["list with "+testID] = s.now.Add(-seen)
		p := makePlan(s.res, s.obs, s.now)
		g.Expect(p.hold(v1alpha1.ConditionSynced).NeedsList).To(BeFalse())
		g.Expect(p.Wake).To(Equal(s.now.Add(next)), "after %s", seen)
		later := makePlan(s.res, s.obs, s.now.Add(2*slowRetry))
		g.Expect(later.hold(v1alpha1.ConditionSynced).NeedsList).To(BeTrue())
	}
}

// describe prints a plan as words: what it needs, or its steps, then its holds.
func describe(p plan) string {
	var words []string
	for _, id := range p.Needs.endpoints {
		words = append(words, "read:"+id)
	}
	if p.Needs.secret {
		words = append(words, "read:secret")
	}
	if p.Needs.source {
		words = append(words, "read:source")
	}
	if p.Needs.rivals {
		words = append(words, "read:rivals")
	}
	if p.Needs.evidence != "" {
		words = append(words, "read:events")
	}
	if p.Needs.deliveries != nil {
		words = append(words, "read:deliveries")
	}
	if p.Needs.namespace {
		words = append(words, "read:namespace")
	}
	if p.Needs.since != "" {
		words = append(words, "since:"+p.Needs.since)
	}
	if len(words) == 0 {
		for _, s := range p.Steps {
			word := string(s.Action)
			if s.Trigger != "" {
				word += "(" + string(s.Trigger) + ")"
			}
			words = append(words, word)
		}
	}
	if p.Probe != nil {
		words = append(words, "probe")
	}
	if p.Job != nil {
		words = append(words, "redeliver")
	}
	for _, h := range p.Holds {
		words = append(words, h.Reason+"="+[]string{"working", "stalled", "resting"}[h.Progress])
	}
	return strings.Join(words, " ")
}

type planCase struct {
	name  string
	given *scenario
	when  func(*scenario)
	then  string
}

func runPlanCases(t *testing.T, cases []planCase, makePlan func(*v1alpha1.MedblocksWebhookEndpoint, *observation, time.Time) plan) {
	t.Helper()
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			g := NewWithT(t)
			if tc.when != nil {
				tc.when(tc.given)
			}
			before := tc.given.res.DeepCopy()
			p := makePlan(tc.given.res, tc.given.obs, tc.given.now)
			g.Expect(describe(p)).To(Equal(tc.then))
			g.Expect(tc.given.res).To(Equal(before), "a plan changes nothing")
			again := makePlan(tc.given.res, tc.given.obs, tc.given.now)
			g.Expect(again).To(Equal(p), "a plan is deterministic")
			for _, s := range p.Steps {
				if s.Action.atMedblocks() && s.EndpointID != "" && !p.Needs.any() {
					g.Expect(tc.given.obs.isLive(s.EndpointID)).To(BeTrue(), "%s is planned on what a cache says", s.Action)
				}
			}
		})
	}
}

func TestPlanOfAnEndpointThatIsKnown(t *testing.T) {
	runPlanCases(t, []planCase{
		{"a settled endpoint needs nothing", settled(), nil, ""},
		{"a settled endpoint needs nothing while the account is paused", settled(), func(s *scenario) { s.obs.turn = account.Turn{At: s.now.Add(time.Hour), Asked: true} }, ""},
		{"a changed spec is patched after a live read", settled(), func(s *scenario) { s.res.Spec.Description = "new" }, "read:" + testID},
		{"a changed spec is patched", settled(), func(s *scenario) { s.read(); s.res.Spec.Description = "new" }, "UpdateEndpoint(Spec)"},
		{"a change at Medblocks is put back", settled(), func(s *scenario) {
			s.edit(func(e *medblocks.Endpoint) { e.URL = "https://evil.example.com" })
			s.read()
		}, "UpdateEndpoint(Drift)"},
		{"another order of events is no change", settled(), func(s *scenario) {
			s.res.Spec.Events = []v1alpha1.EventType{v1alpha1.EventRecordsSyncFailed, v1alpha1.EventRecordsSyncCompleted}
			e := s.endpoint(testID)
			s.edit(func(is *medblocks.Endpoint) { *is = e })
			s.accept(&e)
			slices.Reverse(s.obs.view.Endpoint.Events)
		}, ""},
		{"a form that Medblocks chose itself is accepted", settled(), func(s *scenario) {
			s.edit(func(e *medblocks.Endpoint) { e.URL += "/" })
			s.accept(s.obs.view.Endpoint)
		}, ""},
		{"a form that Medblocks chose itself does not hide a later change", settled(), func(s *scenario) {
			s.edit(func(e *medblocks.Endpoint) { e.URL += "/" })
			s.accept(s.obs.view.Endpoint)
			s.edit(func(e *medblocks.Endpoint) { e.Description = "x" })
			s.read()
		}, "UpdateEndpoint(Drift)"},
		{"hashes of an older version patch nothing that is right", settled(), func(s *scenario) { s.obs.appliedHash, s.obs.acceptedHash = "v0:a", "v0:b" }, ""},
		{"a missing owner mark is put back", settled(), func(s *scenario) {
			s.edit(func(e *medblocks.Endpoint) { delete(e.Metadata, v1alpha1.MarkOwner) })
			s.read()
		}, "UpdateEndpoint(Drift)"},
		{"another owner's mark ends everything", settled(), func(s *scenario) {
			s.res.Spec.Description = "new"
			s.edit(func(e *medblocks.Endpoint) { e.Metadata[v1alpha1.MarkOwner] = "other/shop/orders" })
			s.read()
		}, "OwnershipLost=stalled"},
		{"another incarnation's mark ends everything", settled(), func(s *scenario) {
			s.edit(func(e *medblocks.Endpoint) { e.Metadata[v1alpha1.MarkIncarnation] = "uid-2" })
			s.read()
		}, "Conflict=stalled"},
		{"a removed finalizer is put back", settled(), func(s *scenario) { s.res.Finalizers = nil }, "AddFinalizer"},
		{"a duplicate of ours is deleted after a live read", settled(), func(s *scenario) {
			s.obs.view.Owned = append(s.obs.view.Owned, s.endpoint("wh_02"))
		}, "read:wh_02"},
		{"a duplicate of ours is deleted", settled(), func(s *scenario) {
			s.obs.view.Owned = append(s.obs.view.Owned, s.endpoint("wh_02"))
			s.read()
		}, "DeleteDuplicate(Duplicate)"},
		{"a duplicate of another incarnation is left alone", settled(), func(s *scenario) {
			other := s.endpoint("wh_02")
			other.Metadata[v1alpha1.MarkIncarnation] = "uid-2"
			s.obs.view.Owned = append(s.obs.view.Owned, other)
			s.read()
		}, "Conflict=stalled"},
		{"a request to reconcile reads the endpoint", settled(), func(s *scenario) { s.res.Annotations[v1alpha1.AnnotationReconcileRequestedAt] = "1" }, "read:" + testID},
		{"a paused account writes nothing", settled(), func(s *scenario) {
			s.read()
			s.res.Spec.Description = "new"
			s.obs.turn = account.Turn{At: s.now.Add(time.Hour), Asked: true}
		}, "RateLimited=working"},
		{"a paused account does not keep a held secret from being stored", settled(), func(s *scenario) {
			s.read()
			s.res.Spec.Description = "new"
			s.obs.secret.exists = false
			s.obs.held = &heldSecret{endpointID: testID, nonce: testNonce}
			s.obs.turn = account.Turn{At: s.now.Add(time.Hour), Asked: true}
		}, "PublishSecret RateLimited=working"},
		{"a suspended resource is left alone", settled(), func(s *scenario) { s.res.Spec.Suspend, s.res.Spec.Description = true, "new" }, "Suspended=resting"},
		{"a refused key stops", settled(), func(s *scenario) { s.obs.refused = &medblocks.APIError{StatusCode: 401, Envelope: true} }, "InvalidAPIKey=stalled"},
		{"a missing key is waited for", settled(), func(s *scenario) { s.obs.credentials = &account.CredentialsError{Message: "no key"} }, "CredentialsUnavailable=working"},
		{"a key that is missing for five minutes needs a person", settled(), func(s *scenario) {
			s.obs.credentials = &account.CredentialsError{Message: "no key"}
			s.res.Status.Conditions = []metav1.Condition{{
				Type: v1alpha1.ConditionSynced, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonCredentialsUnavailable,
				LastTransitionTime: metav1.NewTime(s.now.Add(-5 * time.Minute)),
			}}
		}, "CredentialsUnavailable=stalled"},
	}, makePlan)
}

func TestPlanOfAnEndpointThatIsGone(t *testing.T) {
	runPlanCases(t, []planCase{
		{"before the first list, absence means nothing", settled(), func(s *scenario) { s.obs.view = account.View{} }, "Pending=working"},
		{"absent from a list is not proof enough", settled(), func(s *scenario) { s.obs.view.Endpoint, s.obs.view.Owned = nil, nil }, "read:" + testID},
		{"a 404 alone is not proof enough", settled(), func(s *scenario) { s.obs.live[testID] = nil }, "since:list with " + testID},
		{"a list that contradicts a 404 is asked for again", settled(), func(s *scenario) {
			s.obs.live[testID] = nil
			s.obs.since["list with "+testID] = s.now
		}, "Pending=working"},
		{"absent from a list and 404: it is registered again", settled(), func(s *scenario) { s.gone(); s.obs.secret.live = true }, "WriteIntent RegisterEndpoint(EndpointGone) PublishSecret"},
		{"not before the Secret is known to be writable", settled(), (*scenario).gone, "read:secret"},
		{"under a new key, absence means another workspace", settled(), func(s *scenario) { s.gone(); s.obs.keyHash = "v1:new" }, "WorkspaceChanged=stalled"},
		{"under a new key, a person may ask for a registration", settled(), func(s *scenario) {
			s.gone()
			s.obs.secret.live, s.obs.keyHash = true, "v1:new"
			s.res.Annotations[v1alpha1.AnnotationReregisterRequestedAt] = "1"
		}, "WriteIntent RegisterEndpoint(ReregisterRequested) PublishSecret"},
		{"gone, and another incarnation has one: nothing is registered", settled(), func(s *scenario) {
			s.gone()
			other := s.endpoint("wh_02")
			other.Metadata[v1alpha1.MarkIncarnation] = "uid-2"
			s.obs.view.Owned = []medblocks.Endpoint{other}
			s.read()
			s.obs.live[testID] = nil
		}, "Conflict=stalled"},
		{"an account that was just begun does not know yet how many are gone", settled(), func(s *scenario) {
			s.gone()
			s.obs.secret.live = true
			s.obs.view.Matures = s.obs.view.ListedAt.Add(time.Minute)
		}, "Pending=working"},
		{"but it was there before", settled(), func(s *scenario) {
			s.gone()
			s.obs.secret.live, s.obs.view.Seen = true, true
			s.obs.view.Matures = s.obs.view.ListedAt.Add(time.Minute)
		}, "WriteIntent RegisterEndpoint(EndpointGone) PublishSecret"},
		{"a person knows", settled(), func(s *scenario) {
			s.gone()
			s.obs.secret.live = true
			s.obs.view.Matures = s.obs.view.ListedAt.Add(time.Minute)
			s.res.Annotations[v1alpha1.AnnotationReregisterRequestedAt] = "1"
		}, "WriteIntent RegisterEndpoint(ReregisterRequested) PublishSecret"},
		{"a list from before its registration says nothing about an endpoint", unregistered(), func(s *scenario) {
			s.obs.intent, s.obs.registered = &intent{UID: testUID, Attempt: 1, Nonce: testNonce}, testID
			s.obs.intentSince, s.obs.view.ListedAt = s.now, s.now.Add(-time.Second)
			s.obs.live[testID] = nil
			s.obs.secret.live = true
		}, "Pending=working"},
		{"many vanished at once: it waits", settled(), func(s *scenario) { s.gone(); s.obs.view.Suspect = true }, "Pending=working"},
		{"many vanished at once from a list: each is read before it is doubted", settled(), func(s *scenario) {
			s.gone()
			s.obs.view.Suspect = true
			clear(s.obs.live)
		}, "read:" + testID},
		{"a replacement that was attempted with another key may be in another workspace", settled(), func(s *scenario) {
			s.gone()
			s.obs.intent = &intent{UID: testUID, Replaces: testID, Nonce: "N", KeyHash: "v1:old"}
			s.obs.intentSince = s.now.Add(-time.Hour)
		}, "WorkspaceChanged=stalled"},
		{"after a re-registration whose answer was lost, it waits out the flight", settled(), func(s *scenario) {
			s.gone()
			s.obs.intent = &intent{UID: testUID, Replaces: testID, Nonce: "N"}
			s.obs.intentSince = s.now
		}, "Pending=working"},
		{"a closed intent changes nothing", settled(), func(s *scenario) { s.obs.intent = &intent{UID: testUID, Nonce: testNonce} }, ""},
	}, makePlan)
}

func TestPlanOfARegistration(t *testing.T) {
	openIntent := func(s *scenario, age time.Duration) {
		s.obs.intent = &intent{UID: testUID, Attempt: 1, Nonce: testNonce}
		s.obs.intentSince = s.now.Add(-age)
	}
	runPlanCases(t, []planCase{
		{"a new resource needs the Secret first", unregistered(), nil, "read:secret"},
		{"a new resource is registered: intent, POST, Secret", unregistered(), (*scenario).read, "WriteIntent RegisterEndpoint(Spec) PublishSecret"},
		{"nothing is posted without a complete list", unregistered(), func(s *scenario) { s.obs.view.ListedAt = time.Time{} }, "Pending=working"},
		{"nothing is posted where the Secret is somebody else's", unregistered(), func(s *scenario) { s.obs.secret.exists = true }, "NotOwned=stalled"},
		{"nothing is posted where the Secret cannot be written", unregistered(), func(s *scenario) {
			s.read()
			s.obs.secret.unwritable = errors.New("quota")
		}, "WaitingForSecret=stalled"},
		{"nothing is posted while a POST may be in flight", unregistered(), func(s *scenario) { openIntent(s, 29*time.Second) }, "Pending=working"},
		{"after the flight, a newer list is needed", unregistered(), func(s *scenario) {
			openIntent(s, 31*time.Second)
			s.obs.view.ListedAt = s.now.Add(-2 * time.Second)
		}, "Pending=working"},
		{"after a newer list without our mark, it is posted again", unregistered(), func(s *scenario) {
			openIntent(s, 31*time.Second)
			s.obs.view.ListedAt = s.now.Add(-time.Second)
			s.read()
		}, "WriteIntent RegisterEndpoint(Spec) PublishSecret"},
		{"a refused POST created nothing: no flight to wait for", unregistered(), func(s *scenario) {
			openIntent(s, 0)
			s.obs.intentRefused = true
			s.read()
		}, "WriteIntent RegisterEndpoint(Spec) PublishSecret"},
		{"a POST with another key may have created one in another workspace", unregistered(), func(s *scenario) {
			openIntent(s, time.Hour)
			s.obs.intent.KeyHash = "v1:old"
		}, "WorkspaceChanged=stalled"},
		{"a refused POST with another key created nothing", unregistered(), func(s *scenario) {
			openIntent(s, 0)
			s.obs.intent.KeyHash, s.obs.intentRefused = "v1:old", true
			s.read()
		}, "WriteIntent RegisterEndpoint(Spec) PublishSecret"},
		{"a person may have it registered in the new workspace", unregistered(), func(s *scenario) {
			openIntent(s, time.Hour)
			s.obs.intent.KeyHash = "v1:old"
			s.res.Annotations[v1alpha1.AnnotationReregisterRequestedAt] = "1"
			s.read()
		}, "WriteIntent RegisterEndpoint(Spec) PublishSecret"},
		{"what is found with the new key shows that the workspace is the same", unregistered(), func(s *scenario) {
			openIntent(s, time.Hour)
			s.obs.intent.KeyHash = "v1:old"
			s.obs.view.Owned = []medblocks.Endpoint{s.endpoint(testID)}
			s.obs.evidence = &evidence{complete: true}
			s.obs.secret = settled().obs.secret
		}, "AddFinalizer"},
		{"attempts that fail are given more and more time", unregistered(), func(s *scenario) {
			openIntent(s, 61*time.Second)
			s.obs.intent.Attempt, s.obs.view.ListedAt = 3, s.now
		}, "Pending=working"},
		{"while it waits, it says how the last attempt failed", unregistered(), func(s *scenario) {
			openIntent(s, 0)
			_, s.obs.failure = classify(&medblocks.APIError{StatusCode: 500}, s.now)
		}, "APIUnavailable=working"},
		{"a refused request is not repeated unchanged", unregistered(), func(s *scenario) {
			s.read()
			s.obs.refusals = refusalOf(s, actionRegister)
		}, "InvalidRequest=stalled"},
		{"a refused request is repeated once it changes", unregistered(), func(s *scenario) {
			s.read()
			s.obs.refusals = refusalOf(s, actionRegister)
			s.res.Spec.URL = "https://example.com/other"
		}, "WriteIntent RegisterEndpoint(Spec) PublishSecret"},
		{"an endpoint with our mark is resumed, with a baseline of its events", unregistered(), func(s *scenario) {
			s.obs.view.Owned = []medblocks.Endpoint{s.endpoint(testID)}
			s.read()
		}, "read:events"},
		{"without a baseline nothing is resumed", unregistered(), func(s *scenario) {
			s.obs.view.Owned = []medblocks.Endpoint{s.endpoint(testID)}
			s.obs.evidence = &evidence{err: errors.New("x")}
			s.read()
		}, "APIUnavailable=working"},
		{"an endpoint with our mark is resumed and its lost secret healed", unregistered(), func(s *scenario) {
			s.obs.view.Owned = []medblocks.Endpoint{s.endpoint(testID)}
			s.obs.evidence = &evidence{complete: true}
			s.read()
		}, "AddFinalizer MarkRotation(SecretLost) RotateSecret(SecretLost) PublishSecret"},
		{"a restored resource takes its endpoint over", unregistered(), func(s *scenario) {
			e := s.endpoint(testID)
			e.Metadata[v1alpha1.MarkIncarnation] = "uid-0"
			s.obs.view.Owned = []medblocks.Endpoint{e}
			s.obs.evidence = &evidence{complete: true}
			s.obs.secret = settled().obs.secret
			s.read()
		}, "AddFinalizer UpdateEndpoint(Spec)"},
		{"of several, the one whose secret we hold is kept", unregistered(), func(s *scenario) {
			older := s.endpoint("wh_00")
			older.Metadata[v1alpha1.MarkSecretGeneration] = "unknown"
			older.CreatedAt.Time = older.CreatedAt.Add(-time.Hour)
			s.obs.view.Owned = []medblocks.Endpoint{older, s.endpoint(testID)}
			s.obs.evidence = &evidence{complete: true}
			s.obs.secret = settled().obs.secret
			s.read()
		}, "AddFinalizer DeleteDuplicate(Duplicate)"},
		{"a refused request is repeated when a person asks for something", unregistered(), func(s *scenario) {
			s.read()
			s.obs.refusals = refusalOf(s, actionRegister)
			s.res.Annotations[v1alpha1.AnnotationReregisterRequestedAt] = "1"
		}, "WriteIntent RegisterEndpoint(Spec) PublishSecret"},
		{"a refused change does not keep the rest from being done", settled(), func(s *scenario) {
			s.read()
			s.res.Spec.Description, s.res.Spec.State = "refused", v1alpha1.StateDisabled
			s.obs.refusals = refusalOf(s, actionUpdate)
		}, "RecordDisable DisableEndpoint(Spec) InvalidRequest=stalled"},
	}, makePlan)
}

func refusalOf(s *scenario, a action) map[action]refusal {
	request := newPlanner(s.res, s.obs, s.now).request()
	return map[action]refusal{a: {request: request, hold: *stalledHold(v1alpha1.ConditionSynced, v1alpha1.ReasonInvalidRequest, "refused")}}
}

func BenchmarkPlanOfASettledEndpoint(b *testing.B) {
	s := settled()
	b.ReportAllocs()
	for b.Loop() {
		if p := makePlan(s.res, s.obs, s.now); len(p.Steps) != 0 {
			b.Fatal(describe(p))
		}
	}
}
