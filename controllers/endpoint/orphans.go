// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"context"
	"slices"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
)

// maxJudged is how many endpoints a sweep looks into: a cluster that is being restored has many for a while.
const maxJudged = 20

// Orphans reports endpoints that carry the mark of a resource that does not exist: somebody has removed its finalizer by
// hand, or released it. They are reported, and not touched here: whoever creates the resource again gets its endpoint back. (A
// MedblocksAccount may ask for more, see DeleteOrphan.) All fields are required.
type Orphans struct {
	// Cache holds the resources that this operator is responsible for, and refuses other namespaces.
	Cache client.Reader
	// Live reads from the API server.
	Live      client.Reader
	Events    events.EventRecorder
	Log       logr.Logger
	ClusterID string

	judging turnstile
	known   findings
}

var _ account.Witness = (*Orphans)(nil)

// Swept judges the endpoints that no user of an account claims.
func (o *Orphans) Swept(ctx context.Context, acct *account.Account, unclaimed []account.Marked) {
	defer o.judging.enter(acct.KeyHash)()
	unclaimed = slices.DeleteFunc(unclaimed, func(m account.Marked) bool { return o.inCache(ctx, m.Owner) != absent })
	before, now, due := o.known.of(acct.KeyHash), map[string]finding{}, o.known.due(acct.KeyHash, unclaimed, maxJudged)
	for _, m := range unclaimed {
		is, known := before[m.ID]
		switch {
		case due[m.ID] && is.verdict == orphaned:
			is = o.judgeAgain(ctx, m, is)
		case due[m.ID]:
			is = o.judge(ctx, acct, m)
		case !known:
			continue
		}
		if is.verdict != unclear {
			now[m.ID] = is
		}
	}
	if ctx.Err() == nil { // else the account was abandoned meanwhile
		o.known.set(acct.KeyHash, now)
	}
}

// judgeAgain looks whether the resource of an orphan exists by now. That the endpoint does, with its mark, the sweep has just shown: so it
// costs no call to Medblocks.
func (o *Orphans) judgeAgain(ctx context.Context, m account.Marked, is finding) finding {
	if exists, err := existsLive(ctx, o.Live, m.Owner); err == nil && exists {
		is.verdict = claimed
	}
	return is
}

// Abandoned forgets what nobody lists any more (account.Witness).
func (o *Orphans) Abandoned(keyHash string) {
	o.known.set(keyHash, nil)
	o.known.due(keyHash, nil, 0)
}

// Judged are the endpoints that an account's last sweeps have looked into, by id: true for an orphan, false for one whose resource
// is another operator's.
func (o *Orphans) Judged(keyHash string) map[string]bool {
	judged := map[string]bool{}
	for id, is := range o.known.of(keyHash) {
		judged[id] = is.verdict == orphaned
	}
	return judged
}

// vanished judges the endpoint of a resource that went without a deletion by this operator. Where it was the last user of
// its account, no sweep would notice.
func (o *Orphans) vanished(ctx context.Context, acct *account.Account, m account.Marked) {
	if known := acct.Look(m.ID, "").Endpoint; known != nil && known.Metadata[v1alpha1.MarkOwner] != account.OwnerMark(o.ClusterID, m.Owner) {
		return // it was only observed
	}
	defer o.judging.enter(acct.KeyHash)()
	all := o.known.of(acct.KeyHash)
	if _, known := all[m.ID]; known || o.inCache(ctx, m.Owner) != absent {
		return
	}
	if is := o.judge(ctx, acct, m); is.verdict == orphaned {
		all[m.ID] = is
		o.known.set(acct.KeyHash, all)
	}
}

// judge finds out whether an endpoint is an orphan, and reports it if so. The order of the two live reads proves it: the
// resource did not exist, and later the endpoint was still there.
func (o *Orphans) judge(ctx context.Context, acct *account.Account, m account.Marked) finding {
	is := finding{namespace: m.Owner.Namespace}
	switch exists, err := existsLive(ctx, o.Live, m.Owner); {
	case err != nil:
		return is
	case exists:
		is.verdict = claimed
		return is
	}
	endpoint, err := acct.GetEndpoint(ctx, m.ID)
	if err != nil || endpoint.Metadata[v1alpha1.MarkOwner] != account.OwnerMark(o.ClusterID, m.Owner) {
		if err != nil && !medblocks.IsNotFound(err) {
			o.Log.V(1).Info("Could not read an endpoint that may be orphaned", "endpointID", m.ID, "error", err.Error())
		}
		return is
	}
	is.verdict = orphaned
	o.report(m)
	return is
}

// existsLive tells whether there is a resource, by the API server's own word.
func existsLive(ctx context.Context, live client.Reader, who account.Resource) (bool, error) {
	var resource metav1.PartialObjectMetadata
	resource.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(v1alpha1.Kind))
	err := live.Get(ctx, who, &resource)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

// report tells once. The event is put on the Namespace, because the resource is gone.
func (o *Orphans) report(m account.Marked) {
	o.Log.Info("Found an orphaned endpoint", "endpointID", m.ID, "owner", account.OwnerMark(o.ClusterID, m.Owner))
	o.Events.Eventf(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: m.Owner.Namespace}}, nil, corev1.EventTypeWarning, "OrphanedEndpoint", "Sweep",
		"endpoint %s at Medblocks is marked as belonging to MedblocksWebhookEndpoint %s/%s, which does not exist: create that resource again to manage the endpoint, or delete the endpoint at Medblocks. If the resource exists in another cluster, both have the cluster id %s: give each one of its own",
		m.ID, m.Owner.Namespace, m.Owner.Name, o.ClusterID)
}

// presence says what the cache knows of a resource.
type presence int

const (
	present presence = iota
	absent
	outOfScope
)

// inCache asks the cache, which refuses a namespace that is not watched.
func (o *Orphans) inCache(ctx context.Context, who account.Resource) presence {
	var resource v1alpha1.MedblocksWebhookEndpoint
	switch err := o.Cache.Get(ctx, who, &resource); {
	case err == nil:
		return present
	case apierrors.IsNotFound(err):
		return absent
	}
	return outOfScope
}
