// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"fmt"
	"strings"
	"testing"
)

const saysCrossed = "backoff.initial (default 1m) must not exceed backoff.max (default 6h): lower initial or raise max"

// durationField is a field of the spec that takes a duration.
type durationField struct {
	path     string
	min, max string
	// belowMin and aboveMax are the nearest durations that are refused.
	belowMin, aboveMax string
	// alsoBelow and alsoAbove are what else is wrong then.
	alsoBelow, alsoAbove []refusal
	// beside makes the manifest valid for the whole range: backoff.initial must not exceed backoff.max, and so on.
	beside tweak
}

func durationFields() []durationField {
	nothing := func(manifest) {}
	crossed := because("spec.reenablePolicy.backoff", saysCrossed)
	return []durationField{
		{"spec.signingSecret.rotation.interval", "1h", "87600h", "59m59.999999999s", "87600h0.000000001s", nil, nil, nothing},
		{"spec.reenablePolicy.window", "1h", "8760h", "59m59.999999999s", "8760h0.000000001s", nil, nil, nothing},
		{"spec.reenablePolicy.backoff.initial", "1s", "168h", "0.999999999s", "168h0.000000001s", nil, crossed, set("spec.reenablePolicy.backoff.max", "168h")},
		{"spec.reenablePolicy.backoff.max", "1s", "168h", "0.999999999s", "168h0.000000001s", crossed, nil, set("spec.reenablePolicy.backoff.initial", "1s")},
		{"spec.reenablePolicy.redelivery.maxAge", "1m", "8760h", "59.999999999s", "8760h0.000000001s", nil, nil, nothing},
		{"spec.deliveryMonitoring.interval", "1m", "168h", "59.999999999s", "168h0.000000001s", nil, nil, nothing},
	}
}

func (f durationField) leaf() string { return f.path[strings.LastIndex(f.path, ".")+1:] }

// is writes the value into the field of an otherwise valid manifest.
func (f durationField) is(value any) tweak { return all(f.beside, set(f.path, value)) }

// says is the message of every refusal of a string that is short enough.
func (f durationField) says() string {
	return fmt.Sprintf("%s must be a Go duration (units h, m, s and ms) between %s and %s, such as ", f.leaf(), f.min, f.max)
}

func TestDurationsWithinTheirBoundsAreAccepted(t *testing.T) {
	for _, f := range durationFields() {
		t.Run(f.path, func(t *testing.T) {
			testAccepted(t, []acceptedCase{
				{"the lower bound", f.is(f.min)},
				{"the upper bound", f.is(f.max)},
				{"hours with a fraction", f.is("1.5h")},
				{"a unit twice", f.is("1h1h")},
				{"units out of order", f.is("1s2h")},
				{"all units", f.is("2h45m30s100ms")},
				{"a fraction of nine digits", f.is("1.000000001h")},
				{"six digits", f.is("000090m")},
				{"20 characters", f.is("00001h00001m000001ms")},
			})
		})
	}
}

func TestDurationsThatAreTooShortOrTooLongAreRefusedWithTheBounds(t *testing.T) {
	for _, f := range durationFields() {
		t.Run(f.path, func(t *testing.T) {
			testRefused(t, []refusedCase{
				{"zero with a unit", f.is("0s"), append(because(f.path, f.says()), f.alsoBelow...)},
				{"just below the lower bound", f.is(f.belowMin), append(because(f.path, f.says()), f.alsoBelow...)},
				{"just above the upper bound", f.is(f.aboveMax), append(because(f.path, f.says()), f.alsoAbove...)},
				{"a hundred milliseconds", f.is("100ms"), append(because(f.path, f.says()), f.alsoBelow...)},
				{"a few nanoseconds in hours", f.is("0.000000001h"), append(because(f.path, f.says()), f.alsoBelow...)},
				{"the longest that can be written", f.is("999999h999999h99999h"), append(because(f.path, f.says()), f.alsoAbove...)},
			})
		})
	}
}

func TestDurationsThatDoNotParseAreRefusedWithAnExample(t *testing.T) {
	for _, f := range durationFields() {
		t.Run(f.path, func(t *testing.T) {
			// The pattern of the schema speaks to editors and other tools, the CEL rule speaks to people.
			unparsable := []refusal{{f.path, "should match"}, {f.path, f.says()}}
			var cases []refusedCase
			for name, value := range map[string]string{
				"an empty string": "", "a word": "often", "a number without a unit": "3600", "a bare zero": "0",
				"a negative duration": "-2h", "a plus sign": "+2h", "days": "7d", "weeks": "1w", "microseconds": "9000000us",
				"a micro sign": "9000000µs", "nanoseconds": "1h1ns", "a space between": "2h 30m", "a leading space": " 2h",
				"a trailing line feed": "2h\n", "uppercase units": "2H", "a comma": "1,5h", "no digit before the point": ".5h",
				"no digit behind the point": "5.h", "an exponent": "1e3h", "a unit without a number": "h", "ISO 8601": "PT2H",
				"digits that are not ASCII": "٢h", "seven digits": "1000000h", "ten digits behind the point": "1.0000000001h",
				"19 digits, which overflow": "9999999999999999999h",
			} {
				cases = append(cases, refusedCase{name, f.is(value), unparsable})
			}
			testRefused(t, cases)
		})
	}
}

func TestDurationsThatAreNoShortStringsAreRefused(t *testing.T) {
	for _, f := range durationFields() {
		t.Run(f.path, func(t *testing.T) {
			testRefused(t, []refusedCase{
				{"21 characters", f.is("00001h00001m0000001ms"), because(f.path, "Too long: may not be more than 20")},
				{"a number", f.is(3600), because(f.path, "must be of type string")},
				{"a boolean", f.is(true), because(f.path, "must be of type string")},
				{"a list", f.is([]any{f.min}), because(f.path, "must be of type string")},
			})
		})
	}
}

func TestTheBackoffMustNotStartAboveItsLongestDelay(t *testing.T) {
	const path = "spec.reenablePolicy.backoff"
	testAccepted(t, []acceptedCase{
		{"nothing set", set(path, map[string]any{})},
		{"both alike", set(path, map[string]any{"initial": "2h", "max": "120m"})},
		{"initial at the default of max", set(path, map[string]any{"initial": "6h"})},
		{"max at the default of initial", set(path, map[string]any{"max": "60s"})},
	})
	testRefused(t, []refusedCase{
		{"initial above max", set(path, map[string]any{"initial": "2h", "max": "1h"}), because(path, saysCrossed)},
		{"initial above the default of max", set(path, map[string]any{"initial": "7h"}), because(path, saysCrossed)},
		{"max below the default of initial", set(path, map[string]any{"max": "30s"}), because(path, saysCrossed)},
	})
}
