// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

// shown are the account labels of the series that a registry shows, and everything that is in any label. It fails where two series
// are the same.
func shown(g Gomega, r *Registry) (accounts []string, labels string) {
	gatherer := prometheus.NewPedanticRegistry()
	g.Expect(gatherer.Register(r)).To(Succeed())
	families, err := gatherer.Gather()
	g.Expect(err).NotTo(HaveOccurred())
	for _, family := range families {
		for _, series := range family.GetMetric() {
			labels += fmt.Sprintln(series.GetLabel())
			if strings.HasSuffix(family.GetName(), "_account_users") {
				accounts = append(accounts, series.GetLabel()[0].GetValue())
			}
		}
	}
	slices.Sort(accounts)
	return accounts, labels
}

func TestAnAccountIsNamedByTheSmallestSecretInUseAndNeverByItsKey(t *testing.T) {
	g := NewWithT(t)
	secrets := &keySecrets{keys: map[string]string{"b": "mb_sk_sbx_one", "a": "mb_sk_sbx_one", "c": "mb_sk_sbx_two"}}
	r := newRegistry(t, emulator.New(emulator.Options{}), secrets)
	use := func(name, secret string) *Account {
		account, err := r.Use(context.Background(), Resource{Namespace: "shop", Name: name}, KeyRef{Namespace: "shop", Name: secret, Key: "key"})
		g.Expect(err).NotTo(HaveOccurred())
		return account
	}
	one := use("orders", "b")
	two := use("returns", "c")
	accounts, _ := shown(g, r)
	g.Expect(accounts).To(Equal([]string{"shop/b/key", "shop/c/key"}), "the key of the Secret is not the usual one")
	g.Expect(use("refunds", "a")).To(BeIdenticalTo(one))
	accounts, labels := shown(g, r)
	g.Expect(accounts).To(Equal([]string{"shop/a/key", "shop/c/key"}))
	for _, hidden := range []string{"mb_sk", one.KeyHash, two.KeyHash, one.KeyHash[3:], two.KeyHash[3:]} {
		g.Expect(labels).NotTo(ContainSubstring(hidden))
	}
	r.Release(Resource{Namespace: "shop", Name: "refunds"})
	accounts, _ = shown(g, r)
	g.Expect(accounts).To(Equal([]string{"shop/b/key", "shop/c/key"}))
	r.Release(Resource{Namespace: "shop", Name: "returns"})
	accounts, _ = shown(g, r)
	g.Expect(accounts).To(Equal([]string{"shop/b/key"}), "no series outlives its account")
}

func TestTwoAccountsThatOneSecretLeadToAfterEachOtherAreOneSeries(t *testing.T) {
	g := NewWithT(t)
	secrets := &keySecrets{keys: map[string]string{"a": "mb_sk_sbx_before"}}
	r := newRegistry(t, emulator.New(emulator.Options{}), secrets)
	ref := KeyRef{Namespace: "shop", Name: "a", Key: "key"}
	var resources []Resource
	for i := range 8 { // whichever of them a map begins with
		resources = append(resources, Resource{Namespace: "shop", Name: fmt.Sprint(i)})
		_, err := r.Use(context.Background(), resources[i], ref)
		g.Expect(err).NotTo(HaveOccurred())
	}
	secrets.set("a", "mb_sk_sbx_after")
	r.refreshKeys(t.Context(), hashKey("mb_sk_sbx_before"))
	after, err := r.Use(context.Background(), resources[0], ref)
	g.Expect(err).NotTo(HaveOccurred())
	for range 20 {
		accounts, _ := shown(g, r)
		g.Expect(accounts).To(Equal([]string{"shop/a/key"}))
		named := r.named()
		g.Expect(named).To(HaveLen(1))
		g.Expect(named[after]).To(Equal(ref), "the one that the Secret leads to now")
	}
}

func TestTheUsualKeyOfASecretIsNotPartOfTheName(t *testing.T) {
	g := NewWithT(t)
	g.Expect(KeyRef{Namespace: "shop", Name: "a", Key: v1alpha1.DefaultAPIKeySecretKey}.account()).To(Equal("shop/a"))
}

func TestAStatusThatIsNotDocumentedIsNoLabel(t *testing.T) {
	g := NewWithT(t)
	s := store{owners: map[string][]string{}}
	for i, status := range []medblocks.EndpointStatus{"active", "active", "disabled", "hibernating", ""} {
		s.fold(medblocks.Endpoint{ID: fmt.Sprint(i), Status: status})
	}
	g.Expect(s.count()).To(Equal(map[string]int{"active": 2, "disabled": 1, "other": 2}))
}

// TestASecretThatTwoNameUnderDifferentRulesIsOneSeries: two series that are the same would fail the whole scrape.
func TestASecretThatTwoNameUnderDifferentRulesIsOneSeries(t *testing.T) {
	g := NewWithT(t)
	secrets := &keySecrets{keys: map[string]string{"a": "mb_sk_sbx_before"}}
	r := newRegistry(t, emulator.New(emulator.Options{}), secrets)
	strict := KeyRef{Namespace: "shop", Name: "a", Key: "key", Account: "strict", Environment: v1alpha1.EnvironmentSandbox}
	lax := KeyRef{Namespace: "shop", Name: "a", Key: "key", Account: "lax"}
	_, err := r.Use(t.Context(), Resource{Namespace: "shop", Name: "orders"}, strict)
	g.Expect(err).NotTo(HaveOccurred())
	secrets.set("a", "mb_sk_sbx_after")
	_, err = r.Use(t.Context(), Resource{Namespace: "shop", Name: "bills"}, lax)
	g.Expect(err).NotTo(HaveOccurred())
	accounts, _ := shown(g, r)
	g.Expect(accounts).To(Equal([]string{"shop/a/key"}))
}
