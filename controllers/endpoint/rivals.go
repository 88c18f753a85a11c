// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
)

// rival is another resource that claims the same endpoint or the same signing Secret.
type rival struct {
	who account.Resource
	// owner is its identity at Medblocks.
	owner string
	// older: its claim goes first, where neither holds what both claim.
	older bool
	// published: its status says that its signing secret is in that Secret.
	published bool
	// account is the MedblocksAccount that it uses; empty: it has an API key of its own. refused: that does not allow it anything.
	account string
	refused bool
}

// claims tells whether an endpoint with that owner mark is the rival's before it is anybody else's: it has adopted it, or it may adopt it
// and goes first.
func (is rival) claims(mark string) bool {
	if mark == is.owner {
		return true
	}
	return is.older && !is.refused && (is.account == "" || mark == "" || isOfNamespace(mark, is.who.Namespace))
}

// indexClaims is the index of cached resources by what they claim. Almost all claim the signing Secret that is theirs by default: those
// are found by their names, and left out. An entry takes a fifth as much memory as a resource.
const indexClaims = "claims"

func claimOfEndpoint(id string) string { return "endpoint/" + id }

func claimOfSecret(name string) string { return "secret/" + name }

// claimsOf is what a resource claims for itself alone: the endpoint that it adopts or has adopted, its signing Secret, and the
// one that this has to be moved from. Who only observes claims nothing new.
func claimsOf(res *v1alpha1.MedblocksWebhookEndpoint) []string {
	var claims []string
	if id := specAdopts(res); id != "" && !res.Observes() && (res.Status.EndpointID == id || isAdopting(res, intentOf(res))) {
		claims = append(claims, claimOfEndpoint(id))
	}
	if !res.Observes() {
		claims = append(claims, claimOfSecret(res.SigningSecretName()))
	}
	if s := res.Status.SigningSecret; s != nil && s.Name != "" {
		claims = append(claims, claimOfSecret(s.Name))
	}
	slices.Sort(claims)
	return slices.Compact(claims)
}

func claimsOfObject(object client.Object) []string {
	res, ok := object.(*v1alpha1.MedblocksWebhookEndpoint)
	if !ok {
		return nil
	}
	return claimsOf(res)
}

func indexedClaims(object client.Object) []string {
	byDefault := claimOfSecret(object.GetName() + v1alpha1.DefaultSigningSecretSuffix)
	return slices.DeleteFunc(claimsOfObject(object), func(claim string) bool { return claim == byDefault })
}

// olderFirst orders claims. Creation times are whole seconds, so that names decide between equal ones.
func olderFirst(a, b *v1alpha1.MedblocksWebhookEndpoint) int {
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

// claimants are the cached resources with a claim, but for one. In an empty namespace: those of all namespaces.
func (r *Reconciler) claimants(ctx context.Context, claim, namespace string, but account.Resource) ([]v1alpha1.MedblocksWebhookEndpoint, error) {
	var all v1alpha1.MedblocksWebhookEndpointList
	err := r.Client.List(ctx, &all, client.InNamespace(namespace), client.MatchingFields{indexClaims: claim})
	if err == nil {
		err = r.addClaimantByDefault(ctx, claim, namespace, &all)
	}
	if err != nil {
		return nil, fmt.Errorf("looking for other resources that claim %s: %w", claim, err)
	}
	return slices.DeleteFunc(all.Items, func(res v1alpha1.MedblocksWebhookEndpoint) bool {
		return client.ObjectKeyFromObject(&res) == but
	}), nil
}

// addClaimantByDefault adds the resource whose signing Secret has that name by default, if it claims it.
func (r *Reconciler) addClaimantByDefault(ctx context.Context, claim, namespace string, all *v1alpha1.MedblocksWebhookEndpointList) error {
	name, isSecret := strings.CutPrefix(claim, claimOfSecret(""))
	name, isDefault := strings.CutSuffix(name, v1alpha1.DefaultSigningSecretSuffix)
	if !isSecret || !isDefault || name == "" {
		return nil
	}
	var res v1alpha1.MedblocksWebhookEndpoint
	err := r.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &res)
	if err == nil && slices.Contains(claimsOf(&res), claim) {
		all.Items = append(all.Items, res)
	}
	return client.IgnoreNotFound(err)
}

