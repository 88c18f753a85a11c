// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

func TestARotationOnRequestHappensOnceAndKeepsThePreviousValue(t *testing.T) {
	w := newWorld(t)
	before := w.createReady(hooks)
	old := w.value(signing)
	w.settle()
	w.forget()
	w.annotate(hooks, v1alpha1.AnnotationRotateSecretRequestedAt, "first")
	w.Eventually(func() string { return w.get(hooks).Status.LastHandledRotateSecretAt }).Should(Equal("first"))
	res := w.until(hooks, beReady(), have(v1alpha1.ConditionSigningSecretReady, isTrue, v1alpha1.ReasonRotated, signing))
	w.settle()
	w.Expect(operationsOf(w.calls())).To(Equal([]string{"GetEndpoint", "UpdateEndpoint", "RotateSecret"}))
	w.Expect(w.secret(signing).Data).To(HaveKeyWithValue(v1alpha1.SecretKeyPrevious, []byte(old)))
	w.Expect(w.value(signing)).NotTo(Equal(old))
	w.Expect(res.Status.SigningSecret.LastRotated.Before(before.Status.SigningSecret.LastRotated)).To(BeFalse())
	w.untilEvent("Normal SecretRotated")

	second := w.value(signing)
	w.restartOperator()
	w.annotate(hooks, v1alpha1.AnnotationRotateSecretRequestedAt, "second")
	w.Eventually(func() string { return w.get(hooks).Status.LastHandledRotateSecretAt }).Should(Equal("second"))
	w.Expect(w.secret(signing).Data).To(HaveKeyWithValue(v1alpha1.SecretKeyPrevious, []byte(second)))
	w.Expect(w.rotations()).To(HaveLen(2))
}

func TestARotationIntervalRotatesWhenItIsOverAndNotBefore(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) {
		res.Spec.SigningSecret = &v1alpha1.SigningSecretSpec{Rotation: &v1alpha1.SecretRotation{Interval: metav1.Duration{Duration: 24 * time.Hour}}}
	})
	w.advance(23 * time.Hour)
	w.settle()
	w.Expect(w.rotations()).To(BeEmpty())
	for round := 1; round <= 2; round++ {
		w.advance(24 * time.Hour)
		w.Eventually(w.rotations).Should(HaveLen(round))
		w.untilSecretHolds(hooks, signing)
		w.until(hooks, beReady(), have(v1alpha1.ConditionSigningSecretReady, isTrue, v1alpha1.ReasonRotated))
		w.poke()
		w.settle()
		w.Expect(w.rotations()).To(HaveLen(round), "once an interval")
	}
}

func TestARotationThatBrokeOffIsFinishedWithoutLosingTheSecret(t *testing.T) {
	for name, fault := range map[string]emulator.Fault{
		"no effect":            {Operation: emulator.OperationRotateSecret, Kind: emulator.FaultStatus, Status: 500},
		"the answer is lost":   {Operation: emulator.OperationRotateSecret, Kind: emulator.FaultLostAnswer},
		"the answer is no use": {Operation: emulator.OperationRotateSecret, Kind: emulator.FaultNoSecret},
		"the mark is lost":     {Operation: emulator.OperationUpdateEndpoint, Kind: emulator.FaultLostAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.createReady(hooks)
			w.settle()
			w.vendor.InjectFault(fault)
			w.annotate(hooks, v1alpha1.AnnotationRotateSecretRequestedAt, "now")
			w.Eventually(func() string { return w.get(hooks).Status.LastHandledRotateSecretAt }).Should(Equal("now"))
			w.untilSecretHolds(hooks, signing)
			w.until(hooks, beReady())
			w.settle()
			w.Expect(len(w.rotations())).To(BeNumerically("<=", 2))
		})
	}
}

func TestARenamedSecretIsMovedWithoutARotation(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks)
	value := w.value(signing)
	w.settle()
	w.forget()
	w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) {
		res.Spec.SigningSecret = &v1alpha1.SigningSecretSpec{Name: "renamed"}
	})
	w.Eventually(func() string { return w.value("renamed") }).Should(Equal(value))
	w.Eventually(func() any { return w.secret(signing) }).Should(BeNil())
	res := w.untilReady(hooks)
	w.settle()
	w.Expect(res.Status.SigningSecret.Name).To(Equal("renamed"))
	w.Expect(writes(w.calls())).To(BeEmpty())
}

