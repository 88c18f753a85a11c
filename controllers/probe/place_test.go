// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// services stand in for the API server: the prober reads one kind, by name.
type services struct {
	client.Reader
	mu    sync.Mutex
	specs map[client.ObjectKey]corev1.ServiceSpec
	err   error // of every read
	hang  bool  // reads end with their context
	reads []client.ObjectKey
}

func (s *services) Get(ctx context.Context, key client.ObjectKey, object client.Object, _ ...client.GetOption) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads = append(s.reads, key)
	if s.hang {
		<-ctx.Done()
		return ctx.Err()
	}
	if s.err != nil {
		return s.err
	}
	spec, ok := s.specs[key]
	if !ok {
		return apierrors.NewNotFound(schema.GroupResource{Resource: "services"}, key.Name)
	}
	object.(*corev1.Service).Spec = spec
	return nil
}

func (s *services) set(spec corev1.ServiceSpec) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.specs = map[client.ObjectKey]corev1.ServiceSpec{{Namespace: "shop", Name: "orders"}: spec}
}

// specOf is a Service with one TCP port and cluster IPs.
func specOf(port int32, ips ...string) corev1.ServiceSpec {
	spec := corev1.ServiceSpec{Type: corev1.ServiceTypeClusterIP, ClusterIPs: ips, Ports: []corev1.ServicePort{{Port: port, Protocol: corev1.ProtocolTCP}}}
	if len(ips) > 0 {
		spec.ClusterIP = ips[0]
	}
	return spec
}

// serviceOf is the target of a Service with a port.
func serviceOf(port int32) Target {
	return Target{Service: &Service{Namespace: "shop", Name: "orders", Port: port}}
}

// askService does the same as askURL.
func (a *asker) askService(t *testing.T, target Target) outcome {
	t.Helper()
	ended := a.ask(t.Context(), "shop", target)
	ended.cause = nil
	return ended
}

func portNumber(t *testing.T, text string) int32 {
	t.Helper()
	port, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return int32(port)
}

func TestAServiceIsCalledAtItsClusterIPByItsName(t *testing.T) {
	g := NewWithT(t)
	asked := make(chan *http.Request, 1)
	server := serve(t, func(_ http.ResponseWriter, r *http.Request) { asked <- r })
	port := portNumber(t, portOf(server))
	cluster := &services{}
	cluster.set(specOf(port, "127.0.0.1"))
	a := patient()
	a.services = cluster
	target := serviceOf(port)
	g.Expect(a.askService(t, target)).To(Equal(ok))
	request := <-asked
	g.Expect(request.Host).To(Equal("orders.shop.svc:" + portOf(server)))
	g.Expect(request.RequestURI).To(Equal("/"))

	target.Service.Path = "/health%2Fz?deep=yes"
	g.Expect(a.askService(t, target)).To(Equal(ok))
	g.Expect((<-asked).RequestURI).To(Equal("/health%2Fz?deep=yes"))
	g.Expect(cluster.reads).To(ConsistOf(client.ObjectKey{Namespace: "shop", Name: "orders"}, client.ObjectKey{Namespace: "shop", Name: "orders"}), "live, each time")
}

func TestTheUsualPortIsNotNamedToAService(t *testing.T) {
	g := NewWithT(t)
	for text, service := range map[string]Service{
		"http://orders.shop.svc/":          {Port: 80},
		"http://orders.shop.svc:443/":      {Port: 443},
		"http://orders.shop.svc:8080/":     {Port: 8080, Scheme: SchemeHTTP},
		"https://orders.shop.svc/":         {Port: 443, Scheme: SchemeHTTPS},
		"https://orders.shop.svc:80/a?b=c": {Port: 80, Scheme: SchemeHTTPS, Path: "/a?b=c"},
		"http://orders.shop.svc//other":    {Port: 80, Path: "//other"},
	} {
		service.Namespace, service.Name = "shop", "orders"
		to, err := service.withDefaults().url()
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(to.String()).To(Equal(text))
		g.Expect(to.Hostname()).To(Equal("orders.shop.svc"))
	}
}

