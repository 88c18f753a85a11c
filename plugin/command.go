// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// version is that of the release, which the linker writes here.
var version = "unreleased"

// Run runs the plugin with the arguments after its name, and returns its exit code.
func Run(ctx context.Context, args []string, streams genericiooptions.IOStreams) int {
	return newSession(streams).run(ctx, args)
}

func (s *Session) run(ctx context.Context, args []string) int {
	log.SetLogger(logr.Discard()) // what matters to the user is printed
	root := newRoot(s)
	root.SetArgs(args)
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.ErrOut)
	err := root.ExecuteContext(ctx)
	complain(s.ErrOut, err)
	return exitCode(err)
}

// complain says what went wrong, and what to do.
func complain(to io.Writer, err error) {
	if err == nil || isSilent(err) {
		return
	}
	fmt.Fprintln(to, "error:", err)
	if step := nextStep(err); step != "" {
		fmt.Fprintln(to, "hint:", step)
	}
}

// subcommand is one line in the list of all there are.
type subcommand struct {
	group   string
	command func(*Session) *cobra.Command
}

// subcommands are all there are, in the groups of the help.
func subcommands() []subcommand {
	return []subcommand{
		{groupLook, newStatusCommand},
		{groupLook, newPlanCommand},
		{groupLook, newDeliveriesCommand},
		{groupLook, newOrphansCommand},
		{groupAct, newRedeliverCommand},
		{groupAct, newReconcileCommand},
		{groupAct, newRotateCommand},
		{groupAct, newReenableCommand},
		{groupAct, newImportCommand},
		{groupAct, newReleaseCommand},
	}
}

// Groups of the help.
const (
	groupLook = "look"
	groupAct  = "act"
)

func newRoot(s *Session) *cobra.Command {
	root := &cobra.Command{
		Use:   "kubectl-medblocks",
		Short: "Look after webhook endpoints at Medblocks.",
		Long: `Look after webhook endpoints at Medblocks.

Medblocks sends events about patients to webhook endpoints. In this cluster, each endpoint has a resource of kind
MedblocksWebhookEndpoint (mwe for short), and an operator keeps the endpoint as the resource wants it, its signing secret in a
Secret, and its state in the resource's conditions.

This plugin answers what one asks when events do not arrive. Begin with:

  kubectl medblocks status`,
		Version:       version,
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl medblocks"},
		Args:          onlySubcommands,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
		// Its usage line says what comes after the name.
		DisableFlagsInUseLine: true,
	}
	root.AddGroup(&cobra.Group{ID: groupLook, Title: "To look:"}, &cobra.Group{ID: groupAct, Title: "To act:"})
	for _, sub := range subcommands() {
		cmd := sub.command(s)
		cmd.GroupID = sub.group
		root.AddCommand(cmd)
	}
	root.AddCommand(newOptionsCommand())
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w. See '%s --help'", err, cmd.CommandPath())
	})
	root.SetUsageTemplate(usageTemplate)
	addClusterFlags(s, root)
	return root
}

func addClusterFlags(s *Session, root *cobra.Command) {
	flags := root.PersistentFlags()
	s.cluster.AddFlags(flags)
	flags.VisitAll(func(flag *pflag.Flag) {
		flag.Usage = strings.TrimSuffix(flag.Usage, ".") + "."
	})
	mustComplete(root, "namespace", s.completeNamespaces)
	mustComplete(root, "context", s.completeContexts)
}

// newOptionsCommand lists what every subcommand takes, as kubectl options does, so that the help of each is about itself.
func newOptionsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "options",
		Short: "List the flags that every subcommand takes.",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			fmt.Fprintf(cmd.OutOrStdout(), "Every subcommand takes these flags, which mean what they mean to kubectl:\n\n%s", cmd.InheritedFlags().FlagUsagesWrapped(helpWidth))
			return nil
		},
	}
}

// onlySubcommands refuses what is none, and says what may have been meant.
func onlySubcommands(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := ""
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hint = fmt.Sprintf(" Did you mean '%s %s'?", cmd.CommandPath(), near[0])
	}
	return usagef("there is no subcommand %q.%s See '%s --help'", args[0], hint, cmd.CommandPath())
}

// usageArgs has a complaint about arguments end the plugin as one about the command line.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usagef("%w. See '%s --help'", err, cmd.CommandPath())
		}
		return nil
	}
}

// helpWidth is how wide the help is, in columns.
const helpWidth = 100

// usageTemplate is cobra's, without the two dozen flags that say which cluster is meant.
const usageTemplate = `Usage:
  {{.UseLine}}{{if .HasAvailableSubCommands}} SUBCOMMAND{{end}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}{{if .HasAvailableSubCommands}}{{$commands := .Commands}}{{range $group := .Groups}}

{{.Title}}{{range $commands}}{{if and (eq .GroupID $group.ID) .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}

Besides:{{range $commands}}{{if and (eq .GroupID "") (or .IsAvailableCommand (eq .Name "help"))}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if and .HasParent .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsagesWrapped 100 | trimTrailingWhitespaces}}{{end}}

Also --namespace, --context, --kubeconfig and the other flags of kubectl: 'kubectl medblocks options' lists them.{{if .HasAvailableSubCommands}}
'{{.CommandPath}} SUBCOMMAND --help' says more about a subcommand.{{end}}
`
