// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	wordwrap "github.com/mitchellh/go-wordwrap"
	"github.com/xlab/treeprint"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/printers"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// textWidth is how wide text is, in columns; a tree has a little less.
const (
	textWidth = 100
	treeWidth = 92
)

func wrapped(text string, width uint) string { return wordwrap.WrapString(text, width) }

// indented has each line begin with so many spaces.
func indented(text string, by int) string {
	pad := strings.Repeat(" ", by)
	return pad + strings.ReplaceAll(text, "\n", "\n"+pad)
}

// writeStatusTable writes a line for each resource, and below it what is wrong with those of which something is.
func writeStatusTable(to io.Writer, report *StatusReport, namespaces bool) {
	table := printers.GetNewTabWriter(to)
	if namespaces {
		fmt.Fprint(table, "NAMESPACE\t")
	}
	fmt.Fprint(table, "NAME\tREADY\tREASON\tENDPOINT\tFAILED\tNEXT STEP\n")
	for i := range report.Resources {
		is := &report.Resources[i]
		if namespaces {
			fmt.Fprint(table, is.Namespace, "\t")
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n",
			is.Name, is.Ready, orDash(is.Reason), orDash(is.Endpoint.Status), is.Deliveries.count(), is.NextStep.short)
	}
	_ = table.Flush() // a terminal or a pipe that does not take it
	for i := range report.Resources {
		if is := &report.Resources[i]; !is.Healthy || is.Verdict != "delivering" {
			fmt.Fprintln(to)
			writeVerdict(to, is)
		}
	}
	for _, note := range notes(report) {
		fmt.Fprintf(to, "\n%s\n", wrapped(note, textWidth))
	}
}

// notes are what could not be found out, each once.
func notes(report *StatusReport) []string {
	var all []string
	if report.Operator.State != operatorWorking {
		all = append(all, sentence(report.Operator.Message))
	}
	for i := range report.Resources {
		if why := report.Resources[i].Deliveries.Problem; why != "" {
			if note := "Failed deliveries are not known (?): " + why; !slices.Contains(all, note) {
				all = append(all, note)
			}
		}
	}
	return all
}

// sentence begins with a capital letter.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

func (d *DeliveriesStatus) count() string {
	switch {
	case !d.Known && d.Problem == "":
		return "-"
	case !d.Known:
		return "?"
	case d.More:
		return strconv.Itoa(d.Failed) + "+"
	}
	return strconv.Itoa(d.Failed)
}

// writeVerdict says how it is and what happens next.
func writeVerdict(to io.Writer, is *ResourceStatus) {
	fmt.Fprintln(to, wrapped(is.Name+" is "+is.Verdict+".", textWidth))
	fmt.Fprintln(to, wrapped("Next: "+is.NextStep.What+".", textWidth))
	if is.NextStep.Command != "" {
		fmt.Fprintf(to, "\n    %s\n", is.NextStep.Command)
	}
}

func writeStatusTrees(to io.Writer, report *StatusReport, now time.Time) {
	for i := range report.Resources {
		if i > 0 {
			fmt.Fprintln(to)
		}
		writeStatusTree(to, &report.Resources[i], report.Operator, now)
	}
}

// writeStatusTree writes the verdict on a resource, and all that belongs to it as a tree.
func writeStatusTree(to io.Writer, is *ResourceStatus, operator OperatorStatus, now time.Time) {
	writeVerdict(to, is)
	tree := treeprint.NewWithRoot(v1alpha1.Kind + "/" + is.Name + " in namespace " + is.Namespace)
	for i := range is.Conditions {
		if c := &is.Conditions[i]; is.matters(c) {
			tree.AddNode(c.line(now))
		}
	}
	add := func(line string) { tree.AddNode(wrapped(line, treeWidth)) }
	add("Operator: " + operator.Message)
	add("API key: " + is.APIKey.line())
	add("Endpoint: " + is.Endpoint.line(now))
	add("Signing Secret: " + is.SigningSecret.line(now))
	add("Receiver: " + is.Receiver.URL)
	is.Deliveries.addTo(tree, now)
	addHistory(tree, is.History, now)
	fmt.Fprintf(to, "\n%s", tree.String())
}

// matters tells whether a condition says something that the others do not: Ready repeats the first that fails, and the next step says
// who goes on.
func (r *ResourceStatus) matters(c *ConditionStatus) bool {
	switch c.Type {
	case v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled:
		return false
	case v1alpha1.ConditionReady:
		return !slices.ContainsFunc(r.Conditions, func(other ConditionStatus) bool {
			return other.Type != c.Type && other.Status != string(metav1.ConditionTrue) && other.Message == c.Message
		})
	}
	return c.Status != string(metav1.ConditionTrue)
}

