// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"context"
	"errors"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/test/emulator"
)

// keySecrets stands in for the API server: the registry reads one field of one kind.
type keySecrets struct {
	client.Reader
	mu   sync.Mutex
	keys map[string]string // by the Secret's name
}

// forbidden is the value of a Secret that the operator may not read.
const forbidden = "forbidden"

func (k *keySecrets) Get(_ context.Context, key client.ObjectKey, object client.Object, _ ...client.GetOption) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	value, ok := k.keys[key.Name]
	secret, isSecret := object.(*corev1.Secret)
	if value == forbidden {
		return apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, key.Name, nil)
	}
	if !ok || !isSecret {
		return apierrors.NewNotFound(schema.GroupResource{Resource: "secrets"}, key.Name)
	}
	secret.Data = map[string][]byte{"key": []byte(value)}
	return nil
}

func (k *keySecrets) set(name, value string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys[name] = value
}

func newRegistry(t *testing.T, vendor *emulator.Server, secrets *keySecrets) *Registry {
	t.Helper()
	server := httptest.NewServer(vendor)
	r := NewRegistry(Options{
		Secrets: secrets, ClusterID: "c1", PollInterval: 50 * time.Millisecond, DisabledPollInterval: 20 * time.Millisecond,
		QPS: 10_000, Burst: 10_000, Clock: clock.RealClock{}, Log: logr.Discard(),
		NewAPI: func(key string) (API, error) {
			return medblocks.New(medblocks.Config{BaseURL: server.URL, APIKey: key, APIVersion: medblocks.DefaultAPIVersion})
		},
	}, func(...Resource) {})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		server.Close()
		vendor.Close()
	})
	return r
}

// TestAKeyThatWorkedIsKeptUntilTheNextOneIsAcceptedAndServesAgainWhenItIsBack: a refused key is no reason to forget the last one.
func TestAKeyThatWorkedIsKeptUntilTheNextOneIsAcceptedAndServesAgainWhenItIsBack(t *testing.T) {
	g := NewWithT(t)
	vendor := emulator.New(emulator.Options{})
	for _, key := range []string{"mb_sk_sbx_bad", "mb_sk_sbx_worse"} {
		g.Expect(vendor.SetKey(emulator.Key{APIKey: key, State: emulator.KeyRevoked})).To(Succeed())
	}
	secrets := &keySecrets{keys: map[string]string{"s": "mb_sk_sbx_good"}}
	r := newRegistry(t, vendor, secrets)
	who, ref := Resource{Namespace: "shop", Name: "orders"}, KeyRef{Namespace: "shop", Name: "s", Key: "key"}
	use := func() *Account {
		account, err := r.Use(t.Context(), who, ref)
		g.Expect(err).NotTo(HaveOccurred())
		return account
	}
	good := use()
	good.Track(who, "wh_1")
	g.Eventually(good.isAccepted).WithTimeout(10 * time.Second).Should(BeTrue())
	g.Expect(r.Former(who)).To(BeNil())

	secrets.set("s", "mb_sk_sbx_bad")
	g.Eventually(use).WithTimeout(10 * time.Second).ShouldNot(BeIdenticalTo(good))
	bad := use()
	g.Eventually(bad.Refused).WithTimeout(10 * time.Second).Should(HaveOccurred())
	use()
	g.Expect(r.Former(who)).To(BeIdenticalTo(good))

	t.Log("A third one that is refused too does not make it forget the last one that worked.")
	secrets.set("s", "mb_sk_sbx_worse")
	g.Eventually(use).WithTimeout(10 * time.Second).ShouldNot(BeIdenticalTo(bad))
	worse := use()
	g.Eventually(worse.Refused).WithTimeout(10 * time.Second).Should(HaveOccurred())
	use()
	g.Expect(r.Former(who)).To(BeIdenticalTo(good))
	g.Expect(bad.allUsers()).To(BeEmpty())

	secrets.set("s", "mb_sk_sbx_good")
	g.Eventually(use).WithTimeout(10*time.Second).Should(BeIdenticalTo(good), "its poller never stopped")
	g.Expect(good.allUsers()).To(ConsistOf(who), "or nobody would tell the resource of a change")
	g.Expect(worse.allUsers()).To(BeEmpty())
	g.Expect(r.Former(who)).To(BeNil())
	lists := vendor.Counters().Calls["ListEndpoints"]
	g.Eventually(func() int { return vendor.Counters().Calls["ListEndpoints"] }).WithTimeout(10 * time.Second).Should(BeNumerically(">", lists))

	r.Release(who)
	g.Expect(good.allUsers()).To(BeEmpty())
	g.Expect(r.accounts).To(BeEmpty())
}

func TestAKeyThatTheOperatorMayNotReadIsTroubleThatPeopleCanRead(t *testing.T) {
	g := NewWithT(t)
	r := newRegistry(t, emulator.New(emulator.Options{}), &keySecrets{keys: map[string]string{"s": forbidden}})
	_, err := r.Use(t.Context(), Resource{Namespace: "shop", Name: "orders"}, KeyRef{Namespace: "shop", Name: "s", Key: "key"})
	var trouble *CredentialsError
	g.Expect(errors.As(err, &trouble)).To(BeTrue())
	g.Expect(trouble.Message).To(And(ContainSubstring(`"s"`), ContainSubstring(`"shop"`), ContainSubstring("service account")))
}

func TestASecretThatNobodyNamesAnyMoreIsNotRead(t *testing.T) {
	g := NewWithT(t)
	r := newRegistry(t, emulator.New(emulator.Options{}), &keySecrets{keys: map[string]string{"a": "mb_sk_sbx_same", "b": "mb_sk_sbx_same"}})
	who := Resource{Namespace: "shop", Name: "orders"}
	first, second := KeyRef{Namespace: "shop", Name: "a", Key: "key"}, KeyRef{Namespace: "shop", Name: "b", Key: "key"}
	for _, ref := range []KeyRef{first, second} {
		_, err := r.Use(t.Context(), who, ref)
		g.Expect(err).NotTo(HaveOccurred())
	}
	g.Expect(r.refsOf(hashKey("mb_sk_sbx_same"))).To(ConsistOf(second))
}
