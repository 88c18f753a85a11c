// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"net/netip"
	"testing"

	. "github.com/onsi/gomega"
)

// verdict is where a probe may go: to an address that a URL leads to, and to one that is a Service's.
type verdict struct{ url, service bool }

func judge(addr netip.Addr, allowed ...netip.Prefix) verdict {
	return verdict{
		url:     guard{refused: refusedToURLs, allowed: allowed}.admits(addr),
		service: guard{refused: local, allowed: allowed}.admits(addr),
	}
}

var (
	anybody     = verdict{url: true, service: true}
	onlyService = verdict{service: true}
	nobody      = verdict{}
)

// addresses are some of each class, the first and the last of a network among them.
var addresses = []struct {
	class     string
	verdict   verdict
	addresses []string
}{
	{"public", anybody, []string{
		"1.0.0.0", "8.8.8.8", "9.255.255.255", "11.0.0.0", "93.184.216.34", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
		"168.63.129.15", "168.63.129.17", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.0.3.0",
		"192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
		"2000::", "2001:200::", "2001:4860:4860::8888", "2001:db7:ffff::", "2001:db9::", "2606:4700::1111", "3ffe::1", "3fff:1000::",
	}},
	{"this machine, for some", nobody, []string{"0.0.0.0", "0.0.0.1", "0.255.255.255", "::"}},
	{"loopback", nobody, []string{"127.0.0.0", "127.0.0.1", "127.0.0.53", "127.255.255.255", "::1", "::1%eth0"}},
	{"link-local", nobody, []string{"169.254.0.0", "169.254.255.255", "fe80::", "fe80::1", "fe80::1%eth0", "febf:ffff::"}},
	{"metadata", nobody, []string{
		"169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd00:ec2::23",
		"fd20:ce::254", "fd00:c1::a9fe:a9fe", "fd00:42::42",
	}},
	{"multicast", nobody, []string{"224.0.0.0", "224.0.0.1", "239.255.255.255", "ff00::", "ff02::1", "ff02::1%eth0", "ff0e::1"}},
	{"broadcast", nobody, []string{"255.255.255.255"}},
	{"RFC 1918", onlyService, []string{
		"10.0.0.0", "10.96.0.1", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0", "192.168.255.255",
	}},
	{"shared", onlyService, []string{"100.64.0.0", "100.127.255.255"}},
	{"unique local", onlyService, []string{"fc00::", "fd00::1", "fd00::1%eth0", "fdff:ffff::"}},
	{"site-local", onlyService, []string{"fec0::", "feff::1"}},
	{"protocols", onlyService, []string{"192.0.0.0", "192.0.0.255", "2001:2::", "2001:10::", "2001:1ff::"}},
	{"documentation", onlyService, []string{"192.0.2.1", "198.51.100.1", "203.0.113.255", "2001:db8::", "2001:db8:ffff::", "3fff::", "3fff:fff::"}},
	{"benchmarks", onlyService, []string{"198.18.0.0", "198.19.255.255"}},
	{"relays of 6to4", onlyService, []string{"192.88.99.1"}},
	{"reserved", onlyService, []string{"240.0.0.0", "255.255.255.254", "100::1", "1fff::", "4000::", "5f00::1", "8000::"}},
	{"IPv4 addresses written as IPv6 that are public", anybody, []string{"::ffff:8.8.8.8"}},
	{"IPv4 addresses written as IPv6 that are private", onlyService, []string{"::ffff:10.0.0.1", "::ffff:192.168.1.1"}},
	{"IPv4 addresses written as IPv6 that are local", nobody, []string{"::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:0.0.0.0", "::ffff:7f00:1%eth0"}},
	{"IPv4 addresses in the forms that nobody uses any more", nobody, []string{"::8.8.8.8", "::7f00:1", "::ffff:0:7f00:1", "64:ff9b:1::7f00:1"}},
	{"NAT64 to a public address", anybody, []string{"64:ff9b::8.8.8.8"}},
	{"NAT64 to a private address", onlyService, []string{"64:ff9b::10.0.0.1", "64:ff9b::192.168.0.1%eth0"}},
	{"NAT64 to a local address", nobody, []string{"64:ff9b::127.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b::0.0.0.0"}},
	{"6to4 of a public address", anybody, []string{"2002:808:808::1"}},
	{"6to4 of a private address", onlyService, []string{"2002:a00:1::1", "2002:c0a8:101::"}},
	{"6to4 of a local address", nobody, []string{"2002:7f00:1::1", "2002:a9fe:a9fe::1"}},
	{"Teredo of public addresses", anybody, []string{"2001:0:808:808::f7f7:f7f7"}},                                    // client 8.8.8.8
	{"Teredo of a private client", onlyService, []string{"2001:0:808:808::f5ff:fffe"}},                                // 10.0.0.1
	{"Teredo with a private server", onlyService, []string{"2001:0:a00:1::f7f7:f7f7"}},                                // 10.0.0.1
	{"Teredo of a local client or server", nobody, []string{"2001:0:808:808::80ff:fffe", "2001:0:7f00:1::f7f7:f7f7"}}, // 127.0.0.1
}

