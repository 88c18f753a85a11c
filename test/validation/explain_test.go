// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// published is as much of an OpenAPI schema as kubectl explain shows.
type published struct {
	Description          string               `json:"description"`
	Properties           map[string]published `json:"properties"`
	Items                *published           `json:"items"`
	AdditionalProperties *published           `json:"additionalProperties"`
}

// publishedSchemas waits until the API server publishes the schemas of both kinds, which it does some time after it serves them.
func publishedSchemas(t *testing.T) map[string]published {
	t.Helper()
	document := struct {
		Components struct {
			Schemas map[string]published `json:"schemas"`
		} `json:"components"`
	}{}
	kinds := map[string]published{}
	NewWithT(t).Eventually(func(g Gomega) {
		content, err := apiServer.raw.Get().AbsPath("/openapi/v3/apis/" + v1alpha1.GroupVersion.String()).DoRaw(t.Context())
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(json.Unmarshal(content, &document)).To(Succeed())
		for _, kind := range []string{v1alpha1.Kind, v1alpha1.AccountKind} {
			schema, found := document.Components.Schemas["com.medblocks.connect.v1alpha1."+kind]
			g.Expect(found).To(BeTrue(), kind)
			kinds[kind] = schema
		}
	}).WithTimeout(time.Minute).WithPolling(200 * time.Millisecond).Should(Succeed())
	return kinds
}

// fields calls visit for every field below a schema.
func fields(path string, schema published, visit func(path, name string, field published)) {
	for name, field := range schema.Properties {
		at := path + "." + name
		visit(at, name, field)
		fields(at, field, visit)
	}
	if schema.Items != nil {
		fields(path+"[]", *schema.Items, visit)
	}
	if schema.AdditionalProperties != nil {
		fields(path+"{}", *schema.AdditionalProperties, visit)
	}
}

func TestKubectlExplainDescribesEveryField(t *testing.T) {
	g := NewWithT(t)
	total := 0
	for kind, schema := range publishedSchemas(t) {
		g.Expect(schema.Description).NotTo(BeEmpty(), kind)
		shown := kubectl(t, "explain", "--recursive", strings.ToLower(kind))
		fields(kind, schema, func(path, name string, field published) {
			total++
			if strings.TrimSpace(field.Description) == "" {
				t.Errorf("%s has no description", path)
			}
			if !strings.Contains(shown, " "+name+"\t<") {
				t.Errorf("kubectl explain --recursive %s does not show %s", strings.ToLower(kind), path)
			}
		})
	}
	g.Expect(total).To(BeNumerically(">", 120), "both kinds were seen whole")
}

// annotationLimit is how many bytes the API server takes in all annotations of an object.
const annotationLimit = 262144

func TestEachCRDIsSmallEnoughForClientSideApply(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "config", "crd", "bases", "*.yaml"))
	g := NewWithT(t)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(files).To(HaveLen(2))
	for _, file := range files {
		content, err := os.ReadFile(file)
		g.Expect(err).NotTo(HaveOccurred())
		kubectl(t, "apply", "--server-side=false", "-f", file)
		crd := apiextensionsv1.CustomResourceDefinition{}
		g.Expect(json.Unmarshal([]byte(kubectl(t, "get", "-f", file, "-o", "json")), &crd)).To(Succeed())
		kept := len(crd.Annotations["kubectl.kubernetes.io/last-applied-configuration"])
		g.Expect(kept).To(BeNumerically(">", len(content)/4), "the whole manifest is in the annotation")
		g.Expect(kept).To(BeNumerically("<", annotationLimit/2), "%s is nearing what kubectl apply can keep in an annotation", file)
		t.Logf("%s: %d bytes, %d of %d in the annotation", filepath.Base(file), len(content), kept, annotationLimit)
	}
}
