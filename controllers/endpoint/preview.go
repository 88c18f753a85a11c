// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
	"github.com/medblocks/webhook-operator/controllers/probe"
	"github.com/medblocks/webhook-operator/controllers/redelivery"
)

// PreviewOptions of a Previewer. All are required, except AllowedEnvironments, OperatorNamespace, APIKey and Clock.
type PreviewOptions struct {
	// Reader reads from the API server, with the rights of whoever asks.
	Reader client.Reader
	// NewAPI makes a client for an API key.
	NewAPI func(apiKey string) (account.API, error)
	// APIKey is used in place of what the Secrets hold; empty: there is none.
	APIKey string
	// The others are the operator's own settings.
	ClusterID           string
	AllowedEnvironments []v1alpha1.Environment
	OperatorNamespace   string
	APITimeout          time.Duration
	Clock               clock.Clock // the real one by default
}

// Previewer says what the operator would do about resources right now, and does nothing: it observes and plans with the operator's own
// code, reads live, and has nothing to write with. What a resource's API key shows is listed once. Nothing runs in the background.
//
// It speaks for an operator that has been running for a while, and so takes for granted what only that one knows: that no call is in
// flight any more, and that what has to last for a while before something is done about it has lasted. It cannot know what else the
// operator has in its memory: a signing secret that could not be stored yet (which it would store, and not rotate), a request that
// Medblocks has refused (which it would not repeat), the answers of a receiver that it probes, how often it has put something back
// that somebody else keeps changing, and that many endpoints have vanished from the workspace at once. Nor does it find out whether the
// signing Secret can be written: the operator asks the API server for a dry run of that, before it asks Medblocks for a secret.
type Previewer struct {
	reconciler Reconciler
	reader     *previewReader
	listed     map[string]bool // by key hash
}

// previewQPS bounds the calls of a preview: there are few, and somebody waits for them.
const previewQPS = 20

// NewPreviewer makes a previewer for some resources of one cluster. It is used by one goroutine at a time.
func NewPreviewer(opts PreviewOptions) *Previewer {
	if opts.Clock == nil {
		opts.Clock = clock.RealClock{}
	}
	reader := &previewReader{live: opts.Reader}
	nobody := func(...account.Resource) {}
	p := &Previewer{reader: reader, listed: map[string]bool{}}
	p.reconciler.once.Do(func() {}) // it began long ago
	r := &p.reconciler
	r.Client, r.APIReader = &previewCache{previewReader: reader}, reader
	r.Accounts = account.NewRegistry(account.Options{
		Secrets: reader, NewAPI: opts.NewAPI, APIKey: opts.APIKey, AllowedEnvironments: opts.AllowedEnvironments, ClusterID: opts.ClusterID,
		QPS: previewQPS, Burst: previewQPS, Clock: opts.Clock, Log: logr.Discard(), Unpolled: true,
	}, nobody)
	// Both know of nothing, and nobody begins anything with them.
	r.Prober = probe.New(probe.Options{Services: reader, Clock: opts.Clock, Enqueue: nobody, Log: logr.Discard()})
	r.Courier = redelivery.New(redelivery.Options{Clock: opts.Clock, Enqueue: nobody, Log: logr.Discard()})
	r.Clock, r.ClusterID, r.APITimeout, r.Enqueue = opts.Clock, opts.ClusterID, opts.APITimeout, nobody
	r.OperatorNamespace, r.ReadOnly, r.previews = opts.OperatorNamespace, true, true
	return p
}

// Preview says what the operator would do about a resource. It need not be stored as it is given: its spec may be an edit that nobody
// has applied yet. An error means that this cannot be told: something cannot be read, or may not be.
func (p *Previewer) Preview(ctx context.Context, resource *v1alpha1.MedblocksWebhookEndpoint) (*Preview, error) {
	ctx, cancel := context.WithTimeout(log.IntoContext(ctx, logr.Discard()), reconcileTimeout+4*p.reconciler.APITimeout)
	defer cancel()
	p.reader.begin(resource.Namespace, p.reconciler.OperatorNamespace)
	p.reconciler.SecretsByName = false // until it turns out that it has to be
	is, err := p.preview(ctx, resource)
	if p.reader.mustReadByName {
		p.reader.begin(resource.Namespace, p.reconciler.OperatorNamespace)
		p.reconciler.SecretsByName = true
		p.reader.note("you may not list Secrets: signing Secrets of the resource that nothing but their labels lead to are not reckoned with")
		is, err = p.preview(ctx, resource)
	}
	if barred := p.reader.barred; barred != nil {
		return nil, fmt.Errorf("what the operator would do cannot be told, because it reads what you may not: %w", barred)
	}
	if err != nil {
		return nil, err
	}
	is.Notes = append(is.Notes, p.reader.notes...)
	return is, nil
}

func (p *Previewer) preview(ctx context.Context, resource *v1alpha1.MedblocksWebhookEndpoint) (*Preview, error) {
	r, now := &p.reconciler, p.reconciler.Clock.Now()
	res := resource.DeepCopy()
	w := newWork(res, longRunning(res, now))
	decide := makePlan
	if !res.DeletionTimestamp.IsZero() {
		decide = makeDeletionPlan
	}
	err := r.observe(ctx, w)
	if err == nil && w.account != nil {
		err = p.list(ctx, w)
	}
	next := plan{EndpointID: observedID(res)}
	if err == nil {
		next, err = r.decide(ctx, w, decide)
	}
	defer r.endTurns(w)
	_, failure, err := r.judge(w, err)
	if err != nil && failure == nil {
		return nil, err
	}
	is := previewOf(w, next, failure, now)
	if failure == nil && !res.DeletionTimestamp.IsZero() {
		p.foresee(ctx, w, next, is)
	}
	return is, nil
}

