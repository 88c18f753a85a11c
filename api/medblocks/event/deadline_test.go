// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package event_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/medblocks/event"
)

func TestAHandlerThatTakesTooLongIsAnsweredForInTimeAndLeftToFinish(t *testing.T) {
	for name, tc := range map[string]struct {
		result  error
		late    event.Outcome
		status  int
		handled int32
	}{
		"well":  {nil, event.OutcomeHandled, http.StatusOK, 1},
		"badly": {errors.New("x"), event.OutcomeFailed, http.StatusInternalServerError, 2},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			finish := make(chan struct{})
			var handled atomic.Int32
			var handlerErr atomic.Value
			r := newReceiver(t, func(ctx context.Context, _ event.Event) error {
				handled.Add(1)
				<-ctx.Done()
				handlerErr.Store(ctx.Err())
				<-finish // and does not even heed its context
				return tc.result
			}, func(o *event.Options) { o.Timeout = 50 * time.Millisecond })

			status, answer := r.deliverSigned(g, goodBody())
			g.Expect(status).To(Equal(http.StatusServiceUnavailable))
			g.Expect(answer).To(Equal("timed_out"))
			g.Eventually(handlerErr.Load).Should(Equal(context.DeadlineExceeded))

			status, answer = r.deliverSigned(g, goodBody())
			g.Expect(status).To(Equal(http.StatusServiceUnavailable))
			g.Expect(answer).To(Equal("in_progress"), "the same event is not handed over twice at a time")
			g.Expect(handled.Load()).To(Equal(int32(1)))

			close(finish)
			g.Eventually(r.outcomes).Should(Equal([]event.Outcome{
				event.OutcomeTimedOut, event.OutcomeInProgress, tc.late,
			}))
			late := r.observed()[2]
			g.Expect(late.Late).To(BeTrue())
			g.Expect(late.StatusCode).To(BeZero())
			g.Expect(late.Duration).To(BeNumerically(">=", 50*time.Millisecond))

			status, _ = r.deliverSigned(g, goodBody())
			if tc.result == nil {
				g.Expect(status).To(Equal(tc.status), "handled late is handled")
			} else {
				g.Expect(status).To(BeNumerically(">=", 500), "failed late is tried again")
			}
			g.Expect(handled.Load()).To(Equal(tc.handled))
		})
	}
}

func TestAHandlerGoesOnWhenTheSenderHangsUp(t *testing.T) {
	g := NewWithT(t)
	started, finish := make(chan struct{}), make(chan struct{})
	var ctxErr atomic.Value
	r := newReceiver(t, func(ctx context.Context, _ event.Event) error {
		close(started)
		<-finish
		if err := ctx.Err(); err != nil {
			ctxErr.Store(err)
		}
		return nil
	})
	raw := goodBody()
	ctx, cancel := context.WithCancel(context.Background())
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL, strings.NewReader(string(raw)))
	g.Expect(err).NotTo(HaveOccurred())
	request.Header.Set(event.SignatureHeader, event.Sign(raw, currentSecret, time.Now()))
	gone := make(chan error, 1)
	go func() {
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			_ = response.Body.Close()
		}
		gone <- err
	}()
	<-started
	cancel()
	g.Eventually(gone).Should(Receive(MatchError(context.Canceled)))
	close(finish)
	g.Eventually(r.outcomes).Should(Equal([]event.Outcome{event.OutcomeHandled}))
	g.Expect(ctxErr.Load()).To(BeNil())
}

func TestASenderThatTricklesItsBodyIsCutOff(t *testing.T) {
	g := NewWithT(t)
	r := newReceiver(t, accept, func(o *event.Options) { o.Timeout = 100 * time.Millisecond })
	connection, err := net.Dial("tcp", r.Listener.Addr().String())
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = connection.Close() }()
	_, err = fmt.Fprintf(connection, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
	g.Expect(err).NotTo(HaveOccurred())
	answer, err := io.ReadAll(connection)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(answer)).To(HavePrefix("HTTP/1.1 408 "))
	g.Eventually(r.outcomes).Should(Equal([]event.Outcome{event.OutcomeRejected}))
}
