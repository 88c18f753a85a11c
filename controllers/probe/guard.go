// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync/atomic"
	"syscall"
)

// errNotAdmitted ends the dialing of an address that probes may not reach.
var errNotAdmitted = errors.New("probes may not reach this address")

// guard says which addresses a probe may connect to. It is asked with the address of the connection itself, right before that is made: what
// a name resolved to a moment before counts for nothing.
type guard struct {
	refused []netip.Prefix
	allowed []netip.Prefix // by the operator's flags; it counts for more than refused
}

// local are networks in which not even a Service of Kubernetes has its address: they are this machine, its link, or where clouds give out
// metadata and credentials.
var local = networks(
	"0.0.0.0/8",              // this machine, for some
	"127.0.0.0/8",            // loopback
	"169.254.0.0/16",         // link-local, with the metadata of most clouds (169.254.169.254)
	"100.100.100.200/32",     // metadata at Alibaba
	"168.63.129.16/32",       // the host of a machine at Azure; a public address
	"192.0.0.192/32",         // metadata at Oracle
	"224.0.0.0/4",            // multicast
	"255.255.255.255/32",     // broadcast
	"::/96",                  // unspecified, loopback, and a form of IPv4 addresses that is no longer in use
	"::ffff:0:0:0/96",        // another one
	"64:ff9b:1::/48",         // translation of a site's own
	"fe80::/10",              // link-local
	"ff00::/8",               // multicast
	"fd00:ec2::/32",          // metadata and more at Amazon
	"fd20:ce::254/128",       // metadata at Google
	"fd00:c1::a9fe:a9fe/128", // metadata at Oracle
	"fd00:42::42/128",        // metadata at Scaleway
)

// private are further networks that are not the public Internet; what a URL names must not be there. Of IPv6, 2000::/3 is public, with
// exceptions.
var private = networks(
	"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", // RFC 1918
	"100.64.0.0/10",        // shared by providers and clusters
	"192.0.0.0/24",         // protocols
	"192.0.2.0/24",         // documentation
	"192.88.99.0/24",       // relays of 6to4, no longer in use
	"198.18.0.0/15",        // benchmarks
	"198.51.100.0/24",      // documentation
	"203.0.113.0/24",       // documentation
	"240.0.0.0/4",          // reserved
	"::/3",                 // translation, tunnels, discarded
	"4000::/2", "8000::/1", // unique local (fc00::/7), site-local (fec0::/10), reserved
	"2001::/23",     // protocols
	"2001:db8::/32", // documentation
	"3fff::/20",     // documentation
)

// refusedToURLs is what the URL of a user must not lead to. (What it may not do with a Service, it may not do with a URL.)
var refusedToURLs = slices.Concat(local, private)

func networks(prefixes ...string) []netip.Prefix {
	parsed := make([]netip.Prefix, 0, len(prefixes))
	for _, prefix := range prefixes {
		parsed = append(parsed, netip.MustParsePrefix(prefix))
	}
	return parsed
}

// admits tells whether a probe may connect to an address.
func (g guard) admits(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("") // a network contains no address with a zone
	inner := embedded(addr)
	switch {
	case !addr.IsValid():
		return false
	case contains(g.allowed, addr):
		return true
	case len(inner) > 0:
		return !slices.ContainsFunc(inner, func(a netip.Addr) bool { return !g.admits(a) })
	}
	return !contains(g.refused, addr)
}

func contains(networks []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(networks, func(network netip.Prefix) bool { return network.Contains(addr) })
}

// The networks whose addresses hold IPv4 addresses that a packet may end up at.
var (
	nat64     = netip.MustParsePrefix("64:ff9b::/96")
	sixToFour = netip.MustParsePrefix("2002::/16")
	teredo    = netip.MustParsePrefix("2001::/32")
)

// embedded are the IPv4 addresses in an IPv6 address of a translation or a tunnel.
func embedded(addr netip.Addr) []netip.Addr {
	if !addr.Is6() {
		return nil
	}
	b := addr.As16()
	switch {
	case nat64.Contains(addr):
		return []netip.Addr{netip.AddrFrom4([4]byte(b[12:]))}
	case sixToFour.Contains(addr):
		return []netip.Addr{netip.AddrFrom4([4]byte(b[2:6]))}
	case teredo.Contains(addr): // its server, and its client with all bits inverted
		return []netip.Addr{netip.AddrFrom4([4]byte(b[4:8])), netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]})}
	}
	return nil
}

// tries are what the guard has said of the addresses of one target.
type tries struct{ admitted, refused atomic.Bool }

// control is the ControlContext of a dialer, which calls it for every address before it connects to it.
func (g guard) control(tried *tries) func(context.Context, string, string, syscall.RawConn) error {
	return func(_ context.Context, _, address string, _ syscall.RawConn) error {
		if to, err := netip.ParseAddrPort(address); err == nil && g.admits(to.Addr()) {
			tried.admitted.Store(true)
			return nil
		}
		tried.refused.Store(true)
		return errNotAdmitted
	}
}

// ParseNetwork reads a network that probes may reach, as the operator's flag takes it: 10.0.0.0/8, or a single address.
func ParseNetwork(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		text = netip.PrefixFrom(addr, addr.BitLen()).String()
	}
	network, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		return netip.Prefix{}, fmt.Errorf("%q must be a network such as 10.0.0.0/8 or fd00::/8, or an address", text)
	case network.Addr().Is4In6():
		return netip.Prefix{}, fmt.Errorf("%q must be written as an IPv4 network", text)
	case network != network.Masked():
		return netip.Prefix{}, fmt.Errorf("%q has bits set beyond its length: write %s", text, network.Masked())
	}
	return network, nil
}
