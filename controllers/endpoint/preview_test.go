// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// obeyPreview checks that a preview tells all steps of a plan, in their order, and no secret and no nonce.
func (m *model) obeyPreview(w *work, p plan) error {
	is := previewOf(w, p, nil, m.clock.Now())
	if len(is.Steps) != len(p.Steps) {
		return fmt.Errorf("the preview has %d steps, and the plan %s", len(is.Steps), describe(p))
	}
	for i, s := range p.Steps {
		planned := is.Steps[i]
		if planned.Effect == "" || planned.Summary == "" {
			return fmt.Errorf("the preview has no words for %s", s.name())
		}
		if planned.Action != string(s.Action) || planned.Trigger != string(s.Trigger) || planned.EndpointID != s.EndpointID {
			return fmt.Errorf("the preview has %+v in place of %s", planned, s.name())
		}
		if s.Action == actionUpdate && strings.Join(fieldsOf(planned.Changes), ", ") != changedFields(s.Update) {
			return fmt.Errorf("the preview tells of %v where %s changes", planned.Changes, changedFields(s.Update))
		}
		for _, change := range planned.Changes {
			if tellsSecret(change.From) || tellsSecret(change.To) || change.To == s.Nonce && s.Nonce != "" {
				return fmt.Errorf("the preview tells a secret: %+v", change)
			}
		}
	}
	if len(is.Waits) != len(p.Holds) {
		return fmt.Errorf("the preview waits for %+v, and the plan is %s", is.Waits, describe(p))
	}
	if len(p.Steps) > 0 && len(is.Conditions) > 0 {
		return errors.New("the preview concludes before its steps are done")
	}
	return nil
}

func tellsSecret(text string) bool { return strings.Contains(text, "whsec_") }

// fieldsOf are the fields of a request that changes are made by: metadata is sent as a whole.
func fieldsOf(changes []PlannedChange) []string {
	var fields []string
	for _, c := range changes {
		field, _, _ := strings.Cut(c.Field, ".")
		if !slices.Contains(fields, field) {
			fields = append(fields, field)
		}
	}
	slices.Sort(fields)
	return fields
}

func TestAPreviewTellsEachFieldThatAStepChanges(t *testing.T) {
	for _, tc := range []struct {
		name string
		from *scenario
		when func(*scenario)
		says []string
	}{
		{"registration", unregistered(), (*scenario).read, []string{
			"WriteIntent", "RegisterEndpoint Spec url:→https://example.com/hook events:→*", "PublishSecret orders-signing-secret",
		}},
		{"spec", settled(), func(s *scenario) { s.read(); s.res.Spec.Description = "new" }, []string{"UpdateEndpoint Spec wh_01SETTLED description:→new"}},
		{"query of a URL", settled(), func(s *scenario) { s.read(); s.res.Spec.URL += "?token=hidden" }, []string{
			"UpdateEndpoint Spec wh_01SETTLED url:https://example.com/hook→https://example.com/hook?…",
		}},
		{"one of the metadata", settled(), func(s *scenario) { s.read(); s.res.Spec.Metadata = map[string]v1alpha1.MetadataValue{"team": "a"} }, []string{
			"UpdateEndpoint Spec wh_01SETTLED metadata.team:→a",
		}},
		{"drift", settled(), func(s *scenario) {
			s.edit(func(e *medblocks.Endpoint) { e.URL = "https://elsewhere.example.com" })
			s.read()
		}, []string{"UpdateEndpoint Drift wh_01SETTLED url:https://elsewhere.example.com→https://example.com/hook"}},
		{"disable", settled(), func(s *scenario) { s.read(); s.res.Spec.State = v1alpha1.StateDisabled }, []string{
			"RecordDisable wh_01SETTLED", "DisableEndpoint Spec wh_01SETTLED status:active→disabled",
		}},
		{"rotation", settled(), func(s *scenario) { s.read(); s.res.Annotations[v1alpha1.AnnotationRotateSecretRequestedAt] = "1" }, []string{
			"MarkRotation RotateRequested wh_01SETTLED metadata.webhook-operator/secret-generation:NONCE-IN-FORCE→(new)", "RotateSecret RotateRequested wh_01SETTLED",
			"PublishSecret wh_01SETTLED orders-signing-secret",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.when(tc.from)
			w := &work{res: tc.from.res, obs: tc.from.obs}
			NewWithT(t).Expect(tellAll(previewOf(w, makePlan(w.res, w.obs, tc.from.now), nil, tc.from.now))).To(Equal(tc.says))
		})
	}
}

