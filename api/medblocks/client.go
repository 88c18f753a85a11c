// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package medblocks

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// MaxBodySize is the most that is read of any answer, in bytes. Answers are asked
// for without compression, so a small body cannot grow into a large one.
const MaxBodySize = 1 << 20

// Client talks to one workspace, the one that its key belongs to. It is safe for
// concurrent use, keeps no state between calls, and needs no closing.
type Client struct {
	base       *url.URL
	apiVersion string
	userAgent  string
	timeout    time.Duration
	observer   func(Call)
	// The key and the transport are functions because fmt prints a function as an
	// address, wherever the client is embedded and whatever the verb. A string it
	// would print, and a transport's pools it would read while they are in use.
	apiKey    func() string
	roundTrip func(*http.Request) (*http.Response, error)
}

// New returns a client. It makes no call; its error names the setting that is
// wrong and never holds the key.
func New(config Config) (*Client, error) {
	config, base, err := config.validated()
	if err != nil {
		return nil, err
	}
	key := config.APIKey
	return &Client{
		base:       base,
		apiVersion: config.APIVersion,
		userAgent:  config.UserAgent,
		timeout:    config.Timeout,
		observer:   config.Observer,
		apiKey:     func() string { return key },
		roundTrip:  config.Transport.RoundTrip,
	}, nil
}

// String describes the client without its key.
func (c Client) String() string {
	if c.base == nil {
		return "medblocks.Client{}"
	}
	return fmt.Sprintf("medblocks.Client{BaseURL:%q APIVersion:%q}", c.base.String(), c.apiVersion)
}

// Format prints String for every verb, %#v included.
func (c Client) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, c.String()) }

// LogValue keeps structured logs short and free of the key.
func (c Client) LogValue() slog.Value { return slog.StringValue(c.String()) }

// request is one call before it is sent.
type request struct {
	operation Operation
	method    string
	// path holds segments that are escaped one by one.
	path  []string
	query url.Values
	// body is encoded as JSON; nil sends none.
	body any
	// version replaces the client's API version when set.
	version string
	// before is asked before each call of a list; nil asks nobody.
	before func(context.Context) error
}

// answer is a complete 2xx answer.
type answer struct {
	operation Operation
	status    int
	requestID string
	body      []byte
}

// do makes one call. Its error is an *APIError, a *TransportError, a
// *MalformedError, or wraps ErrInvalidArgument.
func (c *Client) do(ctx context.Context, r request) (answer, error) {
	callCtx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	httpRequest, err := c.newHTTPRequest(callCtx, r)
	if err != nil {
		return answer{}, err
	}
	call := Call{Operation: r.operation}
	if c.observer != nil {
		start := time.Now()
		defer func() {
			call.Duration = time.Since(start)
			c.observer(call)
		}()
	}
	// RoundTrip instead of http.Client: that would follow redirects, or fail on
	// one whose Location cannot be parsed, where the caller should see the status.
	response, err := c.roundTrip(httpRequest)
	if err != nil {
		return answer{}, c.transportError(ctx, callCtx, r.operation, err)
	}
	defer func() { _ = response.Body.Close() }()
	result := answer{
		operation: r.operation,
		status:    response.StatusCode,
		requestID: scrub(response.Header.Get("X-Request-Id"), c.apiKey(), maxTokenRunes),
	}
	call.StatusCode, call.RequestID = result.status, result.requestID
	var readErr error
	result.body, readErr = readBounded(response.Body)
	if result.status < 200 || result.status > 299 {
		apiErr := c.apiError(r.operation, response, result.body, readErr)
		call.RequestID = apiErr.RequestID
		return answer{}, apiErr
	}
	if readErr != nil && callCtx.Err() != nil && r.operation != OperationDeleteEndpoint {
		return answer{}, c.transportError(ctx, callCtx, r.operation, readErr)
	}
	return result.complete(readErr)
}

// complete returns the answer if its body could be read. What a deletion answers
// with is not looked at (assumed), so a body that cannot be read does not turn a
// deletion into a failure.
func (a answer) complete(readErr error) (answer, error) {
	switch {
	case readErr == nil || a.operation == OperationDeleteEndpoint:
		return a, nil
	case errors.Is(readErr, errTooLarge):
		malformed := a.malformed("larger than %d bytes", MaxBodySize)
		malformed.tooLarge = true
		return answer{}, malformed
	}
	return answer{}, a.malformed("the body ended early")
}

func (c *Client) newHTTPRequest(ctx context.Context, r request) (*http.Request, error) {
	target := c.base.JoinPath(append([]string{"/"}, r.path...)...)
	target.RawQuery = r.query.Encode()
	var body io.Reader
	if r.body != nil {
		encoded, err := json.Marshal(r.body)
		if err != nil {
			return nil, fmt.Errorf("%s: %w: the request cannot be encoded", r.operation, ErrInvalidArgument)
		}
		body = bytes.NewReader(encoded)
	}
	httpRequest, err := http.NewRequestWithContext(ctx, r.method, target.String(), body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: the request cannot be built", r.operation, ErrInvalidArgument)
	}
	header := httpRequest.Header
	header.Set("Authorization", "Bearer "+c.apiKey())
	header.Set("Version", defaultTo(r.version, c.apiVersion))
	header.Set("Accept", "application/json")
	// Asking for it ourselves also keeps net/http from decompressing unbounded.
	header.Set("Accept-Encoding", "identity")
	header.Set("User-Agent", c.userAgent)
	if body != nil {
		header.Set("Content-Type", "application/json")
	}
	return httpRequest, nil
}

// transportError makes sure that whose deadline it was can be told from the text,
// that errors.Is finds the context's error, and that the key is in neither.
func (c *Client) transportError(ctx, callCtx context.Context, operation Operation, err error) error {
	switch {
	case ctx.Err() != nil:
		err = ctx.Err()
	case callCtx.Err() != nil:
		err = fmt.Errorf("nothing within %s: %w", c.timeout, callCtx.Err())
	default:
		if text := err.Error(); strings.Contains(text, c.apiKey()) || credentialPattern.MatchString(text) {
			err = errors.New(scrub(text, c.apiKey(), maxMessageRunes))
		}
	}
	return &TransportError{Operation: operation, Err: err}
}

var errTooLarge = errors.New("too large")

func readBounded(body io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(body, MaxBodySize+1))
	if len(data) > MaxBodySize {
		return nil, errTooLarge
	}
	return data, err
}

func (a answer) malformed(format string, args ...any) *MalformedError {
	return &MalformedError{
		Operation: a.operation, StatusCode: a.status, RequestID: a.requestID, Reason: fmt.Sprintf(format, args...),
	}
}

// decode reads the body as exactly one JSON value.
func (a answer) decode(into any) error {
	if len(bytes.TrimSpace(a.body)) == 0 {
		return a.malformed("the body is empty")
	}
	err := json.Unmarshal(a.body, into)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &syntax):
		return a.malformed("not JSON, or cut short")
	case errors.As(err, &kind) && kind.Field != "":
		return a.malformed("field %s is not of the expected type", scrub(kind.Field, "", maxTokenRunes))
	}
	// Not err's own text: it may quote the answer.
	return a.malformed("JSON of another shape than expected")
}
