// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// What the CustomResourceDefinition accepts, so that no manifest is written that the API server refuses. It is repeated here because an
// import may run without a cluster; a test compares the two.
const (
	maxURL            = 2048
	maxEvents         = 4
	maxDescription    = 500
	maxMetadataKeys   = 40
	maxMetadataValue  = 4096
	maxEndpointID     = 64
	maxPort           = 65535
	maxPortDigits     = 5
	catalogueOfEvents = "2026-04-25"
)

// refusals are the reasons why no manifest can say what an endpoint is like; none: one can.
func refusals(e *medblocks.Endpoint) []string {
	var reasons []string
	for _, reason := range []string{
		refusedURL(e.URL), refusedEvents(e.Events), refusedState(e.Status), refusedDescription(e.Description), refusedMetadata(ownMetadata(e)), refusedID(e.ID),
	} {
		if reason != "" {
			reasons = append(reasons, reason)
		}
	}
	return reasons
}

var (
	userinfo   = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*@`)
	unprinted  = regexp.MustCompile(`[\pZ\pC\\]`)
	localHosts = []string{"localhost", "127.0.0.1", "::1"}
)

func refusedURL(raw string) string {
	u, err := url.ParseRequestURI(raw)
	switch {
	case utf8.RuneCountInString(raw) > maxURL:
		return fmt.Sprintf("its url has more than %d characters", maxURL)
	case userinfo.MatchString(raw):
		return "its url has a user name or password in it, which everybody who may read the resource would see"
	case strings.Contains(raw, "#"):
		return "its url has a fragment (#…), which is never sent to a server"
	case unprinted.MatchString(raw):
		return "its url has white space, control characters or backslashes in it"
	case err != nil, u.Scheme == "", u.Hostname() == "":
		return "its url is not an absolute URL with a host"
	case !isSecure(u):
		return "its url does not use https (http is accepted for localhost, 127.0.0.1 and [::1] only)"
	case !isPort(u.Port()):
		return fmt.Sprintf("its url has a port that is not between 1 and %d", maxPort)
	}
	return ""
}

func isSecure(u *url.URL) bool {
	return u.Scheme == "https" || (u.Scheme == "http" && slices.Contains(localHosts, strings.ToLower(u.Hostname())))
}

func isPort(port string) bool {
	if port == "" {
		return true
	}
	number, err := strconv.Atoi(port)
	return err == nil && len(port) <= maxPortDigits && number >= 1 && number <= maxPort
}

// catalogue are the event types that a resource may name.
var catalogue = []v1alpha1.EventType{
	v1alpha1.EventPatientFlowCompleted, v1alpha1.EventConnectionTokenRefreshFailed,
	v1alpha1.EventRecordsSyncCompleted, v1alpha1.EventRecordsSyncFailed, v1alpha1.EventAll,
}

func refusedEvents(events []string) string {
	for _, event := range events {
		if !slices.Contains(catalogue, v1alpha1.EventType(event)) {
			return fmt.Sprintf("it subscribes to %q, which is not in the catalogue of API version %s", event, catalogueOfEvents)
		}
	}
	switch set := eventSet(events); {
	case len(set) == 0:
		return "it subscribes to no events"
	case len(set) > 1 && slices.Contains(set, v1alpha1.EventAll):
		return "it subscribes to * and to single events beside it"
	case len(set) > maxEvents:
		return fmt.Sprintf("it subscribes to more than %d event types", maxEvents)
	}
	return ""
}

// eventSet is sorted and has no event twice.
func eventSet(events []string) []v1alpha1.EventType {
	set := make([]v1alpha1.EventType, 0, len(events))
	for _, event := range slices.Compact(slices.Sorted(slices.Values(events))) {
		set = append(set, v1alpha1.EventType(event))
	}
	return set
}

func refusedState(status medblocks.EndpointStatus) string {
	if status == medblocks.EndpointStatusActive || status == medblocks.EndpointStatusDisabled {
		return ""
	}
	return fmt.Sprintf("its status is %q, and neither active nor disabled", status)
}

func refusedDescription(description string) string {
	if utf8.RuneCountInString(description) > maxDescription {
		return fmt.Sprintf("its description has more than %d characters", maxDescription)
	}
	return ""
}

func refusedMetadata(metadata map[string]string) string {
	if len(metadata) > maxMetadataKeys {
		return fmt.Sprintf("its metadata has %d keys, and a resource may have %d", len(metadata), maxMetadataKeys)
	}
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		if utf8.RuneCountInString(metadata[key]) > maxMetadataValue {
			return fmt.Sprintf("its metadata has a value of more than %d characters (key %q)", maxMetadataValue, key)
		}
	}
	return ""
}

func refusedID(id string) string {
	if len(id) > maxEndpointID {
		return fmt.Sprintf("its id has more than %d characters", maxEndpointID)
	}
	return ""
}

// ownMetadata is an endpoint's metadata without the operator's marks. Those may be left, empty, by an operator that let it go.
func ownMetadata(e *medblocks.Endpoint) map[string]string {
	own := map[string]string{}
	for key, value := range e.Metadata {
		if !strings.HasPrefix(key, v1alpha1.MarkPrefix) {
			own[key] = value
		}
	}
	return own
}