func TestProbesReachPublicAddressesAndServicesOnly(t *testing.T) {
	for _, test := range addresses {
		t.Run(test.class, func(t *testing.T) {
			g := NewWithT(t)
			for _, text := range test.addresses {
				g.Expect(judge(netip.MustParseAddr(text))).To(Equal(test.verdict), text)
			}
		})
	}
	NewWithT(t).Expect(judge(netip.Addr{})).To(Equal(nobody), "no address")
}

func TestAnAllowedNetworkIsReachedWhateverItIs(t *testing.T) {
	g := NewWithT(t)
	for _, test := range addresses {
		for _, text := range test.addresses {
			addr := netip.MustParseAddr(text).WithZone("").Unmap()
			only := netip.PrefixFrom(addr, addr.BitLen())
			g.Expect(judge(netip.MustParseAddr(text), only)).To(Equal(anybody), text)
		}
	}
}

func TestAnAllowedNetworkAllowsNothingElse(t *testing.T) {
	g := NewWithT(t)
	allowed := netip.MustParsePrefix("10.1.0.0/16")
	for text, expected := range map[string]verdict{
		"10.1.2.3": anybody, "::ffff:10.1.2.3": anybody, "64:ff9b::10.1.2.3": anybody, "2002:a01:203::1": anybody,
		"10.0.255.255": onlyService, "10.2.0.0": onlyService, "::ffff:10.2.0.0": onlyService, "64:ff9b::10.2.0.0": onlyService,
		"2001:0:a01:203::f5fd:fffe": onlyService, // the server is allowed, the client is 10.2.0.1
		"127.0.0.1":                 nobody, "fd00::1": onlyService,
	} {
		g.Expect(judge(netip.MustParseAddr(text), allowed)).To(Equal(expected), text)
	}
}

func TestTheGuardIsAskedWithTheAddressOfTheConnection(t *testing.T) {
	for address, admitted := range map[string]bool{
		"8.8.8.8:80": true, "[2606:4700::1111]:443": true,
		"127.0.0.1:80": false, "[::1]:80": false, "[fe80::1%eth0]:80": false, "[::ffff:127.0.0.1]:80": false,
		"": false, "receiver.example:80": false, "8.8.8.8": false, "/var/run/docker.sock": false, // not an address and a port: who knows
	} {
		t.Run(address, func(t *testing.T) {
			g := NewWithT(t)
			var tried tries
			err := guard{refused: refusedToURLs}.control(&tried)(t.Context(), "tcp4", address, nil)
			if admitted {
				g.Expect(err).NotTo(HaveOccurred())
			} else {
				g.Expect(err).To(MatchError(errNotAdmitted))
			}
			g.Expect(tried.admitted.Load()).To(Equal(admitted))
			g.Expect(tried.refused.Load()).To(Equal(!admitted))
		})
	}
}

