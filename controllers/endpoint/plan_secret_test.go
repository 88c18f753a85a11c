// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

func TestPlanOfTheSigningSecret(t *testing.T) {
	const heal = "MarkRotation(SecretLost) RotateSecret(SecretLost) PublishSecret"
	lost := func(s *scenario) { s.read(); s.obs.secret.exists = false }
	// unseen: the Secret is lost, and this process has never seen it hold the secret of the present mark.
	unseen := func(s *scenario) {
		s.read()
		s.obs.secret, s.obs.proven = secretView{name: s.obs.secret.name, live: true}, "BEFORE"
	}
	at := func(s *scenario, ago time.Duration) *metav1.Time {
		past := metav1.NewTime(s.now.Add(-ago))
		return &past
	}
	runPlanCases(t, []planCase{
		{"a Secret that the cache does not have is looked for first", settled(), func(s *scenario) {
			s.obs.secret = secretView{name: s.obs.secret.name}
		}, "read:secret"},
		{"a lost Secret is healed", settled(), lost, heal},
		{"a tampered Secret is healed", settled(), func(s *scenario) { s.read(); s.obs.secret.intact = false }, heal},
		{"a Secret of another generation is healed", settled(), func(s *scenario) { s.read(); s.obs.secret.nonce = "OLD" }, heal},
		{"a Secret lost again within an hour is contested", settled(), func(s *scenario) {
			lost(s)
			s.res.Status.SigningSecret.LastHealed = at(s, 59*time.Minute)
		}, "Contested=stalled"},
		{"a Secret is not called contested on what a list has shown", settled(), func(s *scenario) {
			lost(s)
			s.obs.live = nil
			s.res.Status.SigningSecret.LastHealed = at(s, time.Minute)
		}, "read:" + testID},
		{"a Secret lost again after an hour is healed", settled(), func(s *scenario) {
			lost(s)
			s.res.Status.SigningSecret.LastHealed = at(s, time.Hour)
		}, heal},
		{"a contested Secret is healed on request", settled(), func(s *scenario) {
			lost(s)
			s.res.Status.SigningSecret.LastHealed = at(s, time.Minute)
			s.res.Annotations[v1alpha1.AnnotationRotateSecretRequestedAt] = "1"
		}, "MarkRotation(RotateRequested) RotateSecret(RotateRequested) PublishSecret"},
		{"a Secret that lost its label soon after it was healed is looked for first", settled(), func(s *scenario) {
			s.obs.secret = secretView{name: s.obs.secret.name}
			s.res.Status.SigningSecret.LastHealed = at(s, time.Minute)
		}, "read:secret"},
		{"a held secret is not stored on what the cache says", settled(), func(s *scenario) {
			s.obs.secret = secretView{name: s.obs.secret.name}
			s.obs.held = &heldSecret{endpointID: testID, nonce: testNonce}
		}, "read:secret"},
		{"somebody else's Secret is refused", settled(), func(s *scenario) { s.read(); s.obs.secret.owned = false }, "NotOwned=stalled"},
		{"somebody else's Secret is refused for a held secret, too", settled(), func(s *scenario) {
			s.read()
			s.obs.secret.owned = false
			s.obs.held = &heldSecret{endpointID: testID, nonce: testNonce}
		}, "NotOwned=stalled"},
		{"no rotation without a writable Secret", settled(), func(s *scenario) {
			lost(s)
			s.obs.secret.unwritable = errStale
		}, "WaitingForSecret=stalled"},
		{"a secret still held in memory is stored without a rotation", settled(), func(s *scenario) {
			lost(s)
			s.obs.held = &heldSecret{endpointID: testID, nonce: testNonce}
		}, "PublishSecret"},
		{"a held secret replaces one that was stored meanwhile only after a look at the mark", settled(), func(s *scenario) {
			s.obs.secret.nonce, s.obs.secret.live = "OTHER", true
			s.obs.held = &heldSecret{endpointID: testID, nonce: testNonce, over: "OLD"}
		}, "read:" + testID},
		{"a held secret replaces the one that it was asked for to replace", settled(), func(s *scenario) {
			s.obs.secret.nonce, s.obs.secret.live = "OLD", true
			s.obs.held = &heldSecret{endpointID: testID, nonce: testNonce, over: "OLD"}
		}, "PublishSecret"},
		{"a secret held from an older generation is of no use", settled(), func(s *scenario) {
			lost(s)
			s.obs.held = &heldSecret{endpointID: testID, nonce: "OLD"}
		}, heal},
		{"a missing mark is repaired from the Secret", settled(), func(s *scenario) {
			s.edit(func(e *medblocks.Endpoint) { delete(e.Metadata, v1alpha1.MarkSecretGeneration) })
			s.read()
		}, "RepairMarks(MarkMissing)"},
		{"a missing mark without a Secret is healed", settled(), func(s *scenario) {
			s.edit(func(e *medblocks.Endpoint) { delete(e.Metadata, v1alpha1.MarkSecretGeneration) })
			lost(s)
			s.obs.since[sightOfMark("")] = s.now.Add(-s.obs.inFlight)
		}, heal},
		{"a mark of another process is watched for a while", settled(), func(s *scenario) {
			unseen(s)
		}, "since:mark " + testNonce},
		{"a rotation that may be in flight is waited for, also by a request", settled(), func(s *scenario) {
			unseen(s)
			s.obs.since[sightOfMark(testNonce)] = s.now.Add(time.Second - s.obs.inFlight)
			s.res.Annotations[v1alpha1.AnnotationRotateSecretRequestedAt] = "1"
		}, "WaitingForSecret=working"},
		{"and no longer than a call takes", settled(), func(s *scenario) {
			unseen(s)
			s.obs.since[sightOfMark(testNonce)] = s.now.Add(-s.obs.inFlight)
		}, heal},
		{"a mark that the tampered Secret was stored with has no rotation in flight", settled(), func(s *scenario) {
			s.read()
			s.obs.proven, s.obs.secret.intact = "", false
		}, heal},
		{"a mark from the registration has no rotation in flight", settled(), func(s *scenario) {
			unseen(s)
			s.obs.intent = &intent{UID: testUID, Nonce: testNonce}
		}, heal},
		{"a rotation out of turn is followed by another one", settled(), func(s *scenario) {
			s.read()
			s.obs.clobbered, s.obs.clobbers = testID, 1
		}, heal},
		{"but not again and again", settled(), func(s *scenario) {
			unseen(s)
			s.obs.clobbered, s.obs.clobbers = testID, 2
		}, "since:mark " + testNonce},
		{"a lost label is put back without a rotation", settled(), func(s *scenario) { s.obs.secret.dressed = false }, "DressSecret"},
		{"a label that somebody keeps changing is left alone for a while", settled(), func(s *scenario) {
			s.obs.secret.dressed = false
			s.dressings(59*time.Minute, 2*time.Minute, time.Minute)
		}, ""},
		{"a label that somebody kept changing an hour ago is put back", settled(), func(s *scenario) {
			s.obs.secret.dressed = false
			s.dressings(time.Hour, 2*time.Minute, time.Minute)
		}, "DressSecret"},
		{"new labels in the spec are no fight", settled(), func(s *scenario) {
			s.obs.secret.dressed = false
			s.dressings(3*time.Minute, 2*time.Minute, time.Minute)
			s.res.Spec.SigningSecret = &v1alpha1.SigningSecretSpec{Labels: map[string]v1alpha1.LabelValue{"app": "receiver"}}
		}, "DressSecret"},
		{"a renamed Secret is moved", settled(), func(s *scenario) {
			moved := s.obs.secret
			moved.name = "old"
			s.obs.former = []*secretView{&moved}
			s.obs.secret = secretView{name: "new", live: true}
		}, "MoveSecret"},
		{"the old Secret is read after the move: it may have lost its label", settled(), func(s *scenario) {
			s.obs.former = []*secretView{{name: "old"}}
		}, "read:secret"},
		{"the old Secret goes after the move", settled(), func(s *scenario) {
			moved := s.obs.secret
			moved.name, moved.live = "old", true
			s.obs.former = []*secretView{&moved}
		}, "DeleteSecret"},
		{"a rotation is made on request", settled(), func(s *scenario) {
			s.read()
			s.res.Annotations[v1alpha1.AnnotationRotateSecretRequestedAt] = "1"
		}, "MarkRotation(RotateRequested) RotateSecret(RotateRequested) PublishSecret"},
		{"a request is served once", settled(), func(s *scenario) {
			s.res.Annotations[v1alpha1.AnnotationRotateSecretRequestedAt] = "1"
			s.res.Status.LastHandledRotateSecretAt = "1"
		}, ""},
		{"a request that the Secret was rotated for is served", settled(), func(s *scenario) {
			s.read()
			s.res.Annotations[v1alpha1.AnnotationRotateSecretRequestedAt] = "1"
			s.obs.secret.rotatedFor = "1"
		}, ""},
		{"a rotation that the status does not know yet counts", settled(), func(s *scenario) {
			rotateHourly(s, at(s, 2*time.Hour))
			s.obs.secret.rotatedAt = s.now.Add(-time.Minute)
		}, ""},
		{"an old copy of the Secret that was put back is healed, and not due", settled(), func(s *scenario) {
			s.read()
			rotateHourly(s, at(s, time.Minute))
			s.obs.secret.nonce, s.obs.secret.rotatedAt = "OLD", s.now.Add(-3*time.Hour)
			s.res.Status.SigningSecret.LastHealed = at(s, time.Minute)
		}, "Contested=stalled"},
		{"an issue date in the future is no reason to wait for ever", settled(), func(s *scenario) {
			rotateHourly(s, nil)
			s.obs.secret.rotatedAt = s.now.Add(1000 * time.Hour)
		}, ""},
		{"a rotation is made when its interval is over", settled(), func(s *scenario) {
			s.read()
			rotateHourly(s, at(s, time.Hour))
		}, "MarkRotation(RotationInterval) RotateSecret(RotationInterval) PublishSecret"},
		{"not before", settled(), func(s *scenario) { rotateHourly(s, at(s, 59*time.Minute)) }, ""},
	}, makePlan)
}

