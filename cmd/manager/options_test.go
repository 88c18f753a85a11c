// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"net/netip"
	"testing"

	. "github.com/onsi/gomega"
)

func TestNetworksThatProbesMayReachAreTakenInEveryForm(t *testing.T) {
	g := NewWithT(t)
	opts, flags := defaultOptions(), flag.NewFlagSet("", flag.ContinueOnError)
	opts.addFlags(flags)
	g.Expect(opts.probeAllow()).To(BeEmpty())
	g.Expect(flags.Parse([]string{"--probe-allow-cidr=10.0.0.0/8, 192.168.1.2", "--probe-allow-cidr=fd00::/8"})).To(Succeed())
	g.Expect(opts.validate()).To(Succeed())
	g.Expect(opts.probeAllow()).To(Equal([]netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.168.1.2/32"), netip.MustParsePrefix("fd00::/8"),
	}))
}
