// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"context"
	"encoding/binary"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	. "github.com/onsi/gomega"
)

const notAdmitted = "its address is a loopback, link-local or private one, which --probe-allow-cidr does not admit"

// nameServer answers DNS queries on a loopback address.
type nameServer struct {
	conn net.PacketConn

	mu    sync.Mutex
	names map[string][]netip.Addr
}

func newNameServer(t *testing.T) *nameServer {
	t.Helper()
	conn, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &nameServer{conn: conn, names: map[string][]netip.Addr{}}
	var wg sync.WaitGroup
	wg.Go(s.serve)
	t.Cleanup(func() {
		conn.Close()
		wg.Wait()
	})
	return s
}

// with has a name lead to addresses from now on.
func (s *nameServer) with(name string, addresses ...string) *nameServer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.names[name] = nil
	for _, text := range addresses {
		s.names[name] = append(s.names[name], netip.MustParseAddr(text))
	}
	return s
}

func (s *nameServer) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", s.conn.LocalAddr().String())
	}}
}

func (s *nameServer) serve() {
	query := make([]byte, 512)
	for {
		n, client, err := s.conn.ReadFrom(query)
		if err != nil {
			return
		}
		_, _ = s.conn.WriteTo(s.answer(query[:n]), client)
	}
}

// answer is the header and the question of the query, and what is known of that name (RFC 1035).
func (s *nameServer) answer(query []byte) []byte {
	const header, address4, address6 = 12, 1, 28
	var labels []string
	end := header
	for query[end] != 0 {
		labels = append(labels, string(query[end+1:end+1+int(query[end])]))
		end += 1 + int(query[end])
	}
	kind := binary.BigEndian.Uint16(query[end+1:])
	answer := append([]byte{}, query[:end+5]...)
	s.mu.Lock()
	addresses, known := s.names[strings.Join(labels, ".")]
	s.mu.Unlock()
	answer[2], answer[3] = 0x84, 0x00 // an answer of the authority
	if !known {
		answer[3] = 3 // no such name
	}
	count := uint16(0)
	for _, addr := range addresses {
		if (addr.Is4() && kind == address4) || (addr.Is6() && kind == address6) {
			count++
			answer = append(answer, 0xc0, header, 0, byte(kind), 0, 1, 0, 0, 0, 0, 0, byte(addr.BitLen()/8)) // lives for no time
			answer = append(answer, addr.AsSlice()...)
		}
	}
	binary.BigEndian.PutUint16(answer[6:], count)
	binary.BigEndian.PutUint32(answer[8:], 0)
	return answer
}

// counting starts a server that counts its connections on all loopback addresses.
func counting(t *testing.T) (port string, connections *atomic.Int64) {
	t.Helper()
	connections = &atomic.Int64{}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{
		Handler: answering(http.StatusOK),
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				connections.Add(1)
			}
		},
	}
	var wg sync.WaitGroup
	wg.Go(func() { _ = server.Serve(listener) })
	t.Cleanup(func() {
		server.Close()
		wg.Wait()
	})
	_, port, _ = net.SplitHostPort(listener.Addr().String())
	return port, connections
}

func TestWithoutLeaveNoProbeReachesThisMachine(t *testing.T) {
	port, connections := counting(t)
	a := patient()
	a.allowed = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for _, host := range []string{
		"127.0.0.1", "127.1.2.3", "localhost", "LOCALHOST", "0.0.0.0", "[::]", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:0:0]",
		"[::127.0.0.1]", "１２７.0.0.1", "[fe80::1%25lo]", "[::1%25lo]", "[::ffff:127.0.0.1%25lo]", "[64:ff9b::127.0.0.1]",
	} {
		for _, scheme := range []string{"http://", "https://"} {
			g := NewWithT(t)
			ended := a.askURL(t, scheme+host+":"+port)
			g.Expect(ended.expected).To(BeFalse(), host)
			g.Expect(ended.words).To(Equal(notAdmitted), host)
		}
	}
	NewWithT(t).Expect(connections.Load()).To(BeZero())
}

func TestWithLeaveTheSameAddressesAreReached(t *testing.T) {
	port, connections := counting(t)
	for i, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "１２７.0.0.1"} {
		g := NewWithT(t)
		g.Expect(patient().askURL(t, "http://"+host+":"+port)).To(Equal(ok), host)
		g.Expect(connections.Load()).To(BeEquivalentTo(i + 1))
	}
}

