// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package listen opens the port of a sample program, with TLS where it has a certificate: what is not on this machine has to be called
// over TLS, both by the operator and by Medblocks.
package listen

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/spf13/pflag"
)

// Flags say where a program listens.
type Flags struct {
	address, certFile, keyFile string
}

// Add adds the flags to those of the program. The address is the default.
func (f *Flags) Add(flags *pflag.FlagSet, address string) {
	flags.StringVar(&f.address, "listen", address, "address to listen on; port 0 picks a free one")
	flags.StringVar(&f.certFile, "tls-cert-file", "",
		"PEM file with the certificate to serve https with, read again for every connection, such as one of a mounted Secret; without it, http")
	flags.StringVar(&f.keyFile, "tls-private-key-file", "", "PEM file with the private key of that certificate")
}

// Listen opens the port, and says on a writer where: the first line that a program prints, "listening on http://127.0.0.1:8089".
func (f *Flags) Listen(ctx context.Context, out io.Writer) (net.Listener, error) {
	scheme := "http"
	if f.certFile != "" || f.keyFile != "" {
		if _, err := f.certificate(nil); err != nil {
			return nil, err
		}
		scheme = "https"
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.address)
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(out, "listening on %s://%s\n", scheme, reachable(listener.Addr())); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	if scheme == "https" {
		// Of HTTP, only the version whose connections can be cut: the faults of the emulator do that.
		return tls.NewListener(listener, &tls.Config{
			GetCertificate: f.certificate, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
		}), nil
	}
	return listener, nil
}

func (f *Flags) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if f.certFile == "" || f.keyFile == "" {
		return nil, errors.New("--tls-cert-file and --tls-private-key-file go together")
	}
	pair, err := tls.LoadX509KeyPair(f.certFile, f.keyFile)
	if err != nil {
		return nil, fmt.Errorf("--tls-cert-file, --tls-private-key-file: %w", err)
	}
	return &pair, nil
}

// reachable is an address that a client on this machine can use.
func reachable(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
