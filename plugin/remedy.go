// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"strings"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// remedy is what a person does about a reason. In what and command, NAME stands for the resource, and the command gets the namespace.
type remedy struct {
	// short is for a table.
	short string
	// what in one sentence. Where it is empty, the message of the condition says it better than any general word.
	what    string
	command string
	// waits is what the operator does by itself while it is Reconciling for that reason; empty: it goes on.
	waits string
}

const (
	annotateReregister = "kubectl annotate --overwrite mwe NAME " + v1alpha1.AnnotationReregisterRequestedAt + "=\"$(date -u +%FT%TZ)\""
	patchSuspend       = "kubectl patch mwe NAME --type=merge -p '{\"spec\":{\"suspend\":false}}'"
	patchSecretName    = "kubectl patch mwe NAME --type=merge -p '{\"spec\":{\"signingSecret\":{\"name\":\"NAME-medblocks\"}}}'"
	describe           = "kubectl describe mwe NAME"
)

// remedies are those of every reason that a condition can fail with, as docs/troubleshooting.md has them in full.
var remedies = map[string]remedy{
	v1alpha1.ReasonPending: {
		waits: "the operator finishes what it has begun. If that lasts, see Pending in docs/troubleshooting.md",
	},
	v1alpha1.ReasonSuspended: {
		short: "set suspend to false", what: "set spec.suspend to false, and the operator goes on", command: patchSuspend,
	},
	v1alpha1.ReasonDrifted: {
		short: "correct spec or endpoint",
		what:  "correct the manifest or the endpoint, or set spec.managementPolicy to Manage and the operator corrects it; where the operator runs with --read-only, start it without",
	},
	v1alpha1.ReasonInvalidRequest: {
		short: "correct the spec", what: "correct the field that the message names; the operator tries again as soon as the spec changes", command: "kubectl edit mwe NAME",
	},
	v1alpha1.ReasonCredentialsUnavailable: {
		short: "provide the API key", what: "create or correct the Secret with the API key, as the message says; the operator picks it up by itself",
		waits: "the operator picks the API key up by itself once it is there",
	},
	v1alpha1.ReasonWrongEnvironment: {
		short: "use a key of the right environment", what: "put a key of the right environment into the Secret; the operator picks it up within a minute",
	},
	v1alpha1.ReasonNotAllowed: {
		short: "obey the account's rules", what: "change the resource so that its MedblocksAccount allows it, or ask whoever hands the accounts out; the message names the rule",
		command: "kubectl get medblocksaccounts",
	},
	v1alpha1.ReasonInvalidAPIKey: {
		short: "replace the API key", what: "put a valid API key into the Secret; the operator picks it up within 30 seconds",
	},
	v1alpha1.ReasonForbidden: {
		short: "give the key access", what: "give the API key access to webhook endpoints at Medblocks, or put another key of the same workspace into the Secret",
	},
	v1alpha1.ReasonRateLimited: {
		waits: "the operator goes on as soon as Medblocks lets it",
	},
	v1alpha1.ReasonAPIUnavailable: {
		waits: "the operator tries again. If that lasts, see whether it can reach Medblocks: DNS, network policies, a proxy",
	},
	v1alpha1.ReasonQuotaExceeded: {
		short: "make room at Medblocks", what: "delete endpoints that are not needed, or ask Medblocks for a higher limit; the operator tries again every ten minutes",
	},
	v1alpha1.ReasonConflict: {
		short: "settle the conflict", what: "find the other one, which the message names, and decide whose the endpoint is", command: describe,
	},
	v1alpha1.ReasonOwnershipLost: {
		short: "delete it, or adopt anew", what: "the endpoint belongs to another owner now: delete this resource, or take the endpoint back by adopting it with a new one",
	},
	v1alpha1.ReasonWorkspaceChanged: {
		short: "put the old key back", what: "put the former workspace's API key back; or, if the workspace was changed on purpose, have the endpoint registered in the new one",
		command: annotateReregister,
	},
	v1alpha1.ReasonAdoptionTargetNotFound: {
		short: "correct key or id", what: "put the API key of the endpoint's workspace into the Secret, or make the resource anew with the right spec.adopt.endpointID",
	},
	v1alpha1.ReasonWaitingForSecret: {
		short: "let the Secret be written", what: "remove what keeps the Secret from being written, as the message says; the operator tries again every minute", command: describe,
		waits: "the operator stores the signing secret as soon as there is one",
	},
	v1alpha1.ReasonNotOwned: {
		short: "rename or delete the Secret", what: "delete the Secret if it is nobody's, or choose another name for the signing Secret", command: patchSecretName,
	},
	v1alpha1.ReasonContested: {
		short: "find who writes the Secret", what: "take the Secret out of the tool that changes it; the operator heals it an hour after the last time, or at once when you ask",
		command: "kubectl medblocks rotate NAME",
	},
	v1alpha1.ReasonAutoDisabled: {
		short: "repair the receiver, reenable", what: "repair the receiver, then enable the endpoint", command: "kubectl medblocks reenable NAME",
	},
	v1alpha1.ReasonDisabledManually: {
		short: "ask who disabled it", what: "ask who disabled the endpoint at Medblocks, and why: no policy undoes that. Then enable it; or, if it is to stay disabled, set spec.state to Disabled",
		command: "kubectl medblocks reenable NAME",
	},
	v1alpha1.ReasonDisabledBySpec: {
		waits: "the operator brings the endpoint into the state that the spec wants",
	},
	v1alpha1.ReasonUnknown: {
		short: "ask who disabled it", what: "find out who disabled the endpoint: its events do not tell, so that the operator takes it for a person's wish. Then enable it",
		command: "kubectl medblocks reenable NAME",
		waits:   "the operator finds out how the endpoint is",
	},
	v1alpha1.ReasonDeliveriesFailing: {
		short: "repair the receiver", what: "repair the receiver: nothing is lost yet, but Medblocks disables the endpoint when an event has failed nine times",
		command: "kubectl medblocks deliveries NAME --undelivered",
	},
	v1alpha1.ReasonNotDelivering: {},
}

// remedyFor is the remedy of a reason for one resource. For a reason of a later operator it says where to read.
func remedyFor(reason string, f *facts) remedy {
	r, known := remedies[reason]
	if !known || (r.what == "" && r.waits == "") {
		r.short, r.what, r.command = "see its conditions", "do what the message of the condition says", describe
	}
	if r.what == "" { // it passes by itself; where the operator says that it does not, its message says more
		r.short, r.what, r.command = "see its conditions", "do what the message says", describe
	}
	r.what = strings.ReplaceAll(r.what, "NAME", f.res.Name)
	r.command = f.command(r.command)
	return r
}

// command is one about the resource.
func (f *facts) command(template string) string {
	if template == "" || !strings.Contains(template, " NAME") {
		return template
	}
	before, after, _ := strings.Cut(template, " NAME")
	return before + " " + f.res.Name + f.namespaceFlag + strings.ReplaceAll(after, "NAME", f.res.Name)
}
