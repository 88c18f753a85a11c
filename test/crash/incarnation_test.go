// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package crash

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/lab"
)

// replacement is a new resource in the place of one of the same name, while a call for the old one is under way.
type replacement struct {
	// landed: the call has taken effect by then. Otherwise it does so when the new resource is there.
	landed bool
	// dies: the operator ends before it has the answer.
	dies bool
}

func (r replacement) String() string {
	return "replaced " + map[bool]string{true: "after", false: "before"}[r.landed] + " its effect, and the operator " +
		map[bool]string{true: "dies", false: "goes on"}[r.dies]
}

func TestAnOldIncarnationDoesNotTouchANewOneWhileItsRegistrationIsUnderWay(t *testing.T) {
	t.Parallel()
	// The new resource may have looked for its endpoint before there was one; a later list shows both.
	testReplacements(t, "register", calls{posts: 2, rotations: 2, deletes: 1}, func(r *lab.Request) bool {
		return r.Method == http.MethodPost && r.Path == "/webhooks"
	})
}

func TestAnOldIncarnationDoesNotTouchANewOneWhileItsRotationIsUnderWay(t *testing.T) {
	t.Parallel()
	testReplacements(t, "rotate by annotation", calls{rotations: 2}, func(r *lab.Request) bool {
		return strings.HasSuffix(r.Path, "/rotate-secret")
	})
}

func TestAnOldIncarnationDoesNotTouchANewOneWhileItsDeletionIsUnderWay(t *testing.T) {
	t.Parallel()
	testReplacements(t, "delete", calls{posts: 1, deletes: 1}, func(r *lab.Request) bool { return r.Method == http.MethodDelete })
}

func testReplacements(t *testing.T, scenario string, most calls, during func(*lab.Request) bool) {
	t.Helper()
	for _, landed := range []bool{false, true} {
		for _, dies := range []bool{false, true} {
			r := replacement{landed: landed, dies: dies}
			t.Run(r.String(), func(t *testing.T) {
				t.Parallel()
				lab.Report("a new resource of the same name: " + scenario).Plan(t)
				r.test(t, named(scenario)[0], most, during)
			})
		}
	}
}

func (r replacement) test(t *testing.T, s scenario, most calls, during func(*lab.Request) bool) {
	t.Helper()
	w, op := stage(t, s)
	replaced := make(chan done, 1)
	op = s.begin(w, op, r.middleware(w, during, replaced))
	settled := w.Settle()
	var did done
	w.Expect(replaced).To(Receive(&did), "nothing was replaced")
	w.Expect(did.err).NotTo(HaveOccurred())
	w.Expect(settled).To(Equal(!r.dies))
	if r.dies {
		op = w.Start()
		w.Expect(w.Settle()).To(BeTrue())
	}
	res := w.Get(hooks)
	w.Expect(res.UID).To(Equal(did.by))
	w.Expect(meta.IsStatusConditionTrue(res.Status.Conditions, v1alpha1.ConditionReady)).To(BeTrue())
	w.Expect(w.Owned(hooks)).To(HaveLen(1))
	w.Expect(w.Owned(hooks)[0].Metadata).To(HaveKeyWithValue(v1alpha1.MarkIncarnation, string(res.UID)))
	check(w, op)
	if is := callsTo(w); !is.within(most, 0, true) {
		t.Errorf("Medblocks gets %+v, and %+v would do", is, most)
	}
}

// done tells which resource took the place of the old one.
type done struct {
	by  types.UID
	err error
}

// middleware replaces the resource during the first of these calls. It does not run on the test's goroutine.
func (r replacement) middleware(w *lab.World, during func(*lab.Request) bool, replaced chan<- done) lab.Middleware {
	var once atomic.Bool
	return func(wire *lab.Wire, request *lab.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if request.Side != lab.Medblocks || !during(request) || once.Swap(true) {
			return send()
		}
		if !r.landed {
			replaced <- replace(w)
		}
		resp, err := send()
		if r.landed {
			replaced <- replace(w)
		}
		if r.dies {
			wire.Cut()
			return nil, errors.Join(err, lab.ErrCut)
		}
		return resp, err
	}
}

// replace takes the finalizer off the resource, deletes it, and creates another one of its name.
func replace(w *lab.World) done {
	strip := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`))
	next := w.Manifest(hooks)
	err := w.Client.Patch(w.Context(), w.Manifest(hooks), strip)
	if err == nil {
		err = client.IgnoreNotFound(w.Client.Delete(w.Context(), w.Manifest(hooks)))
	}
	if err == nil {
		err = w.Client.Create(w.Context(), next)
	}
	return done{by: next.UID, err: err}
}
