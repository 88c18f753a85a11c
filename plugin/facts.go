// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// answerTimeout is how long status waits for Medblocks: what is known without it is wanted at once.
const answerTimeout = 10 * time.Second

// facts are what was found out about a resource. Whatever could not be found out has an error that says why, and stops nothing else.
type facts struct {
	res      *v1alpha1.MedblocksWebhookEndpoint
	operator OperatorStatus
	// namespaceFlag is what a command needs to reach the resource: empty, or " -n" and the namespace.
	namespaceFlag string

	key    keyRef
	keyErr error

	live    *medblocks.Endpoint // nil: it was not read, or liveErr
	liveErr error

	asked     bool // for the events
	events    []medblocks.EventRecord
	more      bool
	eventsErr error

	secretAsked bool
	secret      *corev1.Secret // nil: there is none, or it was not read
	secretErr   error
}

// endpointID is the endpoint that the resource is about; empty: it has none yet.
func endpointID(res *v1alpha1.MedblocksWebhookEndpoint) string {
	if res.Status.EndpointID == "" && res.Observes() && res.Spec.Adopt != nil {
		return res.Spec.Adopt.EndpointID
	}
	return res.Status.EndpointID
}

// gatherer finds out about many resources at once. Each API key is read once.
type gatherer struct {
	session *Session
	api     client.Reader

	mu      sync.Mutex
	clients map[keyRef]*keyed
}

type keyed struct {
	once   sync.Once
	client *medblocks.Client
	err    error
}

func (g *gatherer) medblocks(ctx context.Context, f *facts) (*medblocks.Client, error) {
	if g.session.apiKeyFile != "" {
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.session.MedblocksFromFile()
	}
	if f.key, f.keyErr = g.session.keyRefOf(ctx, f.res); f.keyErr != nil {
		return nil, f.keyErr
	}
	g.mu.Lock()
	if g.clients == nil {
		g.clients = map[keyRef]*keyed{}
	}
	one, found := g.clients[f.key]
	if !found {
		one = &keyed{}
		g.clients[f.key] = one
	}
	g.mu.Unlock()
	one.once.Do(func() { one.client, one.err = g.session.medblocksFromSecret(ctx, f.key) })
	return one.client, one.err
}

// askMedblocks finds out what Medblocks says: about the newest events that were not delivered and, in detail, about the endpoint.
func (g *gatherer) askMedblocks(ctx context.Context, f *facts, detail bool) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	var api *medblocks.Client
	api, f.keyErr = g.medblocks(ctx, f)
	id := endpointID(f.res)
	if f.keyErr != nil || id == "" {
		return
	}
	if detail {
		if endpoint, err := api.GetEndpoint(ctx, id); err != nil {
			f.liveErr = err
		} else {
			f.live = &endpoint
		}
	}
	f.asked = true
	for event, err := range api.ListEvents(ctx, id, medblocks.ListEventsOptions{Delivered: new(bool)}) {
		if err != nil {
			f.eventsErr = err
			return
		}
		if f.events = append(f.events, event); len(f.events) == medblocks.DefaultPageSize {
			f.more = true // perhaps; to know would be another call
			return
		}
	}
}

func (g *gatherer) readSecret(ctx context.Context, f *facts) {
	f.secretAsked = true
	name := f.res.SigningSecretName()
	var secret corev1.Secret
	err := g.api.Get(ctx, client.ObjectKey{Namespace: f.res.Namespace, Name: name}, &secret)
	switch {
	case err == nil:
		f.secret = &secret
	case apierrors.IsForbidden(err):
		f.secretErr = fmt.Errorf("you may not read it (kubectl auth can-i get secrets/%s -n %s)", name, f.res.Namespace)
	case !apierrors.IsNotFound(err):
		f.secretErr = err
	}
}

// problem is an error in a line: what went wrong, and what to do.
func problem(err error) string {
	if err == nil {
		return ""
	}
	text := err.Error()
	if transport := (*medblocks.TransportError)(nil); errors.As(err, &transport) {
		text = medblocks.Summary(err) // without the address of a connection
	}
	if step := nextStep(err); step != "" {
		text += ": " + step
	}
	return text
}
