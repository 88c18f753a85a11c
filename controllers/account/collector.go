// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"cmp"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// What is known of each account. It is read from the registry at scrape time, so that no series outlives its account. An account is
// named by its Secret and never by its key, nor by a hash of it.
var (
	accountLastSweep = accountDesc("medblocks_webhook_operator_account_last_sweep_timestamp_seconds",
		"When the account was last listed to the end, in Unix time, by kind: full or disabled; 0: not yet.", "kind")
	accountSweepInterval = accountDesc("medblocks_webhook_operator_account_sweep_interval_seconds",
		"How often the account is to be listed, by kind: full (--poll-interval) or disabled (--disabled-poll-interval).", "kind")
	accountBreakerOpen = accountDesc("medblocks_webhook_operator_account_breaker_open",
		"1 while Medblocks refuses the account's API key (401 or 403) and no calls are made with it, 0 otherwise.")
	accountPaused = accountDesc("medblocks_webhook_operator_account_paused",
		"1 while Medblocks has asked the account to slow down (429) and no calls are made, 0 otherwise.")
	accountEndpoints = accountDesc("medblocks_webhook_operator_account_endpoints",
		"Endpoints in the account's workspace as last listed, whoever they belong to, by status: active, disabled or other.", "status")
	accountUsers = accountDesc("medblocks_webhook_operator_account_users",
		"Resources that use the account.")
)

func accountDesc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, append([]string{"account"}, labels...), nil)
}

var _ prometheus.Collector = (*Registry)(nil)

// Describe names the metrics of the accounts (prometheus.Collector).
func (r *Registry) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{
		accountLastSweep, accountSweepInterval, accountBreakerOpen, accountPaused, accountEndpoints, accountUsers,
	} {
		descs <- desc
	}
}

// Collect reads the accounts in use (prometheus.Collector).
func (r *Registry) Collect(values chan<- prometheus.Metric) {
	for account, ref := range r.named() {
		name := ref.account()
		gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
			values <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, append([]string{name}, labels...)...)
		}
		for kind, interval := range map[sweep]time.Duration{sweepFull: r.opts.PollInterval, sweepDisabled: r.opts.DisabledPollInterval} {
			seconds := 0.0
			if at := account.sweeps.at(kind); !at.IsZero() {
				seconds = float64(at.UnixMilli()) / 1000
			}
			gauge(accountLastSweep, seconds, string(kind))
			gauge(accountSweepInterval, interval.Seconds(), string(kind))
		}
		gauge(accountBreakerOpen, oneIf(account.Refused() != nil))
		gauge(accountPaused, oneIf(account.clock.Now().Before(account.PausedUntil())))
		for status, count := range account.store.count() {
			gauge(accountEndpoints, float64(count), status)
		}
		gauge(accountUsers, float64(account.countUsers()))
	}
}

// account names an account by the Secret that holds its key. A Secret may hold several: those under another than the usual key of
// the Secret are told apart by it.
func (k KeyRef) account() string {
	name := k.Namespace + "/" + k.Name
	if k.Key != v1alpha1.DefaultAPIKeySecretKey {
		name += "/" + k.Key
	}
	return name
}

func (k KeyRef) compare(other KeyRef) int {
	return cmp.Or(cmp.Compare(k.Namespace, other.Namespace), cmp.Compare(k.Name, other.Name), cmp.Compare(k.Key, other.Key))
}

// named gives each account in use the smallest of the references that lead to it, and no two accounts the same one. An account that
// is kept only until its successor is accepted has none, and is left out.
func (r *Registry) named() map[*Account]KeyRef {
	r.mu.Lock()
	defer r.mu.Unlock()
	leads := map[KeyRef]*usage{}
	for _, use := range r.users {
		if other, taken := leads[use.ref.bare()]; !taken || r.isLikelier(use, other) {
			leads[use.ref.bare()] = use
		}
	}
	names := map[*Account]KeyRef{}
	for ref, use := range leads {
		if name, named := names[use.account]; !named || ref.compare(name) < 0 {
			names[use.account] = ref
		}
	}
	return names
}

// bare is the Secret and the key in it, whoever names them.
func (k KeyRef) bare() KeyRef { return KeyRef{Namespace: k.Namespace, Name: k.Name, Key: k.Key} }

// isLikelier tells whether a Secret leads to the account of this user rather than to that of the other one: some may not have noticed
// yet that it has got a new key, or do not allow that. Where nobody knows, any order will do that is the same every time.
func (r *Registry) isLikelier(use, other *usage) bool {
	leads, otherLeads := r.keys[use.ref] == use.account.KeyHash, r.keys[other.ref] == other.account.KeyHash
	if leads != otherLeads {
		return leads
	}
	return use.account.KeyHash < other.account.KeyHash
}

func (a *Account) countUsers() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.users.tracked)
}

// count is how many endpoints there are, by status. A status that is not known must not become a label: who knows how many there are.
func (s *store) count() map[string]int {
	counts := map[string]int{string(medblocks.EndpointStatusActive): 0, string(medblocks.EndpointStatusDisabled): 0, "other": 0}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, endpoint := range s.endpoints {
		status := string(endpoint.Status)
		if _, known := counts[status]; !known {
			status = "other"
		}
		counts[status]++
	}
	return counts
}

func oneIf(condition bool) float64 {
	if condition {
		return 1
	}
	return 0
}
