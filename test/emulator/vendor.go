// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// call is one vendor call on its way through the emulator.
type call struct {
	op        Operation
	id        string
	key       string
	version   string
	query     url.Values
	body      []byte
	requestID string
	request   *http.Request
	// refused is set when the request cannot be routed or read; it still
	// meets faults and is counted.
	refused *apiError
	fault   *Fault
}

// route is one line of the vendor's table of calls. A path has one or more
// routes, told apart by method.
type route struct {
	method string
	op     Operation
	run    func(*Server, *call, *workspace) (answer, *apiError)
}

var (
	collectionRoutes = []route{
		{http.MethodPost, OperationCreateEndpoint, (*Server).createEndpoint},
		{http.MethodGet, OperationListEndpoints, (*Server).listEndpoints},
	}
	endpointRoutes = []route{
		{http.MethodGet, OperationGetEndpoint, (*Server).getEndpoint},
		{http.MethodPatch, OperationUpdateEndpoint, (*Server).updateEndpoint},
		{http.MethodDelete, OperationDeleteEndpoint, (*Server).deleteEndpoint},
	}
	rotateRoutes    = []route{{http.MethodPost, OperationRotateSecret, (*Server).rotateSecret}}
	eventsRoutes    = []route{{http.MethodGet, OperationListEvents, (*Server).listEvents}}
	redeliverRoutes = []route{{http.MethodPost, OperationRedeliverEvent, (*Server).redeliverEvent}}
)

// paths is the vendor's table of paths; {id} stands for any text without a slash.
var paths = []struct {
	pattern []string
	routes  []route
}{
	{[]string{"webhooks"}, collectionRoutes},
	{[]string{"webhooks", "{id}"}, endpointRoutes},
	{[]string{"webhooks", "{id}", "rotate-secret"}, rotateRoutes},
	{[]string{"webhooks", "{id}", "events"}, eventsRoutes},
	{[]string{"events", "{id}", "redeliver"}, redeliverRoutes},
}

// routesOf maps a path to its routes and the id in it.
func routesOf(path string) (routes []route, id string) {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for _, p := range paths {
		id = ""
		same := slices.EqualFunc(p.pattern, parts, func(pattern, part string) bool {
			if pattern == "{id}" {
				id = part
				return part != ""
			}
			return pattern == part
		})
		if same {
			return p.routes, id
		}
	}
	return nil, ""
}

func findRoute(r *http.Request) (route, string, *apiError) {
	routes, id := routesOf(r.URL.Path)
	var allowed []string
	for _, candidate := range routes {
		if candidate.method == r.Method {
			return candidate, id, nil
		}
		allowed = append(allowed, candidate.method)
	}
	unknown := route{op: OperationUnknown}
	if routes == nil {
		return unknown, "", &apiError{
			status: http.StatusNotFound, kind: typeNotFound, code: "unknown_path", message: "Unrecognized request path",
		}
	}
	return unknown, "", &apiError{
		status: http.StatusMethodNotAllowed, kind: typeInvalidRequest, code: "method_not_allowed",
		message: "This path does not support " + r.Method, allow: strings.Join(allowed, ", "),
	}
}

func (s *Server) serveVendor(w http.ResponseWriter, r *http.Request) {
	rt, id, refused := findRoute(r)
	c := &call{
		op: rt.op, id: id, query: r.URL.Query(), request: r, refused: refused,
		key: bearer(r), version: r.Header.Get("Version"), requestID: s.ids.next(prefixRequest, s.opts.Clock.Now()),
	}
	s.readBody(c, w)
	c.fault = s.takeFault(c)
	t := &transport{s: s, c: c, w: w}
	if !t.before(rt) {
		return
	}
	t.finish(s.execute(c, rt))
}

// readBody takes the whole body in first: only then does net/http notice that a
// client has gone, which the hang fault waits for.
func (s *Server) readBody(c *call, w http.ResponseWriter) {
	body, err := io.ReadAll(http.MaxBytesReader(w, c.request.Body, s.opts.MaxBodyBytes))
	c.body = body
	if err == nil || c.refused != nil {
		return
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		c.body = nil
		c.refused = &apiError{
			status: http.StatusRequestEntityTooLarge, kind: typeInvalidRequest, code: "request_too_large",
			message: "The request body is too large",
		}
		return
	}
	c.refused = invalid("", "The request body could not be read")
}

// execute performs the call: who asks, in which version, how often, what.
func (s *Server) execute(c *call, rt route) answer {
	if c.refused != nil {
		return failure(c.refused, c.requestID)
	}
	ws, err := s.authorize(c)
	if err != nil {
		return failure(err, c.requestID)
	}
	if err := s.throttle(ws); err != nil {
		return failure(err, c.requestID)
	}
	a, err := rt.run(s, c, ws)
	if err != nil {
		return failure(err, c.requestID)
	}
	return a
}

func bearer(r *http.Request) string {
	scheme, key, found := strings.Cut(r.Header.Get("Authorization"), " ")
	if !found || !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(key)
}

// authorize answers 401 and 403 with the codes of the documentation, and 400
// for a version that this emulator does not speak. It resolves c.version.
func (s *Server) authorize(c *call) (*workspace, *apiError) {
	if c.key == "" {
		return nil, unauthorized("missing_api_key", "API key missing: send it as Authorization: Bearer <key>")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	k, known := s.keyFor(c.key)
	switch {
	case !known || k.state == KeyRevoked:
		return nil, unauthorized("invalid_api_key", "API key invalid")
	case k.state == KeyExpired:
		return nil, unauthorized("expired_api_key", "API key expired")
	case k.state == KeyForbidden:
		return nil, &apiError{
			status: http.StatusForbidden, kind: typePermission, code: "forbidden",
			message: "This API key may not manage webhooks",
		}
	}
	if c.version == "" {
		c.version = k.version
	}
	if c.version != DefaultAPIVersion && !slices.Contains(s.opts.APIVersions, c.version) {
		return nil, &apiError{
			status: http.StatusBadRequest, kind: typeInvalidRequest, code: "unsupported_api_version",
			message: "Unsupported API version",
		}
	}
	return k.workspace, nil
}
