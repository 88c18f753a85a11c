// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"
)

func TestHelmLintHasNothingToSayAboutTheChart(t *testing.T) {
	for name, path := range valueSets(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := []string{"lint", "--strict", chart, "--kube-version", "v1.37.0"}
			if path != "" {
				args = append(args, "--values", path)
			}
			out, err := helm(t, "", args...)
			NewWithT(t).Expect(err).NotTo(HaveOccurred(), out)
			NewWithT(t).Expect(out).NotTo(MatchRegexp("WARNING|ERROR"))
		})
	}
}

// TestValuesThatMakeNoSenseAreRefusedByName: the first line of each file says what people are told.
func TestValuesThatMakeNoSenseAreRefusedByName(t *testing.T) {
	paths, err := filepath.Glob("testdata/refused/*.yaml")
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	NewWithT(t).Expect(paths).NotTo(BeEmpty())
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".yaml"), func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			content, err := os.ReadFile(path)
			g.Expect(err).NotTo(HaveOccurred())
			first, _, _ := strings.Cut(string(content), "\n")
			reason, ok := strings.CutPrefix(first, "# refused: ")
			g.Expect(ok).To(BeTrue(), "the first line says why")
			_, err = tryRender(t, path)
			g.Expect(err).To(MatchError(ContainSubstring(reason)))
		})
	}
}

func readValues(t *testing.T) (text string, values map[string]any) {
	t.Helper()
	content, err := os.ReadFile(chart + "/values.yaml")
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	NewWithT(t).Expect(yaml.UnmarshalStrict(content, &values)).To(Succeed())
	return string(content), values
}

// TestEveryValueIsExplained: a group (a name without a value in its line) is explained by what is in it.
func TestEveryValueIsExplained(t *testing.T) {
	text, values := readValues(t)
	valueLine := regexp.MustCompile(`^ *[a-zA-Z]+: *\S`)
	const noList = 1000
	list, before := noList, ""
	for line := range strings.Lines(text) {
		content := strings.TrimLeft(line, " ")
		indent := len(line) - len(content)
		if strings.HasPrefix(content, "- ") {
			list = indent
		} else if indent <= list {
			list = noList
		}
		if list == noList && valueLine.MatchString(line) && !strings.HasPrefix(before, "#") {
			t.Errorf("no comment above %q", line)
		}
		before = content
	}
	NewWithT(t).Expect(len(values)).To(BeNumerically(">", 30))
}

func TestTheSchemaKnowsExactlyTheValuesThereAre(t *testing.T) {
	g := NewWithT(t)
	_, values := readValues(t)
	content, err := os.ReadFile(chart + "/values.schema.json")
	g.Expect(err).NotTo(HaveOccurred())
	var schema map[string]any
	g.Expect(json.Unmarshal(content, &schema)).To(Succeed())
	properties := schema["properties"].(map[string]any)
	delete(properties, "global")  // Helm's own
	delete(properties, "enabled") // a parent chart's
	compareKeys(t, "", properties, values)
}

// compareKeys compares a group of values with the properties of its schema, where the schema lists them.
func compareKeys(t *testing.T, path string, properties, values map[string]any) {
	t.Helper()
	for name := range properties {
		if _, ok := values[name]; !ok && path != ".resources" {
			t.Errorf("%s.%s is in the schema and not in values.yaml", path, name)
		}
	}
	for name, value := range values {
		property, ok := properties[name].(map[string]any)
		if !ok {
			t.Errorf("%s.%s is in values.yaml and not in the schema", path, name)
			continue
		}
		group, isGroup := value.(map[string]any)
		if listed, ok := property["properties"].(map[string]any); ok && isGroup {
			compareKeys(t, path+"."+name, listed, group)
		}
	}
}

func TestEachShardIsADeploymentWithALeaseOfItsOwn(t *testing.T) {
	g := NewWithT(t)
	objects := parse(t, render(t, "testdata/values/shards.yaml"))
	deployments := all[appsv1.Deployment](t, objects, "Deployment")
	var names, leases []string
	selectors := map[string]bool{}
	for _, deployment := range deployments {
		names = append(names, deployment.Name)
		for _, flag := range deployment.Spec.Template.Spec.Containers[0].Args {
			if lease, ok := strings.CutPrefix(flag, "--leader-election-id="); ok {
				leases = append(leases, lease)
			}
		}
		g.Expect(deployment.Spec.Template.Labels).To(Equal(deployment.Spec.Selector.MatchLabels))
		selectors[deployment.Spec.Selector.String()] = true
	}
	g.Expect(names).To(ConsistOf(release+"-a", release+"-rest", release+"-lab"))
	g.Expect(leases).To(ConsistOf(names))
	g.Expect(selectors).To(HaveLen(3), "no Deployment selects the Pods of another")

	memory := func(name string) string {
		i := slices.IndexFunc(deployments, func(d appsv1.Deployment) bool { return d.Name == release+"-"+name })
		return deployments[i].Spec.Template.Spec.Containers[0].Resources.Limits.Memory().String()
	}
	g.Expect([]string{memory("a"), memory("rest"), memory("lab")}).To(Equal([]string{"256Mi", "256Mi", "1Gi"}))

	allowed := []string{}
	for _, role := range all[rbacv1.Role](t, objects, "Role") {
		for _, rule := range role.Rules {
			allowed = append(allowed, rule.ResourceNames...)
		}
	}
	g.Expect(allowed).To(ConsistOf(leases), "and may hold it")
	g.Expect(render(t, "testdata/values/monitored-shards.yaml")).To(ContainSubstring("targetLabel: job"), "and is a job of its own to Prometheus")
	g.Expect(render(t, "testdata/values/everything.yaml")).NotTo(ContainSubstring("targetLabel: job"), "the only one is named as without Helm")
}

func TestShardsInNamespacesNeedNoClusterRole(t *testing.T) {
	g := NewWithT(t)
	objects := parse(t, render(t, "testdata/values/namespaced-shards.yaml"))
	var namespaces []string
	for _, role := range all[rbacv1.Role](t, objects, "Role") {
		if role.Name == release {
			namespaces = append(namespaces, role.Namespace)
		}
	}
	g.Expect(namespaces).To(ConsistOf("team-a", "team-b", "team-both"))
	g.Expect(all[rbacv1.ClusterRoleBinding](t, objects, "ClusterRoleBinding")).To(BeEmpty())
}

func TestNoKeyIsRenderedTwice(t *testing.T) {
	for _, path := range valueSets(t) {
		for _, document := range strings.Split(render(t, path), "\n---\n") {
			var object map[string]any
			NewWithT(t).Expect(yaml.UnmarshalStrict([]byte(document), &object)).To(Succeed(), path)
		}
	}
}

func TestSecretsAreReadByNameOnlyWhereThatIsAsked(t *testing.T) {
	for values, wants := range map[string][]string{
		"":                            {"get", "list", "watch", "create", "patch", "delete"},
		"testdata/values/shards.yaml": {"get", "create", "patch", "delete"},
	} {
		g := NewWithT(t)
		for _, role := range all[rbacv1.ClusterRole](t, parse(t, render(t, values)), "ClusterRole") {
			if role.Name == release {
				g.Expect(role.Rules).To(ContainElement(And(HaveField("Resources", ConsistOf("secrets")), HaveField("Verbs", ConsistOf(wants)))))
			}
		}
	}
}