// longRunning is the memory of an operator that has seen the resource a long time ago.
func longRunning(res *v1alpha1.MedblocksWebhookEndpoint, now time.Time) *memory {
	mem := &memory{uid: res.UID, met: true, longAgo: true}
	if i := intentOf(res); i != nil {
		mem.nonce, mem.since = i.Nonce, i.Time.Time // when it was written, more or less: the operator waits from then on
		if mem.since.IsZero() || mem.since.After(now) {
			mem.since = now
		}
	}
	return mem
}

// list lists the accounts that the resource's plan depends on: its own, and those of others that claim the endpoint which it adopts.
func (p *Previewer) list(ctx context.Context, w *work) error {
	r, who := &p.reconciler, client.ObjectKeyFromObject(w.res)
	if id := specAdopts(w.res); id != "" {
		others, err := r.claimants(ctx, claimOfEndpoint(id), "", who)
		if err != nil {
			return err
		}
		for i := range others {
			if err := p.listOf(ctx, &others[i]); err != nil {
				return err
			}
		}
	}
	if err := p.listAccount(ctx, w.account); err != nil {
		return err
	}
	return r.observeAccount(ctx, w, who) // with what the list has shown
}

func (p *Previewer) listOf(ctx context.Context, other *v1alpha1.MedblocksWebhookEndpoint) error {
	ref, err := p.reconciler.keyRefOf(ctx, other)
	if err != nil {
		return nil //nolint:nilerr // without a key it claims nothing
	}
	acct, err := p.reconciler.Accounts.Use(ctx, client.ObjectKeyFromObject(other), ref)
	if err != nil {
		return nil //nolint:nilerr // the same
	}
	return p.listAccount(ctx, acct)
}

func (p *Previewer) listAccount(ctx context.Context, acct *account.Account) error {
	if p.listed[acct.KeyHash] {
		return nil
	}
	p.listed[acct.KeyHash] = true
	return p.reconciler.Accounts.ListNow(ctx, acct)
}

// foresee adds what follows when the endpoints of a resource that is being deleted are gone. Nothing but that depends on an answer.
func (p *Previewer) foresee(ctx context.Context, w *work, next plan, is *Preview) {
	for len(next.Steps) > 0 && slices.ContainsFunc(next.Steps, func(s step) bool { return s.Action.atMedblocks() }) {
		for _, s := range next.Steps {
			switch s.Action {
			case actionDelete:
				w.obs.live[s.EndpointID] = nil
				w.obs.disposed[s.EndpointID] = true
			case actionOrphan, actionBlankMarks:
				w.obs.disposed[s.EndpointID] = true
			default:
			}
		}
		var err error
		if next, err = p.reconciler.decide(ctx, w, makeDeletionPlan); err != nil {
			is.Notes = append(is.Notes, "what follows cannot be told: "+err.Error())
			return
		}
		is.Steps = append(is.Steps, plannedSteps(w, next.Steps)...)
	}
}

// Preview is what the operator would do about a resource now, and why not more. It never holds a secret.
type Preview struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// EndpointID of the endpoint that the resource manages; empty: it has none, or it is not known.
	EndpointID string `json:"endpointID,omitempty"`
	// Steps in their order. What depends on the answers to them is planned when those are there.
	Steps []PlannedStep `json:"steps"`
	// ProvesSecret is the Secret of which the operator would first have the API server prove by a dry run that it can be written; empty: none.
	ProvesSecret string `json:"provesSecret,omitempty"`
	// Probes is what the operator would probe until the receiver is healthy; empty: nothing.
	Probes string `json:"probes,omitempty"`
	// Redelivers: events that were not delivered are redelivered now.
	Redelivers bool `json:"redelivers,omitempty"`
	// Waits tell what stands in the way of more.
	Waits []PlannedWait `json:"waits,omitempty"`
	// NextLook is when something falls due without any change from outside.
	NextLook *metav1.Time `json:"nextLook,omitempty"`
	// Conditions that the operator would conclude; only without steps: their outcome decides otherwise.
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Notes are what else there is to know, among it what could not be read.
	Notes []string `json:"notes,omitempty"`
}

// PlannedStep is one write, to Medblocks or to Kubernetes.
type PlannedStep struct {
	// Effect is Create, Change or Delete.
	Effect string `json:"effect"`
	// Summary for people: "update endpoint wh_…".
	Summary string `json:"summary"`
	// Action and Trigger are those of status.history, and of steps that leave no trace there.
	Action  string `json:"action"`
	Trigger string `json:"trigger,omitempty"`
	// AtMedblocks: it is a write to Medblocks, and not to Kubernetes.
	AtMedblocks bool   `json:"atMedblocks"`
	EndpointID  string `json:"endpointID,omitempty"`
	Secret      string `json:"secret,omitempty"`
	// Changes are the fields of the endpoint that differ.
	Changes []PlannedChange `json:"changes,omitempty"`
}

// PlannedChange is a field of the endpoint: url, events, description, status, apiVersion or metadata.<key>. An empty value means that there
// is none. What comes after the ? of a URL is not shown.
type PlannedChange struct {
	Field string `json:"field"`
	From  string `json:"from"`
	To    string `json:"to"`
}

// PlannedWait is what stands in the way of a condition.
type PlannedWait struct {
	Condition string `json:"condition"`
	Reason    string `json:"reason"`
	Message   string `json:"message"`
	// Stalled: only a change from outside can help, see the message.
	Stalled bool `json:"stalled"`
	// Until when at the latest; nil: until something changes.
	Until *metav1.Time `json:"until,omitempty"`
}