func (c *ConditionStatus) line(now time.Time) string {
	return fmt.Sprintf("%s: %s, %s (for %s)\n%s", c.Type, c.Status, c.Reason, age(now, c.Since.Time), wrapped(c.Message, treeWidth))
}

func (k *APIKeyStatus) line() string {
	line := "not known"
	switch {
	case k.Secret != "" && k.Account != "":
		line = fmt.Sprintf("MedblocksAccount %s: key %s of Secret %s/%s", k.Account, k.Key, k.Namespace, k.Secret)
	case k.Secret != "":
		line = fmt.Sprintf("key %s of Secret %s", k.Key, k.Secret)
	case k.Problem == "":
		line = "from --api-key-file"
	}
	if k.Problem != "" {
		line += "; not to be used from here: " + k.Problem
	}
	return line
}

func (e *EndpointStatus) line(now time.Time) string {
	if e.ID == "" {
		return "none yet"
	}
	line := e.ID
	switch {
	case e.gone:
		line += ", which is not there"
	case e.Status != "":
		line += ", " + e.Status
	}
	if e.DisabledSince != nil {
		line += fmt.Sprintf(" for %s (%s)", age(now, e.DisabledSince.Time), e.Cause)
	}
	if !e.Live && !e.gone && e.Status != "" {
		line += ", as the operator last saw it"
	}
	if e.URL != "" {
		line += ", delivers to " + e.URL
	}
	if e.Problem != "" {
		line += "; " + e.Problem
	}
	return line
}

func (s *SigningSecretStatus) line(now time.Time) string {
	parts := []string{s.Name}
	switch {
	case s.Problem != "":
		parts = append(parts, s.Problem)
	case s.Exists != nil && !*s.Exists:
		parts = append(parts, "which does not exist")
	case s.HoldsEndpoint != nil && !*s.HoldsEndpoint:
		parts = append(parts, "which does not name this endpoint")
	case s.HoldsEndpoint != nil:
		parts = append(parts, "holds the secret of this endpoint")
	}
	if s.LastRotated != nil {
		parts = append(parts, "issued "+age(now, s.LastRotated.Time)+" ago")
	}
	if s.RotationDue != nil {
		parts = append(parts, "rotation due "+in(now, s.RotationDue.Time))
	}
	return strings.Join(parts, ", ")
}

func (d *DeliveriesStatus) addTo(tree treeprint.Tree, now time.Time) {
	switch {
	case !d.Known && d.Problem == "":
		tree.AddNode("Failed deliveries: none yet, as there is no endpoint")
	case !d.Known:
		tree.AddNode(wrapped("Failed deliveries: not known: "+d.Problem, treeWidth))
	case d.Failed == 0:
		tree.AddNode("Failed deliveries: none in the last seven days")
	default:
		branch := tree.AddBranch(fmt.Sprintf("Failed deliveries: %s in the last seven days", d.count()))
		for i := range d.Last {
			branch.AddNode(d.Last[i].line(now))
		}
		if rest := d.Failed - len(d.Last); rest > 0 {
			branch.AddNode(fmt.Sprintf("and %d more", rest))
		}
	}
}

func (d *Delivery) line(now time.Time) string {
	answer := "no answer"
	if d.LastStatusCode != nil {
		answer = "status " + strconv.Itoa(*d.LastStatusCode)
	}
	next := d.outlook(now)
	if d.State == deliveryRetrying {
		next = "next attempt " + next
	}
	attempts := fmt.Sprintf("%d attempts", d.Attempts)
	if d.Attempts == 1 {
		attempts = "1 attempt"
	}
	return fmt.Sprintf("%s  %s, %s ago: %s, %s, %s", d.Event, d.Type, age(now, d.CreatedAt.Time), attempts, answer, next)
}

func addHistory(tree treeprint.Tree, history []HistoryStatus, now time.Time) {
	const shown = 5
	if len(history) == 0 {
		tree.AddNode("History: the operator has done nothing at Medblocks yet")
		return
	}
	branch := tree.AddBranch("History: what the operator did at Medblocks")
	for i := range history[:min(shown, len(history))] {
		branch.AddNode(fmt.Sprintf("%s ago: %s, because of %s", age(now, history[i].Time.Time), history[i].Action, history[i].Trigger))
	}
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
