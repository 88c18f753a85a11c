// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package image

import (
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"go/build"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	node "github.com/medblocks/webhook-operator/test/node/image"
)

// dockerfile returns the Dockerfile's instructions, those over several lines in one, and without comments.
func dockerfile(t *testing.T) []string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	return node.Instructions(string(content))
}

// buildCommand is the line that compiles the manager.
func buildCommand(t *testing.T) string {
	t.Helper()
	for _, instruction := range dockerfile(t) {
		if command, found := strings.CutPrefix(instruction, "RUN "); found && strings.Contains(command, "go build ") {
			return command
		}
	}
	t.Fatal("the Dockerfile has no RUN go build")
	return ""
}

// buildContext copies what .dockerignore lets through into a folder of its own. The file lists what is let through, and then what of
// it is not; a pattern that it does not use yet is an error, because then this would not be what an engine copies.
func buildContext(t *testing.T) string {
	t.Helper()
	g := NewWithT(t)
	content, err := os.ReadFile(filepath.Join(root, ".dockerignore"))
	g.Expect(err).NotTo(HaveOccurred())
	to := t.TempDir()
	for line := range strings.Lines(string(content)) {
		line = strings.TrimSpace(line)
		name, let := strings.CutPrefix(line, "!")
		switch {
		case line == "" || line == "*" || line == "**/*_test.go" || strings.HasPrefix(line, "#"):
		case let && strings.HasSuffix(name, "/"):
			g.Expect(os.CopyFS(filepath.Join(to, name), os.DirFS(filepath.Join(root, name)))).To(Succeed())
		case let:
			file, err := os.ReadFile(filepath.Join(root, name))
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(os.WriteFile(filepath.Join(to, name), file, 0o600)).To(Succeed())
		default:
			t.Fatalf(".dockerignore: this test does not know the pattern %q", line)
		}
	}
	return to
}

// compile runs the Dockerfile's line in a folder, for an architecture, and returns the program.
func compile(t *testing.T, folder, arch string) []byte {
	t.Helper()
	g := NewWithT(t)
	out := t.TempDir()
	command := exec.CommandContext(t.Context(), "sh", "-c", strings.ReplaceAll(buildCommand(t), "/out/", out+"/"))
	command.Dir = folder
	command.Env = append(os.Environ(), "TARGETOS=linux", "TARGETARCH="+arch, "GOFLAGS=")
	printed, err := command.CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred(), string(printed))
	program, err := os.ReadFile(filepath.Join(out, "manager"))
	g.Expect(err).NotTo(HaveOccurred())
	return program
}

func TestTheProgramIsTheSameWhereverItIsBuilt(t *testing.T) {
	here, there := buildContext(t), buildContext(t)
	home, err := os.UserHomeDir()
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		t.Run(arch, func(t *testing.T) {
			g := NewWithT(t)
			program := compile(t, here, arch)
			g.Expect(bytes.Equal(program, compile(t, there, arch))).To(BeTrue(), "two builds differ")

			file, err := elf.NewFile(bytes.NewReader(program))
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(file.Machine).To(Equal(machine))
			for _, part := range file.Progs {
				g.Expect(part.Type).NotTo(BeElementOf(elf.PT_INTERP, elf.PT_DYNAMIC), "it is not static")
			}
			g.Expect(file.Section(".symtab")).To(BeNil(), "it is not stripped")

			for _, path := range []string{here, there, filepath.Join(home, "go"), build.Default.GOPATH, build.Default.GOROOT + "/src"} {
				g.Expect(bytes.Contains(program, []byte(path))).To(BeFalse(), "it has the path %s in it", path)
			}
			info, err := buildinfo.Read(bytes.NewReader(program))
			g.Expect(err).NotTo(HaveOccurred())
			for _, setting := range info.Settings {
				g.Expect(setting.Key).NotTo(HavePrefix("vcs"), "it depends on there being a repository")
			}
		})
	}
}

func TestTheImageIsWhatTheDocumentationSays(t *testing.T) {
	g := NewWithT(t)
	lines := dockerfile(t)
	g.Expect(lines).To(ContainElement(MatchRegexp(`^ARG GO_IMAGE=docker\.io/library/golang:\d+\.\d+\.\d+$`)), "the compiler has its exact version")

	last := 0
	for i, line := range lines {
		if strings.HasPrefix(line, "FROM ") {
			last = i
		}
	}
	g.Expect(lines[last]).To(Equal("FROM scratch"))
	rest := strings.Join(lines[last:], "\n")
	g.Expect(rest).To(ContainSubstring("\nUSER 65532:65532\n"))
	g.Expect(rest).To(ContainSubstring("\nCOPY --from=build /out/ /\n"))
	g.Expect(rest).NotTo(ContainSubstring("VOLUME"), "nothing is written")
	for _, label := range []string{"title", "description", "source", "licenses", "created", "version", "revision"} {
		g.Expect(rest).To(MatchRegexp(`org\.opencontainers\.image\.`+label+`="[^"]+"`), label)
	}
	g.Expect(strings.Join(lines, "\n")).To(ContainSubstring("cp /etc/ssl/certs/ca-certificates.crt /out/etc/ssl/certs/"))
}

func TestTheCompilerOfTheImageIsNewEnoughForTheModule(t *testing.T) {
	g := NewWithT(t)
	module, err := os.ReadFile(filepath.Join(root, "go.mod"))
	g.Expect(err).NotTo(HaveOccurred())
	wanted := regexp.MustCompile(`(?m)^go (\d+\.\d+)\.`).FindSubmatch(module)
	g.Expect(wanted).To(HaveLen(2))
	g.Expect(dockerfile(t)).To(ContainElement(HavePrefix("ARG GO_IMAGE=docker.io/library/golang:" + string(wanted[1]) + ".")))
}

func TestAReleaseCompilesTheProgramAsTheImageDoes(t *testing.T) {
	g := NewWithT(t)
	script, err := os.ReadFile(filepath.Join(root, "hack", "release.sh"))
	g.Expect(err).NotTo(HaveOccurred())
	flags := regexp.MustCompile(`go build (.*) -o`).FindStringSubmatch(buildCommand(t))
	g.Expect(flags).To(HaveLen(2))
	g.Expect(string(script)).To(ContainSubstring(`"$go" build `+flags[1]+` -o "$work/$1/manager"`), "the checksum in the list of modules is that of the image's program")
}

func TestANodeRunsTheProgramOfTheImage(t *testing.T) {
	g := NewWithT(t)
	program, err := node.Compile(t.Context(), root, t.TempDir())
	g.Expect(err).NotTo(HaveOccurred())
	compiled, err := os.ReadFile(program)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(bytes.Equal(compiled, compile(t, buildContext(t), runtime.GOARCH))).To(BeTrue(), "the programs differ")
}
