// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// nobody is whom programs run as: a number, because Kubernetes can only check a number against runAsNonRoot.
const nobody = "65532:65532"

// epoch is the time of everything that has none of its own, so that the same programs give the same image.
var epoch = time.Unix(0, 0).UTC()

// Program is the image of one static program and nothing else: /NAME, which runs with the arguments unless a Pod has others.
func Program(name, program string, args ...string) (v1.Image, error) {
	var content contents
	if err := content.addProgram("/"+name, program); err != nil {
		return nil, err
	}
	return build(content, epoch, v1.Config{User: nobody, Entrypoint: []string{"/" + name}, Cmd: args})
}

// Pause is the image of what holds a Pod's namespaces (package test/node/pause), compiled in a repository.
func Pause(ctx context.Context, root string) (v1.Image, error) {
	folder, err := os.MkdirTemp("", "pause-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	program := filepath.Join(folder, "pause")
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", program, "./test/node/pause")
	command.Dir = root
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+runtime.GOARCH, "GOFLAGS=", "GOWORK=off")
	if printed, err := command.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("compile pause: %w\n%s", err, printed)
	}
	return Program("pause", program)
}

// contents are what an image's only layer holds. All of it is root's.
type contents struct {
	architecture string
	folders      []string
	files        []file
}

type file struct {
	path string
	mode int64
	data []byte
}

// addProgram adds a program that can run where there is nothing beside it.
func (c *contents) addProgram(to, from string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("add %s to the image: %w", to, err)
	}
	if c.architecture, err = architecture(data); err != nil {
		return fmt.Errorf("add %s to the image: %s: %w", to, from, err)
	}
	c.files = append(c.files, file{path: to, mode: 0o755, data: data})
	return nil
}

// architecture is Go's name for the processor that a static program is for.
func architecture(program []byte) (string, error) {
	parsed, err := elf.NewFile(bytes.NewReader(program))
	if err != nil {
		return "", fmt.Errorf("not a program for Linux: %w", err)
	}
	for _, part := range parsed.Progs {
		if part.Type == elf.PT_INTERP {
			return "", errors.New("not static: build it with CGO_ENABLED=0")
		}
	}
	known := map[elf.Machine]string{elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64"}
	name, found := known[parsed.Machine]
	if !found {
		return "", fmt.Errorf("for a processor that is not known here: %s", parsed.Machine)
	}
	return name, nil
}

func build(content contents, created time.Time, config v1.Config) (v1.Image, error) {
	packed, err := content.pack(created)
	if err != nil {
		return nil, err
	}
	// Not compressed: these images travel over no network.
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(packed)), nil },
		tarball.WithCompressionLevel(gzip.NoCompression), tarball.WithCompressedCaching)
	if err != nil {
		return nil, err
	}
	base, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{
		OS: "linux", Architecture: content.architecture, Created: v1.Time{Time: created}, Config: config,
		RootFS: v1.RootFS{Type: "layers"},
	})
	if err != nil {
		return nil, err
	}
	return mutate.Append(base, mutate.Addendum{Layer: layer, History: v1.History{Created: v1.Time{Time: created}}})
}

// pack makes a layer of it.
func (c *contents) pack(created time.Time) ([]byte, error) {
	var packed bytes.Buffer
	to := tar.NewWriter(&packed)
	for _, folder := range c.folders {
		if err := to.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: folder[1:] + "/", Mode: 0o755, ModTime: created}); err != nil {
			return nil, err
		}
	}
	for _, one := range c.files {
		header := tar.Header{Typeflag: tar.TypeReg, Name: one.path[1:], Mode: one.mode, Size: int64(len(one.data)), ModTime: created}
		if err := to.WriteHeader(&header); err != nil {
			return nil, err
		}
		if _, err := to.Write(one.data); err != nil {
			return nil, err
		}
	}
	err := to.Close()
	return packed.Bytes(), err
}
