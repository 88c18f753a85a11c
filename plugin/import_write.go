// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// importer writes what an import has found.
type importer struct {
	s       *Session
	options importOptions
	// endpoints of the workspace, of which so many are marked as some operator's, or named by a resource.
	endpoints, marked, named int
	documents                []document
}

// sortOut keeps the endpoints that nobody manages.
func (i *importer) sortOut(endpoints []medblocks.Endpoint, is knowledge) []medblocks.Endpoint {
	var unmanaged []medblocks.Endpoint
	for _, e := range endpoints {
		_, named := is.endpoints[e.ID]
		switch {
		case named:
			i.named++
		case e.Metadata[v1alpha1.MarkOwner] != "":
			i.marked++
		default:
			unmanaged = append(unmanaged, e)
		}
	}
	return unmanaged
}

// write writes the documents, and tells how many there are.
func (i *importer) write() error {
	var err error
	if i.options.outputDir != "" {
		err = i.writeFiles()
	} else {
		err = i.writeStream()
	}
	if err != nil {
		return err
	}
	refused := 0
	for _, d := range i.documents {
		if d.resource == nil {
			refused++
		}
	}
	i.summarize(refused)
	if refused > 0 {
		return errUnhealthy
	}
	return nil
}

func (i *importer) summarize(refused int) {
	to := i.s.ErrOut
	fmt.Fprintf(to, "%s in the workspace: %s written", count(i.endpoints, "endpoint"), count(len(i.documents)-refused, "manifest"))
	for _, skipped := range []struct {
		n   int
		why string
	}{
		{i.named, "named by a resource of the cluster"}, {i.marked, "marked as managed by an operator"}, {refused, "cannot be written as a manifest"},
	} {
		if skipped.n > 0 {
			fmt.Fprintf(to, ", %d %s", skipped.n, skipped.why)
		}
	}
	fmt.Fprintln(to)
	if i.s.output != outputJSON { // the reasons are in the comments
		return
	}
	for _, d := range i.documents {
		if d.resource == nil {
			fmt.Fprintf(to, "%s: %s\n", d.endpointID, strings.Join(d.reasons, "; "))
		}
	}
}

func (i *importer) writeStream() error {
	if i.s.output == outputJSON {
		return i.s.print(i.list(), nil)
	}
	for at, d := range i.documents {
		if at > 0 {
			if _, err := io.WriteString(i.s.Out, "---\n"); err != nil {
				return err
			}
		}
		text, err := d.yaml()
		if err != nil {
			return err
		}
		if _, err := i.s.Out.Write(text); err != nil {
			return err
		}
	}
	return nil
}

// list is one object that kubectl apply understands.
func (i *importer) list() any {
	list := struct {
		metav1.TypeMeta `json:",inline"`
		Items           []*v1alpha1.MedblocksWebhookEndpoint `json:"items"`
	}{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "List"}, Items: []*v1alpha1.MedblocksWebhookEndpoint{}}
	for _, d := range i.documents {
		if d.resource != nil {
			list.Items = append(list.Items, d.resource)
		}
	}
	return list
}

// yaml is the document as text. What cannot be a manifest is nothing but comments.
func (d document) yaml() ([]byte, error) {
	var b bytes.Buffer
	for _, line := range d.comment {
		fmt.Fprintln(&b, "#", line)
	}
	for _, reason := range d.reasons {
		fmt.Fprintln(&b, "# Not imported:", oneLine(reason)+".")
	}
	if d.resource == nil {
		return b.Bytes(), nil
	}
	text, err := yaml.Marshal(d.resource)
	if err != nil {
		return nil, fmt.Errorf("writing the manifest of %s: %w", d.endpointID, err)
	}
	b.Write(text)
	return b.Bytes(), nil
}

// notImported is the file of what cannot be written as manifests.
const notImported = "not-imported.txt"

// writeFiles writes a file per endpoint. It overwrites nothing, and where one of the files exists, writes none.
func (i *importer) writeFiles() error {
	files, order, err := i.files()
	if err != nil {
		return err
	}
	dir := i.options.outputDir
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // manifests are no secrets
		return fmt.Errorf("making --output-dir: %w", err)
	}
	for _, name := range order {
		if _, err := os.Lstat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s exists, and nothing was written: remove it, or choose another --output-dir", filepath.Join(dir, name))
		}
	}
	for _, name := range order {
		file, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // the same
		if err != nil {
			return fmt.Errorf("writing to --output-dir: %w", err)
		}
		_, err = file.Write(files[name])
		if err := errors.Join(err, file.Close()); err != nil {
			return fmt.Errorf("writing to --output-dir: %w", err)
		}
	}
	return nil
}

// files are the contents by file name, and the names in the order of the endpoints.
func (i *importer) files() (files map[string][]byte, order []string, err error) {
	files = map[string][]byte{}
	for _, d := range i.documents {
		var text []byte
		name := notImported
		switch {
		case d.resource == nil:
			text, err = d.yaml()
		case i.s.output == outputJSON:
			name = d.resource.Name + ".json"
			text, err = json.MarshalIndent(d.resource, "", "  ")
			text = append(text, '\n')
		default:
			name = d.resource.Name + ".yaml"
			text, err = d.yaml()
		}
		if err != nil {
			return nil, nil, err
		}
		if _, known := files[name]; !known {
			order = append(order, name)
		}
		files[name] = append(files[name], text...)
	}
	return files, order, nil
}
