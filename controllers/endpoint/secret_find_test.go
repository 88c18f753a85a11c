// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"encoding/json"
	"fmt"
	"testing"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

func TestOfTheNotedNamesOnlyThoseCountThatASecretCanHaveAndNotTooMany(t *testing.T) {
	g := NewWithT(t)
	noted := func(uid types.UID, names ...string) []string {
		raw, err := json.Marshal(secretNames{UID: uid, Names: names})
		g.Expect(err).NotTo(HaveOccurred())
		return notedNames(&v1alpha1.MedblocksWebhookEndpoint{ObjectMeta: metav1.ObjectMeta{
			UID: "this", Annotations: map[string]string{v1alpha1.AnnotationSecretNames: string(raw)},
		}})
	}
	g.Expect(noted("this", "former", "", "a/b", "..", "present")).To(Equal([]string{"former", "present"}))
	g.Expect(noted("another", "former")).To(BeEmpty())
	var many []string
	for i := range 1000 {
		many = append(many, fmt.Sprint("name-", i))
	}
	g.Expect(noted("this", many...)).To(Equal(many[1000-maxNotedNames:]))
}
