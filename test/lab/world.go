// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"bytes"
	"context"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
	"github.com/medblocks/webhook-operator/test/secrecy"
)

const (
	// ClusterID is the first part of the owner marks, unless an operator has another one.
	ClusterID = "lab"
	// KeySecret is the Secret with the API key.
	KeySecret = "medblocks"
	// Workspace is the one that World.Key opens.
	Workspace = "workspace"
)

// World is all that one test has to itself.
type World struct {
	*WithT
	T testing.TB

	Namespace string
	// Key is the API key, in the Secret KeySecret.
	Key    string
	Vendor *emulator.Server
	Clock  *Clock
	// Client may do everything and reads live.
	Client client.WithWatch
	// Receiver gets the deliveries to the URLs of Manifest.
	Receiver *Receiver
	// Logs of all operators.
	Logs *Buffer
	// Bystanders are endpoints of others in the same workspace, as they were.
	Bystanders []emulator.EndpointWithSecret

	// Outsiders write to this world's namespace too: kube-controller-manager, while the namespace is being deleted.
	Outsiders bool
	// Defaults of the operators that are started.
	Defaults OperatorOptions

	site         *Site
	patience     time.Duration
	vendorServer *httptest.Server
	vendorRT     http.RoundTripper
	operators    []*Operator
	secrets      secrecy.Keeper // are to be found nowhere
	active       atomic.Int64   // counts the beginnings and ends of the writes that we see, whoever makes them
	ending       sync.Once
}

// Setup is what a test may change before its world begins.
type Setup struct {
	Vendor   emulator.Options
	Operator OperatorOptions
	// Keyless worlds begin without the API key Secret.
	Keyless bool
	// Site is the control plane; default: the one of the package.
	Site *Site
	// Patience is how long (real time) something may be under way before the world counts as stuck; default: a minute.
	Patience time.Duration
	// Start of the virtual time; default: now, to the second.
	Start time.Time
}

// NewWorld makes a world without an operator.
func NewWorld(t testing.TB, tweaks ...func(*Setup)) *World {
	t.Helper()
	s := Setup{
		Start: time.Now().Truncate(time.Second), Site: shared.site, Patience: time.Minute,
		Operator: OperatorOptions{
			APITimeout: 30 * time.Second, PollInterval: 5 * time.Minute, DisabledPollInterval: time.Minute,
			ClusterID: ClusterID, Workers: 4,
		},
	}
	for _, tweak := range tweaks {
		tweak(&s)
	}
	w := &World{
		WithT: NewWithT(t), T: t, Clock: newClock(s.Start), Logs: &Buffer{}, Defaults: s.Operator, site: s.Site, patience: s.Patience,
		Key: "mb_sk_sbx_canary" + rand.Text(), vendorRT: &http.Transport{MaxIdleConnsPerHost: 8},
	}
	var err error
	w.Client, err = client.NewWithWatch(w.site.admin.config(w.counting), client.Options{Scheme: shared.scheme, Mapper: w.site.mapper})
	w.Expect(err).NotTo(HaveOccurred())
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "lab-"}}
	w.Expect(w.Client.Create(w.Context(), namespace)).To(Succeed())
	w.Namespace = namespace.Name

	s.Vendor.Clock = w.Clock
	w.Vendor = emulator.New(s.Vendor)
	w.vendorServer = httptest.NewServer(w.Vendor)
	w.Receiver = newReceiver()
	t.Cleanup(func() {
		w.End()
		w.explain()
	})
	w.Expect(w.Vendor.SetKey(emulator.Key{APIKey: w.Key, Workspace: Workspace})).To(Succeed())
	w.addBystanders()
	if !s.Keyless {
		w.CreateSecret(KeySecret, map[string]string{v1alpha1.DefaultAPIKeySecretKey: w.Key})
	}
	return w
}

// Context outlives the test's own, which has ended when its cleanups run.
func (w *World) Context() context.Context { return context.WithoutCancel(w.T.Context()) }

// counting notes the test's own writes: the informers have to see those too before anything counts as settled.
func (w *World) counting(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		if req.Method != http.MethodGet {
			defer w.active.Add(1)
		}
		return w.site.attended(next, req)
	})
}

// addBystanders puts endpoints of others into the workspace, which nobody may touch. They are delivered to, lest the vendor
// disables them one day.
func (w *World) addBystanders() {
	for _, metadata := range []map[string]any{
		{"team": "billing"},
		{v1alpha1.MarkOwner: "another-cluster/" + w.Namespace + "/hooks", v1alpha1.MarkIncarnation: "another", v1alpha1.MarkSecretGeneration: "another"},
	} {
		added, err := w.Vendor.AddEndpoint(w.Key, emulator.Endpoint{URL: w.Receiver.URL + "/bystander", Metadata: metadata})
		w.Expect(err).NotTo(HaveOccurred())
		w.Bystanders = append(w.Bystanders, added)
	}
}

func (w *World) killAll() {
	for _, op := range w.operators {
		op.Kill()
	}
	for _, op := range w.operators {
		<-op.ended
	}
}

// explain prints what is needed to understand a failure.
func (w *World) explain() {
	if !w.T.Failed() {
		return
	}
	for i, op := range w.operators {
		for _, r := range op.Wire.Requests() {
			if r.IsWrite() || r.Side == Medblocks {
				w.T.Logf("operator %d: %s?%s %d", i+1, r.String(), r.Query.Encode(), r.Status)
			}
		}
	}
	logs := w.Logs.String()
	w.T.Log(logs[max(0, len(logs)-tail):])
}

// tail is how much of a log is shown.
const tail = 8000

// Buffer is a log that can be read while it is written.
type Buffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write appends to the log.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// shorten forgets all but the tail.
func (b *Buffer) shorten() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.buf = *bytes.NewBuffer(bytes.Clone(b.buf.Bytes()[max(0, b.buf.Len()-tail):]))
}

// String is all that was logged.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
