// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package e2e

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/onsi/gomega"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/test/demo"
)

// leaderKilled removes the Pod that works, without asking, in the midst of work: the other one goes on, and registers nothing twice.
func leaderKilled(w *world) {
	before := w.registrations()
	leader := w.leader()
	w.manifest("the leader is killed")
	w.kubectl("delete", "pod", "-n", operatorNamespace, leader.Name, "--grace-period=0", "--force")
	w.declared("the leader is killed")
	w.Eventually(func() string { return w.holder() }).ShouldNot(gomega.Equal(leader.Name))
	w.delivers()
	w.Expect(w.registrations()).To(gomega.Equal(before), "the endpoint was registered again")
	w.ready(operatorNamespace, "app.kubernetes.io/name="+operatorName, 2)
}

// leaderHangs stops the process that works. The other one takes over when the Lease runs out; the probes find out that it hangs, so that
// it gets no more requests and is restarted; and when it wakes up in the meantime, its time is over.
func leaderHangs(w *world) {
	leader := w.leader()
	pid, err := w.cluster.ContainerProcess(&leader, "manager")
	w.must(err)
	w.must(syscall.Kill(pid, syscall.SIGSTOP))
	w.manifest("the leader hangs")
	w.declared("the leader hangs")
	w.Expect(w.holder()).NotTo(gomega.Equal(leader.Name))
	w.Eventually(func() error { return w.warned(leader.Name, "Readiness probe failed") }).Should(gomega.Succeed())
	w.Eventually(func() error { return w.isServed(leader.Name, false) }).Should(gomega.Succeed())
	w.Eventually(func() error { return w.warned(leader.Name, "Liveness probe failed") }).Should(gomega.Succeed())
	w.Eventually(func() error { return w.killing(leader.Name) }).Should(gomega.Succeed())
	// Kubelet has asked it to end, and would kill it in a minute.
	w.must(syscall.Kill(pid, syscall.SIGCONT))
	w.Eventually(func() (int32, error) {
		pod := &corev1.Pod{}
		err := w.api.Get(w.ctx, client.ObjectKeyFromObject(&leader), pod)
		return restarts(pod), err
	}).Should(gomega.BeEquivalentTo(1))
	w.Eventually(func() error { return w.isServed(leader.Name, true) }).Should(gomega.Succeed())
	w.delivers()
}

// rolled replaces both Pods, as an upgrade does, while the endpoint is being changed.
func rolled(w *world) {
	before := w.registrations()
	was := w.operators()
	w.kubectl("rollout", "restart", "-n", operatorNamespace, "deployment/"+operatorName)
	w.manifest("the Deployment is rolled")
	w.kubectl("rollout", "status", "-n", operatorNamespace, "deployment/"+operatorName, "--timeout="+patience.String())
	w.declared("the Deployment is rolled")
	w.ready(operatorNamespace, "app.kubernetes.io/name="+operatorName, 2)
	for _, old := range was {
		for _, pod := range w.operators() {
			w.Expect(pod.Name).NotTo(gomega.Equal(old.Name))
		}
	}
	w.delivers()
	w.Expect(w.registrations()).To(gomega.Equal(before), "the endpoint was registered again")
}

// nodeRestarted has the node lose power. Medblocks, as it is a Pod here, loses its memory with it: worse than anything that happens to the
// real one. So the endpoint is registered anew, once, and the receiver gets the new secret.
func nodeRestarted(w *world) {
	w.must(w.cluster.RestartNode(w.ctx))
	w.ready(medblocksNamespace, "app.kubernetes.io/name=emulator", 1)
	w.ready(metav1.NamespaceDefault, "app.kubernetes.io/name=receiver", 1)
	w.ready(operatorNamespace, "app.kubernetes.io/name="+operatorName, 2)
	w.manifest("the node is restarted")
	w.declared("the node is restarted")
	w.delivers()
	w.Expect(w.registrations()).To(gomega.Equal(1))
}

// namespaceDeleted deletes a namespace with everything in it: the key goes first, and the endpoint is deleted all the same.
func namespaceDeleted(w *world) {
	key := client.ObjectKey{Namespace: "team", Name: "orders"}
	w.kubectl("create", "namespace", key.Namespace)
	others := *w
	others.apiKey = w.apiKey + "team"
	w.apply(others.endpointManifest(key, "a namespace is deleted"))
	w.Eventually(func() error { return w.isReady(key) }).Should(gomega.Succeed())
	w.kubectl("delete", "namespace", key.Namespace, "--timeout="+patience.String())
	endpoints, err := w.medblocks.Endpoints(w.ctx, others.apiKey)
	w.must(err)
	w.Expect(endpoints).To(gomega.BeEmpty())
	w.must(w.isReady(demo.ResourceKey))
}

// holder is the name of the Pod that holds the Lease.
func (w *world) holder() string {
	w.Helper()
	leases := &coordinationv1.LeaseList{}
	w.must(w.api.List(w.ctx, leases, client.InNamespace(operatorNamespace)))
	w.Expect(leases.Items).To(gomega.HaveLen(1))
	if holder := leases.Items[0].Spec.HolderIdentity; holder != nil {
		name, _, _ := strings.Cut(*holder, "_")
		return name
	}
	return ""
}

// leader is the Pod that holds the Lease, once one does.
func (w *world) leader() (leader corev1.Pod) {
	w.Helper()
	w.Eventually(func() error {
		holder := w.holder()
		for _, pod := range w.operators() {
			if pod.Name == holder && isReady(&pod) {
				leader = pod
				return nil
			}
		}
		return fmt.Errorf("the Lease is held by %q, which is no Pod that is ready", holder)
	}).Should(gomega.Succeed())
	return leader
}

// warned tells whether an event about a Pod says something.
func (w *world) warned(pod, text string) error {
	return w.event(pod, corev1.EventTypeWarning, text)
}

// killing tells whether kubelet has begun to end a container.
func (w *world) killing(pod string) error {
	return w.event(pod, corev1.EventTypeNormal, "failed liveness probe, will be restarted")
}

func (w *world) event(pod, kind, text string) error {
	events := &corev1.EventList{}
	if err := w.api.List(w.ctx, events, client.InNamespace(operatorNamespace)); err != nil {
		return err
	}
	for i := range events.Items {
		if e := &events.Items[i]; e.InvolvedObject.Name == pod && e.Type == kind && strings.Contains(e.Message, text) {
			return nil
		}
	}
	return fmt.Errorf("no event of Pod %s says %q", pod, text)
}

// isServed tells whether the Service of the metrics sends requests to a Pod, or not.
func (w *world) isServed(pod string, wanted bool) error {
	slices := &discoveryv1.EndpointSliceList{}
	if err := w.api.List(w.ctx, slices, client.InNamespace(operatorNamespace)); err != nil {
		return err
	}
	for i := range slices.Items {
		for _, endpoint := range slices.Items[i].Endpoints {
			if endpoint.TargetRef == nil || endpoint.TargetRef.Name != pod {
				continue
			}
			if ready := endpoint.Conditions.Ready; ready != nil && *ready == wanted {
				return nil
			}
			return fmt.Errorf("it is ready: %t", !wanted)
		}
	}
	return errors.New("the Service does not know the Pod")
}
