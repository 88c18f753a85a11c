// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package image

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// root is the project's folder.
var root = filepath.Join("..", "..")

// What an engine on this machine may be like.
const (
	works      = "exit 0"
	notRunning = `if [ "$1" = info ]; then echo "Cannot connect to the daemon" >&2; exit 1; fi`
	noBuildx   = `if [ "$1" = buildx ]; then echo "unknown command" >&2; exit 1; fi`
)

// machine is a PATH with the given engines and no other. Each notes the arguments that it is called with.
type machine struct {
	t    *testing.T
	path string
	log  string
}

func newMachine(t *testing.T, engines map[string]string) *machine {
	t.Helper()
	m := &machine{t: t, path: t.TempDir(), log: filepath.Join(t.TempDir(), "calls")}
	for engine, is := range engines {
		script := "#!/bin/sh\nprintf '%s' " + engine + " >>\"$CALLS\"\nprintf ' [%s]' \"$@\" >>\"$CALLS\"\necho >>\"$CALLS\"\n" + is + "\n"
		if err := os.WriteFile(filepath.Join(m.path, engine), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, program := range []string{"bash", "env", "git", "date", "dirname", "sh"} {
		found, err := exec.LookPath(program)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(found, filepath.Join(m.path, program)); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// build runs hack/image.sh as `make image` does, at a fixed time, and returns what it printed and which calls would build or push.
func (m *machine) build(variables ...string) (out string, calls []string, err error) {
	m.t.Helper()
	command := exec.CommandContext(m.t.Context(), "hack/image.sh")
	command.Dir = root
	command.Env = append([]string{
		"PATH=" + m.path, "HOME=" + os.Getenv("HOME"), "CALLS=" + m.log, "IMG=registry.example.com/operator:v1", "VERSION=v1", "SOURCE_DATE_EPOCH=1777127400",
	}, variables...)
	printed, err := command.CombinedOutput()
	log, _ := os.ReadFile(m.log)
	for line := range strings.Lines(string(log)) {
		if line = strings.TrimSpace(line); !strings.HasSuffix(line, " [info]") && !strings.HasSuffix(line, " [version]") {
			calls = append(calls, line)
		}
	}
	return string(printed), calls, err
}

// common is what every engine is told; the commit differs from run to run.
func common(t *testing.T) string {
	t.Helper()
	commit := "unknown"
	if out, err := exec.CommandContext(t.Context(), "git", "-C", root, "rev-parse", "HEAD").Output(); err == nil {
		commit = strings.TrimSpace(string(out))
	}
	return "[--file] [Dockerfile] [--build-arg] [CREATED=2026-04-25T14:30:00Z] [--build-arg] [VERSION=v1] [--build-arg] [REVISION=" + commit + "]"
}

func TestEachEngineIsAskedForTheSameImageInItsOwnWords(t *testing.T) {
	const (
		img   = "registry.example.com/operator:v1"
		two   = "linux/amd64,linux/arm64"
		epoch = "[--timestamp] [1777127400]"
	)
	docker := "docker [buildx] [build] " + common(t)
	buildkit := " [--build-arg] [SOURCE_DATE_EPOCH=1777127400] [--provenance=false] [--tag] [" + img + "]"
	for name, c := range map[string]struct {
		engine    string
		variables []string
		calls     []string
	}{
		"docker":                           {"docker", nil, []string{docker + buildkit + " [--load] [.]"}},
		"docker, another platform":         {"docker", []string{"PLATFORM=linux/arm64"}, []string{docker + " [--platform] [linux/arm64]" + buildkit + " [--load] [.]"}},
		"docker, two platforms":            {"docker", []string{"PLATFORM=" + two}, []string{docker + " [--platform] [" + two + "]" + buildkit + " [--load] [.]"}},
		"docker, two platforms and a push": {"docker", []string{"PLATFORM=" + two, "PUSH=1"}, []string{docker + " [--platform] [" + two + "]" + buildkit + " [--push] [.]"}},
		"docker, another compiler":         {"docker", []string{"GO_IMAGE=g@sha256:1"}, []string{docker + " [--build-arg] [GO_IMAGE=g@sha256:1]" + buildkit + " [--load] [.]"}},
		"podman":                           {"podman", nil, []string{"podman [build] " + common(t) + " " + epoch + " [--tag] [" + img + "] [.]"}},
		"podman and a push": {"podman", []string{"PUSH=1"}, []string{
			"podman [build] " + common(t) + " " + epoch + " [--tag] [" + img + "] [.]", "podman [push] [" + img + "] [docker://" + img + "]",
		}},
		"podman, two platforms and a push": {"podman", []string{"PLATFORM=" + two, "PUSH=1"}, []string{
			"podman [rmi] [" + img + "]",
			"podman [build] " + common(t) + " [--platform] [" + two + "] " + epoch + " [--manifest] [" + img + "] [.]",
			"podman [manifest] [push] [--all] [" + img + "] [docker://" + img + "]",
		}},
		"buildah": {"buildah", []string{"PLATFORM=linux/arm64"}, []string{
			"buildah [build] " + common(t) + " [--platform] [linux/arm64] " + epoch + " [--tag] [" + img + "] [.]",
		}},
		"buildah, two platforms": {"buildah", []string{"PLATFORM=" + two}, []string{
			"buildah [rmi] [" + img + "]", "buildah [build] " + common(t) + " [--platform] [" + two + "] " + epoch + " [--manifest] [" + img + "] [.]",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			out, calls, err := newMachine(t, map[string]string{c.engine: works}).build(c.variables...)
			g.Expect(err).NotTo(HaveOccurred(), out)
			g.Expect(out).To(Equal("Building registry.example.com/operator:v1 with " + c.engine + ".\n"))
			g.Expect(calls).To(Equal(c.calls))
		})
	}
}

func TestTheFirstEngineThatWorksIsTaken(t *testing.T) {
	for name, c := range map[string]struct {
		engines map[string]string
		taken   string
	}{
		"all work":                    {map[string]string{"docker": works, "podman": works, "buildah": works}, "docker"},
		"docker's daemon is not up":   {map[string]string{"docker": notRunning, "podman": works, "buildah": works}, "podman"},
		"docker is without buildx":    {map[string]string{"docker": noBuildx, "buildah": works}, "buildah"},
		"podman's machine is stopped": {map[string]string{"podman": notRunning, "buildah": works}, "buildah"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			out, calls, err := newMachine(t, c.engines).build()
			g.Expect(err).NotTo(HaveOccurred(), out)
			g.Expect(out).To(ContainSubstring(" with " + c.taken + "."))
			g.Expect(calls).To(HaveEach(HavePrefix(c.taken + " ")))
		})
	}
}

func TestWithoutAnEngineThatWorksNothingIsBuilt(t *testing.T) {
	for name, engines := range map[string]map[string]string{
		"none is there": nil,
		"none runs":     {"docker": notRunning, "podman": notRunning, "buildah": notRunning},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			out, calls, err := newMachine(t, engines).build()
			g.Expect(err).To(HaveOccurred())
			g.Expect(out).To(Equal("image: none of docker (with buildx), podman and buildah works here; install or start one of them\n"))
			g.Expect(calls).To(BeEmpty())
		})
	}
}

func TestABuildThatFailsIsNotPushed(t *testing.T) {
	g := NewWithT(t)
	fails := `case "$1" in build) exit 7;; esac`
	_, calls, err := newMachine(t, map[string]string{"buildah": fails}).build("PUSH=1")
	g.Expect(err).To(MatchError("exit status 7"))
	g.Expect(calls).To(HaveLen(1))
}
