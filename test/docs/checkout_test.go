// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"k8s.io/client-go/tools/clientcmd"
)

// copyCheckout copies what somebody who has cloned the repository sees, so that a page may write beside it. What was built is not
// copied, nor are tests.
func copyCheckout(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		switch {
		case entry.IsDir() && (relative == "bin" || relative == ".git" || relative == "test"):
			return filepath.SkipDir
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(to, relative), 0o700)
		case !entry.Type().IsRegular():
			return nil
		}
		return copyFile(path, filepath.Join(to, relative))
	})
}

func copyFile(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, info.Mode().Perm())
}

// makeScript is make of a page: what is to be built is there already, because the tests need it too.
const makeScript = `#!/usr/bin/env bash
targets=()
for argument in "$@"; do
  case $argument in
    build|controlplane|tools) ;;
    *) targets+=("$argument") ;;
  esac
done
if [ "${#targets[@]}" = 0 ]; then exit 0; fi
PATH=$(sed 's,^[^:]*:,,' <<<"$PATH") exec make "${targets[@]}"
`

// writeTools puts the programs in place: those of bin in the checkout, listening on ports of the page's own, and kubectl and make
// in front of the machine's.
func (s *site) writeTools(ctx context.Context, x *session) error {
	bin, tools := filepath.Join(x.dir, "bin"), filepath.Join(filepath.Dir(x.dir), "tools")
	for _, dir := range []string{bin, tools} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	port := func(program string, n int) string {
		return fmt.Sprintf("127.0.0.1:%d", x.swap.port(defaultPorts[program][n]))
	}
	programs := map[string]string{
		"emulator": s.stack.Programs.Emulator + " --listen=" + port("emulator", 0),
		"receiver": s.stack.Programs.Receiver + " --listen=" + port("receiver", 0),
		"manager": s.stack.Programs.Manager + " --health-probe-bind-address=" + port("manager", 0) +
			" --metrics-bind-address=" + port("manager", 1) + " --disabled-poll-interval=300ms",
	}
	for name, command := range programs {
		script := "#!/bin/sh\nexec " + command + " \"$@\"\n"
		if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o700); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(tools, "make"), []byte(makeScript), 0o700); err != nil {
		return err
	}
	for name, program := range map[string]string{"kubectl": s.plane.KubectlPath(), "kubectl-medblocks": s.stack.Programs.Plugin} {
		if err := os.Symlink(program, filepath.Join(tools, name)); err != nil {
			return err
		}
	}
	return provideCurl(ctx, filepath.Join(tools, "curl"))
}

// provideCurl builds a stand-in where the machine has no curl: Go, make and git have to be enough.
func provideCurl(ctx context.Context, path string) error {
	if _, err := exec.LookPath("curl"); err == nil {
		return nil
	}
	out, err := exec.CommandContext(ctx, "go", "build", "-o", path, "./curl").CombinedOutput()
	if err != nil {
		return fmt.Errorf("building a stand-in for curl: %w\n%s", err, out)
	}
	return nil
}

// writeKubeconfig copies a kubeconfig with another namespace in its context.
func writeKubeconfig(path, from, namespace string) error {
	config, err := clientcmd.LoadFromFile(from)
	if err != nil {
		return err
	}
	for _, c := range config.Contexts {
		c.Namespace = namespace
	}
	return clientcmd.WriteToFile(*config, path)
}

// goCache and goModCache are this machine's, because a page has a home of its own.
var (
	goCache    = sync.OnceValue(func() string { return goEnv("GOCACHE") })
	goModCache = sync.OnceValue(func() string { return goEnv("GOMODCACHE") })
)

func goEnv(name string) string {
	value, err := exec.Command("go", "env", name).Output()
	if err != nil {
		panic(err)
	}
	return strings.TrimSpace(string(value))
}
