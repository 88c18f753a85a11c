// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package release

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"sigs.k8s.io/yaml"
)

const version = "v9.8.7"

var root = filepath.Join("..", "..")

// project is a copy of this project's files, as one commit of a fixed time.
type project struct {
	t      *testing.T
	folder string
	path   string // a PATH of its own, where engines are what the test says
}

func newProject(t *testing.T) *project {
	t.Helper()
	g := NewWithT(t)
	helm, err := filepath.Abs(filepath.Join(root, "bin", "tools", "helm"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(helm).To(BeAnExistingFile(), "run make tools")

	p := &project{t: t, folder: t.TempDir()}
	list := exec.CommandContext(t.Context(), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = root
	files, err := list.Output()
	g.Expect(err).NotTo(HaveOccurred())
	for name := range strings.SplitSeq(strings.TrimSuffix(string(files), "\x00"), "\x00") {
		content, err := os.ReadFile(filepath.Join(root, name))
		if errors.Is(err, os.ErrNotExist) {
			continue // Removed, and not yet committed.
		}
		g.Expect(err).NotTo(HaveOccurred())
		info, err := os.Stat(filepath.Join(root, name))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(os.MkdirAll(filepath.Dir(filepath.Join(p.folder, name)), 0o755)).To(Succeed())
		g.Expect(os.WriteFile(filepath.Join(p.folder, name), content, info.Mode())).To(Succeed())
	}
	p.git("init", "-q")
	p.git("add", "-A")
	p.git("commit", "-q", "-m", "A commit")
	g.Expect(os.MkdirAll(filepath.Join(p.folder, "bin", "tools"), 0o755)).To(Succeed())
	g.Expect(os.Symlink(helm, filepath.Join(p.folder, "bin", "tools", "helm"))).To(Succeed())

	p.path = t.TempDir()
	for _, engine := range []string{"docker", "podman", "buildah"} {
		p.engine(engine, "exit 1")
	}
	return p
}

// engine puts an engine on the PATH.
func (p *project) engine(name, does string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.path, name), []byte("#!/bin/sh\n"+does+"\n"), 0o755); err != nil {
		p.t.Fatal(err)
	}
}

func (p *project) git(args ...string) {
	p.t.Helper()
	command := exec.CommandContext(p.t.Context(), "git", append([]string{"-c", "user.name=A", "-c", "user.email=a@example.com"}, args...)...)
	command.Dir = p.folder
	command.Env = append(os.Environ(), "GIT_AUTHOR_DATE=2026-04-25T14:30:00Z", "GIT_COMMITTER_DATE=2026-04-25T14:30:00Z")
	if out, err := command.CombinedOutput(); err != nil {
		p.t.Fatalf("git %s: %v\n%s", args[0], err, out)
	}
}

// release runs what `make release` runs.
func (p *project) release(version string) (string, error) {
	command := exec.CommandContext(p.t.Context(), "hack/release.sh")
	command.Dir = p.folder
	command.Env = append(os.Environ(), "PATH="+p.path+string(os.PathListSeparator)+os.Getenv("PATH"), "VERSION="+version,
		"PLUGIN_PLATFORMS=linux/amd64 linux/arm64") // for others, all of Go's library would have to be compiled
	out, err := command.CombinedOutput()
	return string(out), err
}

// files are the contents of all files of the release, by name.
func (p *project) files() map[string][]byte {
	p.t.Helper()
	g := NewWithT(p.t)
	entries, err := os.ReadDir(filepath.Join(p.folder, "bin", "release"))
	g.Expect(err).NotTo(HaveOccurred())
	files := map[string][]byte{}
	for _, entry := range entries {
		files[entry.Name()], err = os.ReadFile(filepath.Join(p.folder, "bin", "release", entry.Name()))
		g.Expect(err).NotTo(HaveOccurred())
	}
	return files
}

func TestAReleaseHoldsWhatItSaysAndIsTheSameTwice(t *testing.T) {
	g := NewWithT(t)
	first, second := newProject(t), newProject(t)
	out, err := first.release(version)
	g.Expect(err).NotTo(HaveOccurred(), out)
	g.Expect(out).To(ContainSubstring("SKIPPED the image medblocks/webhook-operator:" + version + ": image: none of docker (with buildx), podman and buildah works here"))
	files := first.files()

	// The second time with an engine: what is published besides the image is the same.
	second.engine("podman", `echo "podman $*"`)
	out, err = second.release(version)
	g.Expect(err).NotTo(HaveOccurred(), out)
	g.Expect(out).To(MatchRegexp(`podman build .*--build-arg VERSION=` + version + ` .*--tag medblocks/webhook-operator:` + version + ` \.`))
	again := second.files()
	g.Expect(again).To(HaveLen(len(files)))
	for name, content := range files {
		g.Expect(bytes.Equal(content, again[name])).To(BeTrue(), "%s differs the second time", name)
	}

	g.Expect(files).To(HaveLen(10))
	checkChecksums(t, files)
	checkManifest(t, files["install.yaml"])
	checkChart(t, files["medblocks-webhook-operator-9.8.7.tgz"])
	for _, arch := range []string{"amd64", "arm64"} {
		checkModules(t, first.folder, "manager", arch, files["sbom-linux-"+arch+".cdx.json"])
		checkModules(t, first.folder, "kubectl-medblocks", arch, files["kubectl-medblocks-linux-"+arch+".cdx.json"])
	}
	checkPlugin(t, filepath.Join(first.folder, "bin", "release"))
	licenses := string(files["licenses.txt"])
	g.Expect(strings.Count(licenses, "\nsigs.k8s.io/controller-runtime v")).To(Equal(1), "both programs are linked from it")
	g.Expect(licenses).To(ContainSubstring("\nk8s.io/cli-runtime/pkg v"), "the plugin is")
	g.Expect(licenses).To(ContainSubstring("\ngithub.com/inconshreveable/mousetrap v"), "the plugin for Windows is")
	g.Expect(licenses).To(ContainSubstring("The Go standard library: BSD-3-Clause"))
	g.Expect(strings.Count(licenses, "Redistributions in binary form must reproduce")).To(BeNumerically(">", 10), "the texts are there")
}

// checkChecksums sees that every file has its checksum, as sha256sum --check would.
func checkChecksums(t *testing.T, files map[string][]byte) {
	t.Helper()
	g := NewWithT(t)
	listed := 0
	for line := range strings.Lines(string(files["checksums.txt"])) {
		sum, name, found := strings.Cut(strings.TrimSpace(line), "  ")
		g.Expect(found).To(BeTrue(), line)
		actual := sha256.Sum256(files[name])
		g.Expect(sum).To(Equal(hex.EncodeToString(actual[:])), name)
		listed++
	}
	g.Expect(listed).To(Equal(len(files)-1), "all but the list itself")
}

// checkManifest sees that the operator runs the released image, and that all else is what dist/install.yaml has.
func checkManifest(t *testing.T, manifest []byte) {
	t.Helper()
	g := NewWithT(t)
	current, err := os.ReadFile(filepath.Join(root, "dist", "install.yaml"))
	g.Expect(err).NotTo(HaveOccurred())
	images := 0
	for line := range strings.Lines(string(manifest)) {
		if name, found := strings.CutPrefix(strings.TrimSpace(line), "image: "); found {
			g.Expect(name).To(Equal("medblocks/webhook-operator:" + version))
			images++
		}
	}
	g.Expect(images).To(Equal(1))
	g.Expect(strings.Count(string(manifest), "\n")).To(Equal(strings.Count(string(current), "\n")))
}

func checkChart(t *testing.T, archive []byte) {
	t.Helper()
	g := NewWithT(t)
	unzipped, err := gzip.NewReader(bytes.NewReader(archive))
	g.Expect(err).NotTo(HaveOccurred())
	chart := struct{ Name, Version, AppVersion string }{}
	for entries := tar.NewReader(unzipped); ; {
		entry, err := entries.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		g.Expect(err).NotTo(HaveOccurred())
		if entry.Name == "medblocks-webhook-operator/Chart.yaml" {
			content, err := io.ReadAll(entries)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(yaml.Unmarshal(content, &chart)).To(Succeed())
		}
	}
	g.Expect(chart.Name).To(Equal("medblocks-webhook-operator"))
	g.Expect(chart.Version).To(Equal("9.8.7"))
	g.Expect(chart.AppVersion).To(Equal(version), "it is the tag of the image, unless a value says otherwise")
}

// checkPlugin runs the one for this machine, where there is one.
func checkPlugin(t *testing.T, folder string) {
	t.Helper()
	name := "kubectl-medblocks-" + runtime.GOOS + "-" + runtime.GOARCH
	if runtime.GOOS != "linux" {
		return
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(folder, name), "--version").Output()
	g := NewWithT(t)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(out)).To(Equal("kubectl medblocks version " + version + "\n"))
}

