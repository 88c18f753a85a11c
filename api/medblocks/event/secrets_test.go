// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package event_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/medblocks/event"
)

func TestAReaderInTheMiddleOfASwapReadsAgain(t *testing.T) {
	for name, held := range map[string]string{"at the current secret": event.SecretName, "at the previous secret": event.PreviousSecretName} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			dir := t.TempDir()
			swap := mountSecret(g, dir)
			swap("2026_1", map[string]string{event.SecretName: "whsec_1", event.PreviousSecretName: "whsec_0"})
			// A pipe in place of a file holds the reader there until it is closed.
			pipe := filepath.Join(dir, "..2026_1", held)
			g.Expect(os.Remove(pipe)).To(Succeed())
			g.Expect(syscall.Mkfifo(pipe, 0o600)).To(Succeed())
			type answer struct {
				secrets []string
				err     error
			}
			answers := make(chan answer, 1)
			go func() {
				secrets, err := event.SecretsFromDir(dir).WebhookSecrets(t.Context())
				answers <- answer{secrets, err}
			}()
			writer, err := os.OpenFile(pipe, os.O_WRONLY, 0) // returns once the reader is there
			g.Expect(err).NotTo(HaveOccurred())
			swap("2026_2", map[string]string{event.SecretName: "whsec_2", event.PreviousSecretName: "whsec_1"})
			g.Expect(os.RemoveAll(filepath.Join(dir, "..2026_1"))).To(Succeed())
			g.Expect(writer.Close()).To(Succeed())
			g.Expect(<-answers).To(Equal(answer{[]string{"whsec_2", "whsec_1"}, nil}))
		})
	}
}

func TestSecretsAreOfOneGenerationHoweverOftenTheVolumeIsSwapped(t *testing.T) {
	const generations = 25
	g := NewWithT(t)
	dir := t.TempDir()
	swap := mountSecret(g, dir)
	publish := func(n int) {
		swap(fmt.Sprintf("2026_%d", n), map[string]string{
			event.SecretName: fmt.Sprintf("whsec_%d", n), event.PreviousSecretName: fmt.Sprintf("whsec_%d", n-1),
		})
		// As the kubelet does at once; readers may be in there.
		g.Expect(os.RemoveAll(filepath.Join(dir, fmt.Sprintf("..2026_%d", n-1)))).To(Succeed())
	}
	publish(1)

	var done atomic.Bool
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			source, latest := event.SecretsFromDir(dir), 0
			for !done.Load() {
				secrets, err := source.WebhookSecrets(t.Context())
				var current, previous int
				if err == nil {
					_, err = fmt.Sscanf(secrets[0], "whsec_%d", &current)
				}
				if err == nil {
					_, err = fmt.Sscanf(secrets[1], "whsec_%d", &previous)
				}
				if err != nil || previous != current-1 || current < latest {
					t.Errorf("read %q after generation %d: %v", secrets, latest, err)
					return
				}
				latest = current
			}
		})
	}
	for n := 2; n <= generations; n++ {
		publish(n)
	}
	done.Store(true)
	readers.Wait()
}

func TestADataDirectoryThatIsNoLinkIsPassedBy(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	// As cp -rL makes it of a volume.
	g.Expect(os.Mkdir(filepath.Join(dir, "..data"), 0o755)).To(Succeed())
	g.Expect(os.WriteFile(filepath.Join(dir, event.SecretName), []byte("whsec_a"), 0o600)).To(Succeed())
	g.Expect(event.SecretsFromDir(dir).WebhookSecrets(t.Context())).To(Equal([]string{"whsec_a", ""}))
}
