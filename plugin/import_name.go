// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

const (
	// longestLabel is how long a DNS label may be.
	longestLabel = 63
	// longestName leaves room for what the name of the signing Secret adds, so that a volume can have that name too.
	longestName = longestLabel - len(v1alpha1.DefaultSigningSecretSuffix)
	// shortestTail is how much of an endpoint's id makes a name unique, where another one has it.
	shortestTail = 6
)

// resourceNames names endpoints: by their descriptions, else by their hosts and paths, and where that is not unique, or taken, with the
// end of their ids. The names do not depend on the order of the endpoints.
func resourceNames(endpoints []medblocks.Endpoint, isTaken func(name string) bool) map[string]string {
	names := map[string]string{}
	sharing := map[string]int{}
	for i := range endpoints {
		name := plainName(&endpoints[i])
		names[endpoints[i].ID] = name
		sharing[name]++
	}
	used := map[string]bool{}
	for name, n := range sharing {
		used[name] = n == 1 && !isTaken(name)
	}
	for _, id := range slices.Sorted(maps.Keys(names)) {
		if plain := names[id]; sharing[plain] > 1 || isTaken(plain) {
			names[id] = longName(plain, id, func(name string) bool { return used[name] || isTaken(name) })
			used[names[id]] = true
		}
	}
	return names
}

// longName adds as much of the id as makes the name unique.
func longName(plain, id string, isUsed func(string) bool) string {
	tail := strings.ToLower(strings.TrimPrefix(id, "wh_"))
	for length := min(shortestTail, len(tail)); ; length++ {
		end := tail[len(tail)-length:]
		end = end[max(0, len(end)-longestName+len("x-")):]
		name := cut(plain, longestName-len("-")-len(end)) + "-" + end
		if !isUsed(name) || length >= len(tail) {
			return name
		}
	}
}

// plainName is what describes an endpoint best, as a DNS label.
func plainName(e *medblocks.Endpoint) string {
	if name := slug(e.Description); name != "" {
		return name
	}
	if u, err := url.Parse(e.URL); err == nil {
		if name := slug(u.Hostname() + "-" + u.Path); name != "" {
			return name
		}
	}
	return "endpoint"
}

// slug keeps letters, digits and single dashes. It begins with a letter, as the strictest of the names in Kubernetes have to.
func slug(text string) string {
	var b strings.Builder
	for _, c := range strings.ToLower(text) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			b.WriteRune(c)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	name := strings.Trim(b.String(), "-")
	if name != "" && name[0] >= '0' && name[0] <= '9' {
		name = "endpoint-" + name
	}
	return cut(name, longestName)
}

// cut shortens a name, at a dash if there is one near.
func cut(name string, longest int) string {
	if len(name) <= longest {
		return name
	}
	short := name[:longest]
	if at := strings.LastIndexByte(short, '-'); at > longest/2 && name[longest] != '-' {
		short = short[:at]
	}
	return strings.Trim(short, "-")
}
