// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	. "github.com/onsi/gomega"
	"sigs.k8s.io/yaml"
)

// healthTests is a file health_test.yaml of Argo CD.
type healthTests struct {
	Tests []healthTest `json:"tests"`
}

type healthTest struct {
	HealthStatus health `json:"healthStatus"`
	InputPath    string `json:"inputPath"`
}

// regexpData is where the data of a ConfigMap begin.
var regexpData = regexp.MustCompile(`(?m)^data:`)

// checks are the folders with health checks.
var checks = []string{ofEndpoints, ofAccounts, "non-blocking/" + ofEndpoints}

func TestHealthChecksSayWhatTheirOwnTestsExpect(t *testing.T) {
	for _, check := range checks {
		dir := filepath.Join(argocd, check)
		if *update {
			writeHealthTests(t, dir)
		}
		content, err := os.ReadFile(filepath.Join(dir, "health_test.yaml"))
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		var file healthTests
		NewWithT(t).Expect(yaml.UnmarshalStrict(content, &file)).To(Succeed())
		tested := map[string]bool{}
		for _, test := range file.Tests {
			path := filepath.Join(dir, test.InputPath)
			tested[path] = true
			t.Run(check+"/"+test.InputPath, func(t *testing.T) {
				g := NewWithT(t)
				is, err := readScript(t, filepath.Join(dir, "health.lua")).of(readTestdata(t, path))
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(is).To(Equal(test.HealthStatus))
			})
		}
		for path := range tested {
			others, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*.yaml"))
			NewWithT(t).Expect(err).NotTo(HaveOccurred())
			for _, other := range others {
				NewWithT(t).Expect(tested).To(HaveKey(other), "%s tests every status there is", dir)
			}
		}
	}
}

// writeHealthTests writes what the check says about each status there is. (Whether that is right, the situations say.)
func writeHealthTests(t *testing.T, dir string) {
	t.Helper()
	g := NewWithT(t)
	var file healthTests
	kind := filepath.Join(filepath.Base(filepath.Dir(dir)), filepath.Base(dir)) // both checks of a kind look at the same statuses
	paths, err := filepath.Glob(filepath.Join(argocd, kind, "testdata", "*.yaml"))
	g.Expect(err).NotTo(HaveOccurred())
	for _, path := range paths {
		is, err := readScript(t, filepath.Join(dir, "health.lua")).of(readTestdata(t, path))
		g.Expect(err).NotTo(HaveOccurred())
		relative, err := filepath.Rel(dir, path)
		g.Expect(err).NotTo(HaveOccurred())
		file.Tests = append(file.Tests, healthTest{HealthStatus: is, InputPath: relative})
	}
	content, err := yaml.Marshal(file)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.WriteFile(filepath.Join(dir, "health_test.yaml"), content, 0o644)).To(Succeed())
}

func TestHealthChecksCopeWithWhatIsNotThereYet(t *testing.T) {
	for _, check := range checks {
		for name, manifest := range map[string]string{
			"no status":       `{metadata: {generation: 1}, spec: {}}`,
			"an empty status": `{metadata: {generation: 1}, spec: {}, status: {}}`,
			"no conditions":   `{metadata: {generation: 1}, spec: {}, status: {observedGeneration: 1}}`,
			"empty":           `{metadata: {generation: 1}, spec: {}, status: {observedGeneration: 1, conditions: []}}`,
			"only Synced":     `{metadata: {generation: 1}, spec: {}, status: {observedGeneration: 1, conditions: [{type: Synced, status: "True", reason: R, message: m}]}}`,
		} {
			t.Run(check+"/"+name, func(t *testing.T) {
				g := NewWithT(t)
				is, err := readScript(t, filepath.Join(argocd, check, "health.lua")).of(parse(t, manifest))
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(is.Status).To(Equal(progressing), is.Message)
			})
		}
	}
}

// TestTheConfigMapsHoldTheHealthChecks: they are for an Argo CD that is installed already.
func TestTheConfigMapsHoldTheHealthChecks(t *testing.T) {
	g := NewWithT(t)
	const prefix = "resource.customizations.health."
	for path, scripts := range map[string]map[string]string{
		"argocd-cm.yaml":              {"MedblocksWebhookEndpoint": ofEndpoints, "MedblocksAccount": ofAccounts},
		"non-blocking/argocd-cm.yaml": {"MedblocksWebhookEndpoint": "non-blocking/" + ofEndpoints, "MedblocksAccount": ofAccounts},
	} {
		want := map[string]string{}
		for kind, check := range scripts {
			want[prefix+"connect.medblocks.com_"+kind] = string(readScript(t, filepath.Join(argocd, check, "health.lua")))
		}
		file := filepath.Join(argocd, path)
		if *update {
			writeConfigMap(t, file, want)
		}
		object := readTestdata(t, file)
		g.Expect(object.GetKind() + " " + object.GetName()).To(Equal("ConfigMap argocd-cm"))
		g.Expect(object.GetLabels()).To(HaveKeyWithValue("app.kubernetes.io/part-of", "argocd"), "or Argo CD does not read it")
		data := map[string]string{}
		raw, err := yaml.Marshal(object.Object["data"])
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(yaml.Unmarshal(raw, &data)).To(Succeed())
		g.Expect(data).To(Equal(want), "%s: go test ./test/gitops -run TestTheConfigMaps -update writes it anew", path)
	}
}

// writeConfigMap keeps what stands before the data.
func writeConfigMap(t *testing.T, path string, data map[string]string) {
	t.Helper()
	g := NewWithT(t)
	content, err := os.ReadFile(path)
	g.Expect(err).NotTo(HaveOccurred())
	head := regexpData.Split(string(content), 2)[0]
	tail, err := yaml.Marshal(map[string]any{"data": data})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.WriteFile(path, append([]byte(head), tail...), 0o644)).To(Succeed())
}
