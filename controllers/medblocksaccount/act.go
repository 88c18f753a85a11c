// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package medblocksaccount

import (
	"context"
	"errors"

	corev1 "k8s.io/api/core/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
)

// act deletes orphans: all that can be deleted, whatever becomes of the others.
func (r *Reconciler) act(ctx context.Context, acct *v1alpha1.MedblocksAccount, vendor *account.Account, orphans []v1alpha1.OrphanedEndpoint) error {
	var failures []error
	for _, o := range orphans {
		deleted, err := r.Deleter.DeleteOrphan(ctx, vendor, account.Resource{Name: acct.Name}, o.ID, o.Owner)
		if err != nil {
			failures = append(failures, err)
		}
		if deleted {
			r.Events.Eventf(acct, nil, corev1.EventTypeNormal, "OrphanDeleted", "Sweep",
				"Deleted endpoint %s of %s, orphaned since %s, as spec.orphans asks for", o.ID, o.Owner, o.Since.UTC().Format("2006-01-02T15:04:05Z"))
		}
	}
	return errors.Join(failures...)
}
