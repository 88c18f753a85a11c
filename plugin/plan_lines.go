// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/endpoint"
)

// signs begin the line of a step.
var signs = map[string]string{endpoint.EffectCreate: "+", endpoint.EffectChange: "~", endpoint.EffectDelete: "-"}

func writePlans(to io.Writer, report *PlanReport, now time.Time) {
	for i := range report.Plans {
		if i > 0 {
			fmt.Fprintln(to)
		}
		writePlan(to, &report.Plans[i], now)
	}
}

// writePlan writes one resource's plan: a line for each step, and below it the fields that it changes.
func writePlan(to io.Writer, is *endpoint.Preview, now time.Time) {
	fmt.Fprintf(to, "%s/%s%s\n", is.Namespace, is.Name, inParentheses(is.EndpointID))
	if is.ProvesSecret != "" {
		fmt.Fprintf(to, "  ? find out by a dry run whether Secret %s can be written; if not, stop here\n", is.ProvesSecret)
	}
	for i := range is.Steps {
		writePlannedStep(to, &is.Steps[i])
	}
	if is.Probes != "" {
		fmt.Fprintf(to, "  ? probe %s until the receiver is healthy\n", is.Probes)
	}
	if is.Redelivers {
		fmt.Fprint(to, "  ~ redeliver the events that were not delivered\n")
	}
	if len(is.Steps) == 0 && is.Probes == "" && !is.Redelivers {
		fmt.Fprint(to, "  nothing to do\n")
	}
	for i := range is.Waits {
		writePlannedWait(to, &is.Waits[i], now)
	}
	for _, note := range is.Notes {
		writeBullet(to, "note: "+note)
	}
	if is.NextLook != nil && len(is.Waits) == 0 {
		fmt.Fprintf(to, "  next look: %s\n", when(now, is.NextLook.Time))
	}
}

func inParentheses(text string) string {
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}

func writePlannedStep(to io.Writer, step *endpoint.PlannedStep) {
	fmt.Fprintf(to, "  %s %s%s\n", signs[step.Effect], step.Summary, inParentheses(step.Trigger))
	for _, change := range step.Changes {
		if isMark(change.Field) {
			continue // the operator's own bookkeeping, with every write of metadata
		}
		fmt.Fprintf(to, "      %s: %s → %s\n", change.Field, orNone(change.From), orNone(change.To))
	}
}

func isMark(field string) bool {
	key, is := strings.CutPrefix(field, "metadata.")
	return is && strings.HasPrefix(key, v1alpha1.MarkPrefix)
}

func orNone(value string) string {
	if value == "" {
		return "(none)"
	}
	return value
}

func writePlannedWait(to io.Writer, wait *endpoint.PlannedWait, now time.Time) {
	who := "waits"
	if wait.Stalled {
		who = "stalled"
	}
	until := ""
	if wait.Until != nil {
		until = ", looks again " + when(now, wait.Until.Time)
	}
	writeBullet(to, fmt.Sprintf("%s%s: %s: %s", who, until, wait.Reason, wait.Message))
}

// writeBullet wraps what may be long.
func writeBullet(to io.Writer, text string) {
	fmt.Fprintf(to, "  ! %s\n", strings.TrimLeft(indented(wrapped(text, textWidth-4), 4), " "))
}

// when is how long it is until something, and the time: "in 3m10s (at 14:03:05Z)".
func when(now, then time.Time) string {
	return fmt.Sprintf("%s (at %s)", in(now, then), then.UTC().Format(time.RFC3339))
}
