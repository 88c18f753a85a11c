// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package image

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Compile compiles the operator for Linux and this machine's processor, with the very command of the Dockerfile, into a folder. It
// returns the program's path.
func Compile(ctx context.Context, root, folder string) (program string, err error) {
	read, err := readRecipe(root)
	if err != nil {
		return "", err
	}
	folder, err = filepath.Abs(folder)
	if err != nil {
		return "", err
	}
	return filepath.Join(folder, read.program), read.compileIn(ctx, root, folder)
}

func (r *recipe) compileIn(ctx context.Context, root, folder string) error {
	command := exec.CommandContext(ctx, "sh", "-c", strings.ReplaceAll(r.compile, " /out/", ` "$OUT"/`))
	command.Dir = root
	command.Env = append(os.Environ(), "OUT="+folder, "TARGETOS=linux", "TARGETARCH="+runtime.GOARCH, "GOFLAGS=", "GOWORK=off")
	if printed, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("compile the operator: %w\n%s", err, printed)
	}
	return nil
}

// Operator is the image that the Dockerfile of a repository describes, when it is built without build arguments. The program is the one
// that Compile made. The authorities that it trusts are this machine's.
func Operator(root, program string) (v1.Image, error) {
	read, err := readRecipe(root)
	if err != nil {
		return nil, err
	}
	content := contents{folders: read.folders}
	if err := content.addProgram(read.program, program); err != nil {
		return nil, err
	}
	for _, to := range slices.Sorted(maps.Keys(read.files)) {
		if err := content.addFile(to, read.files[to]); err != nil {
			return nil, err
		}
	}
	created, err := time.Parse(time.RFC3339, read.created)
	if err != nil {
		return nil, fmt.Errorf("the Dockerfile: CREATED: %w", err)
	}
	return build(content, created, v1.Config{User: read.user, Entrypoint: read.entrypoint, Labels: read.labels})
}

// addFile adds a file of this machine.
func (c *contents) addFile(to, from string) error {
	data, err := os.ReadFile(from)
	if errors.Is(err, fs.ErrNotExist) && path.Base(from) == "ca-certificates.crt" {
		return fmt.Errorf("%s, with the authorities that the operator trusts, is missing: install the Debian package ca-certificates", from)
	}
	if err != nil {
		return fmt.Errorf("add %s to the image: %w", to, err)
	}
	c.files = append(c.files, file{path: to, mode: 0o644, data: data})
	return nil
}
