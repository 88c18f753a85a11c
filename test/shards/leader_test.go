// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package shards

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/controlplane"
)

// takeover is how soon another replica has to lead: it asks for the lease every two seconds.
const takeover = 5 * time.Second

// holders tells of each holder of the lease in turn; an empty one means that it was released.
func (s *site) holders() <-chan string {
	s.t.Helper()
	watch, err := s.api.Watch(s.t.Context(), &coordinationv1.LeaseList{}, client.InNamespace(controlplane.OperatorNamespace))
	s.Expect(err).NotTo(HaveOccurred())
	holders := make(chan string, 100)
	go func() {
		defer watch.Stop()
		last := ""
		for event := range watch.ResultChan() {
			lease, ok := event.Object.(*coordinationv1.Lease)
			if !ok {
				return
			}
			if holder := ptr.Deref(lease.Spec.HolderIdentity, ""); holder != last {
				last = holder
				holders <- holder
			}
		}
	}()
	return holders
}

func TestALeaderThatIsToldToEndReleasesItsLeaseAndTheNextOneTakesOverAtOnceWithoutAWrite(t *testing.T) {
	s := newSite(t, controlplane.Options{})
	s.namespace("team")
	first := s.start("first")
	s.create("team", "settled", nil)
	before := s.untilReady("team", "settled")
	second := s.start("second")
	s.settle(first)
	holders, writes := s.holders(), s.writes()
	var leader, next string
	s.Eventually(holders).Should(Receive(&leader))
	s.Expect(leader).NotTo(BeEmpty())
	s.Expect(s.metrics(second)).To(And(
		ContainSubstring(`medblocks_webhook_operator_endpoint_enabled{name="settled",namespace="team"} 1`), Not(ContainSubstring("account_users{")),
	), "one that waits shows the resources in its cache, and no account")

	told := time.Now()
	s.Expect(s.stack.EndProcess(first.Process)).To(Succeed(), "SIGTERM is not an error")
	s.Eventually(holders).Should(Receive(BeEmpty()), "released, not left to expire")
	s.Eventually(holders).Should(Receive(&next))
	s.Expect(time.Since(told)).To(BeNumerically("<", takeover))
	s.Expect(next).NotTo(Or(Equal(leader), BeEmpty()))
	s.settle(second)
	s.Expect(s.writes()).To(Equal(writes))
	s.Expect(s.get("team", "settled").ResourceVersion).To(Equal(before.ResourceVersion))

	s.change("team", "settled", func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.Description = "changed" })
	s.untilReady("team", "settled")
	s.Expect(s.writes()).To(HaveLen(len(writes)+1), "and it is at work")
}
