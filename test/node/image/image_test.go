// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	. "github.com/onsi/gomega"
)

// tiny compiles a program of a few lines.
func tiny(t *testing.T, environment ...string) string {
	t.Helper()
	g := NewWithT(t)
	dir := t.TempDir()
	g.Expect(os.WriteFile(filepath.Join(dir, "main.go"), []byte("package main\n\nfunc main() {}\n"), 0o600)).To(Succeed())
	program := filepath.Join(dir, "program")
	command := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", program, "main.go")
	command.Dir = dir
	command.Env = append(os.Environ(), append([]string{"CGO_ENABLED=0", "GOOS=linux", "GOFLAGS="}, environment...)...)
	printed, err := command.CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred(), string(printed))
	return program
}

type found struct {
	mode int64
	data []byte
}

// filesIn are the files and folders of an image, by name.
func filesIn(g Gomega, image v1.Image) map[string]found {
	reader := mutate.Extract(image)
	defer reader.Close()
	all := map[string]found{}
	for archive := tar.NewReader(reader); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		g.Expect(err).NotTo(HaveOccurred())
		data, err := io.ReadAll(archive)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(header.ModTime.Unix()).To(BeZero(), header.Name)
		g.Expect([]int{header.Uid, header.Gid}).To(Equal([]int{0, 0}), header.Name)
		all[header.Name] = found{header.Mode, data}
	}
}

func read(g Gomega, path string) []byte {
	data, err := os.ReadFile(path)
	g.Expect(err).NotTo(HaveOccurred())
	return data
}

func TestTheOperatorsImageHasWhatTheDockerfileSaysAndNothingElse(t *testing.T) {
	g := NewWithT(t)
	program := tiny(t)
	image, err := Operator(root, program)
	g.Expect(err).NotTo(HaveOccurred())

	folder := found{0o755, []byte{}}
	g.Expect(filesIn(g, image)).To(Equal(map[string]found{
		"manager": {0o755, read(g, program)},
		"etc":     folder, "etc/ssl": folder, "etc/ssl/certs": folder,
		"etc/ssl/certs/ca-certificates.crt": {0o644, read(g, "/etc/ssl/certs/ca-certificates.crt")},
	}))
	config, err := image.ConfigFile()
	g.Expect(err).NotTo(HaveOccurred())
	recipe, err := readRecipe(root)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(config.Config).To(Equal(v1.Config{User: "65532:65532", Entrypoint: []string{"/manager"}, Labels: recipe.labels}))
	g.Expect(config.OS + "/" + config.Architecture).To(Equal("linux/" + runtime.GOARCH))
	g.Expect(config.Created.Time).To(Equal(time.Unix(0, 0).UTC()))
	layers, err := image.Layers()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(layers).To(HaveLen(1))
}

func TestWithoutAuthoritiesThePackageThatHasThemIsNamed(t *testing.T) {
	var content contents
	path := filepath.Join(t.TempDir(), "ca-certificates.crt")
	NewWithT(t).Expect(content.addFile("/etc/ca.crt", path)).To(MatchError(path +
		", with the authorities that the operator trusts, is missing: install the Debian package ca-certificates"))
}

func TestTheCommandOfTheDockerfileCompilesWhereItIsTold(t *testing.T) {
	g := NewWithT(t)
	repository := t.TempDir()
	g.Expect(os.MkdirAll(filepath.Join(repository, "cmd", "manager"), 0o755)).To(Succeed())
	for path, content := range map[string]string{
		"go.mod": "module example.com/tiny\n", "cmd/manager/main.go": "package main\n\nfunc main() {}\n", "Dockerfile": dockerfile(t),
	} {
		g.Expect(os.WriteFile(filepath.Join(repository, path), []byte(content), 0o600)).To(Succeed())
	}
	out := filepath.Join(t.TempDir(), "with a space")
	program, err := Compile(t.Context(), repository, out)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(program).To(Equal(filepath.Join(out, "manager")))
	_, err = Operator(repository, program)
	g.Expect(err).NotTo(HaveOccurred())

	main := filepath.Join(repository, "cmd", "manager", "main.go")
	g.Expect(os.WriteFile(main, []byte("package main\n\nfunc main() { nonsense }\n"), 0o600)).To(Succeed())
	_, err = Compile(t.Context(), repository, out)
	g.Expect(err).To(MatchError(ContainSubstring("undefined: nonsense")))
}

func TestAProgramsImageHasTheProgramAndNothingElse(t *testing.T) {
	g := NewWithT(t)
	program := tiny(t, "GOARCH=arm64")
	image, err := Program("receiver", program, "--listen", "0.0.0.0:8088")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(filesIn(g, image)).To(Equal(map[string]found{"receiver": {0o755, read(g, program)}}))
	config, err := image.ConfigFile()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(config.Config).To(Equal(v1.Config{
		User: "65532:65532", Entrypoint: []string{"/receiver"}, Cmd: []string{"--listen", "0.0.0.0:8088"},
	}))
	g.Expect(config.Architecture).To(Equal("arm64"))
}

func TestAProgramThatCannotRunAloneIsRefused(t *testing.T) {
	for name, c := range map[string]struct{ path, says string }{
		"one of the machine, with libraries": {"/bin/sh", "not static: build it with CGO_ENABLED=0"},
		"one that is not there":              {filepath.Join(t.TempDir(), "none"), "no such file"},
		"a text":                             {"image_test.go", "not a program for Linux"},
		"one for another kind of processor":  {tiny(t, "GOARCH=riscv64"), "EM_RISCV"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Program("program", c.path)
			NewWithT(t).Expect(err).To(MatchError(ContainSubstring(c.says)))
		})
	}
}

func TestPauseIsAnImageLikeTheOthers(t *testing.T) {
	g := NewWithT(t)
	image, err := Pause(t.Context(), root)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(filesIn(g, image)).To(And(HaveLen(1), HaveKey("pause")))
	config, err := image.ConfigFile()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(config.Config).To(Equal(v1.Config{User: "65532:65532", Entrypoint: []string{"/pause"}}))
}

func TestOneFileHoldsSeveralImagesAndIsTheSameEachTime(t *testing.T) {
	g := NewWithT(t)
	program := tiny(t)
	write := func() string {
		path := filepath.Join(t.TempDir(), "images.tar")
		images := map[string]v1.Image{}
		for _, name := range []string{"one", "two", "three"} {
			image, err := Program(name, program, name)
			g.Expect(err).NotTo(HaveOccurred())
			images[name+":e2e"] = image
		}
		g.Expect(Write(path, images)).To(Succeed())
		return path
	}
	path := write()
	for _, one := range []string{"one", "two", "three"} {
		tag, err := name.NewTag(one + ":e2e")
		g.Expect(err).NotTo(HaveOccurred())
		image, err := tarball.ImageFromPath(path, &tag)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(filesIn(g, image)).To(Equal(map[string]found{one: {0o755, read(g, program)}}))
		config, err := image.ConfigFile()
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(config.Config.Cmd).To(Equal([]string{one}))
	}
	for range 5 {
		g.Expect(bytes.Equal(read(g, write()), read(g, path))).To(BeTrue())
	}
	left, err := os.ReadDir(filepath.Dir(path))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(left).To(HaveLen(1))
}

func TestATagThatIsNoneIsRefused(t *testing.T) {
	g := NewWithT(t)
	image, err := Program("program", tiny(t))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(Write(filepath.Join(t.TempDir(), "images.tar"), map[string]v1.Image{"No Tag": image})).To(MatchError(ContainSubstring("the image's tag")))
}
