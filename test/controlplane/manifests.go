// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// kustomization is as much of a kustomization.yaml as config/rbac uses. Anything more is an error, because then the files would
// not be what a cluster gets.
type kustomization struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Resources  []string `json:"resources"`
}

// installManifests creates the operator's namespace and permissions, exactly as they are shipped.
func (c *ControlPlane) installManifests(ctx context.Context) error {
	api, err := client.New(c.Admin, client.Options{})
	if err != nil {
		return fmt.Errorf("connect to the API server: %w", err)
	}
	config := filepath.Join(c.options.RepositoryRoot, "config")
	rbac, err := resourcesOf(filepath.Join(config, "rbac"))
	if err != nil {
		return err
	}
	for _, path := range append([]string{filepath.Join(config, "manager", "namespace.yaml")}, rbac...) {
		if err := createAll(ctx, api, path); err != nil {
			return fmt.Errorf("install %s: %w", path, err)
		}
	}
	return nil
}

// resourcesOf returns the files that dir's kustomization names.
func resourcesOf(dir string) ([]string, error) {
	path := filepath.Join(dir, "kustomization.yaml")
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var k kustomization
	if err := yaml.UnmarshalStrict(content, &k); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	paths := make([]string, 0, len(k.Resources))
	for _, name := range k.Resources {
		paths = append(paths, filepath.Join(dir, name))
	}
	return paths, nil
}

// createAll creates every object in a file.
func createAll(ctx context.Context, api client.Client, path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	decoder := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4096)
	for {
		object := &unstructured.Unstructured{}
		if err := decoder.Decode(object); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if len(object.Object) == 0 {
			continue // Between two separators there may be nothing but comments.
		}
		if err := api.Create(ctx, object); err != nil {
			return err
		}
	}
}
