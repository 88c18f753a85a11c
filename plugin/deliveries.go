// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/printers"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/controllers/endpoint"
)

// DeliveriesReport is the result of deliveries: the newest events of an endpoint.
type DeliveriesReport struct {
	metav1.TypeMeta `json:",inline"`
	Namespace       string `json:"namespace"`
	Name            string `json:"name"`
	EndpointID      string `json:"endpointID"`
	// Events, newest first. More: there are older ones.
	Events []Delivery `json:"events"`
	More   bool       `json:"more,omitempty"`
}

// eventQuery narrows a list of events.
type eventQuery struct {
	undelivered bool
	// limit is how many at most; since is how old at most, and 0 means any age.
	limit int
	since time.Duration
}

// Bounds of --limit.
const (
	defaultEvents = 20
	mostEvents    = 10_000
)

func newDeliveriesCommand(s *Session) *cobra.Command {
	query := eventQuery{}
	cmd := &cobra.Command{
		Use:   "deliveries NAME",
		Short: "List the newest events of an endpoint, and whether they have arrived.",
		Long: `List the newest events of an endpoint, and whether they have arrived.

Medblocks tries each event nine times within some four days, until the receiver answers with a status of 2xx. After the ninth failure it
gives the event up and disables the endpoint. An event that was given up is sent again with kubectl medblocks redeliver.

What an event is about, and what the receiver's answer said, is not shown: it is about patients.`,
		Example: `  kubectl medblocks deliveries patient-events

  # What was not delivered in the last two days
  kubectl medblocks deliveries patient-events --undelivered --since=48h --limit=1000`,
		Args:              usageArgs(cobra.ExactArgs(1)),
		ValidArgsFunction: s.completeOneResource,
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.deliveries(cmd.Context(), args[0], query)
		},
	}
	cmd.Flags().BoolVar(&query.undelivered, "undelivered", false, "Only events that were not delivered.")
	cmd.Flags().IntVar(&query.limit, "limit", defaultEvents, "How many events at most.")
	cmd.Flags().DurationVar(&query.since, "since", 0, "Only events that are no older than that, such as 24h. Default: any age.")
	s.addMedblocksFlags(cmd)
	s.addOutputFlag(cmd)
	return cmd
}

func (q eventQuery) validate() error {
	switch {
	case q.limit < 1 || q.limit > mostEvents:
		return usagef("--limit must be between 1 and %d", mostEvents)
	case q.since < 0:
		return usagef("--since must not be negative")
	}
	return nil
}

func (s *Session) deliveries(ctx context.Context, name string, query eventQuery) error {
	if err := query.validate(); err != nil {
		return err
	}
	t, err := s.target(ctx, name)
	if err != nil {
		return err
	}
	report := &DeliveriesReport{TypeMeta: typed("DeliveriesReport"), Namespace: t.namespace, Name: name, EndpointID: t.id}
	if report.Events, report.More, err = s.listEvents(ctx, t, query); err != nil {
		return err
	}
	return s.print(report, func(to io.Writer) { writeDeliveries(to, report, query, s.Clock.Now()) })
}

// target is an endpoint to talk to Medblocks about.
type target struct {
	namespace, name, id string
	receiver            string // its URL, as it can be shown
	namespaceFlag       string
	api                 *medblocks.Client
}

// target finds the endpoint of a resource.
func (s *Session) target(ctx context.Context, name string) (*target, error) {
	res, err := s.resource(ctx, name)
	if err != nil {
		return nil, err
	}
	t := &target{
		namespace: res.Namespace, name: name, id: endpointID(res), receiver: endpoint.WithoutQuery(res.Spec.URL), namespaceFlag: s.namespaceFlag(res.Namespace),
	}
	if t.id == "" {
		return nil, fmt.Errorf("%s has no endpoint at Medblocks yet: 'kubectl medblocks status %s%s' says why", name, name, t.namespaceFlag)
	}
	t.api, err = s.Medblocks(ctx, res)
	return t, err
}

// listEvents lists the newest events that a query asks for. More tells that there are older ones.
func (s *Session) listEvents(ctx context.Context, t *target, query eventQuery) (events []Delivery, more bool, err error) {
	options := medblocks.ListEventsOptions{Limit: min(query.limit+1, medblocks.DefaultPageSize)}
	if query.undelivered {
		options.Delivered = new(bool)
	}
	oldest := s.Clock.Now().Add(-query.since)
	for event, err := range t.api.ListEvents(ctx, t.id, options) {
		switch {
		case err != nil:
			return nil, false, fmt.Errorf("listing the events of %s: %w", t.id, err)
		case query.since > 0 && event.CreatedAt.Before(oldest):
			return events, false, nil // newest come first
		case len(events) == query.limit:
			return events, true, nil
		}
		events = append(events, deliveryOf(event))
	}
	return events, false, nil
}

func writeDeliveries(to io.Writer, report *DeliveriesReport, query eventQuery, now time.Time) {
	if len(report.Events) == 0 {
		fmt.Fprintf(to, "%s\n", nothingFound(query))
		return
	}
	table := printers.GetNewTabWriter(to)
	fmt.Fprint(table, "EVENT\tTYPE\tCREATED\tATTEMPTS\tLAST ANSWER\tDELIVERED\tNEXT ATTEMPT\n")
	for i := range report.Events {
		d := &report.Events[i]
		fmt.Fprintf(table, "%s\t%s\t%s ago\t%d\t%s\t%s\t%s\n",
			d.Event, d.Type, age(now, d.CreatedAt.Time), d.Attempts, d.answer(), d.delivered(now), d.outlook(now))
	}
	_ = table.Flush() // a terminal or a pipe that does not take it
	if report.More {
		fmt.Fprintf(to, "\nThere are older ones: see --limit.\n")
	}
}

func nothingFound(query eventQuery) string {
	text := "There are no events"
	if query.undelivered {
		text = "There are no undelivered events"
	}
	if query.since > 0 {
		text += " of the last " + query.since.String()
	}
	return text + "."
}

func (d *Delivery) delivered(now time.Time) string {
	if d.DeliveredAt == nil {
		return "no"
	}
	return age(now, d.DeliveredAt.Time) + " ago"
}