func TestANameThatLeadsToThisMachineIsAsGoodAsItsAddress(t *testing.T) {
	g := NewWithT(t)
	port, connections := counting(t)
	dns := newNameServer(t).with("receiver.example", "127.0.0.1", "::1")
	a := patient()
	a.allowed, a.resolver = nil, dns.resolver()
	g.Expect(a.askURL(t, "http://receiver.example:"+port)).To(Equal(outcome{words: notAdmitted}))
	g.Expect(connections.Load()).To(BeZero())
}

// TestANameThatLeadsElsewhereAfterItWasCheckedIsRefused is what DNS rebinding does.
func TestANameThatLeadsElsewhereAfterItWasCheckedIsRefused(t *testing.T) {
	g := NewWithT(t)
	port, connections := counting(t)
	dns := newNameServer(t).with("receiver.example", "127.0.0.1")
	a := patient()
	a.allowed, a.resolver = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, dns.resolver()
	for range 3 {
		dns.with("receiver.example", "127.0.0.1")
		g.Expect(a.askURL(t, "http://receiver.example:"+port)).To(Equal(ok))
		before := connections.Load()
		dns.with("receiver.example", "127.0.0.2")
		g.Expect(a.askURL(t, "http://receiver.example:"+port)).To(Equal(outcome{words: notAdmitted}))
		g.Expect(connections.Load()).To(Equal(before))
	}
}

func TestOfSeveralAddressesThoseThatAreAdmittedAreUsed(t *testing.T) {
	g := NewWithT(t)
	port, connections := counting(t)
	a := patient()
	a.allowed = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	for _, addresses := range [][]string{
		{"127.0.0.2", "127.0.0.1"}, {"127.0.0.1", "127.0.0.2"}, {"::1", "127.0.0.1"}, {"fd00::1", "127.0.0.3", "127.0.0.1", "169.254.169.254"},
	} {
		before := connections.Load()
		a.resolver = newNameServer(t).with("receiver.example", addresses...).resolver()
		g.Expect(a.askURL(t, "http://receiver.example:"+port)).To(Equal(ok), "%v", addresses)
		g.Expect(connections.Load()).To(Equal(before+1), "%v", addresses)
	}
}

func TestWhereTheAdmittedAddressesFailTheWordsDoNotDependOnTheirOrder(t *testing.T) {
	g := NewWithT(t)
	listener := listen(t)
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	listener.Close()
	a := patient()
	a.allowed = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	for _, addresses := range [][]string{{"127.0.0.2", "127.0.0.1"}, {"127.0.0.1", "127.0.0.2"}, {"::1", "127.0.0.1"}} {
		a.resolver = newNameServer(t).with("receiver.example", addresses...).resolver()
		g.Expect(a.askURL(t, "http://receiver.example:"+port).words).To(HavePrefix("it cannot be connected to at those of its addresses"), "%v", addresses)
	}
}

func TestANameThatLeadsNowhereIsSaid(t *testing.T) {
	a := hasty()
	unresolved := outcome{words: "its name cannot be resolved"}
	t.Run("there is none", func(t *testing.T) {
		a.resolver = newNameServer(t).resolver()
		NewWithT(t).Expect(a.askURL(t, "http://receiver.example")).To(Equal(unresolved))
	})
	t.Run("it has no address", func(t *testing.T) {
		a.resolver = newNameServer(t).with("receiver.example").resolver()
		NewWithT(t).Expect(a.askURL(t, "http://receiver.example")).To(Equal(unresolved))
	})
	t.Run("nobody answers", func(t *testing.T) {
		server := newNameServer(t)
		server.conn.Close()
		silent, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		t.Cleanup(func() { silent.Close() })
		a.resolver = (&nameServer{conn: silent}).resolver()
		for range 3 {
			NewWithT(t).Expect(a.askURL(t, "http://receiver.example")).To(Equal(unresolved))
		}
	})
	t.Run("an international one that is known", func(t *testing.T) {
		port, _ := counting(t)
		a := patient()
		a.resolver = newNameServer(t).with("xn--bcher-kva.example", "127.0.0.1").resolver()
		NewWithT(t).Expect(a.askURL(t, "http://bücher.example:"+port)).To(Equal(ok))
	})
}
