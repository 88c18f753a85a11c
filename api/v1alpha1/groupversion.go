// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Group is the API group of the resource, and the prefix of every annotation and finalizer that belongs to it.
const Group = "connect.medblocks.com"

// Kind is the kind of the resource.
const Kind = "MedblocksWebhookEndpoint"

var (
	// GroupVersion is the group and version that this package registers.
	GroupVersion = schema.GroupVersion{Group: Group, Version: "v1alpha1"}

	schemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)

	// AddToScheme adds the types of this package to a scheme.
	AddToScheme = schemeBuilder.AddToScheme
)

func addKnownTypes(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion, &MedblocksWebhookEndpoint{}, &MedblocksWebhookEndpointList{}, &MedblocksAccount{}, &MedblocksAccountList{})
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
