// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bytes"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

func TestProseIsWrappedBetweenWordsAndLongWordsStayWhole(t *testing.T) {
	g := NewWithT(t)
	g.Expect(wrap("one two  three", 7)).To(Equal([]string{"one two", "three"}))
	g.Expect(wrap("a http://127.0.0.1:1/webhooks b", 8)).To(Equal([]string{"a", "http://127.0.0.1:1/webhooks", "b"}))
	g.Expect(wrap("äöü äöü", 7)).To(Equal([]string{"äöü äöü"}), "characters are counted, not bytes")
	g.Expect(wrap("", 7)).To(Equal([]string{""}))
}

func TestOnlyAScreenWithColoursIsPainted(t *testing.T) {
	for _, colour := range []bool{true, false} {
		g := NewWithT(t)
		var out bytes.Buffer
		s := &screen{out: &out, colour: colour, start: time.Now()}
		s.title(1, "Title")
		s.typed("kubectl get mwe")
		s.output("NAME   READY   \n")
		s.seen("it is there")
		s.failed("it is not")
		if colour {
			g.Expect(out.String()).To(ContainSubstring("\x1b[1m$ kubectl get mwe\x1b[0m"))
			continue
		}
		g.Expect(out.String()).To(Equal("\n1. Title\n" +
			"   0.0s  $ kubectl get mwe\n" + "         NAME   READY\n" + "   0.0s  ✓ it is there\n" + "   0.0s  ✗ it is not\n"))
	}
}

func TestACommandCanBePastedIntoAShell(t *testing.T) {
	g := NewWithT(t)
	g.Expect(shellWords([]string{"get", "mwe", "-o", `jsonpath={.a}{"\n"}`, "it's"})).To(Equal(`get mwe -o 'jsonpath={.a}{"\n"}' 'it'\''s'`))
}

func condition(kind string, status metav1.ConditionStatus, reason string) metav1.Condition {
	return metav1.Condition{Type: kind, Status: status, Reason: reason}
}

func TestAChangeIsAnotherStatusOrReasonInTheOrderOfCauses(t *testing.T) {
	g := NewWithT(t)
	at := time.Now()
	before := []metav1.Condition{
		condition(v1alpha1.ConditionReady, metav1.ConditionTrue, "Registered"),
		condition(v1alpha1.ConditionSynced, metav1.ConditionTrue, "Registered"),
		condition(v1alpha1.ConditionEnabled, metav1.ConditionTrue, "Active"),
		condition(v1alpha1.ConditionReconciling, metav1.ConditionTrue, "Pending"),
	}
	after := []metav1.Condition{
		condition(v1alpha1.ConditionReady, metav1.ConditionFalse, "AutoDisabled"),
		condition(v1alpha1.ConditionSynced, metav1.ConditionTrue, "Registered"),
		condition(v1alpha1.ConditionEnabled, metav1.ConditionFalse, "AutoDisabled"),
		condition(v1alpha1.ConditionStalled, metav1.ConditionTrue, "AutoDisabled"),
	}
	g.Expect(changesBetween(before, after, at)).To(Equal([]change{
		{at: at, kind: "Enabled", from: "True", to: "False", reason: "AutoDisabled"},
		{at: at, kind: "Ready", from: "True", to: "False", reason: "AutoDisabled"},
		{at: at, kind: "Reconciling", from: "True"},
		{at: at, kind: "Stalled", to: "True", reason: "AutoDisabled"},
	}))
	g.Expect(changesBetween(after, after, at)).To(BeEmpty())
}