func tellAll(is *Preview) []string {
	var lines []string
	for _, s := range is.Steps {
		words := []string{s.Action, s.Trigger, s.EndpointID, s.Secret}
		for _, c := range s.Changes {
			if !strings.HasPrefix(c.Field, "metadata."+v1alpha1.MarkPrefix) || s.Action == string(actionMarkRotation) {
				words = append(words, c.Field+":"+c.From+"→"+c.To)
			}
		}
		lines = append(lines, strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " "))
	}
	return lines
}

func TestAPreviewSaysWhatStandsInTheWayAndUntilWhen(t *testing.T) {
	g, s := NewWithT(t), settled()
	s.res.Spec.Suspend = true
	is := previewOf(&work{res: s.res, obs: s.obs}, makePlan(s.res, s.obs, s.now), nil, s.now)
	g.Expect(is.Steps).To(BeEmpty())
	g.Expect(is.Waits).To(HaveLen(1))
	g.Expect(is.Waits[0].Reason).To(Equal(v1alpha1.ReasonSuspended))
	g.Expect(is.Conditions).NotTo(BeEmpty())

	s = settled()
	failure := transient(v1alpha1.ReasonRateLimited, "later")
	failure.Wake = s.now.Add(time.Minute)
	is = previewOf(&work{res: s.res, obs: s.obs}, plan{Steps: []step{{Action: actionUpdate}}}, failure, s.now)
	g.Expect(is.Steps).To(BeEmpty(), "what could not be observed is not planned")
	g.Expect(is.Waits[0].Until.Time).To(BeTemporally("==", failure.Wake.Truncate(time.Second)))
}

func TestAPreviewSaysThatTheOperatorIsStalled(t *testing.T) {
	g, s := NewWithT(t), settled()
	s.read()
	s.res.Spec.Description = "refused"
	w := &work{res: s.res, obs: s.obs}
	stalledCondition := metav1.Condition{
		Type: v1alpha1.ConditionStalled, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonInvalidRequest, Message: "refused", ObservedGeneration: s.res.Generation,
	}
	s.res.Status.Conditions = append(s.res.Status.Conditions, stalledCondition)
	g.Expect(previewOf(w, makePlan(s.res, s.obs, s.now), nil, s.now).Notes).To(ContainElement(ContainSubstring("InvalidRequest: refused")))
	s.res.Generation++
	g.Expect(previewOf(w, makePlan(s.res, s.obs, s.now), nil, s.now).Notes).To(BeEmpty(), "that was about another spec")
}

func TestAnOperatorThatHasRunForLongDoesNotWaitForWhatWasInFlightWhenItBegan(t *testing.T) {
	g, s := NewWithT(t), settled()
	mem := longRunning(s.res, s.now)
	mem.meet(s.res, s.now, time.Minute)
	g.Expect(mem.flyingUntil).To(BeZero())
	g.Expect(mem.sighted("a mark", s.now)).To(BeZero())

	at := s.now.Add(-10 * time.Second)
	i := intent{UID: s.res.UID, Time: metav1.NewTime(at), Attempt: 1, Nonce: "n"}
	s.res.Annotations = map[string]string{v1alpha1.AnnotationRegistration: i.encode()}
	g.Expect(longRunning(s.res, s.now).sight(&i, s.now)).To(BeTemporally("~", at, time.Second), "it saw a registration when it was begun")
	g.Expect(longRunning(s.res, at.Add(-time.Hour)).since).To(BeTemporally("==", at.Add(-time.Hour)), "whatever another clock says")
}
