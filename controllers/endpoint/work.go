// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"time"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
)

// work is one reconcile of one resource.
type work struct {
	res     *v1alpha1.MedblocksWebhookEndpoint
	base    *v1alpha1.MedblocksWebhookEndpoint // as last stored
	mem     *memory
	obs     *observation
	account *account.Account // nil without a key
	// rounds counts how often this reconcile has planned.
	rounds int
	// confirmed: the resource is what is stored, and not a cache's past.
	confirmed bool
	// performed are the writes to Medblocks of this reconcile, and reread the endpoints that were read again because one of
	// them was planned once more: nothing is written twice, whatever Medblocks answers.
	performed map[deed]bool
	reread    map[string]bool
	// turns are the endpoints that nobody else may write meanwhile, and unclear is until when a write to one may be in flight.
	turns   map[string]bool
	unclear map[string]time.Time
	// markBefore is the endpoint's secret-generation mark before the last PATCH.
	markBefore string
	// announced is when the last registration or rotation was written ahead.
	announced time.Time
	// inLine: the resource keeps its place among those that wait for the account.
	inLine bool
	// unproven is the Secret of which a preview does not prove that it can be written.
	unproven string
	// released is why a deletion finishes although the endpoint may live on.
	released string
}

// newWork begins a reconcile.
func newWork(res *v1alpha1.MedblocksWebhookEndpoint, mem *memory) *work {
	return &work{
		res: res, base: res.DeepCopy(), mem: mem,
		performed: map[deed]bool{}, reread: map[string]bool{}, turns: map[string]bool{}, unclear: map[string]time.Time{},
	}
}

// deed is a kind of write to an endpoint.
type deed struct {
	action     action
	endpointID string
}

// repeats tells whether the steps hold a write to Medblocks that this reconcile has made already, and to which endpoint.
func (w *work) repeats(steps []step) (endpointID string, again bool) {
	for _, s := range steps {
		if s.Action.atMedblocks() && w.performed[deed{s.Action, s.EndpointID}] {
			return s.EndpointID, true
		}
	}
	return "", false
}
