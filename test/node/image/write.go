// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package image

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// Write writes images, by their tags such as receiver:e2e, into one file that `ctr -n k8s.io images import` takes. The same images give
// the same file.
func Write(path string, images map[string]v1.Image) error {
	byReference := make(map[name.Reference]v1.Image, len(images))
	for tag, one := range images {
		reference, err := name.NewTag(tag)
		if err != nil {
			return fmt.Errorf("the image's tag: %w", err)
		}
		byReference[reference] = one
	}
	shuffled, err := os.CreateTemp(filepath.Dir(path), ".images-")
	if err != nil {
		return err
	}
	defer os.Remove(shuffled.Name())
	defer shuffled.Close()
	if err := tarball.MultiRefWrite(byReference, shuffled); err != nil {
		return fmt.Errorf("write images: %w", err)
	}
	sorted, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(sortEntries(shuffled, sorted), sorted.Close())
}

// entry is a file in an archive.
type entry struct {
	header  *tar.Header
	content *io.SectionReader
}

// sortEntries writes an archive anew, in the order of the names: the library writes images in the order in which a map gives them.
func sortEntries(from *os.File, to io.Writer) error {
	if _, err := from.Seek(0, io.SeekStart); err != nil {
		return err
	}
	var entries []entry
	for archive := tar.NewReader(from); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		at, err := from.Seek(0, io.SeekCurrent) // the reader has read the header, and no more
		if err != nil {
			return err
		}
		entries = append(entries, entry{header, io.NewSectionReader(from, at, header.Size)})
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.header.Name, b.header.Name) })
	archive := tar.NewWriter(to)
	for _, one := range entries {
		if err := archive.WriteHeader(one.header); err != nil {
			return err
		}
		if _, err := io.Copy(archive, one.content); err != nil {
			return err
		}
	}
	return archive.Close()
}
