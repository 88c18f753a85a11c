// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package medblocks

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"
)

const (
	// DefaultBaseURL is where the API is (vendor).
	DefaultBaseURL = "https://app.medblocks.com"
	// DefaultAPIVersion is the API version that this package is written for,
	// sent in the Version header (vendor).
	DefaultAPIVersion = "2026-04-25"
	// DefaultTimeout bounds one call, from the first byte sent to the last byte
	// read. It is the timeout of the vendor's own SDK (vendor).
	DefaultTimeout = 30 * time.Second
	// DefaultUserAgent is sent when Config.UserAgent is empty.
	DefaultUserAgent = "medblocks-webhook-operator"
)

// Config says which workspace to talk to and how. Its zero value plus an APIKey
// is ready to use. Printing it never shows the key, except as an unexported field
// of a struct that is printed: fmt calls no methods there.
type Config struct {
	// BaseURL defaults to DefaultBaseURL. Plain http is accepted for loopback
	// hosts only, because the key travels with every call.
	BaseURL string
	// APIKey is required; white space around it is dropped.
	APIKey string
	// APIVersion defaults to DefaultAPIVersion; its form is YYYY-MM-DD.
	APIVersion string
	// Timeout bounds each call; 0 means DefaultTimeout.
	Timeout time.Duration
	// UserAgent defaults to DefaultUserAgent.
	UserAgent string
	// Transport defaults to one that all clients share: proxies from the
	// environment (HTTPS_PROXY, NO_PROXY), TLS verified, connections reused.
	// Redirects are not followed whatever the transport.
	Transport http.RoundTripper
	// Observer, when set, is told about every call once it has ended. It runs on
	// the caller's goroutine and must not block.
	Observer func(Call)
}

// Call is what an observer learns about one call.
type Call struct {
	Operation Operation
	// StatusCode is 0 when no answer arrived.
	StatusCode int
	// Duration runs until the body was read.
	Duration time.Duration
	// RequestID is the vendor's id of the call, "" when there was none.
	RequestID string
}

// Operation names one of the API's calls, for metrics, logs and errors.
type Operation string

// The operations of the API.
const (
	OperationCreateEndpoint Operation = "CreateEndpoint"
	OperationListEndpoints  Operation = "ListEndpoints"
	OperationGetEndpoint    Operation = "GetEndpoint"
	OperationUpdateEndpoint Operation = "UpdateEndpoint"
	OperationDeleteEndpoint Operation = "DeleteEndpoint"
	OperationRotateSecret   Operation = "RotateSecret"
	OperationListEvents     Operation = "ListEvents"
	OperationRedeliverEvent Operation = "RedeliverEvent"
)

// Operations lists every operation, for whoever prepares one metric per operation.
func Operations() []Operation {
	return []Operation{
		OperationCreateEndpoint, OperationListEndpoints, OperationGetEndpoint, OperationUpdateEndpoint,
		OperationDeleteEndpoint, OperationRotateSecret, OperationListEvents, OperationRedeliverEvent,
	}
}

const maxConfigRunes = 2000

var apiVersionPattern = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)

// validated returns the config with its defaults filled in. Its errors name the
// field and never repeat a value that may hold a credential.
func (c Config) validated() (Config, *url.URL, error) {
	c.APIKey = strings.TrimSpace(c.APIKey)
	if c.APIKey == "" {
		return c, nil, errors.New("medblocks: the API key is empty")
	}
	if !isHeaderSafe(c.APIKey) || strings.Contains(c.APIKey, " ") {
		return c, nil, errors.New("medblocks: the API key holds white space or characters that cannot be in a key")
	}
	c.BaseURL = defaultTo(c.BaseURL, DefaultBaseURL)
	base, err := parseBaseURL(c.BaseURL)
	if err != nil {
		return c, nil, err
	}
	c.APIVersion = defaultTo(c.APIVersion, DefaultAPIVersion)
	if !apiVersionPattern.MatchString(c.APIVersion) {
		return c, nil, fmt.Errorf("medblocks: API version %q is not of the form YYYY-MM-DD", c.APIVersion)
	}
	c.UserAgent = defaultTo(c.UserAgent, DefaultUserAgent)
	if !isHeaderSafe(c.UserAgent) {
		return c, nil, errors.New("medblocks: the user agent holds characters that cannot be in a header")
	}
	if c.Timeout < 0 {
		return c, nil, fmt.Errorf("medblocks: the timeout %s is negative", c.Timeout)
	}
	c.Timeout = defaultTo(c.Timeout, DefaultTimeout)
	if c.Transport == nil {
		c.Transport = sharedTransport()
	}
	return c, base, nil
}

func parseBaseURL(raw string) (*url.URL, error) {
	base, err := url.Parse(raw)
	if err != nil {
		// The parser's error repeats the input, which may hold a password.
		return nil, errors.New("medblocks: the base URL cannot be parsed")
	}
	switch {
	case base.User != nil:
		return nil, errors.New("medblocks: the base URL must not hold user information")
	case base.Hostname() == "":
		return nil, errors.New("medblocks: the base URL names no host")
	case base.RawQuery != "" || base.ForceQuery || base.Fragment != "":
		return nil, errors.New("medblocks: the base URL must have neither a query nor a fragment")
	case base.Scheme == "http" && !isLoopback(base.Hostname()):
		return nil, fmt.Errorf("medblocks: base URL %s: http is for loopback hosts only, use https", base)
	case base.Scheme != "http" && base.Scheme != "https":
		return nil, fmt.Errorf("medblocks: base URL %s: the scheme must be https", base)
	}
	return base, nil
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func isHeaderSafe(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r > 0x7e })
}

func defaultTo[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}

// sharedTransport is one pool of connections for all accounts: they talk to the
// same host, and a client that is dropped leaves no idle connections behind.
var sharedTransport = sync.OnceValue(func() http.RoundTripper {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           50,
		MaxIdleConnsPerHost:    20,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: 256 << 10,
		// A connection that died without a word would otherwise cost every call
		// on it a full timeout until TCP gives up.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 10 * time.Second},
	}
})

// String describes the config without its key.
func (c Config) String() string {
	key := "none"
	if c.APIKey != "" {
		key = redacted
	}
	text := fmt.Sprintf("medblocks.Config{BaseURL:%q APIKey:%s APIVersion:%q Timeout:%s UserAgent:%q}",
		redactedURL(c.BaseURL), key, c.APIVersion, c.Timeout, c.UserAgent)
	// A config that nobody has validated may hold its key in any field.
	return scrub(text, c.APIKey, maxConfigRunes)
}

// Format prints String for every verb, %#v included.
func (c Config) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, c.String()) }

// LogValue keeps the key out of structured logs.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalJSON writes String, so that no encoder reaches the key.
func (c Config) MarshalJSON() ([]byte, error) { return json.Marshal(c.String()) }

func redactedURL(raw string) string {
	parsed, err := url.Parse(raw)
	if err != nil {
		return "unparseable"
	}
	if parsed.User != nil {
		parsed.User = url.User(redacted)
	}
	return parsed.String()
}
