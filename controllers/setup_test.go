// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

func TestTheCacheKeepsNeitherManagedFieldsNorTheManifestThatWasApplied(t *testing.T) {
	for name, object := range map[string]client.Object{
		"a resource": &v1alpha1.MedblocksWebhookEndpoint{},
		"a Secret":   &corev1.Secret{},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			object.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: "kubectl"}})
			object.SetAnnotations(map[string]string{corev1.LastAppliedConfigAnnotation: "{}", "example.com/kept": "yes"})
			kept, err := CacheOptions(nil, nil).DefaultTransform(object)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(kept).To(BeIdenticalTo(object))
			g.Expect(object.GetManagedFields()).To(BeNil())
			g.Expect(object.GetAnnotations()).To(Equal(map[string]string{"example.com/kept": "yes"}))
		})
	}
}

func TestWhatCachedObjectsSayIsTheSameAsBefore(t *testing.T) {
	g := NewWithT(t)
	for _, labels := range []map[string]string{nil, {v1alpha1.LabelManagedBy: v1alpha1.ManagedBy}, {v1alpha1.LabelManagedBy: v1alpha1.ManagedBy, "team": "records"}} {
		secret := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: "a", Labels: labels, CreationTimestamp: metav1.Now()},
			Data:       map[string][]byte{v1alpha1.SecretKeyValue: []byte("whsec_1")},
		}
		before := secret.DeepCopy()
		g.Expect(CacheOptions(nil, nil).DefaultTransform(secret)).To(Equal(before))
	}
}

func TestWhatHasNothingToStripIsKeptAsItIs(t *testing.T) {
	for name, object := range map[string]any{
		"an object without annotations": &corev1.Secret{},
		"the tombstone of an object":    toolscache.DeletedFinalStateUnknown{Key: "a/b"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			kept, err := CacheOptions(nil, nil).DefaultTransform(object)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(kept).To(Equal(object))
		})
	}
}

func TestOnlySecretsWithTheOperatorsLabelAreAskedFor(t *testing.T) {
	g := NewWithT(t)
	for object, options := range CacheOptions([]string{"team"}, labels.Everything()).ByObject {
		if _, isSecret := object.(*corev1.Secret); !isSecret {
			continue
		}
		g.Expect(options.Label.Matches(labels.Set{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy})).To(BeTrue())
		g.Expect(options.Label.Matches(labels.Set{})).To(BeFalse(), "an API key Secret has no label")
		g.Expect(options.Label.Matches(labels.Set{v1alpha1.LabelManagedBy: "somebody"})).To(BeFalse())
		g.Expect(options.Namespaces).To(BeEmpty(), "they could have a selector of their own")
		return
	}
	t.Fatal("Secrets are not mentioned")
}
