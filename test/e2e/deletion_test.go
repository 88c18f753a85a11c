// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestANamespaceGoesWithItsEndpointsAlthoughTheKeySecretGoesFirst(t *testing.T) {
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "one")
	n.create(t, "two")
	n.awaitReady(t, "one")
	n.awaitReady(t, "two")
	g.Expect(n.endpoints(t)).To(HaveLen(2))

	kubectl(t, "", "delete", "secret", keySecretName, "-n", n.namespace)
	kubectl(t, "", "delete", "namespace", n.namespace, "--timeout="+patience.String())
	g.Expect(n.endpoints(t)).To(BeEmpty(), "the key was still in memory")
}

func TestKubectlDeletesAResourceTogetherWithItsKey(t *testing.T) {
	for name, kinds := range map[string][]string{"the resource first": {"mwe", "Secret"}, "the key first": {"Secret", "mwe"}} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			n := newTenant(t)
			n.create(t, "together")
			n.awaitReady(t, "together")
			g.Expect(n.endpoints(t)).To(HaveLen(1))

			var manifests []string
			for _, kind := range kinds {
				name := map[string]string{"mwe": "together", "Secret": keySecretName}[kind]
				manifests = append(manifests, kubectl(t, "", "get", kind, name, "-n", n.namespace, "-o", "yaml"))
			}
			kubectl(t, strings.Join(manifests, "\n---\n"), "delete", "-f", "-", "--timeout="+patience.String())
			g.Expect(n.endpoints(t)).To(BeEmpty(), "the key was still in memory")
			g.Expect(kubectl(t, "", "get", "secret,mwe", "-n", n.namespace, "-o", "name")).To(BeEmpty())
		})
	}
}

func TestANamespaceGoesAlthoughNobodyHasTheKeyAndThatIsSaidInPublic(t *testing.T) {
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "left-behind")
	n.awaitReady(t, "left-behind")
	n.secret(t, "left-behind")
	endpoint := n.endpoint(t)

	g.Expect(suite.stack.EndProcess(suite.manager.Process)).To(Succeed())
	kubectl(t, "", "delete", "secret", keySecretName, "-n", n.namespace)
	kubectl(t, "", "delete", "namespace", n.namespace, "--wait=false")
	var err error
	suite.manager, err = startManager(t.Context(), "manager-without-a-key")
	g.Expect(err).NotTo(HaveOccurred())

	kubectl(t, "", "wait", "--for=delete", "namespace/"+n.namespace, "--timeout="+patience.String())
	g.Expect(n.endpoint(t).ID).To(Equal(endpoint.ID), "nobody could delete it")
	released := eventOf(t, metav1.NamespaceDefault, "Namespace", n.namespace, "Released")
	g.Expect(released.Type).To(Equal(corev1.EventTypeWarning))
	g.Expect(released.Message).To(And(ContainSubstring(n.namespace+"/left-behind"), ContainSubstring(endpoint.ID)))
	g.Expect(suite.manager.Log()).To(MatchRegexp("Released the endpoint without deleting it.*" + endpoint.ID))
}