func TestNetworksAreReadAndWhatIsWrongWithThemIsSaid(t *testing.T) {
	for text, network := range map[string]string{
		"10.0.0.0/8": "10.0.0.0/8", "fd00::/8": "fd00::/8", "0.0.0.0/0": "0.0.0.0/0", "10.1.2.3": "10.1.2.3/32", "fd00::1": "fd00::1/128",
		"127.0.0.1/32": "127.0.0.1/32",
	} {
		g := NewWithT(t)
		g.Expect(ParseNetwork(text)).To(Equal(netip.MustParsePrefix(network)), text)
	}
	for text, complaint := range map[string]string{
		"everywhere": "10.0.0.0/8", "": "10.0.0.0/8", "10.0.0.0/33": "10.0.0.0/8", "10.0.0/8": "10.0.0.0/8", "fe80::1%eth0": "10.0.0.0/8",
		"10.1.2.3/8": "write 10.0.0.0/8", "fd12::/8": "write fd00::/8",
		"::ffff:10.0.0.0/104": "IPv4", "::ffff:10.0.0.1": "IPv4",
	} {
		g := NewWithT(t)
		_, err := ParseNetwork(text)
		g.Expect(err).To(MatchError(ContainSubstring(complaint)), text)
		g.Expect(err).To(MatchError(ContainSubstring(text)), text)
	}
}

// FuzzTheGuardAdmitsNothingThatIsNotPublic holds the tables against what the standard library knows of addresses.
func FuzzTheGuardAdmitsNothingThatIsNotPublic(f *testing.F) {
	for _, test := range addresses {
		for _, text := range test.addresses {
			addr := netip.MustParseAddr(text)
			f.Add(addr.AsSlice(), addr.Zone())
		}
	}
	f.Fuzz(func(t *testing.T, bytes []byte, zone string) {
		addr, ok := netip.AddrFromSlice(bytes)
		if !ok {
			return
		}
		for name, form := range formsOf(addr, zone) {
			verdict := judge(form)
			if verdict.url && !isPublic(addr) {
				t.Errorf("%s, %s, is reached by URLs", form, name)
			}
			if verdict.service && isLocal(addr) {
				t.Errorf("%s, %s, is reached as a Service's", form, name)
			}
			if verdict.url && !verdict.service {
				t.Errorf("%s, %s, is reached by URLs and not as a Service's", form, name)
			}
		}
	})
}

// formsOf are the ways to write an address.
func formsOf(addr netip.Addr, zone string) map[string]netip.Addr {
	forms := map[string]netip.Addr{"as it is": addr}
	if addr.Is6() {
		forms["with a zone"] = addr.WithZone(zone)
	}
	if addr = addr.Unmap(); addr.Is4() {
		v4, nat, to4 := addr.As4(), nat64.Addr().As16(), sixToFour.Addr().As16()
		copy(nat[12:], v4[:])
		copy(to4[2:], v4[:])
		forms["unmapped"], forms["mapped"] = addr, netip.AddrFrom16(addr.As16())
		forms["mapped, with a zone"] = netip.AddrFrom16(addr.As16()).WithZone(zone)
		forms["behind NAT64"], forms["in 6to4"] = netip.AddrFrom16(nat), netip.AddrFrom16(to4)
	}
	return forms
}

func isPublic(addr netip.Addr) bool {
	addr = addr.Unmap()
	return addr.IsGlobalUnicast() && !addr.IsPrivate() && !isLocal(addr)
}

func isLocal(addr netip.Addr) bool {
	addr = addr.Unmap()
	return addr.IsLoopback() || addr.IsUnspecified() || addr.IsMulticast() || addr.IsLinkLocalUnicast() ||
		addr.IsLinkLocalMulticast() || addr.IsInterfaceLocalMulticast()
}
