// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
	"sigs.k8s.io/yaml"
)

// resultVersion is the apiVersion of everything that -o json and -o yaml print. Fields may be added within a version; none is renamed,
// removed or given another meaning.
const resultVersion = "kubectl.medblocks.com/v1alpha1"

// typed begins every result.
func typed(kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: resultVersion, Kind: kind}
}

// outputFormat is the value of --output.
type outputFormat string

const (
	outputHuman outputFormat = ""
	outputJSON  outputFormat = "json"
	outputYAML  outputFormat = "yaml"
)

var outputFormats = []string{string(outputJSON), string(outputYAML)}

func (o *outputFormat) String() string { return string(*o) }

// Type is how pflag calls the value in the help.
func (o *outputFormat) Type() string { return "format" }

func (o *outputFormat) Set(value string) error {
	if !slices.Contains(outputFormats, value) {
		return fmt.Errorf("there are only %s", strings.Join(outputFormats, " and "))
	}
	*o = outputFormat(value)
	return nil
}

// addOutputFlag gives a subcommand --output, which print obeys.
func (s *Session) addOutputFlag(cmd *cobra.Command) {
	cmd.Flags().VarP(&s.output, "output", "o", "Print json or yaml instead of text for people: the fields are documented in docs/kubectl-plugin.md.")
	mustComplete(cmd, "output", cobra.FixedCompletions(outputFormats, cobra.ShellCompDirectiveNoFileComp))
}

// print writes a result as --output asks for: marshalled, or as lines for people. A result never holds a secret or an API key.
func (s *Session) print(result any, human func(io.Writer)) error {
	var (
		text []byte
		err  error
	)
	switch s.output {
	case outputJSON:
		text, err = json.MarshalIndent(result, "", "  ")
		text = append(text, '\n')
	case outputYAML:
		text, err = yaml.Marshal(result)
	default:
		human(s.Out)
		return nil
	}
	if err != nil {
		return fmt.Errorf("writing the result as %s: %w", s.output, err)
	}
	_, err = s.Out.Write(text)
	return err
}

// isHuman tells whether people read the output: progress is shown only to them.
func (s *Session) isHuman() bool { return s.output == outputHuman }

// age is how long ago something was, as kubectl writes it: 3m10s, 4h, 12d.
func age(now, then time.Time) string {
	if then.IsZero() {
		return "-"
	}
	return duration.HumanDuration(now.Sub(then))
}

// in is how long it is until something: "in 3m10s", or "now".
func in(now, then time.Time) string {
	if !then.After(now) {
		return "now"
	}
	return "in " + duration.HumanDuration(then.Sub(now))
}
