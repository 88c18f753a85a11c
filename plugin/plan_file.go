// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/jsonmergepatch"
	"k8s.io/cli-runtime/pkg/resource"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// manifests are the files that -f names.
type manifests struct {
	files        []string
	recursive    bool
	fieldManager string
}

func (m *manifests) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVarP(&m.files, "filename", "f", nil, "Manifest, directory or URL with resources as they would be applied, or - for standard input. Other kinds in there are left out.")
	flags.BoolVarP(&m.recursive, "recursive", "R", false, "Look into the directories of --filename too.")
	flags.StringVar(&m.fieldManager, "field-manager", "kubectl", "Who applies the manifest where that is done on the server: kubectl, kustomize-controller, …")
}

func (m *manifests) given() bool { return len(m.files) > 0 }

// applied are the resources in manifests as they would be stored if those were applied.
func (s *Session) applied(ctx context.Context, m *manifests) ([]v1alpha1.MedblocksWebhookEndpoint, error) {
	api, err := s.Client()
	if err != nil {
		return nil, err
	}
	objects, err := s.read(m)
	if err != nil {
		return nil, err
	}
	if len(objects) == 0 {
		return nil, usagef("there is no %s in --filename", v1alpha1.Kind)
	}
	var resources []v1alpha1.MedblocksWebhookEndpoint
	for _, object := range objects {
		is, err := dryRun(ctx, api, object, m.fieldManager)
		if err != nil {
			return nil, fmt.Errorf("trying out the manifest of %s/%s: %w", object.GetNamespace(), object.GetName(), err)
		}
		resources = append(resources, *is)
	}
	return resources, nil
}

// read returns the webhook endpoints in manifests.
func (s *Session) read(m *manifests) ([]*unstructured.Unstructured, error) {
	namespace, err := s.Namespace()
	if err != nil {
		return nil, err
	}
	builder := resource.NewBuilder(s.cluster).Local().Unstructured().ContinueOnError().Flatten()
	files := slices.DeleteFunc(slices.Clone(m.files), func(file string) bool { return file == "-" })
	if len(files) < len(m.files) {
		builder = builder.Stream(s.In, "standard input")
	}
	if len(files) > 0 {
		builder = builder.FilenameParam(false, &resource.FilenameOptions{Filenames: files, Recursive: m.recursive})
	}
	infos, err := builder.Do().Infos()
	if err != nil {
		return nil, fmt.Errorf("reading --filename: %w", err)
	}
	var found []*unstructured.Unstructured
	for _, info := range infos {
		object, ok := info.Object.(*unstructured.Unstructured)
		if !ok || object.GroupVersionKind().GroupKind() != v1alpha1.GroupVersion.WithKind(v1alpha1.Kind).GroupKind() {
			continue
		}
		if object.GetNamespace() == "" {
			object.SetNamespace(namespace)
		}
		found = append(found, object)
	}
	return found, nil
}

// dryRun asks the API server what would be stored. Where kubectl apply has left a copy of the last manifest, what that had and this one
// has not is taken out, as kubectl apply does; otherwise the server applies it, as kubectl apply --server-side and Flux do.
func dryRun(ctx context.Context, api client.Client, manifest *unstructured.Unstructured, manager string) (*v1alpha1.MedblocksWebhookEndpoint, error) {
	manifest = manifest.DeepCopy()
	unstructured.RemoveNestedField(manifest.Object, "status") // what is observed is not applied
	live := manifest.DeepCopy()
	err := api.Get(ctx, client.ObjectKeyFromObject(manifest), live)
	switch {
	case apierrors.IsNotFound(err):
		live = manifest
		err = api.Create(ctx, live, client.DryRunAll)
	case err != nil:
	case live.GetAnnotations()[corev1.LastAppliedConfigAnnotation] != "":
		err = patchAsKubectl(ctx, api, live, manifest)
	default:
		live = manifest
		live.SetManagedFields(nil)
		err = api.Apply(ctx, client.ApplyConfigurationFromUnstructured(live), client.DryRunAll, client.ForceOwnership, client.FieldOwner(manager))
	}
	if err != nil {
		return nil, err
	}
	var is v1alpha1.MedblocksWebhookEndpoint
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(live.Object, &is); err != nil {
		return nil, fmt.Errorf("decoding it: %w", err)
	}
	return &is, nil
}

func patchAsKubectl(ctx context.Context, api client.Client, live, manifest *unstructured.Unstructured) error {
	current, err := json.Marshal(live)
	if err != nil {
		return err
	}
	modified, err := json.Marshal(manifest)
	if err != nil {
		return err
	}
	last := []byte(live.GetAnnotations()[corev1.LastAppliedConfigAnnotation])
	patch, err := jsonmergepatch.CreateThreeWayJSONMergePatch(last, modified, current)
	if err != nil {
		return fmt.Errorf("comparing it with what was applied last: %w", err)
	}
	return api.Patch(ctx, live, client.RawPatch(types.MergePatchType, patch), client.DryRunAll)
}
