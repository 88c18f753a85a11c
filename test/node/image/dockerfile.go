// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package image

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// recipe is what the Dockerfile says of the operator's image. Nobody gives build arguments, so that those with a default have it.
type recipe struct {
	// compile is the shell command that compiles the program into the folder /out.
	compile string
	// program is where the program is in the image, and files are the others: path in the image to path on the machine that builds it.
	program string
	files   map[string]string
	// folders are those that files are in.
	folders []string

	user, created string
	entrypoint    []string
	labels        map[string]string
}

// readRecipe reads the Dockerfile of a repository. It knows the instructions and commands that are in it, and no others: whoever adds one
// has to teach it what that does to the image, so that what a node runs is what an engine would have built.
func readRecipe(root string) (*recipe, error) {
	content, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	if err != nil {
		return nil, err
	}
	read, err := parse(string(content))
	if err != nil {
		return nil, fmt.Errorf("the Dockerfile: %w", err)
	}
	return read, nil
}

// Instructions are those of a Dockerfile, one of several lines in one, and without comments.
func Instructions(dockerfile string) []string {
	text := regexp.MustCompile(`(?m)^#.*\n`).ReplaceAllString(dockerfile, "")
	text = regexp.MustCompile(`\\\n\s*`).ReplaceAllString(text, "")
	var instructions []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			instructions = append(instructions, line)
		}
	}
	return instructions
}

func parse(dockerfile string) (*recipe, error) {
	s := &stages{recipe: recipe{files: map[string]string{}, labels: map[string]string{}}, args: map[string]string{}, next: preamble}
	for _, instruction := range Instructions(dockerfile) {
		if err := s.take(instruction); err != nil {
			return nil, fmt.Errorf("%q: %w", instruction, err)
		}
	}
	return &s.recipe, s.missing()
}

// stages is a Dockerfile that is being read.
type stages struct {
	recipe

	next    stage
	args    map[string]string // of the stage, with their defaults
	copied  bool              // the image has what was put into /out
	touched bool              // all of it has the time of the image
}

// stage is what an instruction may be, in one part of the file, and what it does.
type stage map[string]func(*stages, string) error

// Three parts: what is before the first stage, the stage that compiles, and the image.
var (
	preamble = stage{"ARG": (*stages).argument, "FROM": (*stages).compiler}
	compiler = stage{
		"ARG": (*stages).argument, "RUN": (*stages).run, "FROM": (*stages).scratch,
		"WORKDIR": only("/src"), "COPY": only("go.mod go.sum ./", ". ."), // where and on what a command runs is this repository
	}
	image = stage{
		"ARG": (*stages).argument, "LABEL": (*stages).label, "COPY": (*stages).copyOut,
		"USER": (*stages).setUser, "ENTRYPOINT": (*stages).setEntrypoint,
	}
)

func (s *stages) take(instruction string) error {
	name, rest, _ := strings.Cut(instruction, " ")
	do, known := s.next[name]
	if !known {
		return fmt.Errorf("package test/node/image does not know what %s does here", name)
	}
	return do(s, strings.TrimSpace(rest))
}

// only knows an instruction with some arguments, in which it does nothing to the image by itself.
func only(known ...string) func(*stages, string) error {
	return func(_ *stages, rest string) error {
		for _, one := range known {
			if rest == one {
				return nil
			}
		}
		return fmt.Errorf("only known as %q", known)
	}
}

func (s *stages) compiler(rest string) error {
	s.next, s.args = compiler, map[string]string{}
	return only("--platform=$BUILDPLATFORM ${GO_IMAGE} AS build")(s, rest)
}

func (s *stages) scratch(rest string) error {
	s.next, s.args = image, map[string]string{}
	return only("scratch")(s, rest)
}

func (s *stages) argument(rest string) error {
	name, value, _ := strings.Cut(rest, "=")
	if strings.ContainsAny(rest, ` "'$`) {
		return errNotPlain
	}
	s.args[name] = value
	if name == "CREATED" {
		if s.created != "" && s.created != value {
			return fmt.Errorf("it was %s before", s.created)
		}
		s.created = value
	}
	return nil
}

func (s *stages) copyOut(rest string) error {
	s.copied = true
	return only("--from=build /out/ /")(s, rest)
}

// missing names the first thing that no instruction has said.
func (s *stages) missing() error {
	for _, part := range []struct {
		there bool
		what  string
	}{
		{s.compile != "", "compiles a program"},
		{len(s.files) > 0, "brings the certificates that it trusts"},
		{s.touched && s.created != "", "gives every file one time"},
		{s.copied, "copies what was made to the image"},
		{s.user != "", "names a user"},
		{len(s.entrypoint) > 0 && s.entrypoint[0] == s.program, "takes the program for entrypoint"},
	} {
		if !part.there {
			return fmt.Errorf("no instruction %s", part.what)
		}
	}
	return nil
}
