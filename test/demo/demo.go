// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package demo tells the operator's whole story on one machine, with real programs: an endpoint is declared, registered,
// disabled by Medblocks, and brought back. Whatever it says happened, it has seen: through the Kubernetes API, the emulator's
// admin surface and the receiver's.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/controlplane"
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
	screen    *screen
	plane     *controlplane.ControlPlane
	stack     *stack.Stack
	emulator  *stack.Emulator
	receiver  *stack.Receiver
	volume    *stack.Volume
	manager   *stack.Manager
	api       client.WithWatch
	terminal  *terminal
	following *conditions
	endings   []func() error
	// apiKey is made up for this run; endpointID is what Medblocks called the endpoint.
	apiKey, endpointID string
	callsTold          int
	disabledAt         time.Time
}

type chapter struct {
	title string
	run   func(context.Context) error
}

// Run tells the story. It returns nil only if every step was seen to happen. However it ends, nothing is left running, and no
// file is left behind.
func Run(ctx context.Context, options Options) (err error) {
	now := time.Now()
	s := &story{Options: options, screen: &screen{out: options.Out, colour: options.Colour, start: now, last: now}}
	defer func() { err = errors.Join(err, s.end()) }()
	s.introduce()
	if err := s.tell(ctx); err != nil {
		return s.explain(ctx, err)
	}
	if s.Hold {
		return s.hold(ctx)
	}
	return nil
}

func (s *story) introduce() {
	fmt.Fprintln(s.Out, s.screen.paint(bold, "The Medblocks webhook operator: the whole story, on this machine"))
	s.screen.line("")
	s.screen.prose("Medblocks delivers events to webhook endpoints. When one event fails nine times in a row, it disables the endpoint, and " +
		"tells nobody: from then on, events are lost. The operator registers endpoints from Kubernetes manifests, keeps their signing " +
		"secrets in Secrets, shows what became of them, and brings them back.")
	s.screen.line("")
	s.screen.prose("Everything here is the real program, except Medblocks itself: an emulator plays its part, with a clock that runs " +
		fmt.Sprintf("%d times faster: 12 hours of retries pass in a second. ", timeScale) + "Times on the left are real seconds since the start. ✓ marks what was " +
		"checked: at the Kubernetes API, at the emulator, at the receiver.")
}

// tell runs the chapters.
func (s *story) tell(ctx context.Context) error {
	chapters := []chapter{
		{"Everything starts", s.begin},
		{"An endpoint is declared", s.declare},
		{"An event arrives, and the receiver can tell that it is genuine", s.deliver},
		{"The receiver breaks, and Medblocks disables the endpoint in silence", s.breakDown},
		{"The receiver recovers, and the operator brings the endpoint back", s.recover},
		{"Events flow again", s.deliver},
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
		s.screen.line(fmt.Sprintf("%s %d. %s%5.1f s", s.screen.paint(green, "✓"), i+1, pad(c.title, 72), took[i].Seconds()))
	}
	return nil
}

// begin starts the programs, in the order in which they need each other.
func (s *story) begin(ctx context.Context) error {
	for _, start := range []struct {
		what string
		run  func(context.Context) (string, error)
	}{
		{"Kubernetes", s.startControlPlane},
		{"Medblocks", s.startEmulator},
		{"receiver", s.startReceiver},
		{"operator", s.startManager},
	} {
		since := time.Now()
		said, err := start.run(ctx)
		if err != nil {
			return err
		}
		s.screen.at(time.Now(), fmt.Sprintf("%s %s%s%s", s.screen.paint(green, "✓"), pad(start.what, 12), said,
			s.screen.paint(dim, fmt.Sprintf(" (%.1f s)", time.Since(since).Seconds()))))
	}
	return nil
}

func (s *story) startControlPlane(ctx context.Context) (string, error) {
	s.screen.line(s.screen.paint(dim, "starting etcd, kube-apiserver and kube-controller-manager…"))
	programs, err := stack.FindPrograms(s.BinDir)
	if err != nil {
		return "", err
	}
	plane, err := controlplane.Start(ctx, controlplane.Options{ControllerManager: true, RepositoryRoot: filepath.Dir(s.BinDir)})
	if err != nil {
		return "", err
	}
	s.plane = plane
	s.atEnd(plane.Stop)
	if s.stack, err = stack.New(plane, programs); err != nil {
		return "", err
	}
	s.atEnd(s.stack.Stop)
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return "", err
	}
	if s.api, err = client.NewWithWatch(plane.Admin, client.Options{Scheme: scheme}); err != nil {
		return "", err
	}
	dir := filepath.Join(s.stack.Dir, "terminal")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	s.terminal = &terminal{plane: plane, dir: dir, screen: s.screen}
	return "control plane at " + strings.TrimSuffix(plane.Admin.Host, "/") + ", with RBAC, and the CRD and roles as shipped", nil
}

func (s *story) startEmulator(ctx context.Context) (_ string, err error) {
	if s.emulator, err = s.stack.StartEmulator(ctx, fmt.Sprintf("--time-scale=%d", timeScale)); err != nil {
		return "", err
	}
	return "emulator at " + s.emulator.URL, nil
}

// startReceiver also mounts the signing Secret for it, which does not exist yet.
func (s *story) startReceiver(ctx context.Context) (string, error) {
	var err error
	if s.volume, err = s.stack.NewVolume("mounted-secret"); err != nil {
		return "", err
	}
	s.atEnd(s.volume.Follow(context.WithoutCancel(ctx), s.api, signingSecret))
	if s.receiver, err = s.stack.StartReceiver(ctx, s.volume.Dir); err != nil {
		return "", err
	}
	return "sample server at " + s.receiver.WebhookURL, nil
}

func (s *story) startManager(ctx context.Context) (_ string, err error) {
	s.manager, err = s.stack.StartManager(ctx, "manager", s.emulator.URL, "--disabled-poll-interval="+disabledPollInterval.String())
	if err != nil {
		return "", err
	}
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.following = follow(watching, s.api, resourceKey)
	s.atEnd(func() error { stop(); <-s.following.ended; return nil })
	return fmt.Sprintf("bin/manager under its ServiceAccount; looks for disabled endpoints every %s (default: 30s)", disabledPollInterval), nil
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
		if err := errors.Join(s.stack.Check(), s.tellCalls(ctx)); err != nil {
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
	if s.manager != nil {
		s.screen.line("")
		s.screen.line(fmt.Sprintf("The last %d lines of the operator's log:", logTail))
		s.screen.output(s.manager.Tail(logTail))
	}
	return err
}
