// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
)

// visible are the names and contents that a reader of the volume finds.
func visible(g Gomega, dir string) map[string]string {
	entries, err := filepath.Glob(filepath.Join(dir, "[^.]*"))
	g.Expect(err).NotTo(HaveOccurred())
	found := map[string]string{}
	for _, path := range entries {
		content, err := os.ReadFile(path)
		g.Expect(err).NotTo(HaveOccurred())
		found[filepath.Base(path)] = string(content)
	}
	return found
}

func TestAVolumeShowsTheLatestGenerationAndNothingElse(t *testing.T) {
	g := NewWithT(t)
	volume, err := (&Stack{Dir: t.TempDir()}).NewVolume("secret")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(visible(g, volume.Dir)).To(BeEmpty())

	g.Expect(volume.Write(map[string][]byte{"a": []byte("1"), "b": []byte("2")})).To(Succeed())
	g.Expect(visible(g, volume.Dir)).To(Equal(map[string]string{"a": "1", "b": "2"}))

	g.Expect(volume.Write(map[string][]byte{"b": []byte("3"), "c": []byte("4")})).To(Succeed())
	g.Expect(visible(g, volume.Dir)).To(Equal(map[string]string{"b": "3", "c": "4"}))

	g.Expect(volume.Write(nil)).To(Succeed())
	g.Expect(visible(g, volume.Dir)).To(BeEmpty())
	generations, err := filepath.Glob(filepath.Join(volume.Dir, "..generation-*"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(generations).To(HaveLen(1), "old generations are removed")
}

func TestAReaderWhoEnteredAGenerationKeepsItsFilesTogether(t *testing.T) {
	g := NewWithT(t)
	volume, err := (&Stack{Dir: t.TempDir()}).NewVolume("secret")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(volume.Write(map[string][]byte{"a": []byte("1")})).To(Succeed())
	before, err := filepath.EvalSymlinks(filepath.Join(volume.Dir, dataLink))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(volume.Write(map[string][]byte{"a": []byte("2")})).To(Succeed())
	after, err := filepath.EvalSymlinks(filepath.Join(volume.Dir, dataLink))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(after).NotTo(Equal(before))
	target, err := os.Readlink(filepath.Join(volume.Dir, "a"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(target).To(Equal(filepath.Join(dataLink, "a")), "the file leads through the link that is replaced")
}

func TestMissingProgramsAreNamedTogetherWithTheCommandThatBuildsThem(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	g.Expect(os.WriteFile(filepath.Join(dir, "emulator"), nil, 0o700)).To(Succeed())
	_, err := FindPrograms(dir)
	g.Expect(err).To(MatchError(And(HavePrefix("manager, receiver, demo, kubectl-medblocks: not in "+dir), ContainSubstring("make build"))))
}