func (r *Reconciler) rivalOf(res, other *v1alpha1.MedblocksWebhookEndpoint) rival {
	who := client.ObjectKeyFromObject(other)
	return rival{who: who, owner: account.OwnerMark(r.ClusterID, who), older: olderFirst(other, res) < 0, account: other.UsesAccount()}
}

// observeRivalsForSecret finds out who else claims the signing Secret, where it is not the resource's own already.
func (r *Reconciler) observeRivalsForSecret(ctx context.Context, w *work) error {
	w.obs.secretRivals = nil
	if w.obs.secret.owned {
		return nil
	}
	name := w.obs.secret.name
	others, err := r.claimants(ctx, claimOfSecret(name), w.res.Namespace, client.ObjectKeyFromObject(w.res))
	for i := range others {
		is := r.rivalOf(w.res, &others[i])
		is.published = others[i].Status.SigningSecret != nil && others[i].Status.SigningSecret.Name == name
		w.obs.secretRivals = append(w.obs.secretRivals, is)
	}
	return err
}

// observeRivalsForEndpoint finds out who else wants to adopt the endpoint, or has done so. Resources whose API key does not show
// the endpoint do not count: nobody may keep others from an endpoint by merely naming it.
func (r *Reconciler) observeRivalsForEndpoint(ctx context.Context, w *work) error {
	id := specAdopts(w.res)
	others, err := r.claimants(ctx, claimOfEndpoint(id), "", client.ObjectKeyFromObject(w.res))
	if err != nil {
		return err
	}
	rivals := []rival{}
	for i := range others {
		sees, err := r.sees(ctx, &others[i], w.account, id)
		if err != nil {
			return err
		}
		if sees {
			is := r.rivalOf(w.res, &others[i])
			if is.refused, err = r.isRefused(ctx, &others[i]); err != nil {
				return err
			}
			rivals = append(rivals, is)
		}
	}
	w.obs.endpointRivals = rivals
	return nil
}

// isRefused tells whether a resource's MedblocksAccount does not allow it.
func (r *Reconciler) isRefused(ctx context.Context, res *v1alpha1.MedblocksWebhookEndpoint) (bool, error) {
	g, err := r.guardrailsOf(ctx, res, r.rank)
	return notAllowed(res, g) != nil, err
}

// sees tells whether the API key of a resource shows an endpoint.
func (r *Reconciler) sees(ctx context.Context, res *v1alpha1.MedblocksWebhookEndpoint, acct *account.Account, endpointID string) (bool, error) {
	ref, err := r.keyRefOf(ctx, res)
	if missing := (*account.CredentialsError)(nil); errors.As(err, &missing) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return r.Accounts.Sees(ctx, ref, acct, endpointID)
}

// wakeRivals has those reconciled that claim what a resource claims or has claimed, once the cache shows the change.
func (r *Reconciler) wakeRivals(ctx context.Context, w *work) error {
	before, after := w.mem.claims, claimsOf(w.res)
	if slices.Equal(before, after) {
		return nil
	}
	changed := slices.DeleteFunc(slices.Concat(before, after), func(claim string) bool {
		return slices.Contains(before, claim) && slices.Contains(after, claim)
	})
	if err := r.wakeOthers(ctx, client.ObjectKeyFromObject(w.res), changed); err != nil {
		return err
	}
	w.mem.claims = after
	return nil
}

// wakeOthers has all others reconciled that make one of these claims.
func (r *Reconciler) wakeOthers(ctx context.Context, who account.Resource, claims []string) error {
	for _, claim := range claims {
		namespace := who.Namespace
		if !strings.HasPrefix(claim, claimOfSecret("")) {
			namespace = "" // resources of any namespace may adopt the same endpoint
		}
		others, err := r.claimants(ctx, claim, namespace, who)
		if err != nil {
			return err
		}
		for i := range others {
			r.Enqueue(client.ObjectKeyFromObject(&others[i]))
		}
	}
	return nil
}
