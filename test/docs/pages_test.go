// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/controlplane"
)

func TestEveryPageWorks(t *testing.T) {
	paths, err := findPages(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) < 14 {
		t.Fatalf("there are more pages than these: %v", paths)
	}
	for _, path := range paths {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			p, err := readPage(root, path)
			if err != nil {
				t.Fatal(err)
			}
			play(t, p)
		})
	}
}

// play runs a page from its top to its end.
func play(t *testing.T, p *page) {
	t.Helper()
	acts := p.acts(t)
	if len(acts) == 0 {
		return // there is nothing for a cluster in it
	}
	s, namespace := p.stage(t)
	x, err := s.startSession(t.Context(), p, t.TempDir(), namespace)
	if err != nil {
		t.Fatal(err)
	}
	defer x.stop()
	for _, b := range acts {
		begun := time.Now()
		if err := x.act(t.Context(), b); err != nil {
			t.Log(x.transcript())
			t.Fatalf("%s: %v", p.path, err)
		}
		t.Logf("line %d took %s", b.line, time.Since(begun).Round(often))
	}
}

// acts are the blocks that need a cluster. The others are checked here.
func (p *page) acts(t *testing.T) []*block {
	t.Helper()
	var acts []*block
	for i := range p.blocks {
		b := &p.blocks[i]
		_, excused := b.marks["not run"]
		switch {
		case excused:
			if err := inspect(t.Context(), p, b); err != nil {
				t.Error(err)
			}
			t.Logf("line %d is not run: %s", b.line, b.marks["not run"])
		case b.language == "json":
			if !json.Valid([]byte(b.text)) {
				t.Errorf("%s:%d: this is no JSON", p.path, b.line)
			}
		case b.language == "hcl":
			t.Errorf("%s:%d: nothing here tries %s: say why in a comment before it: <!-- not run: REASON -->", p.path, b.line, b.language)
		case b.language == "sh" || b.language == "console" || b.language == "yaml" || b.language == hidden:
			acts = append(acts, b)
		}
	}
	return acts
}

// act does what a block is for.
func (x *session) act(ctx context.Context, b *block) error {
	var (
		steps []step
		err   error
	)
	if b.language == "yaml" {
		var s step
		s, err = x.manifestStep(b)
		steps = []step{s}
	} else {
		steps, err = sessionSteps(b)
	}
	if err != nil {
		return err
	}
	for _, s := range steps {
		if err := x.run(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// oneByOne is held by the page that makes things outside of its namespace.
var oneByOne sync.Mutex

// stage is where a page plays: a cluster, and a namespace in it.
func (p *page) stage(t *testing.T) (s *site, namespace string) {
	t.Helper()
	g := NewWithT(t)
	if p.ownCluster {
		s, err := newSite(t.Context(), true)
		g.Expect(err).NotTo(HaveOccurred())
		t.Cleanup(func() { NewWithT(t).Expect(s.stop()).To(Succeed()) })
		return s, "default"
	}
	s, err := sharedSite()
	g.Expect(err).NotTo(HaveOccurred())
	if p.serial {
		oneByOne.Lock()
		t.Cleanup(oneByOne.Unlock)
		before := s.things(g)
		t.Cleanup(func() { s.removeAllBut(t, before) })
	}
	n := &corev1.Namespace{}
	n.GenerateName = "page-" + slug(p) + "-"
	g.Expect(s.api.Create(t.Context(), n)).To(Succeed())
	return s, n.Name
}

// things are the objects outside of a page's namespace that pages make.
func (s *site) things(g Gomega) map[string]client.Object {
	var (
		ctx        = context.Background()
		namespaces corev1.NamespaceList
		accounts   v1alpha1.MedblocksAccountList
		secrets    corev1.SecretList
		found      = map[string]client.Object{}
	)
	g.Expect(s.api.List(ctx, &namespaces)).To(Succeed())
	for i := range namespaces.Items {
		found["namespace "+namespaces.Items[i].Name] = &namespaces.Items[i]
	}
	g.Expect(s.api.List(ctx, &accounts)).To(Succeed())
	for i := range accounts.Items {
		found["account "+accounts.Items[i].Name] = &accounts.Items[i]
	}
	g.Expect(s.api.List(ctx, &secrets, client.InNamespace(controlplane.OperatorNamespace))).To(Succeed())
	for i := range secrets.Items {
		found["secret "+secrets.Items[i].Name] = &secrets.Items[i]
	}
	return found
}

var pageNamespace = regexp.MustCompile(`^namespace page-`)

// removeAllBut removes what a page has left, and waits until it is gone. Namespaces of other pages, which run meanwhile, stay.
func (s *site) removeAllBut(t *testing.T, before map[string]client.Object) {
	t.Helper()
	g := NewWithT(t)
	left := func(g Gomega) (names []string) {
		for name, object := range s.things(g) {
			if before[name] != nil || pageNamespace.MatchString(name) {
				continue
			}
			names = append(names, name)
			if object.GetDeletionTimestamp() == nil {
				g.Expect(client.IgnoreNotFound(s.api.Delete(context.Background(), object))).To(Succeed())
			}
		}
		return names
	}
	g.Eventually(left).WithTimeout(patience).WithPolling(often).Should(BeEmpty())
}

func TestTheHarnessNoticesAPageThatDoesNotWork(t *testing.T) {
	const top = "# Page\n\n"
	for name, text := range map[string]string{
		"command fails":       "```sh\nfalse\n```\n",
		"pipe fails":          "```sh\nfalse | cat\n```\n",
		"other output":        "```console\n$ echo one\ntwo\n```\n",
		"unknown field":       "```yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndatum: {}\n```\n",
		"invalid spec":        "<!-- in: MedblocksWebhookEndpoint spec -->\n```yaml\nevents: [unheard.of]\n```\n",
		"unknown placeholder": "```sh\necho …\n```\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			p, err := parsePage("broken/"+strings.ReplaceAll(name, " ", "-")+".md", top+text)
			g.Expect(err).NotTo(HaveOccurred())
			s, namespace := p.stage(t)
			x, err := s.startSession(t.Context(), p, t.TempDir(), namespace)
			g.Expect(err).NotTo(HaveOccurred())
			defer x.stop()
			err = x.act(t.Context(), &p.blocks[0])
			g.Expect(err).To(HaveOccurred())
			t.Log(fmt.Sprint(err))
		})
	}
}

func TestAPageThatCannotBeReadIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"no language":      "```\ntext\n```\n",
		"unknown language": "```cobol\ntext\n```\n",
		"never closed":     "```sh\ntrue\n",
		"comment in vain":  "<!-- not run: needs Flux -->\nText.\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parsePage("page.md", text)
			NewWithT(t).Expect(err).To(HaveOccurred())
		})
	}
}
