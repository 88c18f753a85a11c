// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/test/lab"
)

// TestAConflictAtEveryUpdateLosesAndDoublesNothing has somebody be faster at each update of the resource, its status and its Secret,
// so that the API server itself refuses it, and only the second try passes; or has all of them refused for a while.
func TestAConflictAtEveryUpdateLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	for _, s := range scenarios() {
		t.Run(s.name+", each once", func(t *testing.T) { s.amongConflicts(t, 0) })
	}
	for _, s := range lab.Pick(scenarios(), 4) {
		t.Run(s.name+", for a while", func(t *testing.T) { s.amongConflicts(t, aWhile) })
	}
}

func (s scenario) amongConflicts(t *testing.T, lasts time.Duration) {
	t.Parallel()
	want := baseline(t, s)
	lab.Report("conflict at every update").Plan(t)
	w := lab.NewWorld(t)
	op := s.begin(w)
	since := startOf(w, op)
	r := &rival{world: w, refuses: w.Clock.Now().Add(lasts), beaten: map[string]bool{}}
	op.Wire.Intercept(r.middleware)
	s.act(w)
	w.Advance(lasts + longestBackoff)
	w.Expect(w.Settle()).To(BeTrue())
	op.Wire.Intercept(nil)
	w.CheckInvariants()
	w.Expect(r.conflicts > 0).To(Equal(slices.ContainsFunc(want.sent, isPatch)), "conflicts")
	r.leave()
	w.Expect(w.Settle()).To(BeTrue())
	got := outcomeOf(w, op, since)
	expectSame(t, want, got, true)
	w.Expect(got.writes[Rotate]).To(Equal(want.writes[Rotate]), "rotations")
}

func isPatch(name string) bool { return strings.HasPrefix(name, "Kubernetes PATCH") }

// rival writes to an object between the moment at which the operator has read it and the one at which it writes.
type rival struct {
	world *lab.World
	// refuses is until when no update passes at all. From then on the rival is faster every other time: what it writes has the
	// operator try again at once, and so they would keep each other at it for ever.
	refuses time.Time

	mu        sync.Mutex
	beaten    map[string]bool // the last update of that path met a conflict
	conflicts int
	writes    int
}

// mark is the annotation that it writes.
const mark = "example.com/rival"

func (r *rival) middleware(_ *lab.Wire, request *lab.Request, send func() (*http.Response, error)) (*http.Response, error) {
	if request.Side != lab.Kubernetes || request.Method != http.MethodPatch || !request.IsWrite() {
		return send()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.world.Clock.Now().Before(r.refuses) {
		r.conflicts++
		return failure(http.StatusConflict, metav1.StatusReasonConflict), nil
	}
	r.beaten[request.Path] = !r.beaten[request.Path]
	if r.beaten[request.Path] {
		r.writes++
		if err := r.write(request.Path, fmt.Sprintf("%q", fmt.Sprint(r.writes))); err != nil {
			return nil, err
		}
	}
	resp, err := send()
	if err == nil && resp.StatusCode == http.StatusConflict {
		r.conflicts++
	}
	return resp, err
}

// write sets the annotation of the object at a path to a JSON value.
func (r *rival) write(path, value string) error {
	path = strings.TrimSuffix(path, "/status")
	var object client.Object = &lab.Resource{}
	if strings.Contains(path, "/secrets/") {
		object = &corev1.Secret{}
	}
	object.SetNamespace(r.world.Namespace)
	object.SetName(path[strings.LastIndex(path, "/")+1:])
	patch := client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%s}}}`, mark, value))
	return client.IgnoreNotFound(r.world.Client.Patch(r.world.Context(), object, patch))
}

// leave takes all annotations away.
func (r *rival) leave() {
	w := r.world
	for _, res := range w.Resources() {
		w.Expect(r.write("/"+res.Name, "null")).To(Succeed())
	}
	secrets := &metav1.PartialObjectMetadataList{}
	secrets.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("SecretList"))
	w.Expect(w.Client.List(w.Context(), secrets, client.InNamespace(w.Namespace))).To(Succeed())
	for _, secret := range secrets.Items {
		w.Expect(r.write("/secrets/"+secret.Name, "null")).To(Succeed())
	}
}
