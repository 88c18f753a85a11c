// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"errors"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// End ends the world, as the end of its test does: its operators are killed, none may have panicked, and what they leave behind is
// searched for secrets. A test that has others run within it calls it first, lest this world's operators keep running beside them.
func (w *World) End() {
	w.T.Helper()
	w.ending.Do(func() {
		w.killAll()
		for _, leak := range w.Leaks() {
			w.T.Error(leak)
		}
		if err := panicked(w.Logs.String()); err != nil {
			w.T.Error(err)
		}
		// The test may have to wait for those within it, and be one of a thousand that do.
		w.Logs.shorten()
		for _, op := range w.operators {
			op.manager = nil
		}
		w.Vendor.Close()
		w.vendorServer.Close()
		w.Receiver.close()
		if err := w.clear(); err != nil {
			w.T.Error(err)
		}
	})
}

// clear removes what operators watch. For each watch of one namespace, the API server goes through the objects of all of them: what
// thousands of worlds leave behind would cost each new operator more than all of its own requests.
func (w *World) clear() error {
	errs := []error{w.Client.DeleteAllOf(w.Context(), &corev1.Secret{}, client.InNamespace(w.Namespace))}
	for _, res := range w.Resources() {
		if len(res.Finalizers) > 0 {
			patch := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`))
			errs = append(errs, client.IgnoreNotFound(w.Client.Patch(w.Context(), &res, patch)))
		}
	}
	errs = append(errs, w.Client.DeleteAllOf(w.Context(), &Resource{}, client.InNamespace(w.Namespace)))
	return errors.Join(errs...)
}
