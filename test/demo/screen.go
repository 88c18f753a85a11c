// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"fmt"
	"io"
	"strings"
	"time"
)

const (
	// width is where prose is wrapped; what kubectl prints is left as it is.
	width = 110
	// gutter is the room for the time on the left.
	gutter = 9
)

// style is an ANSI colour; it does nothing where colours are off.
type style string

const (
	plain  style = ""
	bold   style = "\x1b[1m"
	dim    style = "\x1b[2m"
	red    style = "\x1b[31m"
	green  style = "\x1b[32m"
	yellow style = "\x1b[33m"
	cyan   style = "\x1b[36m"
)

// screen is where the story is told, with the time since its start on the left.
type screen struct {
	out    io.Writer
	colour bool
	start  time.Time
	last   time.Time // when something was last said
}

func (s *screen) paint(how style, text string) string {
	if !s.colour || how == plain || text == "" {
		return text
	}
	return string(how) + text + "\x1b[0m"
}

// at says something at a moment of the story.
func (s *screen) at(when time.Time, text string) {
	s.last = time.Now()
	stamp := fmt.Sprintf("%6.1fs  ", when.Sub(s.start).Seconds())
	fmt.Fprintf(s.out, "%s%s\n", s.paint(dim, stamp), text)
}

// line says something without a time of its own.
func (s *screen) line(text string) {
	s.last = time.Now()
	if text == "" {
		fmt.Fprintln(s.out)
		return
	}
	fmt.Fprintf(s.out, "%s%s\n", strings.Repeat(" ", gutter), text)
}

// prose explains, wrapped.
func (s *screen) prose(text string) {
	for _, line := range wrap(text, width-gutter) {
		s.line(line)
	}
}

// title opens a chapter.
func (s *screen) title(number int, text string) {
	s.last = time.Now()
	fmt.Fprintf(s.out, "\n%s\n", s.paint(bold, fmt.Sprintf("%d. %s", number, text)))
}

// seen tells what was checked, and found so.
func (s *screen) seen(format string, args ...any) {
	lines := wrap(fmt.Sprintf(format, args...), width-gutter-2)
	s.at(time.Now(), s.paint(green, "✓")+" "+lines[0])
	for _, line := range lines[1:] {
		s.line("  " + line)
	}
}

// failed tells what was not.
func (s *screen) failed(text string) {
	s.at(time.Now(), s.paint(red, "✗ "+text))
}

// typed is a command that a user would type.
func (s *screen) typed(command string) {
	s.at(time.Now(), s.paint(bold, "$ "+command))
}

// output is what a command printed.
func (s *screen) output(text string) {
	for _, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		s.line(s.paint(cyan, strings.TrimRight(line, " ")))
	}
}

// wrap breaks text between words. A word that is longer than a line stays whole, for it is to be copied.
func wrap(text string, columns int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case len([]rune(line))+1+len([]rune(word)) > columns:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}
