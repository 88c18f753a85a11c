// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// releaseReport is what release prints with --output.
type releaseReport struct {
	metav1.TypeMeta `json:",inline"`
	Items           []fate `json:"items"`
}

type releaseOptions struct {
	choice

	yes, force bool
	dryRun     string
	timeout    time.Duration
}

// What --dry-run may say.
const (
	dryRunNone   = "none"
	dryRunClient = "client"
	dryRunServer = "server"
)

func newReleaseCommand(s *Session) *cobra.Command {
	var options releaseOptions
	cmd := &cobra.Command{
		Use:   "release NAME... | --all [-A]",
		Short: "Delete resources and leave their endpoints and Secrets.",
		Long: `Delete resources from the cluster, and leave their endpoints at Medblocks and their signing Secrets as they are.

Use it to uninstall the operator, or to hand endpoints over to another tool, without an interruption of deliveries. It shows what is
going to happen and asks first. Then it sets deletionPolicy: Orphan in each resource and deletes it. The running operator takes its
marks off the endpoint (so that nobody takes it for one that is managed), and lets the resource go. The Secret stays.

Where the operator cannot reach Medblocks, a resource stays until it can. With --force, what is still there after --timeout is let go
of without a call to Medblocks: the endpoint stays too, and keeps the marks. Interrupted, or out of time, run it again: it goes on with
what is left.`,
		Example: `  kubectl medblocks release patient-events
  kubectl medblocks release --all -A --dry-run=client
  kubectl medblocks release --all -A`,
		ValidArgsFunction: s.completeResources,
		RunE: func(cmd *cobra.Command, args []string) error {
			options.names = args
			return s.release(cmd.Context(), options)
		},
	}
	flags := cmd.Flags()
	s.addAllFlag(cmd, &options.all)
	flags.BoolVarP(&options.yes, "yes", "y", false, "Do not ask.")
	flags.BoolVar(&options.force, "force", false, "Let go of what is left after --timeout without calling Medblocks: endpoints keep the operator's marks.")
	flags.StringVar(&options.dryRun, "dry-run", dryRunNone, "Only show what would happen (client), or have the API server check it too (server).")
	flags.Lookup("dry-run").NoOptDefVal = dryRunClient
	mustComplete(cmd, "dry-run", cobra.FixedCompletions([]cobra.Completion{dryRunNone, dryRunClient, dryRunServer}, cobra.ShellCompDirectiveNoFileComp))
	flags.DurationVar(&options.timeout, "timeout", 5*time.Minute, "How long to wait for the operator.")
	s.addOperatorNamespaceFlag(cmd)
	s.addOutputFlag(cmd)
	return cmd
}

func (o releaseOptions) check(s *Session) error {
	if !slices.Contains([]string{dryRunNone, dryRunClient, dryRunServer}, o.dryRun) {
		return usagef("--dry-run is none, client or server, and not %q", o.dryRun)
	}
	if o.dryRun == dryRunNone && !o.yes && !isTerminal(s.In) {
		return usagef("there is no terminal to ask at: say --yes if you mean it, or look first with --dry-run=client. Nothing was done")
	}
	return o.choice.check(s)
}

func isTerminal(in io.Reader) bool {
	file, ok := in.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// release deletes resources, and leaves their endpoints.
func (s *Session) release(ctx context.Context, options releaseOptions) error {
	if err := options.check(s); err != nil {
		return err
	}
	api, err := s.Client()
	if err != nil {
		return err
	}
	found, missing, err := s.choose(ctx, api, options.choice)
	if err != nil {
		return err
	}
	r := &releaser{s: s, api: api, missing: len(missing)}
	for _, err := range missing { // by an earlier run, perhaps, or the name is wrong
		fmt.Fprintln(s.ErrOut, err)
	}
	for i := range found {
		r.all = append(r.all, newLeaving(&found[i]))
	}
	if len(r.all) == 0 {
		fmt.Fprintln(s.ErrOut, "There is nothing to release.")
		return r.report()
	}
	if s.isHuman() || !options.yes {
		showFates(s.ErrOut, r.fates())
	}
	if options.dryRun != dryRunNone {
		return r.try(ctx, options.dryRun)
	}
	if err := s.confirm(ctx, !options.yes, "\nGo on?"); err != nil {
		return err
	}
	r.letGo(ctx)
	r.await(ctx, options)
	return r.report()
}

func (r *releaser) fates() []fate {
	fates := make([]fate, 0, len(r.all))
	for _, l := range r.all {
		fates = append(fates, l.fate)
	}
	return fates
}

// try does nothing, or has the API server do it for show.
func (r *releaser) try(ctx context.Context, dryRun string) error {
	if dryRun == dryRunServer {
		for _, l := range r.all {
			if err := r.orphan(ctx, l, client.DryRunAll); err != nil {
				r.fail(l, err)
			} else if err := r.delete(ctx, l, client.DryRunAll); err != nil {
				r.fail(l, err)
			}
		}
	}
	if r.s.isHuman() {
		fmt.Fprintf(r.s.ErrOut, "\nNothing was done (--dry-run=%s).\n", dryRun)
	}
	return r.report()
}

// report sums up.
func (r *releaser) report() error {
	code := ExitOK
	if r.missing > 0 {
		code = ExitFailed
	}
	for _, l := range r.all {
		if l.fate.Outcome != outcomePlanned {
			code = max(code, codeOf(l.fate.Outcome))
		}
	}
	if err := r.s.print(releaseReport{TypeMeta: typed("ReleaseReport"), Items: r.fates()}, r.sumUp); err != nil {
		return err
	}
	return silently(code)
}

func (r *releaser) sumUp(w io.Writer) {
	var kept, marked []fate
	for _, f := range r.fates() {
		switch {
		case f.Outcome == outcomePlanned:
		case f.Outcome != outcomeDone:
			fmt.Fprintf(w, "%s/%s: %s\n", f.Namespace, f.Name, f.Message)
		case f.EndpointID != "":
			kept = append(kept, f)
			if f.Marked {
				marked = append(marked, f)
			}
		}
	}
	if len(kept) > 0 {
		fmt.Fprintf(w, "%s at Medblocks, with %s:\n", countStays(len(kept)), secretsOf(len(kept)))
		writeKept(w, kept)
	}
	if len(marked) > 0 {
		fmt.Fprintf(w, "%s the operator's marks, metadata keys that begin with webhook-operator/: remove them at Medblocks, or adopt the endpoint again. Until then, a MedblocksAccount with orphans.policy Delete takes it for an orphan, and deletes it.\n",
			countOf(len(marked), "1 of them may keep", "of them may keep"))
	}
}

func writeKept(w io.Writer, kept []fate) {
	for _, f := range kept {
		secret := "no Secret"
		if f.Secret != "" {
			secret = "Secret " + f.Namespace + "/" + f.Secret
		}
		fmt.Fprintf(w, "  %s   %s\n", f.EndpointID, secret)
	}
}

func countStays(n int) string { return countOf(n, "1 endpoint stays", "endpoints stay") }

func secretsOf(n int) string {
	if n == 1 {
		return "its Secret"
	}
	return "their Secrets"
}

func countOf(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return fmt.Sprintf("%d %s", n, many)
}
