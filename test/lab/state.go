// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

// State is all that a scenario leaves behind, in a form that is equal for two runs of it: what differs between any two
// runs (ids, UIDs, nonces, times, secrets) is replaced by what it refers to. Compare with cmp.Diff.
type State struct {
	// Endpoints at Medblocks, by owner mark or, without one, by URL. Bystanders are left out.
	Endpoints []EndpointState
	// Resources by name.
	Resources map[string]ResourceState
	// Secrets by name, but for the one with the API key.
	Secrets map[string]SecretState
}

// EndpointState is an endpoint.
type EndpointState struct {
	Alias, Workspace, URL, Status, Description, APIVersion string
	Events                                                 []string
	Metadata                                               map[string]string
}

// ResourceState is a resource.
type ResourceState struct {
	Finalizers  []string
	Annotations map[string]string
	Deleting    bool
	// Status without its conditions and its history.
	Status string
	// Conditions as "Type=Status Reason (generation observed or not): message".
	Conditions map[string]string
	// History as "Action because of Trigger".
	History []string
}

// SecretState is a signing Secret.
type SecretState struct {
	Labels, Annotations map[string]string
	// Value and Previous are "in force", "outdated" or "none": whether Medblocks signs with it.
	Value, Previous string
	EndpointID      string
}

// State captures the present state.
func (w *World) State() State {
	w.T.Helper()
	n := w.normalizer()
	s := State{Resources: map[string]ResourceState{}, Secrets: map[string]SecretState{}}
	for _, e := range w.endpoints() {
		s.Endpoints = append(s.Endpoints, n.endpoint(e))
	}
	for _, res := range w.Resources() {
		s.Resources[res.Name] = n.resource(&res)
	}
	for _, secret := range w.signingSecrets() {
		s.Secrets[secret.Name] = n.secret(&secret, w.endpoints())
	}
	return s
}

// endpoints are those of the scenario, by their names, and oldest first where those are the same: which one of two that
// are registered at the same time comes first is no part of the outcome.
func (w *World) endpoints() []emulator.EndpointWithSecret {
	all := slices.DeleteFunc(w.Vendor.Endpoints(""), func(e emulator.EndpointWithSecret) bool {
		return slices.ContainsFunc(w.Bystanders, func(b emulator.EndpointWithSecret) bool { return b.ID == e.ID })
	})
	name := func(e emulator.EndpointWithSecret) string {
		if owner, ok := e.Metadata[v1alpha1.MarkOwner].(string); ok {
			return owner
		}
		return e.URL
	}
	slices.SortStableFunc(all, func(a, b emulator.EndpointWithSecret) int { return strings.Compare(name(a), name(b)) })
	return all
}

// storedSecrets are all Secrets of the namespace.
func (w *World) storedSecrets() []corev1.Secret {
	w.T.Helper()
	list := &corev1.SecretList{}
	w.Expect(w.Client.List(w.Context(), list, client.InNamespace(w.Namespace))).To(Succeed())
	return list.Items
}

// signingSecrets are all but the one with the API key.
func (w *World) signingSecrets() []corev1.Secret {
	w.T.Helper()
	return slices.DeleteFunc(w.storedSecrets(), func(s corev1.Secret) bool { return s.Name == KeySecret })
}

// normalizer replaces what differs between two runs.
type normalizer struct{ known *strings.Replacer }

func (w *World) normalizer() normalizer {
	pairs := []string{w.Namespace, "<namespace>", w.Receiver.URL, "<receiver>"}
	for i, e := range w.endpoints() {
		pairs = append(pairs, e.ID, fmt.Sprintf("<endpoint %d>", i+1))
	}
	for _, res := range w.Resources() {
		pairs = append(pairs, string(res.UID), "<uid of "+res.Name+">")
	}
	for _, secret := range w.signingSecrets() {
		if nonce := secret.Annotations[v1alpha1.AnnotationSecretGeneration]; nonce != "" {
			pairs = append(pairs, nonce, "<nonce in "+secret.Name+">")
		}
	}
	return normalizer{known: strings.NewReplacer(pairs...)}
}

var unlike = []struct {
	pattern *regexp.Regexp
	as      string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`), "<time>"},
	{regexp.MustCompile(`wh_[0-9A-Z]{26}`), "<endpoint that is gone>"},
	{regexp.MustCompile(`evt_[0-9A-Z]{26}`), "<event>"},
	{regexp.MustCompile(`v1:[0-9a-f]{32}`), "<hash>"},
	{regexp.MustCompile(`\b[0-9a-f]{64}\b`), "<sha256>"},
	{regexp.MustCompile(`"names":\["[^\]]+"\]`), `"names":["<names of Secrets, some of them gone>"]`},
	{regexp.MustCompile(`\b(copy-)?[A-Z2-7]{26}\b`), "<unknown nonce>"},
}

func (n normalizer) text(s string) string {
	s = n.known.Replace(s)
	for _, u := range unlike {
		s = u.pattern.ReplaceAllString(s, u.as)
	}
	return s
}

func (n normalizer) texts(m map[string]string) map[string]string {
	normal := map[string]string{}
	for key, value := range m {
		normal[key] = n.text(value)
	}
	return normal
}

func (n normalizer) endpoint(e emulator.EndpointWithSecret) EndpointState {
	s := EndpointState{
		Alias: n.text(e.ID), Workspace: e.Workspace, URL: n.text(e.URL), Status: e.Status, APIVersion: e.APIVersion,
		Events: slices.Sorted(slices.Values(e.Events)), Metadata: map[string]string{},
	}
	if e.Description != nil {
		s.Description = *e.Description
	}
	for key, value := range e.Metadata {
		s.Metadata[key] = n.text(fmt.Sprint(value))
	}
	return s
}

func (n normalizer) resource(res *Resource) ResourceState {
	status := res.Status.DeepCopy()
	s := ResourceState{
		Finalizers: res.Finalizers, Annotations: n.texts(res.Annotations), Deleting: !res.DeletionTimestamp.IsZero(),
		Conditions: map[string]string{},
	}
	for _, c := range status.Conditions {
		observed := "observed"
		if c.ObservedGeneration != res.Generation {
			observed = "of an older generation"
		}
		s.Conditions[c.Type] = fmt.Sprintf("%s %s (%s): %s", c.Status, c.Reason, observed, n.text(c.Message))
	}
	for _, h := range status.History {
		s.History = append(s.History, h.Action+" because of "+h.Trigger)
	}
	status.Conditions, status.History = nil, nil
	if status.ObservedGeneration == res.Generation {
		status.ObservedGeneration = 1 // how often the spec was changed is no part of the outcome
	}
	raw, err := json.MarshalIndent(status, "", " ")
	if err != nil {
		panic(err) // an API type
	}
	s.Status = n.text(string(raw))
	return s
}

func (n normalizer) secret(secret *corev1.Secret, endpoints []emulator.EndpointWithSecret) SecretState {
	judge := func(key string) string {
		value, there := secret.Data[key]
		inForce := slices.ContainsFunc(endpoints, func(e emulator.EndpointWithSecret) bool { return e.Secret == string(value) })
		switch {
		case !there:
			return "none"
		case inForce:
			return "in force"
		}
		return "outdated"
	}
	return SecretState{
		Labels: maps.Clone(secret.Labels), Annotations: n.texts(secret.Annotations),
		Value: judge(v1alpha1.SecretKeyValue), Previous: judge(v1alpha1.SecretKeyPrevious),
		EndpointID: n.text(string(secret.Data[v1alpha1.SecretKeyEndpointID])),
	}
}
