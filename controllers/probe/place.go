// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	notAURL  = "probe.url is not a URL"
	notAPath = "probe.serviceRef.path is not a path"
)

// place is where a target is to be found now, and what to ask for there.
type place struct {
	url       *url.URL // its host is what the request and the certificate are for
	addresses []string // to connect to, one after another: that of the URL, or those of the Service
	guard     guard
}

// find tells where a target is. A Service is looked for each time: it may be made anew, with another address.
func (a *asker) find(ctx context.Context, namespace string, t Target) (place, *trouble) {
	if t.Service != nil {
		return a.findService(ctx, namespace, t.Service.withDefaults())
	}
	to, err := parseURL(t.URL)
	if err != nil {
		return place{}, &trouble{words: notAURL}
	}
	port := to.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[to.Scheme]
	}
	return place{
		url: to, addresses: []string{net.JoinHostPort(to.Hostname(), port)},
		guard: guard{refused: refusedToURLs, allowed: a.allowed},
	}, nil
}

// parseURL reads an absolute http or https URL. An international name becomes the ASCII form that is asked for in DNS.
func parseURL(text string) (*url.URL, error) {
	to, err := parse(text)
	if err != nil {
		return nil, err
	}
	if to.Scheme != "http" && to.Scheme != "https" {
		return nil, errors.New("neither http nor https")
	}
	host := to.Hostname()
	if host == "" || strings.ContainsAny(host, "[]") {
		return nil, errors.New("no host")
	}
	if _, err := strconv.ParseUint(to.Port(), 10, 16); err != nil && to.Port() != "" {
		return nil, err
	}
	if !isASCII(host) {
		ascii, err := idna.Lookup.ToASCII(host)
		if err != nil {
			return nil, err
		}
		to.Host = strings.Replace(to.Host, host, ascii, 1)
	}
	return to, nil
}

// parse refuses spaces, which url.Parse lets stand in a query, and which would end it in the request.
func parse(text string) (*url.URL, error) {
	if strings.Contains(text, " ") {
		return nil, errors.New("a space")
	}
	return url.Parse(text)
}

func isASCII(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r > 0x7f }) < 0
}

// findService reads a Service. That it has its address there is the API server's word, and not a user's, so that it may be a private one.
func (a *asker) findService(ctx context.Context, namespace string, s Service) (place, *trouble) {
	if s.Namespace != namespace {
		return place{}, &trouble{words: fmt.Sprintf("Service %q is not in the namespace of the resource", s.Name)}
	}
	to, err := s.url()
	if err != nil {
		return place{}, &trouble{words: notAPath}
	}
	ips, failed := a.clusterIPs(ctx, s)
	if failed != nil {
		return place{}, failed
	}
	at := place{url: to, guard: guard{refused: local, allowed: a.allowed}}
	for _, ip := range ips {
		at.addresses = append(at.addresses, netip.AddrPortFrom(ip, uint16(s.Port)).String()) //nolint:gosec // a port of the Service
	}
	return at, nil
}

// url is how other pods of the cluster call the Service.
func (s Service) url() (*url.URL, error) {
	if !strings.HasPrefix(s.Path, "/") {
		return nil, errors.New("no path")
	}
	scheme, usualPort := "http", int32(80)
	if s.Scheme == SchemeHTTPS {
		scheme, usualPort = "https", 443
	}
	host := s.Name + "." + s.Namespace + ".svc"
	if s.Port != usualPort {
		host += ":" + strconv.Itoa(int(s.Port))
	}
	return parse(scheme + "://" + host + s.Path)
}

// clusterIPs are those of a Service that has the port.
func (a *asker) clusterIPs(ctx context.Context, s Service) ([]netip.Addr, *trouble) {
	ctx, cancel := context.WithTimeout(ctx, a.limit)
	defer cancel()
	var found corev1.Service
	err := a.services.Get(ctx, client.ObjectKey{Namespace: s.Namespace, Name: s.Name}, &found)
	switch {
	case apierrors.IsNotFound(err):
		return nil, &trouble{words: fmt.Sprintf("Service %q does not exist", s.Name)}
	case apierrors.IsForbidden(err):
		return nil, &trouble{words: fmt.Sprintf(
			"the operator may not read Services: its role in namespace %q does not allow to get them", s.Namespace), cause: err}
	case err != nil:
		return nil, &trouble{words: fmt.Sprintf("Service %q cannot be read", s.Name), cause: err}
	}
	ips := addressesOf(&found)
	switch {
	case len(ips) == 0:
		return nil, &trouble{words: fmt.Sprintf("Service %q has no cluster IP", s.Name)}
	case !hasPort(&found, s.Port):
		return nil, &trouble{words: fmt.Sprintf("port %d is not one of the TCP ports of Service %q", s.Port, s.Name)}
	}
	return ips, nil
}

// addressesOf are the cluster IPs of a Service: none of a headless one, and of type ExternalName, which names a host that anybody may choose.
func addressesOf(service *corev1.Service) []netip.Addr {
	if service.Spec.Type == corev1.ServiceTypeExternalName {
		return nil
	}
	texts := service.Spec.ClusterIPs
	if len(texts) == 0 {
		texts = []string{service.Spec.ClusterIP}
	}
	var ips []netip.Addr
	for _, text := range texts {
		if ip, err := netip.ParseAddr(text); err == nil { // None is not one
			ips = append(ips, ip)
		}
	}
	return ips
}

func hasPort(service *corev1.Service, port int32) bool {
	for _, p := range service.Spec.Ports {
		if p.Port == port && (p.Protocol == corev1.ProtocolTCP || p.Protocol == "") {
			return true
		}
	}
	return false
}
