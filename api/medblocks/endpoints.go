// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package medblocks

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"regexp"
)

// maxIDLength is far above "wh_" and a ULID, and keeps URLs and errors short.
const maxIDLength = 128

var (
	endpointIDPattern = regexp.MustCompile(`^wh_[0-9A-Za-z]+$`)
	eventIDPattern    = regexp.MustCompile(`^evt_[0-9A-Za-z]+$`)
)

// IsEndpointID says whether id has the form of an endpoint's id.
func IsEndpointID(id string) bool { return len(id) <= maxIDLength && endpointIDPattern.MatchString(id) }

// IsEventID says whether id has the form of an event's id.
func IsEventID(id string) bool { return len(id) <= maxIDLength && eventIDPattern.MatchString(id) }

// CreateEndpoint registers an endpoint and returns it with its signing secret,
// which no other call returns again. It is not idempotent: the same call twice
// makes two endpoints (assumed). After any error but one that IsRejected, an
// endpoint may exist.
func (c *Client) CreateEndpoint(ctx context.Context, create CreateEndpointRequest) (Endpoint, Secret, error) {
	if create.Description != nil && *create.Description == "" {
		create.Description = nil
	}
	if create.APIVersion != "" && !apiVersionPattern.MatchString(create.APIVersion) {
		return Endpoint{}, "", invalid(OperationCreateEndpoint, "API version %q is not of the form YYYY-MM-DD", create.APIVersion)
	}
	result, err := c.do(ctx, request{
		operation: OperationCreateEndpoint, method: http.MethodPost, path: []string{"webhooks"},
		body: create, version: create.APIVersion,
	})
	if err != nil {
		return Endpoint{}, "", err
	}
	return result.endpointWithSecret("")
}

// ListEndpoints yields the workspace's endpoints, page by page; each page is one
// call. It stops after yielding one error: only a loop that saw no error has seen
// every endpoint. What the vendor sends is not trusted to end: a cursor that comes
// twice, one that is missing, and items without an id are errors.
func (c *Client) ListEndpoints(ctx context.Context, options ListEndpointsOptions) iter.Seq2[Endpoint, error] {
	query := url.Values{}
	if options.Status != "" {
		query.Set("status", string(options.Status))
	}
	list := request{operation: OperationListEndpoints, method: http.MethodGet, path: []string{"webhooks"}, query: query}
	return paginate(ctx, c, list, options.Limit, func(e *Endpoint, requestID string) bool {
		e.RequestID = requestID
		return IsEndpointID(e.ID)
	})
}

// GetEndpoint reads one endpoint.
func (c *Client) GetEndpoint(ctx context.Context, id string) (Endpoint, error) {
	return c.endpointCall(ctx, request{operation: OperationGetEndpoint, method: http.MethodGet}, id)
}

// UpdateEndpoint changes an endpoint and returns it as the vendor now has it,
// which may not be literally what was sent. A change that changes nothing is an
// ErrInvalidArgument.
func (c *Client) UpdateEndpoint(ctx context.Context, id string, update UpdateEndpointRequest) (Endpoint, error) {
	if update.IsEmpty() {
		return Endpoint{}, invalid(OperationUpdateEndpoint, "nothing to change")
	}
	return c.endpointCall(ctx, request{operation: OperationUpdateEndpoint, method: http.MethodPatch, body: update}, id)
}

// DeleteEndpoint removes an endpoint. An error that IsNotFound means that it is
// not in this key's workspace, which is the same only for the key that created it.
func (c *Client) DeleteEndpoint(ctx context.Context, id string) (requestID string, err error) {
	if !IsEndpointID(id) {
		return "", invalidID(OperationDeleteEndpoint, "an endpoint", id)
	}
	result, err := c.do(ctx, request{
		operation: OperationDeleteEndpoint, method: http.MethodDelete, path: []string{"webhooks", id},
	})
	return result.requestID, err
}

// RotateSecret gives an endpoint a new signing secret and returns it; nothing
// returns it again. The old secret stops signing at once (assumed). After any
// error but one that IsRejected, the secret may have changed.
func (c *Client) RotateSecret(ctx context.Context, id string) (Endpoint, Secret, error) {
	if !IsEndpointID(id) {
		return Endpoint{}, "", invalidID(OperationRotateSecret, "an endpoint", id)
	}
	result, err := c.do(ctx, request{
		operation: OperationRotateSecret, method: http.MethodPost, path: []string{"webhooks", id, "rotate-secret"},
	})
	if err != nil {
		return Endpoint{}, "", err
	}
	return result.endpointWithSecret(id)
}

// endpointCall makes a call on one endpoint that answers with that endpoint.
// Callers compare the answer with what they want and write the difference, so an
// answer that misses what every endpoint has is refused.
func (c *Client) endpointCall(ctx context.Context, r request, id string) (Endpoint, error) {
	if !IsEndpointID(id) {
		return Endpoint{}, invalidID(r.operation, "an endpoint", id)
	}
	r.path = []string{"webhooks", id}
	result, err := c.do(ctx, r)
	if err != nil {
		return Endpoint{}, err
	}
	endpoint, err := result.endpoint(id)
	switch {
	case err != nil:
		return Endpoint{}, err
	case endpoint.Status == "":
		return Endpoint{}, result.malformed("the endpoint has no status")
	case endpoint.URL == "":
		return Endpoint{}, result.malformed("the endpoint has no url")
	case endpoint.Metadata == nil:
		return Endpoint{}, result.malformed("the endpoint has no metadata")
	}
	return endpoint, nil
}

// endpoint decodes an endpoint and checks that it is the one asked for; an empty
// id accepts any.
func (a answer) endpoint(id string) (Endpoint, error) {
	var endpoint Endpoint
	if err := a.decode(&endpoint); err != nil {
		return Endpoint{}, err
	}
	switch {
	case endpoint.ID == "":
		return Endpoint{}, a.malformed("the endpoint has no id")
	case !IsEndpointID(endpoint.ID):
		return Endpoint{}, a.malformed("the endpoint's id is malformed")
	case id != "" && endpoint.ID != id:
		return Endpoint{}, a.malformed("it is another endpoint than the one asked for")
	}
	endpoint.RequestID = a.requestID
	return endpoint, nil
}

// endpointWithSecret asks for no more than an id and the secret: an answer whose
// secret is lost can only be healed by a rotation.
func (a answer) endpointWithSecret(id string) (Endpoint, Secret, error) {
	endpoint, err := a.endpoint(id)
	if err != nil {
		return Endpoint{}, "", err
	}
	var secret struct {
		Secret string `json:"secret"`
	}
	if err := a.decode(&secret); err != nil {
		return Endpoint{}, "", err
	}
	if secret.Secret == "" {
		return Endpoint{}, "", a.malformed("the endpoint comes without its secret")
	}
	return endpoint, Secret(secret.Secret), nil
}

func invalid(operation Operation, format string, args ...any) error {
	return fmt.Errorf("%s: %w: %s", operation, ErrInvalidArgument, fmt.Sprintf(format, args...))
}

// invalidID quotes what was given, bounded and scrubbed: somebody may have pasted
// a secret where an id belongs.
func invalidID(operation Operation, kind, id string) error {
	return invalid(operation, "%q is not the id of %s", scrub(id, "", 60), kind)
}
