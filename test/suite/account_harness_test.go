// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"fmt"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gcustom"
	gomegatypes "github.com/onsi/gomega/types"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
)

// worldLabel tells the resources of a test whose operator watches all namespaces from those of other tests.
const worldLabel = "suite.example.com/world"

// newAccountWorld makes a world whose operator watches all namespaces. The API key is in a namespace of the operator's own, and the
// tenants' namespace holds none. There is no MedblocksAccount yet; it has the name of the tenants' namespace.
func newAccountWorld(t *testing.T, tweaks ...func(*setup)) *world {
	t.Helper()
	w := newWorld(t, append(tweaks, func(s *setup) { s.idle, s.keyless, s.operator.namespaces = true, true, nil })...)
	w.options.selector = labels.SelectorFromSet(labels.Set{worldLabel: w.namespace})
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "suite-operator-"}}
	w.Expect(shared.admin.Create(t.Context(), namespace)).To(Succeed())
	w.options.operatorNamespace = namespace.Name
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace.Name, Name: keySecret},
		StringData: map[string]string{v1alpha1.DefaultAPIKeySecretKey: w.key},
	}
	w.Expect(shared.admin.Create(t.Context(), secret)).To(Succeed())
	t.Cleanup(func() {
		w.Expect(client.IgnoreNotFound(shared.admin.Delete(w.context(), w.accountManifest()))).To(Succeed())
	})
	w.startOperator()
	return w
}

// byAccount has a resource use the world's MedblocksAccount.
func (w *world) byAccount(res *v1alpha1.MedblocksWebhookEndpoint) {
	metav1.SetMetaDataLabel(&res.ObjectMeta, worldLabel, w.namespace)
	res.Spec.APIKeySecretRef = v1alpha1.APIKeySecretReference{}
	res.Spec.AccountRef = &v1alpha1.AccountReference{Name: w.namespace}
}

func (w *world) accountManifest(tweaks ...func(*v1alpha1.MedblocksAccount)) *v1alpha1.MedblocksAccount {
	acct := &v1alpha1.MedblocksAccount{
		ObjectMeta: metav1.ObjectMeta{Name: w.namespace, Labels: map[string]string{worldLabel: w.namespace}},
		Spec:       v1alpha1.MedblocksAccountSpec{APIKeySecretRef: v1alpha1.APIKeySecretReference{Name: keySecret}},
	}
	for _, tweak := range tweaks {
		tweak(acct)
	}
	return acct
}

func (w *world) createAccount(tweaks ...func(*v1alpha1.MedblocksAccount)) {
	w.t.Helper()
	w.Expect(shared.admin.Create(w.context(), w.accountManifest(tweaks...))).To(Succeed())
}

func (w *world) account() *v1alpha1.MedblocksAccount {
	w.t.Helper()
	acct := &v1alpha1.MedblocksAccount{}
	w.Expect(shared.admin.Get(w.context(), client.ObjectKey{Name: w.namespace}, acct)).To(Succeed())
	return acct
}

func (w *world) changeAccount(edit func(*v1alpha1.MedblocksAccountSpec)) {
	w.t.Helper()
	w.Expect(retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		acct := w.account()
		edit(&acct.Spec)
		return shared.admin.Update(w.context(), acct)
	})).To(Succeed())
}

// setAccountKey puts another API key into the account's Secret.
func (w *world) setAccountKey(value string) {
	w.t.Helper()
	patch := client.RawPatch("application/merge-patch+json", []byte(fmt.Sprintf(`{"stringData":{%q:%q}}`, v1alpha1.DefaultAPIKeySecretKey, value)))
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.options.operatorNamespace, Name: keySecret}}
	w.Expect(shared.admin.Patch(w.context(), secret, patch)).To(Succeed())
}

// labelNamespace sets a label of the tenants' namespace.
func (w *world) labelNamespace(key, value string) {
	w.t.Helper()
	patch := client.RawPatch("application/merge-patch+json", []byte(fmt.Sprintf(`{"metadata":{"labels":{%q:%q}}}`, key, value)))
	w.Expect(shared.admin.Patch(w.context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}, patch)).To(Succeed())
}

// pokeAccount has the MedblocksAccount reconciled.
func (w *world) pokeAccount() { w.operator.queue.Enqueue(account.Resource{Name: w.namespace}) }

// accountMatches makes a matcher whose failure shows the account's status.
func accountMatches(wanted string, ok func(*v1alpha1.MedblocksAccount) bool) gomegatypes.GomegaMatcher {
	return gcustom.MakeMatcher(func(acct *v1alpha1.MedblocksAccount) (bool, error) { return ok(acct), nil }).
		WithTemplate("Wanted {{.Data.Wanted}}, got\n{{call .Data.Show .Actual}}", map[string]any{"Wanted": wanted, "Show": func(acct *v1alpha1.MedblocksAccount) string {
			return fmt.Sprintf("%+v %+v", acct.Status, acct.Status.Endpoints)
		}})
}

// accountHas matches an account with a condition of that type, status and reason, whose message holds all of texts.
func accountHas(condition string, status metav1.ConditionStatus, reason string, texts ...string) gomegatypes.GomegaMatcher {
	return accountMatches(fmt.Sprintf("%s=%s (%s) saying %q", condition, status, reason, texts), func(acct *v1alpha1.MedblocksAccount) bool {
		c := meta.FindStatusCondition(acct.Status.Conditions, condition)
		if c == nil || c.Status != status || c.Reason != reason || acct.Status.ObservedGeneration != acct.Generation {
			return false
		}
		for _, text := range texts {
			if !strings.Contains(c.Message, text) {
				return false
			}
		}
		return true
	})
}

// accountCounts matches an account with these numbers.
func accountCounts(resources int, is v1alpha1.AccountEndpoints) gomegatypes.GomegaMatcher {
	return accountMatches(fmt.Sprintf("%d resources and %+v", resources, is), func(acct *v1alpha1.MedblocksAccount) bool {
		return acct.Status.Resources == int32(resources) && acct.Status.Endpoints != nil && *acct.Status.Endpoints == is
	})
}

func (w *world) untilAccount(matchers ...gomegatypes.GomegaMatcher) *v1alpha1.MedblocksAccount {
	w.t.Helper()
	var acct *v1alpha1.MedblocksAccount
	w.Eventually(func() *v1alpha1.MedblocksAccount {
		acct = w.account()
		return acct
	}).Should(And(matchers...))
	return acct
}

func (w *world) untilAccountReady() *v1alpha1.MedblocksAccount {
	w.t.Helper()
	return w.untilAccount(accountHas(v1alpha1.ConditionReady, isTrue, v1alpha1.ReasonAccepted))
}

// accountWrites are the writes to the MedblocksAccount.
func (w *world) accountWrites() []kubeCall {
	return w.kube.all(func(c kubeCall) bool { return c.writes() && c.about("medblocksaccounts") })
}

// accountEvents are the notes of the events about the MedblocksAccount.
func (w *world) accountEvents() []string {
	w.t.Helper()
	list := &eventsv1.EventList{}
	w.Expect(shared.admin.List(w.context(), list, client.InNamespace(metav1.NamespaceDefault))).To(Succeed())
	notes := []string{}
	for _, event := range list.Items {
		if event.Regarding.Kind == v1alpha1.AccountKind && event.Regarding.Name == w.namespace {
			notes = append(notes, event.Type+" "+event.Reason+": "+event.Note)
		}
	}
	return notes
}
