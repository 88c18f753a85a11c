// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package image

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

var (
	errNotPlain = errors.New("quotes and variables are not known here")
	errTwice    = errors.New("it is there twice")
)

// commands are those that a RUN consists of, and what they do.
var commands = []struct {
	known *regexp.Regexp
	do    func(s *stages, command string, parts []string) error
}{
	{regexp.MustCompile(`^go mod download$`), nothing},
	{regexp.MustCompile(`^(?:[A-Z0-9_]+=\S* )*go build (?:[^&|;<>]* )?-o /out(/\w+) \S+$`), (*stages).compiles},
	{regexp.MustCompile(`^mkdir -p /out((?:/\w+)+)$`), (*stages).makesFolder},
	{regexp.MustCompile(`^cp ((?:/[\w.-]+)+) /out((?:/\w+)+)/$`), (*stages).copiesFile},
	{regexp.MustCompile(`^find /out -exec touch -d "\$\{CREATED\}" \{\} \+$`), (*stages).touches},
}

// run takes the commands of a RUN, each of which has to succeed before the next.
func (s *stages) run(rest string) error {
	for command := range strings.SplitSeq(rest, "&&") {
		if err := s.runOne(strings.TrimSpace(command)); err != nil {
			return err
		}
	}
	return nil
}

func (s *stages) runOne(command string) error {
	for _, one := range commands {
		if parts := one.known.FindStringSubmatch(command); parts != nil {
			return one.do(s, command, parts[1:])
		}
	}
	return fmt.Errorf("package test/node/image does not know what the command %q does", command)
}

func nothing(*stages, string, []string) error { return nil }

func (s *stages) compiles(command string, parts []string) error {
	if s.compile != "" {
		return errTwice
	}
	s.compile, s.program = command, parts[0]
	return nil
}

// makesFolder has the folders above it made, too.
func (s *stages) makesFolder(_ string, parts []string) error {
	for folder := parts[0]; folder != "/"; folder = path.Dir(folder) {
		if !slices.Contains(s.folders, folder) {
			s.folders = append(s.folders, folder)
		}
	}
	slices.Sort(s.folders)
	return nil
}

func (s *stages) copiesFile(_ string, parts []string) error {
	from, folder := parts[0], parts[1]
	if !slices.Contains(s.folders, folder) {
		return fmt.Errorf("no folder %s was made", folder)
	}
	s.files[path.Join(folder, path.Base(from))] = from
	return nil
}

// touches comes last: what is made after it would have the time of its making.
func (s *stages) touches(string, []string) error {
	s.touched = s.compile != "" && len(s.files) > 0
	if !s.touched {
		return errors.New("not everything is there yet")
	}
	return nil
}

func (s *stages) setUser(rest string) error {
	if s.user != "" {
		return errTwice
	}
	if !regexp.MustCompile(`^\d+:\d+$`).MatchString(rest) {
		return errors.New("only known as two numbers, because the image has no list of users")
	}
	s.user = rest
	return nil
}

func (s *stages) setEntrypoint(rest string) error {
	if s.entrypoint != nil {
		return errTwice
	}
	if err := json.Unmarshal([]byte(rest), &s.entrypoint); err != nil {
		return errors.New("only known as a list, because the image has no shell")
	}
	return nil
}

var (
	oneLabel = regexp.MustCompile(`^([a-z.]+)="([^"\\]*)"(?: +|$)`)
	variable = regexp.MustCompile(`\$(?:\{(\w+)\})?`)
)

// label takes NAME="VALUE" several times.
func (s *stages) label(rest string) error {
	for rest != "" {
		found := oneLabel.FindStringSubmatch(rest)
		if found == nil {
			return fmt.Errorf("%s: only known as name=\"value\"", rest)
		}
		value, err := s.expand(found[2])
		if err != nil {
			return err
		}
		if _, twice := s.labels[found[1]]; twice {
			return fmt.Errorf("%s: %w", found[1], errTwice)
		}
		s.labels[found[1]], rest = value, rest[len(found[0]):]
	}
	return nil
}

// expand replaces ${NAME} by the default of the stage's argument.
func (s *stages) expand(text string) (string, error) {
	var unknown error
	expanded := variable.ReplaceAllStringFunc(text, func(found string) string {
		value, known := s.args[variable.FindStringSubmatch(found)[1]]
		if !known {
			unknown = fmt.Errorf("%s is not an argument of this stage, in the form ${NAME}", found)
		}
		return value
	})
	return expanded, unknown
}