// checkModules sees that the list names exactly the modules that a program is linked from, as Go itself says.
func checkModules(t *testing.T, folder, program, arch string, content []byte) {
	t.Helper()
	g := NewWithT(t)
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}@{{.Version}}{{end}}{{end}}", "./cmd/"+program)
	list.Dir = folder
	list.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+arch, "CGO_ENABLED=0")
	out, err := list.Output()
	g.Expect(err).NotTo(HaveOccurred())
	linked := map[string]bool{}
	for module := range strings.FieldsSeq(string(out)) {
		linked[module] = true
	}

	type component struct{ Name, Version, PURL string }
	sbom := struct {
		BOMFormat, SpecVersion string
		Metadata               struct{ Component component }
		Components             []component
	}{}
	g.Expect(json.Unmarshal(content, &sbom)).To(Succeed())
	g.Expect(sbom.BOMFormat).To(Equal("CycloneDX"))
	g.Expect(sbom.SpecVersion).NotTo(BeEmpty())
	g.Expect(sbom.Metadata.Component.Version).To(Equal(version))
	g.Expect(sbom.Metadata.Component.PURL).To(ContainSubstring("goarch=" + arch))
	named := map[string]bool{}
	for _, c := range sbom.Components {
		if c.Name != "std" {
			named[c.Name+"@"+c.Version] = true
		}
	}
	g.Expect(named).To(Equal(linked))
	g.Expect(len(linked)).To(BeNumerically(">", 50))
}

func TestNoReleaseIsMadeOfChangedFiles(t *testing.T) {
	g := NewWithT(t)
	p := newProject(t)
	g.Expect(os.WriteFile(filepath.Join(p.folder, "controllers", "new.go"), []byte("package controllers\n"), 0o600)).To(Succeed())
	out, err := p.release(version)
	g.Expect(err).To(HaveOccurred())
	g.Expect(out).To(ContainSubstring("?? controllers/new.go\nrelease: the files above differ from the commit"))
	g.Expect(filepath.Join(p.folder, "bin", "release")).NotTo(BeADirectory())
}

func TestAReleaseNeedsAVersion(t *testing.T) {
	p := newProject(t)
	for _, wrong := range []string{"", "0.1.0", "v1", "v1.2", "latest"} {
		out, err := p.release(wrong)
		g := NewWithT(t)
		g.Expect(err).To(HaveOccurred(), wrong)
		g.Expect(out).To(Equal("release: VERSION='" + wrong + "' is not a version such as v0.1.0\n"))
	}
}
