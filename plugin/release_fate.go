// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// fate is what a release does to one resource, and what stays.
type fate struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// EndpointID of the endpoint that stays at Medblocks; empty: there is none.
	EndpointID string `json:"endpointID,omitempty"`
	// Secret is the signing Secret that stays; empty: there is none.
	Secret string `json:"secret,omitempty"`
	// Marked: the endpoint keeps the operator's marks.
	Marked bool `json:"marked,omitempty"`
	// Notes are what to mind.
	Notes []string `json:"notes,omitempty"`
	// Outcome is Planned (--dry-run), or Done, Failed, TimedOut or Interrupted, with a message.
	Outcome string `json:"outcome"`
	Message string `json:"message,omitempty"`
}

const outcomePlanned = "Planned"

// fateOf is a pure function.
func fateOf(res *v1alpha1.MedblocksWebhookEndpoint) fate {
	f := fate{Namespace: res.Namespace, Name: res.Name, Outcome: outcomePlanned}
	f.see(res)
	if f.EndpointID == "" {
		f.note("it has no endpoint at Medblocks")
	}
	if tool := appliedBy(res); tool != "" {
		f.note("%s applies it, and may undo this or make it anew: take it out of there first", tool)
	}
	if isInDoubt(res) {
		f.note("it is being deleted already, and the endpoint with it: this is stopped if it is not too late")
	}
	if why := keyTrouble(res); f.EndpointID != "" && why != "" {
		f.Marked = true
		f.note("without an API key that works (%s) the endpoint keeps the operator's marks", why)
	}
	return f
}

// see takes note of the endpoint and the Secret that a resource has. Those that it had before are not forgotten.
func (f *fate) see(res *v1alpha1.MedblocksWebhookEndpoint) {
	if id := heldEndpoint(res); id != "" {
		f.EndpointID = id
	}
	if secret := res.Status.SigningSecret; secret != nil {
		f.Secret = secret.Name
	}
}

func (f *fate) note(format string, args ...any) {
	f.Notes = append(f.Notes, fmt.Sprintf(format, args...))
}

// heldEndpoint is the endpoint that a resource has, or observes.
func heldEndpoint(res *v1alpha1.MedblocksWebhookEndpoint) string {
	switch {
	case res.Status.EndpointID != "":
		return res.Status.EndpointID
	case res.Observes() && res.Spec.Adopt != nil && res.Status.Endpoint != nil:
		return res.Spec.Adopt.EndpointID
	}
	return ""
}

// keyTrouble is why the operator cannot take its marks off an endpoint; empty: nothing is known to be wrong.
func keyTrouble(res *v1alpha1.MedblocksWebhookEndpoint) string {
	reasons := []string{v1alpha1.ReasonCredentialsUnavailable, v1alpha1.ReasonInvalidAPIKey, v1alpha1.ReasonForbidden, v1alpha1.ReasonWrongEnvironment}
	c := meta.FindStatusCondition(res.Status.Conditions, v1alpha1.ConditionSynced)
	if c == nil || res.Observes() || !slices.Contains(reasons, c.Reason) {
		return ""
	}
	return c.Reason
}

// showFates says what is about to happen.
func showFates(w io.Writer, fates []fate) {
	fmt.Fprintf(w, "This deletes %s from the cluster, and nothing at Medblocks: endpoints go on as they are, without the operator's marks, and the\n"+
		"Secrets that hold their signing secrets stay.\n\n", count(len(fates), "resource"))
	writeFates(w, fates)
}

func writeFates(w io.Writer, fates []fate) {
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "  NAMESPACE\tNAME\tENDPOINT THAT STAYS\tSECRET THAT STAYS")
	for _, f := range fates {
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", f.Namespace, f.Name, orDash(f.EndpointID), orDash(f.Secret))
	}
	_ = table.Flush()
	for _, f := range fates {
		for _, note := range f.Notes {
			fmt.Fprintf(w, "\n  ! %s/%s: %s", f.Namespace, f.Name, note)
		}
	}
	fmt.Fprintln(w)
}

// count is a number of things: 1 resource, 2 resources.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
