// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/pflag"

	"github.com/medblocks/webhook-operator/test/emulator"
	"github.com/medblocks/webhook-operator/test/listen"
)

type config struct {
	listen          listen.Flags
	apiKeys         []string
	apiVersions     []string
	timeScale       float64
	maxEndpoints    int
	latency         time.Duration
	latencyJitter   time.Duration
	rateLimit       float64
	rateBurst       int
	deliverAnywhere bool
	deliveryCA      string
	logLevel        string
}

func parseFlags(args []string, usage io.Writer) (config, error) {
	var c config
	f := pflag.NewFlagSet("emulator", pflag.ContinueOnError)
	f.SetOutput(usage)
	f.SortFlags = false
	c.listen.Add(f, "127.0.0.1:8089")
	f.StringArrayVar(&c.apiKeys, "api-key", nil,
		"an API key that opens a workspace (repeatable); without any, every mb_sk_sbx_… and mb_sk_live_… key opens one of its own")
	f.Float64Var(&c.timeScale, "time-scale", 1,
		"how many times faster than real the retry schedule runs; at 3600 an hour takes a second")
	f.IntVar(&c.maxEndpoints, "max-endpoints", 0, "endpoint limit of a workspace; 0 is none")
	f.DurationVar(&c.latency, "latency", 0, "how long every call takes")
	f.DurationVar(&c.latencyJitter, "latency-jitter", 0, "how much longer a call may take, at random")
	f.Float64Var(&c.rateLimit, "rate-limit", 0, "calls per second that a workspace may make, over it 429 with Retry-After; 0 is no limit")
	f.IntVar(&c.rateBurst, "rate-burst", 0, "calls that a workspace may make at once; 0 is a second's worth")
	f.StringArrayVar(&c.apiVersions, "api-version", nil,
		"an API version to accept beside "+emulator.DefaultAPIVersion+" (repeatable)")
	f.BoolVar(&c.deliverAnywhere, "deliver-anywhere", false,
		"deliver events to any address; otherwise to this machine only")
	f.StringVar(&c.deliveryCA, "delivery-ca", "",
		"PEM file with a certificate authority to trust in receivers, beside the system's")
	f.StringVar(&c.logLevel, "log-level", "info", "debug, info, warn or error; the log goes to standard error")
	if err := f.Parse(args); err != nil {
		return c, err
	}
	if f.NArg() > 0 {
		return c, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	return c, c.validate()
}

func (c config) validate() error {
	if c.timeScale <= 0 {
		return fmt.Errorf("--time-scale must be above 0, not %v", c.timeScale)
	}
	for _, number := range []struct {
		flag  string
		value float64
	}{
		{"--max-endpoints", float64(c.maxEndpoints)}, {"--latency", c.latency.Seconds()}, {"--latency-jitter", c.latencyJitter.Seconds()},
		{"--rate-limit", c.rateLimit}, {"--rate-burst", float64(c.rateBurst)},
	} {
		if number.value < 0 {
			return fmt.Errorf("%s must not be negative, but is %v", number.flag, number.value)
		}
	}
	return nil
}

func (c config) options(logs io.Writer) (emulator.Options, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.logLevel)); err != nil {
		return emulator.Options{}, fmt.Errorf("--log-level: %w", err)
	}
	opts := emulator.Options{
		APIKeys: c.apiKeys, APIVersions: c.apiVersions, TimeScale: c.timeScale, MaxEndpoints: c.maxEndpoints,
		Latency: c.latency, LatencyJitter: c.latencyJitter, RateLimit: c.rateLimit, RateBurst: c.rateBurst,
		DeliverAnywhere: c.deliverAnywhere,
		Logger:          slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: level})),
	}
	if c.deliveryCA == "" {
		return opts, nil
	}
	roots, err := rootsWith(c.deliveryCA)
	if err != nil {
		return emulator.Options{}, fmt.Errorf("--delivery-ca: %w", err)
	}
	opts.DeliveryTLS = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	return opts, nil
}

func rootsWith(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file) //nolint:gosec // the file that the user names is the one to read
	if err != nil {
		return nil, err
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no PEM certificate", file)
	}
	return roots, nil
}
