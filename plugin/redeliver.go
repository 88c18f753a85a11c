// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/medblocks"
)

// RedeliveryReport is the result of redeliver.
type RedeliveryReport struct {
	metav1.TypeMeta `json:",inline"`
	Namespace       string `json:"namespace"`
	Name            string `json:"name"`
	EndpointID      string `json:"endpointID"`
	// Events in the order in which they were sent again, oldest first.
	Events []Redelivered `json:"events"`
}

// Redelivered is what became of one event.
type Redelivered struct {
	Event string `json:"event"`
	// Outcome is Delivered; Failed: the receiver did not take it; Refused: Medblocks does not send it again; or NotTried: something else
	// ended the command before.
	Outcome string `json:"outcome"`
	Message string `json:"message"`
	// LastStatusCode is the receiver's answer; absent where it did not answer, or was not asked.
	LastStatusCode *int `json:"lastStatusCode,omitempty"`
}

// Outcomes of a redelivery.
const (
	redelivered        = "Delivered"
	redeliveryFailed   = "Failed"
	redeliveryRefused  = "Refused"
	redeliveryNotTried = "NotTried"
)

const (
	// failuresInARow are as many as a receiver that is down needs to be known as such. To go on would only use up attempts.
	failuresInARow = 3
	// unspecifiedWait is how long Medblocks is left alone after a 429 that does not say how long.
	unspecifiedWait = 10 * time.Second
	// mostSearched is how many events are looked through for those that are named.
	mostSearched = 5000
)

// redeliverOptions are the flags of redeliver.
type redeliverOptions struct {
	query   eventQuery
	yes     bool
	timeout time.Duration
}

func newRedeliverCommand(s *Session) *cobra.Command {
	options := redeliverOptions{}
	cmd := &cobra.Command{
		Use:   "redeliver NAME (EVENT… | --undelivered)",
		Short: "Have Medblocks send events again.",
		Long: `Have Medblocks send events again.

Each event is sent once more, under the same id, oldest first. A receiver that has taken it before has to notice that by the id. The
endpoint must be active: see kubectl medblocks reenable. Medblocks sends one event again at most once a minute; when it asks to
wait, this command waits, until --timeout.

When the receiver has refused three events in a row, the rest is not tried. The command ends with exit code 1 unless every event has
arrived.`,
		Example: `  # One event, by its id in kubectl medblocks deliveries
  kubectl medblocks redeliver patient-events evt_01M859PKB4VR0Z9EVBWVRDXKA8

  # All that was not delivered in the last two days
  kubectl medblocks redeliver patient-events --undelivered --since=48h`,
		Args:              usageArgs(cobra.MinimumNArgs(1)),
		ValidArgsFunction: s.completeOneResource,
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.redeliver(cmd.Context(), args[0], args[1:], options)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&options.query.undelivered, "undelivered", false, "All events that were not delivered.")
	flags.IntVar(&options.query.limit, "limit", 1000, "With --undelivered: how many events at most, the newest.")
	flags.DurationVar(&options.query.since, "since", 0, "With --undelivered: only events that are no older than that, such as 24h. Default: any age.")
	flags.BoolVarP(&options.yes, "yes", "y", false, "Do not ask before more than one event is sent.")
	flags.DurationVar(&options.timeout, "timeout", 5*time.Minute, "How long to go on, waiting for Medblocks included.")
	s.addMedblocksFlags(cmd)
	s.addOutputFlag(cmd)
	return cmd
}

func (o redeliverOptions) validate(events []string) error {
	switch {
	case o.query.undelivered == (len(events) > 0):
		return usagef("name events, or say --undelivered, and not both. See 'kubectl medblocks redeliver --help'")
	case o.timeout <= 0:
		return usagef("--timeout must be more than nothing")
	}
	for _, event := range events {
		if !medblocks.IsEventID(event) {
			return usagef("%q is not the id of an event (evt_…): 'kubectl medblocks deliveries' lists them", event)
		}
	}
	return o.query.validate()
}

func (s *Session) redeliver(ctx context.Context, name string, named []string, options redeliverOptions) error {
	if err := options.validate(named); err != nil {
		return err
	}
	t, err := s.target(ctx, name)
	if err != nil {
		return err
	}
	if err := t.mustBeActive(ctx); err != nil {
		return err
	}
	events, err := s.eventsToSend(ctx, t, named, options.query)
	if err != nil {
		return err
	}
	report := &RedeliveryReport{TypeMeta: typed("RedeliveryReport"), Namespace: t.namespace, Name: name, EndpointID: t.id, Events: []Redelivered{}}
	if len(events) == 0 {
		return s.print(report, func(to io.Writer) { fmt.Fprintln(to, nothingFound(options.query)) })
	}
	if err := s.confirm(ctx, len(events) > 1 && !options.yes, "Send %d events again, to %s?", len(events), t.receiver); err != nil {
		return err
	}
	return s.send(ctx, t, events, report, options.timeout)
}

func (t *target) mustBeActive(ctx context.Context) error {
	endpoint, err := t.api.GetEndpoint(ctx, t.id)
	if err != nil {
		return fmt.Errorf("reading endpoint %s: %w", t.id, err)
	}
	if endpoint.Status != medblocks.EndpointStatusActive {
		return fmt.Errorf("endpoint %s is %s, and Medblocks sends nothing to it: enable it with 'kubectl medblocks reenable %s%s' first",
			t.id, endpoint.Status, t.name, t.namespaceFlag)
	}
	return nil
}

