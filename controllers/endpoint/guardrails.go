// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"net/url"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// guardrails are what a MedblocksAccount allows, and what that is to be compared with.
type guardrails struct {
	// account is its name.
	account string
	spec    v1alpha1.MedblocksAccountSpec
	// labels of the resource's namespace; only with a namespaceSelector.
	labels map[string]string
	// rank is how many resources of the namespace use the account and come before this one, as far as it matters; only with maxEndpointsPerNamespace.
	rank int
}

// notAllowed is the guardrail that a resource violates; nil: none, or it has an API key of its own. It is a pure function. What
// cannot be understood is not allowed.
func notAllowed(res *v1alpha1.MedblocksWebhookEndpoint, g *guardrails) *hold {
	if g == nil {
		return nil
	}
	const condition, reason = v1alpha1.ConditionSynced, v1alpha1.ReasonNotAllowed
	switch {
	case !selects(g.spec.NamespaceSelector, g.labels):
		return stalledHold(condition, reason,
			"spec.namespaceSelector of MedblocksAccount %q does not select namespace %q by its labels: ask the account's owner to let this namespace in, or use another account or an API key of your own", g.account, res.Namespace)
	case !allowsHost(g.spec.AllowedURLHosts, res.Spec.URL):
		return stalledHold(condition, reason,
			"spec.allowedURLHosts of MedblocksAccount %q does not allow the host of spec.url, only %s: correct spec.url, or ask the account's owner to add the host", g.account, hostList(g.spec.AllowedURLHosts))
	case g.spec.MaxEndpointsPerNamespace != nil && g.rank >= int(*g.spec.MaxEndpointsPerNamespace):
		return stalledHold(condition, reason,
			"spec.maxEndpointsPerNamespace of MedblocksAccount %q is %d, and other resources of namespace %q have all of its places: delete one of them, or ask the account's owner for a higher limit", g.account, *g.spec.MaxEndpointsPerNamespace, res.Namespace)
	}
	return nil
}

// ofAnotherTenant tells whether an endpoint to adopt carries the mark of a resource in another namespace. Whoever has the API key may
// take it over, but with a shared account nobody has: one tenant must not take another one's endpoint by naming it.
func (p *planner) ofAnotherTenant(target *medblocks.Endpoint) bool {
	owner := target.Metadata[v1alpha1.MarkOwner]
	if p.obs.guardrails == nil || owner == "" || isOfNamespace(owner, p.res.Namespace) {
		return false
	}
	p.stop(stalledHold(v1alpha1.ConditionSynced, v1alpha1.ReasonNotAllowed,
		"endpoint %s, which spec.adopt names, is marked as another namespace's, and MedblocksAccount %q is shared: adopt it with an API key of your own, or ask the account's owner to remove the endpoint's metadata key %s at Medblocks", target.ID, p.obs.guardrails.account, v1alpha1.MarkOwner))
	return true
}

// isOfNamespace tells whether an owner mark is that of a resource in a namespace of that name, of whichever cluster.
func isOfNamespace(owner, namespace string) bool {
	_, resource, _ := strings.Cut(owner, "/")
	return strings.HasPrefix(resource, namespace+"/")
}

// selects tells whether a selector selects a namespace with these labels; without one, all are.
func selects(selector *v1alpha1.NamespaceSelector, of map[string]string) bool {
	if selector == nil {
		return true
	}
	is, err := metav1.LabelSelectorAsSelector(selector.LabelSelector())
	return err == nil && is.Matches(labels.Set(of))
}

// allowsHost tells whether a URL's host is one of those; without any, all are allowed.
func allowsHost(allowed []v1alpha1.URLHost, raw string) bool {
	if len(allowed) == 0 {
		return true
	}
	host, ok := plainHost(raw)
	if !ok {
		return false
	}
	for _, pattern := range allowed {
		if domain, wild := strings.CutPrefix(string(pattern), "*"); wild { // it keeps its dot
			if len(host) > len(domain) && strings.HasPrefix(domain, ".") && strings.HasSuffix(host, domain) {
				return true
			}
		} else if host == string(pattern) {
			return true
		}
	}
	return false
}

// plainHost is the host of a URL as patterns are written: in lower case, without the port and without the dot at the end. Hosts
// outside ASCII have several ASCII forms, depending on whom one asks, so that they are nobody's; so are those with anything unusual.
func plainHost(raw string) (string, bool) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", false
	}
	host := strings.TrimSuffix(u.Hostname(), ".")
	for _, c := range []byte(host) {
		plain := c == '-' || c == '.' || c == '_' || ('0' <= c && c <= '9') || ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z')
		if !plain {
			return "", false
		}
	}
	return strings.ToLower(host), host != ""
}

// hostList names the first few allowed hosts.
func hostList(allowed []v1alpha1.URLHost) string {
	const most = 5
	var names []string
	for _, host := range allowed[:min(len(allowed), most)] {
		names = append(names, string(host))
	}
	if len(allowed) > most {
		names = append(names, "…")
	}
	return strings.Join(names, ", ")
}
