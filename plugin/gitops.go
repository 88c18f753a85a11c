// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Labels and annotations by which GitOps tools know what they have applied.
const (
	labelFluxKustomization          = "kustomize.toolkit.fluxcd.io/name"
	labelFluxKustomizationNamespace = "kustomize.toolkit.fluxcd.io/namespace"
	labelFluxHelmRelease            = "helm.toolkit.fluxcd.io/name"
	labelFluxHelmReleaseNamespace   = "helm.toolkit.fluxcd.io/namespace"
	annotationArgoCDTracking        = "argocd.argoproj.io/tracking-id"
	labelArgoCDInstance             = "argocd.argoproj.io/instance"
)

// appliedBy names the GitOps tool that applies a resource, and would undo what somebody changes in it or make it anew; empty: none is
// known.
func appliedBy(object metav1.Object) string {
	labels, annotations := object.GetLabels(), object.GetAnnotations()
	switch {
	case labels[labelFluxKustomization] != "":
		return "Flux (Kustomization " + labels[labelFluxKustomizationNamespace] + "/" + labels[labelFluxKustomization] + ")"
	case labels[labelFluxHelmRelease] != "":
		return "Flux (HelmRelease " + labels[labelFluxHelmReleaseNamespace] + "/" + labels[labelFluxHelmRelease] + ")"
	case annotations[annotationArgoCDTracking] != "":
		application, _, _ := strings.Cut(annotations[annotationArgoCDTracking], ":")
		return "Argo CD (Application " + application + ")"
	case labels[labelArgoCDInstance] != "":
		return "Argo CD (Application " + labels[labelArgoCDInstance] + ")"
	}
	return ""
}
