// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package medblocks

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strconv"
)

// ListEvents yields the event records of one endpoint, page by page, newest first
// (assumed order). It ends and fails as ListEndpoints does.
func (c *Client) ListEvents(
	ctx context.Context, endpointID string, options ListEventsOptions,
) iter.Seq2[EventRecord, error] {
	if !IsEndpointID(endpointID) {
		return func(yield func(EventRecord, error) bool) {
			yield(EventRecord{}, invalidID(OperationListEvents, "an endpoint", endpointID))
		}
	}
	query := url.Values{}
	if options.Delivered != nil {
		query.Set("delivered", strconv.FormatBool(*options.Delivered))
	}
	list := request{
		operation: OperationListEvents, method: http.MethodGet,
		path: []string{"webhooks", endpointID, "events"}, query: query, before: options.BeforeCall,
	}
	return paginate(ctx, c, list, options.Limit, func(e *EventRecord, requestID string) bool {
		e.RequestID = requestID
		return IsEventID(e.ID)
	})
}

// RedeliverEvent makes one more attempt to deliver an event, under the same event
// id, and returns the record after it. The vendor allows one such call a minute
// and event, else 429 (vendor). Its path is assumed from the vendor's SDK.
func (c *Client) RedeliverEvent(ctx context.Context, eventID string) (EventRecord, error) {
	if !IsEventID(eventID) {
		return EventRecord{}, invalidID(OperationRedeliverEvent, "an event", eventID)
	}
	result, err := c.do(ctx, request{
		operation: OperationRedeliverEvent, method: http.MethodPost, path: []string{"events", eventID, "redeliver"},
	})
	if err != nil {
		return EventRecord{}, err
	}
	var record EventRecord
	if err := result.decode(&record); err != nil {
		return EventRecord{}, err
	}
	if record.ID != eventID {
		return EventRecord{}, result.malformed("it is not the event asked for")
	}
	record.RequestID = result.requestID
	return record, nil
}
