// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func TestAnAPIServerThatWasKilledComesBackWithItsDataAndCredentialsButWithoutHistory(t *testing.T) {
	t.Parallel()
	g, ctx := NewWithT(t), t.Context()
	plane := start(t, Options{})
	admin, err := client.NewWithWatch(plane.Admin, client.Options{})
	g.Expect(err).NotTo(HaveOccurred())
	operator, err := client.New(plane.OperatorConfig(), client.Options{})
	g.Expect(err).NotTo(HaveOccurred())
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "kept"}}
	g.Expect(admin.Create(ctx, secret)).To(Succeed())
	before := secret.ResourceVersion

	secret.StringData = map[string]string{"a": "b"}
	g.Expect(admin.Update(ctx, secret)).To(Succeed())
	g.Expect(plane.Compact(ctx)).To(Succeed())
	g.Expect(plane.KillAPIServer()).To(Succeed())
	g.Expect(operator.Get(ctx, client.ObjectKeyFromObject(secret), &corev1.Secret{})).To(MatchError(ContainSubstring("connection refused")))
	g.Expect(plane.StartAPIServer(ctx)).To(Succeed())

	kept := &corev1.Secret{}
	g.Expect(operator.Get(ctx, client.ObjectKeyFromObject(secret), kept)).To(Succeed())
	g.Expect(kept.ResourceVersion).To(Equal(secret.ResourceVersion))
	watcher, err := admin.Watch(ctx, &corev1.SecretList{}, client.InNamespace("default"), &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: before}})
	g.Expect(err).NotTo(HaveOccurred())
	defer watcher.Stop()
	var event watch.Event
	g.Eventually(watcher.ResultChan()).Should(Receive(&event))
	g.Expect(apierrors.FromObject(event.Object)).To(MatchError(apierrors.IsResourceExpired, "has expired"))
	g.Expect(plane.KillAPIServer()).To(Succeed(), "and a second time, after which Stop finds nobody to stop")
}
