// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"net/http"
	"slices"
	"strings"

	"github.com/medblocks/webhook-operator/test/lab"
)

// Call is a kind of request, such as "PATCH an endpoint".
type Call string

// The calls of Medblocks' API that the operator makes.
const (
	Create       Call = "register"
	Get          Call = "read"
	Update       Call = "patch"
	Delete       Call = "delete"
	Rotate       Call = "rotate"
	List         Call = "list all"
	ListDisabled Call = "list disabled"
	ListEvents   Call = "list events"
	Redeliver    Call = "redeliver"
)

// Calls are all of them.
func Calls() []Call {
	return []Call{Create, Get, Update, Delete, Rotate, List, ListDisabled, ListEvents, Redeliver}
}

// IsWrite tells whether the call changes something at Medblocks.
func (c Call) IsWrite() bool {
	return slices.Contains([]Call{Create, Update, Delete, Rotate, Redeliver}, c)
}

// IsList tells whether the call's answer comes in pages.
func (c Call) IsList() bool { return slices.Contains([]Call{List, ListDisabled, ListEvents}, c) }

// ReturnsSecret tells whether the call's answer holds a signing secret.
func (c Call) ReturnsSecret() bool { return c == Create || c == Rotate }

// CallOf names the call that a request is. Of those to Kubernetes it names reads of single objects and writes.
func CallOf(r *lab.Request) Call {
	if r.Side == lab.Kubernetes {
		return kubernetesCall(r)
	}
	path := strings.Split(strings.Trim(r.Path, "/"), "/")
	switch {
	case r.Method == http.MethodPatch:
		return Update
	case r.Method == http.MethodDelete:
		return Delete
	case path[len(path)-1] == "rotate-secret":
		return Rotate
	case path[len(path)-1] == "redeliver":
		return Redeliver
	case r.Method == http.MethodPost:
		return Create
	case path[len(path)-1] == "events":
		return ListEvents
	case len(path) > 1:
		return Get
	case r.Query.Get("status") != "":
		return ListDisabled
	}
	return List
}

func kubernetesCall(r *lab.Request) Call {
	name := strings.TrimPrefix(r.String(), "Kubernetes ")
	switch {
	case r.Query.Get("watch") != "", strings.Contains(name, "events"):
		return ""
	case r.Method == http.MethodGet && !strings.Contains(name, "/"):
		return "" // a list
	case r.Query.Get("dryRun") != "":
		return Call(name + " (dry run)")
	}
	return Call(name)
}
