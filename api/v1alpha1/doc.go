// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 holds the resource that declares a webhook endpoint at Medblocks.
//
// +kubebuilder:object:generate=true
// +groupName=connect.medblocks.com
package v1alpha1
