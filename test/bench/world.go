// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers"
	"github.com/medblocks/webhook-operator/test/controlplane"
	"github.com/medblocks/webhook-operator/test/process"
	"github.com/medblocks/webhook-operator/test/stack"
)

const (
	// namespace holds the resources, limitedNamespace those whose account has a limit.
	namespace, limitedNamespace = "bench", "limited"
	apiKey, limitedKey          = "mb_sk_sbx_bench", "mb_sk_sbx_limited"
	keySecretName               = "medblocks-api-key"
	// stuck is how long nothing may happen before something counts as stuck.
	stuck = 3 * time.Minute
	// often is how often one looks.
	often = 20 * time.Millisecond
	// stopTimeout is how long a program may take to end.
	stopTimeout = 45 * time.Second
)

// bench measures, and notes in out what it found.
type bench struct {
	cfg      config
	progress io.Writer
	out      *results
	begun    time.Time
}

// say tells a person who waits what goes on.
func (b *bench) say(format string, args ...any) {
	if b.begun.IsZero() {
		b.begun = time.Now()
	}
	fmt.Fprintf(b.progress, "%6.1fs  %s\n", time.Since(b.begun).Seconds(), fmt.Sprintf(format, args...))
}

// world is a control plane and a vendor of its own, in which one program is measured.
type world struct {
	*bench
	plane    *controlplane.ControlPlane
	stack    *stack.Stack
	vendor   *stack.Emulator
	api      client.WithWatch
	audit    auditLog
	seen     *tracker
	subject  *process.Process // the program that is measured
	operator *stack.Manager
	runs     int
}

// inWorld makes a world, and ends it after what is done there.
func (b *bench) inWorld(ctx context.Context, do func(context.Context, *world) error) (err error) {
	b.say("starting an API server, etcd and the vendor")
	w := &world{bench: b}
	if w.plane, err = controlplane.Start(ctx, controlplane.Options{AuditUsers: []string{controlplane.OperatorUser}}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.plane.Stop()) }()
	programs, err := stack.FindPrograms(b.cfg.bin)
	if err != nil {
		return err
	}
	if w.stack, err = stack.New(w.plane, programs); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.stack.Stop()) }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := w.furnish(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.endSubject()) }()
	if err := do(ctx, w); err != nil {
		return w.explain(err)
	}
	return nil
}

// furnish starts the vendor, and makes what the resources need.
func (w *world) furnish(ctx context.Context) (err error) {
	w.vendor, err = w.stack.StartEmulator(ctx, "--log-level=error", "--latency="+w.cfg.latency.String(), "--latency-jitter="+w.cfg.latencyJitter.String())
	if err != nil {
		return err
	}
	w.audit = auditLog{path: w.plane.AuditLog(), counts: tally{}}
	if w.api, err = client.NewWithWatch(w.plane.Admin, client.Options{Scheme: controllers.Scheme()}); err != nil {
		return err
	}
	for name, key := range map[string]string{namespace: apiKey, limitedNamespace: limitedKey} {
		err := errors.Join(
			w.api.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}),
			w.api.Create(ctx, &corev1.Secret{
				ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: keySecretName},
				StringData: map[string]string{v1alpha1.DefaultAPIKeySecretKey: key},
			}),
		)
		if err != nil {
			return err
		}
	}
	w.seen, err = follow(ctx, w.api)
	return err
}

// explain adds the last words of the program that is measured.
func (w *world) explain(err error) error {
	if w.subject == nil || !w.subject.Running() || errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("%w\nlast words of %s:\n%s", err, w.subject.Name(), w.subject.Tail(10))
}

// startOperator starts the operator in place of one that runs.
func (w *world) startOperator(ctx context.Context, flags ...string) error {
	if err := w.stopOperator(); err != nil {
		return err
	}
	w.runs++
	m, err := w.stack.StartManager(ctx, "operator-"+strconv.Itoa(w.runs), w.vendor.URL, append([]string{
		"--metrics-secure=false", "--max-concurrent-reconciles=" + strconv.Itoa(w.cfg.concurrency),
		// The vendor's limit is the subject of one phase only.
		"--api-qps=10000", "--api-burst=10000",
	}, flags...)...)
	if err != nil {
		return err
	}
	w.operator, w.subject = m, m.Process
	return nil
}

func (w *world) stopOperator() error {
	if w.operator == nil {
		return nil
	}
	defer func() { w.operator, w.subject = nil, nil }()
	return w.stack.EndProcess(w.operator.Process)
}

// startRole starts this program in another role, with the operator's permissions.
func (w *world) startRole(role string, flags ...string) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	cmd := w.plane.Command(context.Background(), self, append([]string{
		"--role=" + role, "--kubeconfig=" + w.plane.OperatorKubeconfig(), "--vendor-url=" + w.vendor.URL,
	}, flags...)...)
	cmd.Dir = w.stack.Dir
	w.subject, err = process.Start(role, cmd, w.stack.LogPath(role))
	return err
}

// endSubject ends the program that plays a role. The operator is the stack's.
func (w *world) endSubject() error {
	if w.subject == nil || w.operator != nil {
		return nil
	}
	defer func() { w.subject = nil }()
	return w.subject.Stop(stopTimeout)
}

// spent is everything that was asked of the vendor, and of the API server by the program that is measured.
func (w *world) spent(ctx context.Context) (tally, error) {
	if err := w.audit.read(); err != nil {
		return nil, err
	}
	total := maps.Clone(w.audit.counts)
	counters, err := w.vendor.Counters(ctx)
	if err != nil {
		return nil, err
	}
	for operation, statuses := range counters.Statuses {
		for status, count := range statuses {
			total["vendor "+string(operation)+" "+status] += count
		}
	}
	return total, nil
}

// settled waits until nothing happens any more but what happens at all times, and returns all that was spent until then.
func (w *world) settled(ctx context.Context) (tally, error) {
	var before tally
	deadline, since := time.Now().Add(stuck), time.Now()
	for {
		now, err := w.spent(ctx)
		if err != nil {
			return nil, err
		}
		if news := now.minus(before); before == nil || len(news) > news.count(vendorList, keyReads, leases) {
			since = time.Now()
		}
		before = now
		switch {
		case time.Since(since) >= w.cfg.quiet:
			return now, nil
		case time.Now().After(deadline):
			return nil, fmt.Errorf("there is no end to the requests: %v", now)
		}
		if err := pause(ctx, w.cfg.quiet/5); err != nil {
			return nil, err
		}
	}
}

// pause lets time pass.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
