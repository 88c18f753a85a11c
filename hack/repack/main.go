// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command repack writes a .tgz again with one time on all of its entries: helm package notes the time of the call in each, so that no
// two archives of the same chart are alike. Usage: repack FILE UNIX-TIME.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "repack:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return errors.New("usage: repack FILE UNIX-TIME")
	}
	seconds, err := strconv.ParseInt(args[1], 10, 64)
	if err != nil {
		return fmt.Errorf("time: %w", err)
	}
	content, err := os.ReadFile(args[0]) //nolint:gosec // The release's own script names the file.
	if err != nil {
		return err
	}
	again, err := repack(content, time.Unix(seconds, 0).UTC())
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	return os.WriteFile(args[0], again, 0o644) //nolint:gosec // Everybody may read a release.
}

// repack keeps names, modes, contents and their order.
func repack(archive []byte, at time.Time) ([]byte, error) {
	unzipped, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return nil, err
	}
	from := tar.NewReader(unzipped)
	out := &bytes.Buffer{}
	zipped := gzip.NewWriter(out)
	to := tar.NewWriter(zipped)
	for {
		entry, err := from.Next()
		if errors.Is(err, io.EOF) {
			err := errors.Join(to.Close(), zipped.Close()) // Only then is everything written.
			return out.Bytes(), err
		}
		if err != nil {
			return nil, err
		}
		header := tar.Header{Typeflag: entry.Typeflag, Name: entry.Name, Mode: entry.Mode, Size: entry.Size, ModTime: at}
		if err := to.WriteHeader(&header); err != nil {
			return nil, err
		}
		if _, err := io.Copy(to, from); err != nil { //nolint:gosec // It is a chart that we have just packed.
			return nil, err
		}
	}
}
