// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/medblocks/webhook-operator/api/medblocks/event"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
	"github.com/medblocks/webhook-operator/test/receiver"
)

const (
	// rotationTries is how often the secret is rotated on a machine that is too busy to show anything by it.
	rotationTries = 3
	// enoughBefore and enoughAfter are the deliveries with the old and with the new secret that are waited for.
	enoughBefore, enoughAfter = 5, 10
)

// rotation is what became of the events that fired meanwhile.
type rotation struct {
	// counts are what the receiver's report has more than before.
	counts receiver.Counts
	// signedOld and signedNew were accepted; refused were not, at one attempt at least.
	signedOld, signedNew, refused int
	// late is how much later than Medblocks' secret the receiver's files changed.
	late time.Duration
}

// rotate has the secret rotated under a stream of events, and checks that none is refused. A delivery waits for its secret for some seconds
// only: where this machine was slower than that it has shown nothing, and the secret is rotated again.
func (s *story) rotate(ctx context.Context) error {
	later := "after half a second here"
	if s.RealMount {
		later = "once the kubelet looks again"
	}
	s.screen.prose("Medblocks signs with a new secret at once, and the receiver's files follow later: " + later + ". So the receiver lets a " +
		"delivery whose signature it does not know wait for them, for up to " + event.DefaultSecretsWait.String() + ". (A kubelet may take longer. " +
		"Deliveries are refused then, and come again: docs/receivers.md says what to do about it.)")
	for try := 1; ; try++ {
		r, err := s.rotateOnce(ctx)
		if err != nil {
			return err
		}
		if r.refused == 0 {
			return s.showRotation(ctx, r)
		}
		if r.late < event.DefaultSecretsWait || try == rotationTries {
			return fmt.Errorf("%d deliveries were refused, and the receiver's files were %s late", r.refused, r.late)
		}
		s.screen.prose(fmt.Sprintf("This machine is so busy that the files changed only after %.1f s: some deliveries were refused, and came again. "+
			"Once more.", r.late.Seconds()))
	}
}

func (s *story) rotateOnce(ctx context.Context) (r rotation, err error) {
	before, err := s.Receiver.Report(ctx)
	if err != nil {
		return r, err
	}
	old, err := s.onlyEndpoint(ctx)
	if err != nil {
		return r, err
	}
	events := s.keepFiring(ctx)
	defer func() { _, _ = events.stop() }() // for returns before the other call of it
	s.screen.at(time.Now(), "from now on, patients complete flows all the time")
	if err := s.awaitAccepted(ctx, "deliveries with the old secret", events, old.Secret, enoughBefore); err != nil {
		return r, err
	}
	err = s.terminal.kubectl(ctx, "annotate", "--overwrite", resource, v1alpha1.AnnotationRotateSecretRequestedAt+"="+time.Now().UTC().Format(time.RFC3339))
	if err != nil {
		return r, err
	}
	now, err := s.awaitNewSecret(ctx, old.Secret)
	if err != nil {
		return r, err
	}
	if r.late, err = s.awaitFiles(ctx, old.Secret); err != nil {
		return r, err
	}
	if err := s.awaitAccepted(ctx, "deliveries with the new secret", events, now, enoughAfter); err != nil {
		return r, err
	}
	fired, err := events.stop()
	if err != nil {
		return r, err
	}
	if err := s.awaitDelivered(ctx, fired); err != nil {
		return r, err
	}
	return r, s.judge(ctx, &r, fired, old.Secret, now, before.Counts)
}

// awaitNewSecret waits until the Secret has both values, and returns the new one.
func (s *story) awaitNewSecret(ctx context.Context, old string) (current string, err error) {
	err = s.await(ctx, "the Secret to hold the new value", func(ctx context.Context) error {
		endpoint, err := s.onlyEndpoint(ctx)
		if err != nil {
			return err
		}
		var secret corev1.Secret
		if err := s.api.Get(ctx, SigningSecret, &secret); err != nil {
			return err
		}
		current = string(secret.Data[v1alpha1.SecretKeyValue])
		if endpoint.Secret == old || current != endpoint.Secret || string(secret.Data[v1alpha1.SecretKeyPrevious]) != old {
			return errors.New("it does not hold the new value and the one before")
		}
		return nil
	})
	if err == nil {
		s.screen.seen("Medblocks signs with a new secret, and the Secret holds it, beside the one before")
	}
	return current, err
}

// awaitFiles waits until the receiver has the new secret, and returns how much later than Medblocks that was.
func (s *story) awaitFiles(ctx context.Context, old string) (late time.Duration, err error) {
	err = s.await(ctx, "the receiver's files", func(ctx context.Context) error {
		value, err := os.ReadFile(filepath.Join(s.MountedSecret, v1alpha1.SecretKeyValue))
		if err != nil {
			return err
		}
		if string(value) == old {
			return errors.New("they hold the old secret")
		}
		changed, err := os.Lstat(filepath.Join(s.MountedSecret, "..data"))
		if err != nil {
			return err
		}
		rotated, err := s.rotatedAt(ctx)
		if err != nil {
			return err
		}
		late = changed.ModTime().Sub(rotated)
		return nil
	})
	if err == nil {
		s.screen.seen("the receiver has it as a file, %.1f s after Medblocks began to use it", late.Seconds())
	}
	return late, err
}

// rotatedAt is when Medblocks was asked to rotate the secret last.
func (s *story) rotatedAt(ctx context.Context) (at time.Time, err error) {
	calls, err := s.Emulator.Calls(ctx)
	if err != nil {
		return at, err
	}
	for i := range calls {
		if calls[i].Operation == emulator.OperationRotateSecret && calls[i].Status == http.StatusOK {
			at = calls[i].At
		}
	}
	return at, nil
}

func (s *story) showRotation(ctx context.Context, r rotation) error {
	s.screen.seen("%d events fired meanwhile. The receiver has accepted all of them at the first attempt and refused none: %d signed with the old secret, "+
		"%d with the new one. %d had to wait for its files", r.counts.Accepted, r.signedOld, r.signedNew, r.counts.Waited)
	return s.terminal.kubectlFrom(ctx, "Data", "describe", "secret", SigningSecret.Name)
}