func rotateHourly(s *scenario, last *metav1.Time) {
	s.res.Spec.SigningSecret = &v1alpha1.SigningSecretSpec{Rotation: &v1alpha1.SecretRotation{Interval: metav1.Duration{Duration: time.Hour}}}
	s.res.Status.SigningSecret.LastRotated = last
}

// dressings are how long ago the Secret's labels and annotations were put back.
func (s *scenario) dressings(ago ...time.Duration) {
	for _, d := range ago {
		s.obs.dressings.note(dressing(s.res, testID), s.now.Add(-d))
	}
}

func TestNothingIsRotatedWhileAnOlderMarkMayComeBack(t *testing.T) {
	asked := func(change func(*scenario)) func(*scenario) {
		return func(s *scenario) {
			s.read()
			s.res.Annotations[v1alpha1.AnnotationRotateSecretRequestedAt] = "1"
			change(s)
		}
	}
	const rotation = "MarkRotation(RotateRequested) RotateSecret(RotateRequested) PublishSecret"
	runPlanCases(t, []planCase{
		{"with a PATCH of this process", settled(), asked(func(s *scenario) { s.obs.lostUntil = s.now.Add(time.Second) }), "WaitingForSecret=working"},
		{"until it has come", settled(), asked(func(s *scenario) { s.obs.lostUntil = s.now }), rotation},
		{"one of the process before only costs one more rotation", settled(), asked(func(s *scenario) { s.obs.flyingUntil = s.now.Add(time.Second) }), rotation},
		{"unless it is that of a copy, which would be believed", copied(), asked(func(s *scenario) { s.obs.flyingUntil = s.now.Add(time.Second) }), "WaitingForSecret=working"},
	}, makePlan)
}

func TestRotationsWithoutAnAnswerComeEverLessOften(t *testing.T) {
	s := settled()
	s.read()
	s.obs.proven, s.obs.secret.nonce = "", "OTHER"
	s.obs.since[sightOfMark(testNonce)] = s.now
	for lost, after := range map[int]time.Duration{
		0: s.obs.inFlight, 1: s.obs.inFlight, 2: 2 * s.obs.inFlight, 3: 4 * s.obs.inFlight, 100: healInterval,
	} {
		s.obs.lostRotations = lost
		NewWithT(t).Expect(makePlan(s.res, s.obs, s.now).Wake).To(Equal(s.now.Add(after)), "after %d", lost)
	}
}
