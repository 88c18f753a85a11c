// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// manifestStep is what a session does for a YAML block: it has the API server try it, strictly, and change nothing. Files are also
// written, because later commands may want them.
func (x *session) manifestStep(b *block) (step, error) {
	content := x.swap.in(b.text)
	path := filepath.Join(x.notes, fmt.Sprintf("line-%d.yaml", b.line))
	if file := b.marks["file"]; file != "" {
		path = filepath.Join(x.dir, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return step{}, err
		}
	} else if place := b.marks["in"]; place != "" {
		whole, err := complete(place, content)
		if err != nil {
			return step{}, fmt.Errorf("line %d: %w", b.line, err)
		}
		content = whole
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		return step{}, err
	}
	objects, err := decode(content)
	if err != nil {
		return step{}, fmt.Errorf("line %d: %w", b.line, err)
	}
	if _, applied := b.marks["applied"]; applied {
		return step{line: b.line, script: fmt.Sprintf("kubectl apply --validate=strict -f %q\n", path)}, nil
	}
	script, err := trial(objects, path, b.marks["file"] != "")
	if err != nil {
		return step{}, fmt.Errorf("line %d: %w", b.line, err)
	}
	return step{line: b.line, script: script}, nil
}

// decode splits YAML into its documents. The same key twice is an error.
func decode(content string) ([]map[string]any, error) {
	var objects []map[string]any
	reader := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(content)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		var value any
		if err := yaml.UnmarshalStrict(document, &value); err != nil {
			return nil, err
		}
		switch object := value.(type) {
		case nil: // between two separators there may be nothing but comments
		case map[string]any:
			objects = append(objects, object)
		default:
			return nil, errors.New("it is no object: say where it belongs, in a comment before it: <!-- in: KIND PATH -->")
		}
	}
}

// trial is the command that tries objects. Their namespaces are made, where they are not there, because a dry run makes none.
func trial(objects []map[string]any, path string, isFile bool) (string, error) {
	script := ""
	for _, object := range objects {
		group, _ := object["apiVersion"].(string)
		switch {
		case isFile && strings.HasPrefix(group, "kustomize.config.k8s.io/"):
			return fmt.Sprintf("kubectl kustomize %q\n", filepath.Dir(path)), nil
		case isFile && (group == "" || object["kind"] == nil):
			return "", nil // values of a chart, say: the commands that use the file try it
		case group == "" || object["kind"] == nil:
			return "", errors.New("it has no apiVersion and kind: say where it belongs, in a comment before it: " +
				"<!-- in: KIND PATH --> or <!-- file: PATH -->")
		case strings.HasPrefix(group, "kustomize.config.k8s.io/"):
			return "", errors.New("say which file it is, in a comment before it: <!-- file: PATH/kustomization.yaml -->")
		}
		metadata, _ := object["metadata"].(map[string]any)
		if namespace, _ := metadata["namespace"].(string); namespace != "" {
			script += fmt.Sprintf("kubectl get namespace %[1]s || kubectl create namespace %[1]s\n", namespace)
		}
	}
	return script + fmt.Sprintf("kubectl apply --server-side --force-conflicts --dry-run=server --validate=strict -f %q\n", path), nil
}

// complete puts a part of an object into the least that there is of its kind (testdata/minimal). The place is the kind and the
// path, such as "Deployment spec.template.spec.containers[0]"; without a path the part begins at the top.
func complete(place, part string) (string, error) {
	kind, path, _ := strings.Cut(place, " ")
	least, err := os.ReadFile(filepath.Join("testdata", "minimal", kind+".yaml"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("in: of the kind %s there is nothing in testdata/minimal", kind)
	}
	if err != nil {
		return "", err
	}
	var object map[string]any
	if err := yaml.UnmarshalStrict(least, &object); err != nil {
		return "", err
	}
	var value any
	if err := yaml.UnmarshalStrict([]byte(part), &value); err != nil {
		return "", err
	}
	whole, err := put(object, splitPath(path), value)
	if err != nil {
		return "", fmt.Errorf("in: %s: %w", place, err)
	}
	content, err := yaml.Marshal(whole)
	return string(content), err
}

var pathStep = regexp.MustCompile(`[^.\[\]]+`)

func splitPath(path string) []string { return pathStep.FindAllString(strings.TrimSpace(path), -1) }

// put merges a value into the place that the steps lead to.
func put(into any, steps []string, value any) (any, error) {
	if len(steps) == 0 {
		return merge(into, value), nil
	}
	switch at := into.(type) {
	case nil:
		return put(map[string]any{}, steps, value)
	case map[string]any:
		inner, err := put(at[steps[0]], steps[1:], value)
		at[steps[0]] = inner
		return at, err
	case []any:
		i, err := strconv.Atoi(steps[0])
		if err != nil || i >= len(at) {
			return nil, fmt.Errorf("%q is no item of the list", steps[0])
		}
		at[i], err = put(at[i], steps[1:], value)
		return at, err
	}
	return nil, fmt.Errorf("%q is below something that has no parts", steps[0])
}

// merge lays a value over another. An item of a list is laid over the one of the same name, or over the first, whose other fields a
// page may leave out.
func merge(under, over any) any {
	switch over := over.(type) {
	case map[string]any:
		base, ok := under.(map[string]any)
		if !ok {
			return over
		}
		for key, value := range over {
			base[key] = merge(base[key], value)
		}
		return base
	case []any:
		base, _ := under.([]any)
		for i, item := range over {
			if like := counterpart(base, item); like != nil {
				over[i] = merge(copyOf(like), item)
			}
		}
	}
	return over
}

func counterpart(base []any, item any) any {
	named, ok := item.(map[string]any)
	if !ok || len(base) == 0 {
		return nil
	}
	for _, other := range base {
		if other, ok := other.(map[string]any); ok && other["name"] == named["name"] {
			return other
		}
	}
	return base[0]
}

func copyOf(value any) any {
	content, err := json.Marshal(value)
	if err != nil {
		panic(err) // it came from YAML
	}
	var other any
	if err := json.Unmarshal(content, &other); err != nil {
		panic(err)
	}
	return other
}

func TestAPartOfAManifestIsCompletedAtItsPlace(t *testing.T) {
	g := NewWithT(t)
	whole, err := complete("Deployment spec.template.spec", "containers:\n- name: receiver\n  volumeMounts: [{name: v, mountPath: /v}]\n")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(whole).To(And(ContainSubstring("name: receiver"), ContainSubstring("image: registry.example.com/"), ContainSubstring("mountPath: /v")))

	_, err = complete("Deployment spec.template.spec.containers[7]", "image: x\n")
	g.Expect(err).To(MatchError(ContainSubstring(`"7" is no item of the list`)))
	_, err = complete("Nothing spec", "a: b\n")
	g.Expect(err).To(MatchError(ContainSubstring("testdata/minimal")))
}