func TestAServiceThatMovesIsFoundAgain(t *testing.T) {
	g := NewWithT(t)
	one, other := serve(t, answering(200)), serve(t, answering(503))
	cluster := &services{}
	a := patient()
	a.services = cluster
	target := serviceOf(80)
	for range 2 {
		for server, expected := range map[string]outcome{portOf(one): ok, portOf(other): failing} {
			cluster.set(specOf(portNumber(t, server), "127.0.0.1"))
			target.Service.Port = portNumber(t, server)
			g.Expect(a.askService(t, target)).To(Equal(expected))
		}
	}
}

func TestACertificateOfAServiceIsForItsName(t *testing.T) {
	ours := newAuthority(t)
	for name, expected := range map[string]outcome{
		"orders.shop.svc":               ok,
		"orders.shop.svc.cluster.local": {words: "its certificate is not valid: it is for another name"},
		"127.0.0.1":                     {words: "its certificate is not valid: it is for another name"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			named := make(chan string, 1)
			certificate := ours.issue(name, time.Now().Add(-time.Minute), time.Now().Add(time.Minute))
			server := serveTLS(t, &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
				named <- hello.ServerName
				return &certificate, nil
			}}, answering(200))
			port := portNumber(t, portOf(server))
			cluster := &services{}
			cluster.set(specOf(port, "127.0.0.1"))
			a := patient()
			a.services, a.roots = cluster, ours.pool()
			target := serviceOf(port)
			target.Service.Scheme = SchemeHTTPS
			g.Expect(a.askService(t, target)).To(Equal(expected))
			g.Expect(<-named).To(Equal("orders.shop.svc"))
		})
	}
}

func TestTheClusterIPsOfAServiceAreTriedInTurn(t *testing.T) {
	g := NewWithT(t)
	server := serve(t, answering(200))
	port := portNumber(t, portOf(server))
	cluster := &services{}
	a := patient()
	a.services = cluster
	for _, ips := range [][]string{{"127.0.0.1", "::1"}, {"127.0.0.2", "127.0.0.1"}, {"None", "127.0.0.1"}} {
		cluster.set(specOf(port, ips...))
		g.Expect(a.askService(t, serviceOf(port))).To(Equal(ok), "%v", ips)
	}
	cluster.set(corev1.ServiceSpec{ClusterIP: "127.0.0.1", Ports: []corev1.ServicePort{{Port: port}}})
	g.Expect(a.askService(t, serviceOf(port))).To(Equal(ok), "without the fields that the API server defaults")
}

func TestAnAddressThatDoesNotAnswerLeavesTimeForTheNextOne(t *testing.T) {
	g := NewWithT(t)
	server := serve(t, answering(200))
	silence := &net.Dialer{Resolver: &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done() // a name whose address never comes takes as much time as an address that never answers
		return nil, ctx.Err()
	}}}
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	_, err := dialShare(ctx, silence, "receiver.example:80", 2)
	g.Expect(err).To(HaveOccurred())
	g.Expect(time.Since(began)).To(BeNumerically(">=", 900*time.Millisecond))
	g.Expect(ctx.Err()).NotTo(HaveOccurred(), "there is time left")
	conn, err := dialShare(ctx, silence, server.Listener.Addr().String(), 1)
	g.Expect(err).NotTo(HaveOccurred())
	conn.Close()
}

