// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// lookInterval is how often the secrets are looked at while somebody waits.
const lookInterval = 100 * time.Millisecond

// ConstructEventWaiting is ConstructEvent for a receiver without a Handler whose
// secrets arrive later than Medblocks begins to sign with them, as those of a
// mounted Secret do after a rotation. A body whose signature is well-formed and of
// the present, but made by no secret that is known, is verified again whenever
// Secrets returns others, until the time is up or the context ends, and only then
// refused. Secrets that are missing altogether are waited for in the same way;
// StaticSecrets and SecretsFromEnv are not, as they never change.
//
// Leave yourself time to handle the event within the vendor's 5 s. Anybody can send
// a signature that looks genuine: end the context when the sender hangs up, and
// bound how many wait at once. A Handler does all that.
func (v Verifier) ConstructEventWaiting(
	ctx context.Context, rawBody []byte, signatureHeader string, atMost time.Duration,
) (Event, error) {
	e, err := v.ConstructEvent(ctx, rawBody, signatureHeader)
	signed, mayYet := v.mayYetVerify(signatureHeader, err)
	if !mayYet {
		return e, err
	}
	ctx, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	alone := lookout{Verifier: v, limit: 1}
	alone.join()
	defer alone.leave()
	return alone.constructEvent(ctx, rawBody, signed, err)
}

// construct verifies a delivery, and waits for other secrets if they may help. Only
// the wait ends when the sender hangs up.
func (h *handler) construct(ctx context.Context, r *http.Request, body []byte, start time.Time) (Event, time.Duration, error) {
	// Two headers are joined as HTTP says; the parser refuses them for their times.
	header := strings.Join(r.Header.Values(SignatureHeader), ",")
	e, err := h.Verifier.ConstructEvent(ctx, body, header)
	signed, mayYet := h.Verifier.mayYetVerify(header, err)
	if !mayYet || h.SecretsWait < 0 {
		return e, 0, err
	}
	waitCtx, cancel := context.WithDeadline(r.Context(), start.Add(h.SecretsWait))
	defer cancel()
	if !h.lookout.join() {
		return e, 0, fmt.Errorf("%w, and %d deliveries wait for other secrets already", err, h.MaxWaiting)
	}
	defer h.lookout.leave()
	began := time.Now()
	e, err = h.lookout.constructEvent(waitCtx, body, signed, err)
	return e, time.Since(began), err
}

// mayYetVerify says whether other secrets may turn the error into an event, and
// returns the signature if so. One whose time is outside the window would be
// refused even then.
func (v Verifier) mayYetVerify(signatureHeader string, err error) (signature, bool) {
	if _, fixed := v.Secrets.(fixedSecrets); fixed || v.Secrets == nil || !isAboutSecrets(err) {
		return signature{}, false
	}
	signed, err := parseSignatureHeader(signatureHeader)
	return signed, err == nil && v.checkTime(signed.at) == nil
}

func isAboutSecrets(err error) bool {
	return errors.Is(err, ErrSignatureMismatch) || errors.Is(err, ErrNoSecrets)
}

// lookout watches the secrets for those who wait for others, a bounded number at a
// time. However many they are, the source is asked once per interval, so that
// forgers who make a receiver wait cannot wear it out.
type lookout struct {
	Verifier
	limit int

	mu      sync.Mutex
	waiting int
	// next is the look that has not begun; stop ends the looking.
	next *look
	stop context.CancelFunc
}

// look is one answer of the source, there once done is closed; nil if it has none.
type look struct {
	done    chan struct{}
	secrets []string
}

// constructEvent verifies a body that failed with err again, whenever there are
// other secrets. Its error is that of the last verification. The caller has joined.
func (l *lookout) constructEvent(ctx context.Context, rawBody []byte, signed signature, err error) (Event, error) {
	var tried []string
	for {
		secrets, ended := l.look(ctx)
		if ended {
			return Event{}, err
		}
		if secrets == nil || slices.Equal(secrets, tried) {
			continue
		}
		tried = secrets
		var e Event
		if e, err = l.construct(rawBody, signed, secrets); !isAboutSecrets(err) {
			return e, err
		}
	}
}

// join begins a wait, and the looking with the first one; false is a refusal.
func (l *lookout) join() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting >= l.limit {
		return false
	}
	l.waiting++
	if l.waiting == 1 {
		ctx, stop := context.WithCancel(context.Background())
		l.next, l.stop = newLook(), stop
		go l.keepLooking(ctx)
	}
	return true
}

// leave ends a wait, and the looking with the last one.
func (l *lookout) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting--
	if l.waiting == 0 {
		l.stop()
	}
}

// look returns what the source answers to a question that is yet to be asked, so
// that it is never older than what was tried before.
func (l *lookout) look(ctx context.Context) (secrets []string, ended bool) {
	l.mu.Lock()
	next := l.next
	l.mu.Unlock()
	select {
	case <-ctx.Done():
		return nil, true
	case <-next.done:
		return next.secrets, false
	}
}

func (l *lookout) keepLooking(ctx context.Context) {
	ticker := time.NewTicker(lookInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		current := l.begin(ctx)
		if current == nil {
			return
		}
		current.secrets = l.ask(ctx)
		close(current.done)
	}
}

// begin takes the next look; whoever comes from now on gets the one after it. It
// returns nil once nobody waits, whether or not others have begun to since.
func (l *lookout) begin(ctx context.Context) *look {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ctx.Err() != nil {
		return nil
	}
	current := l.next
	l.next = newLook()
	return current
}

// ask does not say why there are no secrets: the next delivery will.
func (l *lookout) ask(ctx context.Context) (secrets []string) {
	// A panic here is not on the server's goroutine, so nobody else would catch it.
	defer func() {
		if recover() != nil {
			secrets = nil
		}
	}()
	secrets, err := l.secrets(ctx)
	if err != nil {
		return nil
	}
	return secrets
}

func newLook() *look { return &look{done: make(chan struct{})} }
