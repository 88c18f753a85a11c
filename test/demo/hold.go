// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"fmt"
	"path/filepath"

	"k8s.io/apimachinery/pkg/util/wait"
)

// hold declares the endpoint again, prints what to play with, and goes on telling about conditions until the context ends.
func (s *story) hold(ctx context.Context) error {
	fmt.Fprintf(s.Out, "\n%s\n", s.screen.paint(bold, "Held, for you to play with (HOLD=1)"))
	if err := s.applyAndWait(ctx); err != nil {
		return s.explain(ctx, err)
	}
	s.screen.line("")
	s.screen.line("In another terminal:")
	fmt.Fprint(s.Out, s.lines())
	s.screen.line("")
	s.screen.line("What happens to the resource is told here. Ctrl-C stops and removes everything.")
	err := wait.PollUntilContextCancel(ctx, pollInterval, true, func(context.Context) (bool, error) {
		s.following.tell(s.screen)
		return false, s.Check()
	})
	if ctx.Err() == nil {
		return s.explain(ctx, err)
	}
	return nil // the person has had enough
}

// lines can be pasted into a shell as they are: the words of the explanation are comments.
func (s *story) lines() string {
	kubectl := filepath.Dir(s.Kubectl)
	return fmt.Sprintf(`
export KUBECONFIG=%[1]s
export PATH=%[2]s:$PATH
cd %[3]s

# look
kubectl get mwe -o wide
kubectl describe %[4]s
kubectl explain mwe.spec
curl -sS %[6]s/_receiver/events        # what the receiver has accepted
curl -sS %[5]s/_emulator/calls         # what the operator has asked of Medblocks
tail -f %[7]s

# Medblocks makes an event
curl -sS %[5]s/_emulator/events -d '{"type":"%[8]s"}'

# the receiver breaks: fire an event, and nine attempts (some 29 s) later the endpoint is disabled; then mend it, and half a minute later
# the endpoint is back, with the events that it has missed. A minute at the most after the third attempt there is a warning
curl -sS -X POST %[6]s/_receiver/fail
curl -sS -X POST %[6]s/_receiver/recover

# a person disables it in the dashboard: that stays, until a person says otherwise
curl -sS -X POST %[5]s/_emulator/endpoints/$(kubectl get mwe %[9]s -o jsonpath='{.status.endpointID}')/disable
kubectl annotate --overwrite %[4]s connect.medblocks.com/reenable-requested-at="$(date)"

# a new signing secret; the receiver follows
kubectl annotate --overwrite %[4]s connect.medblocks.com/rotate-secret-requested-at="$(date)"

# a change of the manifest; the end
kubectl edit %[4]s
kubectl delete -f %[10]s
`, s.Kubeconfig, kubectl, s.terminal.dir, resource, s.Emulator.URL, s.Receiver.URL, s.stack.LogPath("manager"), eventType,
		resourceName, manifestFile)
}
