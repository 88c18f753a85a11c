// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// The collections that an operator watches, as they are in paths.
const (
	ResourceViews = "medblockswebhookendpoints"
	SecretViews   = "secrets"
)

// View is what an operator's informers are shown of the API server: as the middleware of its Wire it can hold it back, so
// that the operator works with what was true once. Reads that do not go through the informers are quorum reads, which no
// API server answers from a past; they pass. Start the operator with the option Blind.
type View struct {
	world *World
	// at is the revision that the first list shows; empty: the present.
	at string
	// collections that are held back.
	collections []string

	mu       sync.Mutex
	blocked  chan struct{} // closed when it is released; nil: nothing is held back
	lost     bool          // what was held back is not delivered any more
	relisted []string      // the paths whose informers were told so
}

// NewView shows the present, until it is blocked. Without collections, it is about both.
func (w *World) NewView(collections ...string) *View {
	if len(collections) == 0 {
		collections = []string{ResourceViews, SecretViews}
	}
	return &View{world: w, collections: collections}
}

// NewViewAt shows what there was at a revision, and nothing that happened since, until it is released. The other collections
// show the present.
func (w *World) NewViewAt(revision string, collections ...string) *View {
	v := w.NewView(collections...)
	v.at = revision
	v.Block()
	return v
}

// Block holds back whatever happens from now on.
func (v *View) Block() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.blocked == nil {
		v.blocked = make(chan struct{})
	}
}

// Release delivers what was held back, change by change.
func (v *View) Release() { v.release(false) }

// Expire drops what was held back, as an API server does whose history was compacted meanwhile: the informers list again, and
// never see what came and went in between.
func (v *View) Expire() { v.release(true) }

func (v *View) release(lost bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.lost = v.lost || (lost && v.blocked != nil)
	if v.blocked != nil {
		close(v.blocked)
		v.blocked = nil
	}
}

// Blocked tells whether it is held back.
func (v *View) Blocked() bool { return v.held() != nil }

// held is closed when nothing is held back any more; nil: nothing is.
func (v *View) held() <-chan struct{} {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.blocked
}

func (v *View) isLost() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.lost
}

// Serve is the middleware.
func (v *View) Serve(wire *Wire, r *Request, send func() (*http.Response, error)) (*http.Response, error) {
	if !v.isAbout(r) {
		return send()
	}
	held := v.held()
	if held != nil && v.at != "" {
		switch {
		case r.Query.Get("sendInitialEvents") != "":
			return refusal(http.StatusBadRequest, metav1.StatusReasonBadRequest), nil // the informer lists instead
		case !r.isWatch():
			return v.list(r)
		}
	}
	if !r.isWatch() {
		return send()
	}
	return v.watch(wire, r, held, send)
}

// watch goes on where the informer was once nothing is held back any more, or tells it that this is not possible.
func (v *View) watch(wire *Wire, r *Request, held <-chan struct{}, send func() (*http.Response, error)) (*http.Response, error) {
	if held != nil {
		select {
		case <-held:
		case <-wire.Done():
			return nil, ErrCut
		}
	}
	if r.Query.Get("sendInitialEvents") == "" && v.expires(r) {
		return refusal(http.StatusGone, metav1.StatusReasonExpired), nil
	}
	resp, err := send()
	if err == nil && resp.StatusCode == http.StatusOK {
		resp.Body = &heldBody{ReadCloser: resp.Body, view: v, wire: wire}
	}
	return resp, err
}

// isAbout tells whether an informer asks for one of the collections.
func (v *View) isAbout(r *Request) bool {
	return r.Side == Kubernetes && r.Method == http.MethodGet &&
		slices.ContainsFunc(v.collections, func(c string) bool { return strings.HasSuffix(r.Path, "/"+c) })
}

// list answers as of the revision.
func (v *View) list(r *Request) (*http.Response, error) {
	list := &unstructured.UnstructuredList{}
	kind := v1alpha1.GroupVersion.WithKind(v1alpha1.Kind + "List")
	if strings.HasSuffix(r.Path, "/"+SecretViews) {
		kind = schema.GroupVersionKind{Version: "v1", Kind: "SecretList"}
	}
	list.SetGroupVersionKind(kind)
	err := v.world.Client.List(v.world.Context(), list, client.InNamespace(v.world.Namespace), &client.ListOptions{Raw: &metav1.ListOptions{
		ResourceVersion: v.at, ResourceVersionMatch: metav1.ResourceVersionMatchExact, LabelSelector: r.Query.Get("labelSelector"),
	}})
	if err != nil {
		return nil, err
	}
	raw, err := list.MarshalJSON()
	if err != nil {
		return nil, err
	}
	return answer(http.StatusOK, raw), nil
}

// expires tells whether a watch cannot go on from where it was: once per collection, after which the informer lists.
func (v *View) expires(r *Request) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	expires := v.lost && !slices.Contains(v.relisted, r.Path)
	if expires {
		v.relisted = append(v.relisted, r.Path)
	}
	return expires
}

// heldBody is a watch that shows nothing while its view is blocked.
type heldBody struct {
	io.ReadCloser
	view *View
	wire *Wire
}

var errLost = errors.New("lab: the watch was closed")

// Read waits with what it has read.
func (b *heldBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	held := b.view.held()
	if held == nil {
		return n, err
	}
	select {
	case <-held:
	case <-b.wire.Done():
		return 0, ErrCut
	}
	if b.view.isLost() {
		return 0, errLost
	}
	return n, err
}

func answer(status int, body []byte) *http.Response {
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}
}

func refusal(code int32, reason metav1.StatusReason) *http.Response {
	raw, err := json.Marshal(metav1.Status{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure, Code: code, Reason: reason, Message: "lab: " + string(reason),
	})
	if err != nil {
		panic(err) // an API type
	}
	return answer(int(code), raw)
}
