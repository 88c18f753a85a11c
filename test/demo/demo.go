// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package demo tells the operator's whole story on one machine, with real programs: an endpoint is declared, registered, disabled by
// Medblocks, and brought back with all that it has missed, and its secret is rotated. Whatever it says happened, it has seen: through the Kubernetes API, the emulator's
// admin surface and the receiver's.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/test/stack"
)

// Options of a demo.
type Options struct {
	// BinDir holds the built programs; its parent is the repository.
	BinDir string
	Out    io.Writer
	Colour bool
	// Hold keeps everything up after the story, until the context ends.
	Hold bool
}

// ErrInterrupted says that the context ended before the story did.
var ErrInterrupted = errors.New("interrupted before the end of the story")

const (
	// patience is how long one thing may take to happen. It happens within seconds; a busy machine gets its time.
	patience = 90 * time.Second
	// pollInterval is how often one looks whether it has.
	pollInterval = 100 * time.Millisecond
	// silence is how long nothing is said before it is said what is waited for.
	silence = 5 * time.Second
	// logTail is how many lines of the operator's log explain a failure.
	logTail = 40
)

// story is a demo that runs.
type story struct {
	Options
	Place
	screen    *screen
	api       client.WithWatch
	stack     *stack.Stack // of this machine's programs; nil: the place is another
	terminal  *terminal
	following *conditions
	endings   []func() error
	// endpointID is what Medblocks called the endpoint.
	endpointID string
	callsTold  int
	outage     outage
}

type chapter struct {
	title string
	run   func(context.Context) error
}

// Run tells the story. It returns nil only if every step was seen to happen. However it ends, nothing is left running, and no
// file is left behind.
func Run(ctx context.Context, options Options) (err error) {
	s := newStory(options)
	defer func() { err = errors.Join(err, s.end()) }()
	s.introduce()
	if err := s.tell(ctx, chapter{"Everything starts", s.begin}); err != nil {
		return s.explain(ctx, err)
	}
	if s.Hold {
		return s.hold(ctx)
	}
	return nil
}

// RunAt tells the story at another place, where everything is started already.
func RunAt(ctx context.Context, options Options, place Place) (err error) {
	s := newStory(options)
	defer func() { err = errors.Join(err, s.end()) }()
	if err := s.tell(ctx, chapter{"Everything is there", func(ctx context.Context) error { return s.enter(ctx, place) }}); err != nil {
		return s.explain(ctx, err)
	}
	return nil
}

func newStory(options Options) *story {
	now := time.Now()
	return &story{Options: options, screen: &screen{out: options.Out, colour: options.Colour, start: now, last: now}}
}

func (s *story) introduce() {
	fmt.Fprintln(s.Out, s.screen.paint(bold, "The Medblocks webhook operator: the whole story, on this machine"))
	s.screen.line("")
	s.screen.prose("Medblocks delivers events to webhook endpoints. When one event fails nine times in a row, it disables the endpoint, and " +
		"tells nobody: from then on, events are lost. The operator registers endpoints from Kubernetes manifests, keeps their signing " +
		"secrets in Secrets, warns early, brings an endpoint back once its receiver is well again, and has it sent what it missed.")
	s.screen.line("")
	s.screen.prose("Everything here is the real program, except Medblocks itself: an emulator plays its part, with a clock that runs " +
		fmt.Sprintf("%d times faster: 3 hours of retries pass in a second. ", TimeScale) + "Times on the left are real seconds since the start. ✓ marks what was " +
		"checked: at the Kubernetes API, at the emulator, at the receiver. All of it takes about a minute and a half.")
}

// tell runs the chapters: the first one makes the place, and the others happen there.
func (s *story) tell(ctx context.Context, first chapter) error {
	chapters := []chapter{
		first,
		{"An endpoint is declared", s.declare},
		{"An event arrives, and the receiver can tell that it is genuine", s.deliver},
		{"The receiver breaks, and whoever wants to know is warned early", s.warn},
		{"Nobody mends it, and Medblocks disables the endpoint in silence", s.breakDown},
		{"The receiver returns, answers twice, and the operator brings the endpoint back", s.recover},
		{"What the endpoint has missed is delivered, each event once", s.redeliver},
		{"The signing secret is rotated while events keep coming, and none is refused", s.rotate},
		{"Events flow again, and the warning is over", s.calmDown},
		{"The manifest is deleted, and nothing is left behind", s.remove},
	}
	took := make([]time.Duration, len(chapters))
	for i, c := range chapters {
		s.screen.title(i+1, c.title)
		start := time.Now()
		if err := c.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", c.title, err)
		}
		took[i] = time.Since(start)
	}
	fmt.Fprintf(s.Out, "\n%s\n", s.screen.paint(bold, "All of it was seen to happen"))
	for i, c := range chapters {
		s.screen.line(fmt.Sprintf("%s %s%5.1f s", s.screen.paint(green, "✓"), pad(fmt.Sprintf("%d. %s", i+1, c.title), 84), took[i].Seconds()))
	}
	return nil
}

func (s *story) atEnd(ending func() error) { s.endings = append(s.endings, ending) }

// end stops what was started, last first.
func (s *story) end() error {
	if len(s.endings) == 0 {
		return nil
	}
	start := time.Now()
	var errs []error
	for i := len(s.endings) - 1; i >= 0; i-- {
		errs = append(errs, s.endings[i]())
	}
	s.endings = nil
	err := errors.Join(errs...)
	if err == nil {
		fmt.Fprintf(s.Out, "\nEverything is stopped and removed (%.1f s).\n", time.Since(start).Seconds())
	}
	return err
}

// await waits until check finds nothing missing, and meanwhile tells what happens.
func (s *story) await(ctx context.Context, what string, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("not within %s", patience))
	defer cancel()
	start := time.Now()
	var missing error
	err := wait.PollUntilContextCancel(ctx, pollInterval, true, func(ctx context.Context) (bool, error) {
		err := check(ctx)
		if ctx.Err() != nil {
			return false, ctx.Err() // a check that was cut short says nothing
		}
		if err := errors.Join(s.Check(), s.tellCalls(ctx)); err != nil {
			return false, err
		}
		s.following.tell(s.screen)
		if err == nil {
			return true, nil
		}
		missing = err
		if time.Since(s.screen.last) > silence {
			s.screen.at(time.Now(), s.screen.paint(dim, fmt.Sprintf("… waiting for %s (%.0f s)", what, time.Since(start).Seconds())))
		}
		return false, nil
	})
	if ctx.Err() != nil {
		return fmt.Errorf("waiting for %s: %w: %w", what, context.Cause(ctx), missing)
	}
	return err
}

// explain tells why the story broke off.
func (s *story) explain(ctx context.Context, err error) error {
	fmt.Fprintln(s.Out)
	if ctx.Err() != nil {
		s.screen.failed("Interrupted. Stopping everything.")
		return ErrInterrupted
	}
	s.screen.failed("This did not happen as it should: " + err.Error())
	if s.OperatorLog != nil {
		s.screen.line("")
		s.screen.line(fmt.Sprintf("The last %d lines of the operator's log:", logTail))
		s.screen.output(s.OperatorLog(logTail))
	}
	return err
}