// eventsToSend are the ids, oldest first. Those that are named must be the endpoint's own: Medblocks would send any of the workspace.
func (s *Session) eventsToSend(ctx context.Context, t *target, named []string, query eventQuery) ([]string, error) {
	var ids []string
	if len(named) == 0 {
		events, more, err := s.listEvents(ctx, t, query)
		if err != nil {
			return nil, err
		}
		if more {
			fmt.Fprintf(s.ErrOut, "There are more than %d: these are the newest of them, see --limit.\n", query.limit)
		}
		for i := range events {
			ids = append(ids, events[i].Event)
		}
		slices.Reverse(ids)
		return ids, nil
	}
	missing := slices.Clone(named)
	searched := 0
	for event, err := range t.api.ListEvents(ctx, t.id, medblocks.ListEventsOptions{}) {
		if err != nil {
			return nil, fmt.Errorf("listing the events of %s: %w", t.id, err)
		}
		if slices.Contains(missing, event.ID) {
			ids = append(ids, event.ID)
			missing = slices.DeleteFunc(missing, func(id string) bool { return id == event.ID })
		}
		if searched++; len(missing) == 0 || searched == mostSearched {
			break
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("%s: not among the newest %d events of this endpoint; nothing was sent. 'kubectl medblocks deliveries %s%s' lists them",
			strings.Join(missing, ", "), searched, t.name, t.namespaceFlag)
	}
	slices.Reverse(ids)
	return ids, nil
}

// send has one event after another sent again, and reports each.
func (s *Session) send(ctx context.Context, t *target, events []string, report *RedeliveryReport, timeout time.Duration) error {
	until := s.Clock.Now().Add(timeout)
	failed, inARow := 0, 0
	var stop error
	for _, event := range events {
		is := Redelivered{Event: event, Outcome: redeliveryNotTried, Message: "not tried"}
		if stop == nil && !s.Clock.Now().Before(until) {
			stop = timeoutf("time was up after %s", timeout)
		}
		if stop == nil {
			is, stop = s.sendOne(ctx, t, event, until)
		}
		if is.Outcome == redelivered {
			inARow = 0
		} else {
			failed++
		}
		if is.Outcome == redeliveryFailed {
			inARow++
		}
		if inARow == failuresInARow && stop == nil {
			stop = fmt.Errorf("the receiver has not taken %d events in a row, so that the rest was not tried: repair it first", failuresInARow)
		}
		report.Events = append(report.Events, is)
		if s.isHuman() {
			fmt.Fprintf(s.Out, "%s  %s\n", is.Event, is.Message)
		}
	}
	if err := s.print(report, func(io.Writer) {}); err != nil {
		return err
	}
	return concluded(failed, len(events), stop)
}

// concluded is nil where all events have arrived.
func concluded(failed, all int, stop error) error {
	switch {
	case failed == 0:
		return nil
	case stop != nil:
		return fmt.Errorf("%d of %d events were not delivered: %w", failed, all, stop)
	}
	return fmt.Errorf("%d of %d events were not delivered: see above", failed, all)
}

// sendOne has an event sent again, as soon as Medblocks lets it. An error ends the whole command.
func (s *Session) sendOne(ctx context.Context, t *target, event string, until time.Time) (Redelivered, error) {
	for {
		record, err := t.api.RedeliverEvent(ctx, event)
		if !medblocks.IsRateLimited(err) {
			return outcomeOf(event, record, err)
		}
		wait, asked := medblocks.RetryAfter(err)
		if !asked || wait <= 0 {
			wait = unspecifiedWait
		}
		if s.Clock.Now().Add(wait).After(until) {
			is := Redelivered{Event: event, Outcome: redeliveryNotTried, Message: "not tried: Medblocks asks to wait for " + wait.String()}
			return is, timeoutf("Medblocks asks to wait for %s, which is longer than --timeout allows", wait)
		}
		fmt.Fprintf(s.ErrOut, "%s: Medblocks asks to wait for %s\n", event, wait)
		select {
		case <-ctx.Done():
			return Redelivered{Event: event, Outcome: redeliveryNotTried, Message: "not tried"}, context.Cause(ctx)
		case <-s.Clock.After(wait):
		}
	}
}

// outcomeOf judges an answer. What would go wrong with every other event too is an error.
func outcomeOf(event string, record medblocks.EventRecord, err error) (Redelivered, error) {
	is := Redelivered{Event: event, LastStatusCode: record.LastStatusCode}
	var malformed *medblocks.MalformedError
	switch {
	case err == nil && record.DeliveredAt != nil && isSuccess(record.LastStatusCode):
		is.Outcome, is.Message = redelivered, "delivered"
	case err == nil:
		is.Outcome, is.Message = redeliveryFailed, "not delivered: the receiver did not answer"
		if is.LastStatusCode != nil {
			is.Message = fmt.Sprintf("not delivered: the receiver answered %d", *is.LastStatusCode)
		}
	case medblocks.IsNotFound(err), medblocks.IsInvalid(err):
		is.Outcome, is.Message = redeliveryRefused, "refused: "+medblocks.Summary(err)
		err = nil
	case errors.As(err, &malformed):
		is.Outcome, is.Message = redeliveryFailed, "sent, perhaps: "+medblocks.Summary(err)
	default:
		is.Outcome, is.Message = redeliveryNotTried, "not sent, as far as is known: "+medblocks.Summary(err)
	}
	return is, err
}

// isSuccess judges the receiver's last answer: an event that had arrived before stays delivered, whatever the answer is now.
func isSuccess(status *int) bool {
	return status == nil || (*status >= 200 && *status <= 299)
}
