// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
	"github.com/medblocks/webhook-operator/controllers/probe"
)

// options are the operator's flags.
type options struct {
	apiBaseURL           string
	apiVersion           string
	apiQPS               float64
	apiBurst             int
	apiTimeout           time.Duration
	pollInterval         time.Duration
	disabledPollInterval time.Duration
	clusterID            string
	readOnly             bool
	secretAccess         string
	maxConcurrent        int
	allowedEnvironments  list
	operatorNamespace    string
	watchNamespaces      list
	watchSelector        string
	leaderElect          bool
	leaderNamespace      string
	leaderID             string
	metricsAddress       string
	metricsSecure        bool
	probeAddress         string
	probeAllowCIDRs      list
}

// How signing Secrets are found, the values of --secret-access.
const (
	accessWatch = "watch"
	accessGet   = "get"
)

// list is a flag that may be repeated or hold values separated by commas.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

func (l *list) Set(value string) error {
	for _, item := range strings.Split(value, ",") {
		if item = strings.TrimSpace(item); item != "" {
			*l = append(*l, item)
		}
	}
	return nil
}

func defaultOptions() *options {
	return &options{
		apiBaseURL: medblocks.DefaultBaseURL, apiVersion: medblocks.DefaultAPIVersion,
		apiQPS: 10, apiBurst: 20, apiTimeout: medblocks.DefaultTimeout,
		pollInterval: 5 * time.Minute, disabledPollInterval: 30 * time.Second,
		secretAccess:  accessWatch,
		maxConcurrent: 10, metricsAddress: ":8443", metricsSecure: true, probeAddress: ":8081",
	}
}

func (o *options) addFlags(flags *flag.FlagSet) {
	flags.StringVar(&o.apiBaseURL, "api-base-url", o.apiBaseURL, "Base URL of the Medblocks API. An operator setting and not a field of the resource: a tenant must not be able to point the operator, and the API keys, elsewhere.")
	flags.StringVar(&o.apiVersion, "api-version", o.apiVersion, "Version header of the operator's calls (YYYY-MM-DD).")
	flags.Float64Var(&o.apiQPS, "api-qps", o.apiQPS, "Calls per second to the Medblocks API, per account.")
	flags.IntVar(&o.apiBurst, "api-burst", o.apiBurst, "Calls to the Medblocks API that may be made at once, per account.")
	flags.DurationVar(&o.apiTimeout, "api-timeout", o.apiTimeout, "Timeout of one call to the Medblocks API. Also how long an unanswered registration counts as in flight.")
	flags.DurationVar(&o.pollInterval, "poll-interval", o.pollInterval, "Time between two lists of all endpoints of an account (±10 %).")
	flags.DurationVar(&o.disabledPollInterval, "disabled-poll-interval", o.disabledPollInterval, "Time between two lists of an account's disabled endpoints (±10 %): how soon a silent disable is noticed.")
	flags.StringVar(&o.clusterID, "cluster-id", o.clusterID, "Identity of this cluster in the endpoints' owner mark. Default: the UID of the kube-system namespace.")
	flags.BoolVar(&o.readOnly, "read-only", o.readOnly, "Plan and report for every resource, and write nothing to Medblocks: for migrations and disaster recovery.")
	flags.StringVar(&o.secretAccess, "secret-access", o.secretAccess, "How the operator gets to know signing Secrets. watch: it lists and watches those with its label, and heals a lost or changed one at once. get: it needs no permission to list or watch Secrets, reads each by its name, and notices a change within --poll-interval.")
	flags.Var(&o.allowedEnvironments, "allowed-environments", "Environments that API keys may be of, by their prefix: Sandbox, Production; separated by commas, may be repeated. A key of another one is used for no call. Default: both.")
	flags.StringVar(&o.operatorNamespace, "operator-namespace", o.operatorNamespace, "Namespace of the Secrets with the API keys of MedblocksAccounts. Default: the operator's own namespace, when it runs in a cluster.")
	flags.IntVar(&o.maxConcurrent, "max-concurrent-reconciles", o.maxConcurrent, "Resources that are reconciled at the same time.")
	flags.Var(&o.watchNamespaces, "watch-namespaces", "Namespaces to watch, separated by commas; may be repeated. Without permissions for the whole cluster there are no MedblocksAccounts then: resources with spec.accountRef are refused. Default: all.")
	flags.StringVar(&o.watchSelector, "watch-label-selector", o.watchSelector, "Label selector of the resources to manage, for shards. A resource that does not match is never touched. Default: all.")
	flags.BoolVar(&o.leaderElect, "leader-elect", o.leaderElect, "Elect a leader among several replicas, so that one works at a time.")
	flags.StringVar(&o.leaderNamespace, "leader-election-namespace", o.leaderNamespace, "Namespace of the leader election lease. Default: the operator's own namespace, when it runs in a cluster.")
	flags.StringVar(&o.leaderID, "leader-election-id", o.leaderID, "Name of the leader election lease. Operators with the same one take turns, so that each shard needs its own. Default: "+leaderElectionID+", which an operator with --watch-namespaces or --watch-label-selector has to ask for by name.")
	flags.StringVar(&o.metricsAddress, "metrics-bind-address", o.metricsAddress, "Address of the metrics endpoint; 0 turns it off.")
	flags.BoolVar(&o.metricsSecure, "metrics-secure", o.metricsSecure, "Serve metrics over TLS, to clients that are authenticated and authorized by the API server.")
	flags.StringVar(&o.probeAddress, "health-probe-bind-address", o.probeAddress, "Address of /healthz and /readyz; 0 turns them off.")
	flags.Var(&o.probeAllowCIDRs, "probe-allow-cidr", "Loopback, link-local or private networks (CIDR) that receiver probes may connect to, in addition to public addresses and the Services that resources name; separated by commas, may be repeated. A range allows all that is in it, metadata services of a cloud included. Default: none.")
}