func TestAChangeIsToldOnceAndFoundForEver(t *testing.T) {
	g := NewWithT(t)
	var out bytes.Buffer
	start := time.Now()
	s := &screen{out: &out, start: start}
	c := &conditions{}
	c.note("uid", []metav1.Condition{condition(v1alpha1.ConditionEnabled, metav1.ConditionFalse, "AutoDisabled")}, start.Add(2*time.Second))
	c.note("uid", []metav1.Condition{condition(v1alpha1.ConditionEnabled, metav1.ConditionTrue, "Active")}, start.Add(3*time.Second))
	c.tell(s)
	c.tell(s)
	g.Expect(out.String()).To(Equal("   2.0s  ● condition Enabled            –       → False   AutoDisabled\n" +
		"   3.0s  ● condition Enabled            False   → True    Active\n"))

	_, found := c.since(start, v1alpha1.ConditionEnabled, metav1.ConditionFalse, "AutoDisabled")
	g.Expect(found).To(BeTrue(), "although it did not last")
	_, found = c.since(start.Add(2*time.Second), v1alpha1.ConditionEnabled, metav1.ConditionFalse, "")
	g.Expect(found).To(BeFalse(), "not after that")
}

func TestAnotherMessageIsAChangeOfTheTalkativeConditionsAndIsToldOnce(t *testing.T) {
	g := NewWithT(t)
	var out bytes.Buffer
	start := time.Now()
	s := &screen{out: &out, start: start}
	c := &conditions{}
	saying := func(kind, message string) metav1.Condition {
		is := condition(kind, metav1.ConditionFalse, "AutoDisabled")
		is.Message = message
		return is
	}
	tell := func(message string) string {
		out.Reset()
		c.note("uid", []metav1.Condition{saying(v1alpha1.ConditionEnabled, message), saying(v1alpha1.ConditionReady, message)}, start)
		c.tell(s)
		return out.String()
	}
	g.Expect(tell("it waits")).To(Equal("   0.0s  ● condition Enabled            –       → False   AutoDisabled\n             it waits\n"+
		"   0.0s  ● condition Ready              –       → False   AutoDisabled\n"), "Ready says the same")
	g.Expect(tell("it waits")).To(BeEmpty())
	g.Expect(tell("it answered 503")).To(Equal("   0.0s  ● condition Enabled            still     False   AutoDisabled\n             it answered 503\n"))

	_, found := c.said(start.Add(-time.Second), v1alpha1.ConditionEnabled, "answered 503")
	g.Expect(found).To(BeTrue())
	_, found = c.said(start.Add(-time.Second), v1alpha1.ConditionEnabled, "answered 405")
	g.Expect(found).To(BeFalse())
	_, found = c.said(start, v1alpha1.ConditionEnabled, "answered 503")
	g.Expect(found).To(BeFalse(), "not after that")
}

func TestAnAttemptCountsAsRecordedOnlyWhileTheEndpointIsDisabled(t *testing.T) {
	g := NewWithT(t)
	c := &conditions{}
	status := func(enabled metav1.ConditionStatus, attempts int) *v1alpha1.MedblocksWebhookEndpointStatus {
		return &v1alpha1.MedblocksWebhookEndpointStatus{
			Conditions: []metav1.Condition{condition(v1alpha1.ConditionEnabled, enabled, "")},
			Reenable:   &v1alpha1.ReenableStatus{Attempts: make([]metav1.Time, attempts)},
		}
	}
	c.noteAttempts(status(metav1.ConditionFalse, 0))
	c.noteAttempts(status(metav1.ConditionTrue, 1))
	g.Expect(c.attemptsRecorded()).To(BeZero())
	c.noteAttempts(status(metav1.ConditionFalse, 1))
	c.noteAttempts(status(metav1.ConditionTrue, 1))
	g.Expect(c.attemptsRecorded()).To(Equal(1))
}

func TestAResourceThatWasCreatedAgainStartsWithoutConditions(t *testing.T) {
	g := NewWithT(t)
	c := &conditions{}
	c.note("first", []metav1.Condition{condition(v1alpha1.ConditionReady, metav1.ConditionTrue, "Registered")}, time.Now())
	g.Expect(c.untold()).To(HaveLen(1))
	c.note("second", nil, time.Now())
	g.Expect(c.untold()).To(BeEmpty())
	c.note("second", []metav1.Condition{condition(v1alpha1.ConditionReady, metav1.ConditionTrue, "Registered")}, time.Now())
	g.Expect(c.untold()).To(HaveLen(1))
}