func TestASecretRenamedToSomebodyElsesIsNotMoved(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks)
	value := w.value(signing)
	w.createSecret("taken", map[string]string{"password": "theirs"})
	w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) {
		res.Spec.SigningSecret = &v1alpha1.SigningSecretSpec{Name: "taken"}
	})
	w.until(hooks, beStalled(v1alpha1.ReasonNotOwned, "taken"))
	w.settle()
	w.Expect(w.value(signing)).To(Equal(value), "the old one stays good")
	w.Expect(w.rotations()).To(BeEmpty())
	w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.SigningSecret = nil })
	w.untilReady(hooks)
	w.Expect(w.value(signing)).To(Equal(value))
	w.Expect(w.rotations()).To(BeEmpty())
}

// quota allows that many Secrets in the namespace. Its status is what kube-controller-manager would write.
func (w *world) quota(secrets int64) *corev1.ResourceQuota {
	w.t.Helper()
	hard := corev1.ResourceList{corev1.ResourceSecrets: *resource.NewQuantity(secrets, resource.DecimalSI)}
	quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "few"}, Spec: corev1.ResourceQuotaSpec{Hard: hard}}
	w.Expect(shared.admin.Create(w.t.Context(), quota)).To(Succeed())
	quota.Status = corev1.ResourceQuotaStatus{Hard: hard, Used: hard}
	w.Expect(shared.admin.Status().Update(w.t.Context(), quota)).To(Succeed())
	probe := func() error {
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "probe"}}
		return shared.admin.Create(w.t.Context(), secret, client.DryRunAll)
	}
	w.Eventually(probe).Should(MatchError(ContainSubstring("exceeded quota")))
	return quota
}

func TestAQuotaThatLeavesNoRoomForTheSecretIsToldAndNothingIsPostedUntilThereIs(t *testing.T) {
	w := newWorld(t)
	quota := w.quota(1)
	w.create(hooks)
	w.until(hooks, have(v1alpha1.ConditionSigningSecretReady, isFalse, v1alpha1.ReasonWaitingForSecret, signing, "exceeded quota"),
		beStalled(v1alpha1.ReasonWaitingForSecret, signing, "exceeded quota"))
	w.settle()
	w.Expect(w.calls()).To(BeEmpty())

	w.Expect(shared.admin.Delete(w.t.Context(), quota)).To(Succeed())
	w.Eventually(func() *v1alpha1.MedblocksWebhookEndpoint { w.advance(time.Minute); return w.get(hooks) }).Should(beReady())
	w.Expect(w.calls(emulator.OperationCreateEndpoint)).To(HaveLen(1))
}

func TestAnImmutableSecretIsToldAndNothingIsRotatedUntilItIsGone(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks)
	w.settle()
	w.changeSecret(signing, func(secret *corev1.Secret) { secret.Immutable = ptr.To(true) })
	w.settle()
	w.forget()
	w.annotate(hooks, v1alpha1.AnnotationRotateSecretRequestedAt, "now")
	w.until(hooks, have(v1alpha1.ConditionSigningSecretReady, isFalse, v1alpha1.ReasonWaitingForSecret, signing, "immutable"))
	w.settle()
	w.Expect(writes(w.calls())).To(BeEmpty())
	w.Expect(w.value(signing)).To(Equal(w.remote(hooks).Secret))
	w.Expect(w.kube.all(func(c kubeCall) bool { return c.DryRun && c.Status == http.StatusUnprocessableEntity })).NotTo(BeEmpty())

	w.deleteSecret(signing)
	w.Eventually(w.rotations).Should(HaveLen(1))
	w.until(hooks, beReady())
}

// TestARotationWhoseAnswerShowsNoMarkIsNotRepeated: that the answer does not show the mark proves nothing; a live read does.
func TestARotationWhoseAnswerShowsNoMarkIsNotRepeated(t *testing.T) {
	bare := regexp.MustCompile(`"metadata":\{[^}]*\}`)
	w := newWorld(t, func(s *setup) { s.idle = true })
	target, err := url.Parse(w.options.baseURL)
	w.Expect(err).NotTo(HaveOccurred())
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ModifyResponse = func(answer *http.Response) error {
		if !strings.HasSuffix(answer.Request.URL.Path, "/rotate-secret") {
			return nil
		}
		body, err := io.ReadAll(answer.Body)
		body = bare.ReplaceAll(body, []byte(`"metadata":{}`))
		answer.Body, answer.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		answer.Header.Set("Content-Length", strconv.Itoa(len(body)))
		return err
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	w.options.baseURL = server.URL
	w.startOperator()
	w.createReady(hooks)
	w.annotate(hooks, v1alpha1.AnnotationRotateSecretRequestedAt, "now")
	w.Eventually(func() string { return w.get(hooks).Status.LastHandledRotateSecretAt }).Should(Equal("now"))
	w.untilReady(hooks)
	w.settle()
	w.untilSecretHolds(hooks, signing)
	w.Expect(w.rotations()).To(HaveLen(1))
}
