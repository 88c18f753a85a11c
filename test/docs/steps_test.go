// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"fmt"
	"regexp"
	"strings"
)

// step is one thing that a session does.
type step struct {
	line   int
	script string
	// expect is the output that the page shows; empty: only the exit status counts.
	expect string
	// again tells that the command only reads, so that it may be repeated until it prints what the page shows.
	again bool
	// server tells that the command goes on: its output is awaited, and not its end.
	server bool
}

// sessionSteps are what a session does for a block of a shell's; not for those that are marked as not run.
func sessionSteps(b *block) ([]step, error) {
	switch b.language {
	case "sh", hidden:
		return []step{{line: b.line, script: b.text}}, nil
	case "console":
		return consoleSteps(b)
	}
	return nil, fmt.Errorf("line %d: %s is nothing for a shell", b.line, b.language)
}

// consoleSteps splits a session that a page shows into commands, each with its output. A command goes on in the next line when it
// ends with a backslash, or within a here-document.
func consoleSteps(b *block) ([]step, error) {
	var steps []step
	lines := strings.Split(strings.TrimSuffix(b.text, "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		command, isCommand := strings.CutPrefix(lines[i], "$ ")
		if !isCommand {
			if len(steps) == 0 {
				return nil, fmt.Errorf("line %d: a console block begins with a command after \"$ \"", b.line)
			}
			steps[len(steps)-1].expect += lines[i] + "\n"
			continue
		}
		s := step{line: b.line + 1 + i, script: command + "\n"}
		end := hereDocumentEnd(command)
		for i+1 < len(lines) && (strings.HasSuffix(lines[i], `\`) || end != "") {
			i++
			s.script += lines[i] + "\n"
			if lines[i] == end {
				end = ""
			}
		}
		s.again, s.server = onlyReads(s.script), goesOn(s.script)
		steps = append(steps, s)
	}
	return steps, nil
}

var hereDocument = regexp.MustCompile(`<<-?\s*['"]?(\w+)['"]?`)

// hereDocumentEnd is the word that ends the here-document of a command, if it has one.
func hereDocumentEnd(command string) string {
	if found := hereDocument.FindStringSubmatch(command); found != nil {
		return found[1]
	}
	return ""
}

var (
	reading  = regexp.MustCompile(`^\s*(kubectl (-n \S+ )?(get|describe|events|explain|auth can-i|diff|logs|medblocks (status|deliveries|plan|orphans))\b|curl )`)
	sending  = regexp.MustCompile(`\s(-X|--request|-d|--data\S*|-F|-T)\b`)
	programs = regexp.MustCompile(`(^|\s)bin/(emulator|receiver|manager)\b`)
	asking   = regexp.MustCompile(`--help\b|--version\b`)
)

func onlyReads(command string) bool {
	return reading.MatchString(command) && !sending.MatchString(command)
}

// goesOn tells whether a command of a console starts a server in the foreground: a reader does the rest in another terminal.
func goesOn(command string) bool {
	return programs.MatchString(command) && !asking.MatchString(command) && !strings.HasSuffix(strings.TrimSpace(command), "&")
}
