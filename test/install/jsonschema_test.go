// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/openapi"
)

// schemaLocation is the name of a file with a schema, as kubeconform looks for it.
const schemaLocation = "{{.Group}}_{{.ResourceAPIVersion}}_{{.ResourceKind}}.json"

// writeSchemas writes a JSON schema for each kind that the API server has, and returns their folder.
func writeSchemas(t *testing.T) string {
	t.Helper()
	g := NewWithT(t)
	client, err := discovery.NewDiscoveryClientForConfig(shared.Admin)
	g.Expect(err).NotTo(HaveOccurred())
	paths, err := client.OpenAPIV3().Paths()
	g.Expect(err).NotTo(HaveOccurred())
	dir := t.TempDir()
	for path, groupVersion := range paths {
		g.Expect(writeGroupVersion(dir, groupVersion)).To(Succeed(), path)
	}
	return dir
}

func writeGroupVersion(dir string, groupVersion openapi.GroupVersion) error {
	content, err := groupVersion.Schema("application/json")
	if err != nil {
		return err
	}
	var document struct {
		Components struct {
			Schemas map[string]map[string]any `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(content, &document); err != nil {
		return err
	}
	definitions := map[string]any{}
	for name, schema := range document.Components.Schemas {
		definitions[name] = jsonSchema(schema)
	}
	for name, schema := range document.Components.Schemas {
		for _, kind := range kinds(schema) {
			content, err := json.Marshal(map[string]any{"$ref": "#/definitions/" + name, "definitions": definitions})
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(dir, kind), content, 0o600); err != nil {
				return err
			}
		}
	}
	return nil
}

// kinds are the names of the files for a schema: none, unless it is that of a kind and not of a part of one.
func kinds(schema map[string]any) (files []string) {
	listed, _ := schema["x-kubernetes-group-version-kind"].([]any)
	for _, item := range listed {
		entry := item.(map[string]any)
		group, version := entry["group"].(string), entry["version"].(string)
		if group == "" {
			group = version // as kubeconform has it
		}
		files = append(files, fmt.Sprintf("%s_%s_%s.json", group, version, strings.ToLower(entry["kind"].(string))))
	}
	return files
}

// jsonSchema makes a JSON schema of a schema in OpenAPI v3. Where properties are listed there are no others.
func jsonSchema(schema map[string]any) map[string]any {
	converted := map[string]any{}
	for keyword, value := range schema {
		switch keyword {
		case "properties":
			properties := map[string]any{}
			for name, property := range value.(map[string]any) {
				properties[name] = jsonSchema(property.(map[string]any))
			}
			converted[keyword] = properties
		case "items", "additionalProperties", "not":
			converted[keyword] = value
			if nested, ok := value.(map[string]any); ok {
				converted[keyword] = jsonSchema(nested)
			}
		case "allOf", "anyOf", "oneOf":
			var alternatives []any
			for _, alternative := range value.([]any) {
				alternatives = append(alternatives, jsonSchema(alternative.(map[string]any)))
			}
			converted[keyword] = alternatives
		case "$ref":
			converted[keyword] = strings.Replace(value.(string), "#/components/schemas/", "#/definitions/", 1)
		case "type", "enum", "pattern", "required", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "maxProperties":
			converted[keyword] = value
		case "x-kubernetes-int-or-string":
			converted["type"] = []string{"integer", "string"}
		}
	}
	_, listed := schema["properties"]
	_, more := schema["additionalProperties"]
	if listed && !more && schema["type"] == "object" && schema["x-kubernetes-preserve-unknown-fields"] == nil {
		converted["additionalProperties"] = false
	}
	return converted
}