func TestAServiceThatCannotBeProbedIsSaid(t *testing.T) {
	external := corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "metadata.example", Ports: []corev1.ServicePort{{Port: 80}}}
	externalWithIP := external
	externalWithIP.ClusterIP = "127.0.0.1" // left from before its type was changed
	udp := specOf(80, "10.0.0.1")
	udp.Ports[0].Protocol = corev1.ProtocolUDP
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "services"}, "orders", errors.New("a reason with the user's name"))
	for name, test := range map[string]struct {
		cluster *services
		change  func(*Service)
		words   string
	}{
		"missing":            {cluster: &services{}, words: `Service "orders" does not exist`},
		"headless":           {cluster: only(specOf(80, "None")), words: `Service "orders" has no cluster IP`},
		"not yet placed":     {cluster: only(specOf(80)), words: `Service "orders" has no cluster IP`},
		"external":           {cluster: only(external), words: `Service "orders" has no cluster IP`},
		"external by now":    {cluster: only(externalWithIP), words: `Service "orders" has no cluster IP`},
		"another port":       {cluster: only(specOf(8080, "10.0.0.1")), words: `port 80 is not one of the TCP ports of Service "orders"`},
		"UDP":                {cluster: only(udp), words: `port 80 is not one of the TCP ports of Service "orders"`},
		"forbidden":          {cluster: &services{err: forbidden}, words: `the operator may not read Services: its role in namespace "shop" does not allow to get them`},
		"unreadable":         {cluster: &services{err: errors.New("connection to 10.0.0.1 lost at 12:34")}, words: `Service "orders" cannot be read`},
		"never read":         {cluster: &services{hang: true}, words: `Service "orders" cannot be read`},
		"another namespace":  {cluster: only(specOf(80, "10.0.0.1")), change: func(s *Service) { s.Namespace = "bank" }, words: `Service "orders" is not in the namespace of the resource`},
		"no namespace":       {cluster: only(specOf(80, "10.0.0.1")), change: func(s *Service) { s.Namespace = "" }, words: `Service "orders" is not in the namespace of the resource`},
		"another host":       {cluster: only(specOf(80, "10.0.0.1")), change: func(s *Service) { s.Path = "@receiver.example/" }, words: "probe.serviceRef.path is not a path"},
		"a path that is bad": {cluster: only(specOf(80, "10.0.0.1")), change: func(s *Service) { s.Path = "/%zz" }, words: "probe.serviceRef.path is not a path"},
		"a query that is":    {cluster: only(specOf(80, "10.0.0.1")), change: func(s *Service) { s.Path = "/?a b" }, words: "probe.serviceRef.path is not a path"},
		"this machine":       {cluster: only(specOf(80, "127.0.0.1")), words: notAdmitted},
		"metadata":           {cluster: only(specOf(80, "169.254.169.254")), words: notAdmitted},
		"its link":           {cluster: only(specOf(80, "fe80::1")), words: notAdmitted},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			a := patient()
			a.allowed, a.services = nil, test.cluster
			if test.cluster.hang {
				a.limit = 50 * time.Millisecond
			}
			target := serviceOf(80)
			if test.change != nil {
				test.change(target.Service)
			}
			g.Expect(a.askService(t, target)).To(Equal(outcome{words: test.words}))
			g.Expect(test.cluster.reads).NotTo(ContainElement(HaveField("Namespace", Not(Equal("shop")))))
		})
	}
}

// only is a cluster with one Service.
func only(spec corev1.ServiceSpec) *services {
	return &services{specs: map[client.ObjectKey]corev1.ServiceSpec{{Namespace: "shop", Name: "orders"}: spec}}
}

func TestThatTheAddressIsAServicesIsWhatAdmitsAPrivateOne(t *testing.T) {
	g := NewWithT(t)
	cluster := only(specOf(80, "10.96.0.10", "fd00:10:96::a"))
	a := &asker{services: cluster, limit: time.Second}
	at, failed := a.find(t.Context(), "shop", serviceOf(80))
	g.Expect(failed).To(BeNil())
	g.Expect(at.addresses).To(Equal([]string{"10.96.0.10:80", "[fd00:10:96::a]:80"}))
	for _, ip := range []string{"10.96.0.10", "fd00:10:96::a"} {
		g.Expect(at.guard.admits(netip.MustParseAddr(ip))).To(BeTrue(), ip)
	}
	byURL, failed := a.find(t.Context(), "shop", Target{URL: "http://orders.shop.svc"})
	g.Expect(failed).To(BeNil())
	g.Expect(byURL.guard.admits(netip.MustParseAddr("10.96.0.10"))).To(BeFalse(), "a URL is a user's word")
}
