// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// The phases, in the order in which they run.
const (
	phaseRegister   = "register"
	phaseUpdate     = "update"
	phaseRestart    = "restart"
	phaseSteady     = "steady"
	phaseDisable    = "disable"
	phaseDrift      = "drift"
	phaseLimit      = "limit"
	phaseDelete     = "delete"
	phaseBare       = "bare"
	phaseComparator = "comparator"
)

func allPhases() []string {
	return []string{
		phaseRegister, phaseUpdate, phaseRestart, phaseSteady, phaseDisable, phaseDrift, phaseLimit, phaseDelete, phaseBare, phaseComparator,
	}
}

// The programs that are measured beside the operator are this one in another role.
const (
	roleBare       = "bare"
	roleComparator = "comparator"
)

// The operator's default intervals.
const (
	defaultPoll         = 5 * time.Minute
	defaultDisabledPoll = 30 * time.Second
	defaultSteady       = 10 * time.Minute
)

// config are the parameters.
type config struct {
	n             int
	concurrency   int
	latency       time.Duration
	latencyJitter time.Duration
	limit         float64
	limited       int
	updates       int
	steady        time.Duration
	samples       int
	disabledPoll  time.Duration
	poll          time.Duration
	comparatorN   int
	phases        []string
	bin           string

	quiet time.Duration // how long nothing must happen before something counts as over

	role string
	child
}

// child is what a program that is measured has to know.
type child struct {
	kubeconfig, vendorURL, sample string
	events                        int
	interval                      time.Duration
	kubeQPS                       float32
	kubeBurst                     int
}

func parseFlags(args []string, usage io.Writer) (config, error) {
	var c config
	f := pflag.NewFlagSet("bench", pflag.ContinueOnError)
	f.SetOutput(usage)
	f.SortFlags = false
	f.IntVarP(&c.n, "resources", "n", 1000, "resources")
	f.IntVar(&c.concurrency, "concurrency", 10, "resources at work at the same time, in the operator and in what it is compared with")
	f.DurationVar(&c.latency, "latency", 20*time.Millisecond, "how long each call to the vendor takes")
	f.DurationVar(&c.latencyJitter, "latency-jitter", 0, "how much longer it may take, at random")
	f.Float64Var(&c.limit, "limit", 10, "calls per second that the vendor allows in the phase "+phaseLimit)
	f.IntVar(&c.limited, "limited", 100, "resources in the phase "+phaseLimit)
	f.IntVar(&c.updates, "updates", 1000, "resources that are changed in the phase "+phaseUpdate)
	f.DurationVar(&c.steady, "steady", time.Minute, "how long a settled system is watched; below 10m the operator's intervals are shorter in proportion")
	f.IntVar(&c.samples, "samples", 100, "endpoints that are disabled, and then changed, behind the operator's back")
	f.DurationVar(&c.disabledPoll, "disabled-poll-interval", 2*time.Second, "the operator's, in the phase "+phaseDisable)
	f.DurationVar(&c.poll, "poll-interval", 5*time.Second, "the operator's, in the phase "+phaseDrift)
	f.IntVar(&c.comparatorN, "comparator-resources", 1000, "resources of the comparator; what it would cost with more is extrapolated")
	f.StringSliceVar(&c.phases, "phases", allPhases(), "what to measure; everything but "+phaseComparator+" needs "+phaseRegister+" and brings it")
	f.StringVar(&c.bin, "bin", "bin", "folder with the built programs")
	f.DurationVar(&c.quiet, "quiet", 1500*time.Millisecond, "how long nothing must happen before something counts as over")
	if err := c.addRoleFlags(f); err != nil {
		return c, err
	}
	if err := f.Parse(args); err != nil {
		return c, err
	}
	if f.NArg() > 0 {
		return c, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	return c, c.complete()
}

// addRoleFlags adds what this program tells itself when it starts itself in another role.
func (c *config) addRoleFlags(f *pflag.FlagSet) error {
	f.StringVar(&c.role, "role", "", "")
	f.StringVar(&c.kubeconfig, "kubeconfig", "", "")
	f.StringVar(&c.vendorURL, "vendor-url", "", "")
	f.StringVar(&c.sample, "sample", "", "")
	f.IntVar(&c.events, "events", 0, "")
	f.DurationVar(&c.interval, "interval", defaultDisabledPoll, "")
	f.Float32Var(&c.kubeQPS, "kube-qps", -1, "")
	f.IntVar(&c.kubeBurst, "kube-burst", 0, "")
	for _, internal := range []string{"role", "kubeconfig", "vendor-url", "sample", "events", "interval", "kube-qps", "kube-burst"} {
		if err := f.MarkHidden(internal); err != nil {
			return err
		}
	}
	return nil
}

// complete checks the parameters and fits them to each other.
func (c *config) complete() error {
	for _, phase := range c.phases {
		if !slices.Contains(allPhases(), phase) {
			return fmt.Errorf("--phases: there is no %q; there are %s", phase, strings.Join(allPhases(), ", "))
		}
	}
	switch {
	case c.n < 10:
		return fmt.Errorf("-n must be at least 10, not %d", c.n)
	case c.concurrency < 1, c.samples < 1, c.updates < 1, c.limited < 1, c.comparatorN < 1:
		return fmt.Errorf("--concurrency, --samples, --updates, --limited and --comparator-resources must be at least 1")
	case c.limit <= 0:
		return fmt.Errorf("--limit must be above 0, not %v", c.limit)
	case c.steady < 3*time.Second: // the operator takes no shorter intervals than those that belong to it
		return fmt.Errorf("--steady must be at least 3s, not %s", c.steady)
	}
	if len(c.phases) != 1 || c.phases[0] != phaseComparator {
		c.phases = append(c.phases, phaseRegister)
	}
	// What is disabled and what is changed are different endpoints, and most are left alone.
	c.samples = min(c.samples, c.n/4)
	c.updates, c.limited, c.comparatorN = min(c.updates, c.n), min(c.limited, c.n), min(c.comparatorN, c.n)
	return nil
}

func (c *config) wants(phase string) bool { return slices.Contains(c.phases, phase) }

// scale is how much shorter than by default the operator's intervals are in the steady state, so that as many sweeps fit into
// a shorter time.
func (c *config) scale() float64 { return min(float64(c.steady)/float64(defaultSteady), 1) }

func (c *config) scaled(interval time.Duration) time.Duration {
	return time.Duration(float64(interval) * c.scale()).Round(time.Millisecond)
}
