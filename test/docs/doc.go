// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package docs holds the tests of the pages for people: every fenced block of every Markdown page is run, or tried in the way that
// suits it, so that no page can rot; and every link leads somewhere.
//
// A page is one shell session, run from its top to its end against a real API server, the real operator with the permissions that
// the repository ships, and the emulator in place of Medblocks. What a page needs beside its visible blocks stands in comments:
//
//	<!-- test: own cluster -->      at the top: the page installs the operator itself, on a cluster without anything
//	<!-- test: serial -->           at the top: the page makes things outside of its namespace, which are removed after it
//	<!-- run: COMMANDS -->          commands that a reader does not see; testdata/functions.sh has some to choose from
//	<!-- not run: REASON -->        the next block cannot run here; the reasons are those of notrun_test.go
//	<!-- in: KIND PATH -->          the next block is a part of such an object, and belongs at that path
//	<!-- applied -->                the next block is a manifest that the reader applies, and is not only tried
//	<!-- file: PATH -->             the next block is the content of that file, below the folder of the checkout
//	<!-- go: CODE -->               the Go code around the next block, which takes the place of the line FRAGMENT
//
// To run one page: go test ./test/docs -run 'TestEveryPageWorks/docs/quickstart.md' -v.
package docs