// environments are the allowed ones; none: all.
func (o *options) environments() []v1alpha1.Environment {
	allowed := make([]v1alpha1.Environment, 0, len(o.allowedEnvironments))
	for _, name := range o.allowedEnvironments {
		allowed = append(allowed, v1alpha1.Environment(name))
	}
	return allowed
}

// namespace is the one with the API keys of MedblocksAccounts; empty: it is not known.
func (o *options) namespace() string {
	if o.operatorNamespace != "" {
		return o.operatorNamespace
	}
	name, err := os.ReadFile(inClusterNamespace)
	if err != nil {
		return "" // not in a cluster; resources that need it say so
	}
	return strings.TrimSpace(string(name))
}

// selector is that of the resources to manage.
func (o *options) selector() labels.Selector {
	selector, err := labels.Parse(o.watchSelector)
	if err != nil {
		panic(err) // validated
	}
	return selector
}

// probeAllow are the networks that probes may reach although they are not public.
func (o *options) probeAllow() []netip.Prefix {
	allowed := make([]netip.Prefix, 0, len(o.probeAllowCIDRs))
	for _, text := range o.probeAllowCIDRs {
		network, err := probe.ParseNetwork(text)
		if err != nil {
			panic(err) // validated
		}
		allowed = append(allowed, network)
	}
	return allowed
}

// inClusterNamespace is where a Pod reads its namespace, which holds the lease and the Secrets of accounts by default.
const inClusterNamespace = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

var versionPattern = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)

// validate names every flag that is wrong, and what it should be.
func (o *options) validate() error {
	var wrong []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			wrong = append(wrong, fmt.Errorf(format, args...))
		}
	}
	check(versionPattern.MatchString(o.apiVersion), "--api-version %q must be a date, YYYY-MM-DD", o.apiVersion)
	check(o.apiQPS > 0, "--api-qps must be positive")
	check(o.apiBurst >= 1, "--api-burst must be at least 1")
	check(o.apiTimeout > 0, "--api-timeout must be positive")
	check(o.pollInterval >= time.Second, "--poll-interval must be at least 1s")
	check(o.disabledPollInterval >= 100*time.Millisecond, "--disabled-poll-interval must be at least 100ms")
	check(o.secretAccess == accessWatch || o.secretAccess == accessGet, "--secret-access %q must be %s or %s", o.secretAccess, accessWatch, accessGet)
	check(o.maxConcurrent >= 1, "--max-concurrent-reconciles must be at least 1")
	_, err := os.Stat(inClusterNamespace)
	check(!o.leaderElect || o.leaderNamespace != "" || err == nil, "--leader-elect outside a cluster needs --leader-election-namespace")
	sharded := len(o.watchNamespaces) > 0 || o.watchSelector != ""
	check(!o.leaderElect || !sharded || o.leaderID != "", "--leader-elect with --watch-namespaces or --watch-label-selector needs --leader-election-id: with the lease of another shard this one would wait for it forever")
	check(!strings.Contains(o.clusterID, "/"), "--cluster-id must not contain a slash")
	_, err = medblocks.New(medblocks.Config{BaseURL: o.apiBaseURL, APIKey: "mb_sk_sbx_check", APIVersion: o.apiVersion})
	check(err == nil, "--api-base-url: %v", err)
	_, err = labels.Parse(o.watchSelector)
	check(err == nil, "--watch-label-selector: %v", err)
	for _, name := range o.allowedEnvironments {
		_, err := account.ParseEnvironment(name)
		check(err == nil, "--allowed-environments: %v", err)
	}
	for _, network := range o.probeAllowCIDRs {
		_, err := probe.ParseNetwork(network)
		check(err == nil, "--probe-allow-cidr: %v", err)
	}
	return errors.Join(wrong...)
}
