// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package receiver_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/medblocks/event"
	"github.com/medblocks/webhook-operator/test/receiver"
)

// pipes is a listener without a network, for time that a test advances.
type pipes struct {
	connections chan net.Conn
	closed      chan struct{}
	close       func()
}

func newPipes() *pipes {
	p := &pipes{connections: make(chan net.Conn), closed: make(chan struct{})}
	p.close = sync.OnceFunc(func() { close(p.closed) })
	return p
}

func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.connections <- server
	return client
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case connection := <-p.connections:
		return connection, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.close()
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

// exchange is one delivery over a pipe to a receiver that serves.
type exchange struct {
	server *receiver.Server
	client net.Conn
	start  time.Time
	stop   context.CancelFunc
	served chan error
}

// deliver serves, delivers what "whsec_2" has signed, and lets something happen 950 ms later.
func deliver(t *testing.T, options receiver.Options, happen func(exchange)) exchange {
	t.Helper()
	listener := newPipes()
	ctx, stop := context.WithCancel(t.Context())
	x := exchange{server: receiver.New(options), start: time.Now(), stop: stop, served: make(chan error, 1)}
	go func() { x.served <- x.server.Serve(ctx, listener) }()
	x.client = listener.dial()
	time.AfterFunc(950*time.Millisecond, func() { happen(x) })
	body := `{"id":"evt_1","type":"x"}`
	_, err := fmt.Fprintf(x.client, "POST %s HTTP/1.1\r\nHost: x\r\n%s: %s\r\nContent-Length: %d\r\n\r\n%s", receiver.WebhookPath,
		event.SignatureHeader, event.Sign([]byte(body), "whsec_2", x.start), len(body), body)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return x
}

// answer is the status that the sender gets, and when.
func (x exchange) answer(g Gomega) (int, time.Duration) {
	response, err := http.ReadResponse(bufio.NewReader(x.client), nil)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(response.Body.Close()).To(Succeed())
	g.Expect(x.client.Close()).To(Succeed())
	return response.StatusCode, time.Since(x.start)
}

func anotherSecret(context.Context) ([]string, error) { return []string{"whsec_1"}, nil }

func TestADeliveryThatComesBeforeItsSecretWaitsForItAndIsCounted(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		write := func(name, value string) {
			g.Expect(os.WriteFile(filepath.Join(dir, name), []byte(value), 0o600)).To(Succeed())
		}
		write(event.SecretName, "whsec_1")
		log := &lockedBuffer{}
		x := deliver(t, receiver.Options{
			Secrets: event.SecretsFromDir(dir), Logger: slog.New(slog.NewTextHandler(log, nil)),
		}, func(exchange) {
			write(event.PreviousSecretName, "whsec_1")
			write(event.SecretName, "whsec_2")
		})
		status, took := x.answer(g)
		g.Expect(status).To(Equal(200))
		g.Expect(took).To(Equal(time.Second))
		g.Expect(x.server.Report().Counts).To(Equal(receiver.Counts{Accepted: 1, AcceptedCurrent: 1, Waited: 1}))
		g.Expect(log.String()).To(ContainSubstring("outcome=handled status=200 id=evt_1 type=x secret=current waited=1s"))
		g.Expect(log.String()).NotTo(ContainSubstring("whsec_"))
		x.stop()
		g.Expect(<-x.served).To(Succeed())
	})
}

func TestAReceiverThatEndsLetsNobodyWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		x := deliver(t, receiver.Options{Secrets: event.SecretFunc(anotherSecret)}, func(x exchange) { x.stop() })
		status, took := x.answer(g)
		g.Expect(status).To(Equal(401))
		g.Expect(took).To(Equal(950 * time.Millisecond))
		g.Expect(<-x.served).To(Succeed())
		g.Expect(x.server.Report().Counts).To(Equal(receiver.Counts{Rejected: 1, Waited: 1}))
	})
}

func TestASenderWhoHangsUpIsWaitedForNoLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		x := deliver(t, receiver.Options{Secrets: event.SecretFunc(anotherSecret)}, func(x exchange) { _ = x.client.Close() })
		<-time.After(950*time.Millisecond - time.Since(x.start))
		synctest.Wait()
		g.Expect(x.server.Report().Counts).To(Equal(receiver.Counts{Rejected: 1, Waited: 1}))
		x.stop()
		g.Expect(<-x.served).To(Succeed())
	})
}
