// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// DefaultOrphansAfter is how long an endpoint has to be orphaned before it is deleted.
const DefaultOrphansAfter = 24 * time.Hour

// UsesAccount is the name of the MedblocksAccount that the endpoint is registered with; empty where it has a Secret of its own.
func (e *MedblocksWebhookEndpoint) UsesAccount() string {
	if e.Spec.AccountRef == nil {
		return ""
	}
	return e.Spec.AccountRef.Name
}

// DeletesOrphans tells whether orphans are deleted; a nil policy reports them.
func (p *OrphanPolicy) DeletesOrphans() bool {
	return p != nil && p.Policy == OrphansDelete && p.OwnerPrefix != ""
}

// PrefixOrEmpty is how the owner mark of other clusters' orphans begins; empty: they are not looked for.
func (p *OrphanPolicy) PrefixOrEmpty() string {
	if p == nil {
		return ""
	}
	return p.OwnerPrefix
}

// AfterOrDefault is how long an endpoint has to be orphaned before it is deleted.
func (p *OrphanPolicy) AfterOrDefault() time.Duration {
	if p == nil {
		return DefaultOrphansAfter
	}
	return durationOr(p.After, DefaultOrphansAfter)
}

// LabelSelector is the selector in Kubernetes' own type.
func (s *NamespaceSelector) LabelSelector() *metav1.LabelSelector {
	selector := &metav1.LabelSelector{MatchLabels: map[string]string{}}
	for key, value := range s.MatchLabels {
		selector.MatchLabels[key] = string(value)
	}
	for _, is := range s.MatchExpressions {
		requirement := metav1.LabelSelectorRequirement{Key: is.Key, Operator: metav1.LabelSelectorOperator(is.Operator)}
		for _, value := range is.Values {
			requirement.Values = append(requirement.Values, string(value))
		}
		selector.MatchExpressions = append(selector.MatchExpressions, requirement)
	}
	return selector
}
