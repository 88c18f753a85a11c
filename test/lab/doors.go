// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"path/filepath"

	. "github.com/onsi/gomega"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/medblocks/webhook-operator/test/controlplane"
)

// Doors lead an operator that is a process of its own through a Wire: they are HTTP servers in front of both sides. Such an
// operator lives in real time.
type Doors struct {
	// Kubeconfig is a file; what it leads to has the operator's permissions.
	Kubeconfig string
	// Medblocks is a URL.
	Medblocks string

	servers []*httptest.Server
}

// Open opens doors.
func (w *World) Open(wire *Wire) *Doors {
	w.T.Helper()
	kubernetes := door(wire.side(Kubernetes, w.site.operator.transport), w.site.operator.host)
	medblocks := door(wire.side(Medblocks, w.vendorRT), w.vendorServer.URL)
	d := &Doors{
		Kubeconfig: filepath.Join(w.T.TempDir(), "kubeconfig"), Medblocks: medblocks.URL,
		servers: []*httptest.Server{kubernetes, medblocks},
	}
	config := api.NewConfig()
	config.Clusters["door"] = &api.Cluster{Server: kubernetes.URL}
	config.Contexts["door"] = &api.Context{Cluster: "door"}
	config.CurrentContext = "door"
	w.Expect(clientcmd.WriteToFile(*config, d.Kubeconfig)).To(Succeed())
	return d
}

// Close closes the doors once all answers that are on their way have arrived. The wire has to be cut first: watches never end.
func (d *Doors) Close() {
	for _, server := range d.servers {
		server.Close()
	}
}

// door passes requests on through a transport.
func door(transport http.RoundTripper, to string) *httptest.Server {
	target, err := url.Parse(to)
	if err != nil {
		panic(err) // of a server that runs
	}
	return httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:     transport,
		FlushInterval: -1, // watches are read as they come
		ErrorLog:      log.New(io.Discard, "", 0),
		// Who is cut off hears nothing.
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	})
}

// Command is a program that ends with the control plane at the latest.
func Command(ctx context.Context, path string, args ...string) *exec.Cmd {
	return shared.site.plane.Command(ctx, path, args...)
}

// ControlPlane is the one that all worlds of the package share, for programs that no World starts: kubectl, or an operator in real time.
func ControlPlane() *controlplane.ControlPlane { return shared.site.plane }
