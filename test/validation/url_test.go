// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"strings"
	"testing"
)

const (
	saysAbsolute  = "url must be an absolute URL with a host, such as https://"
	saysHTTPS     = "url must use https; http is accepted for localhost, 127.0.0.1 and [::1] only"
	saysPort      = "url must have a port between 1 and 65535, or none"
	saysUserinfo  = "url must not contain userinfo"
	saysFragment  = "url must not contain a fragment"
	saysCharacter = "url must not contain white space, control characters or backslashes: percent-encode them"
)

func urlIs(url string) tweak { return set("spec.url", url) }

// urlOfLength is a valid URL of n characters; filler is one character, of any number of bytes.
func urlOfLength(n int, filler string) string {
	const start = "https://api.example.com/"
	return start + strings.Repeat(filler, n-len(start))
}

func TestTheReceiverURLIsAccepted(t *testing.T) {
	testAccepted(t, []acceptedCase{
		{"https", urlIs("https://api.example.com/medblocks/webhook")},
		{"https without a path", urlIs("https://api.example.com")},
		{"a query", urlIs("https://api.example.com/hook?tenant=a&x=%20")},
		{"an at sign after the host", urlIs("https://api.example.com/users/@me?mail=a@example.com")},
		{"an at sign in the query right behind a local host", urlIs("http://localhost?next=@evil.example.com")},
		{"percent-encoding in the path", urlIs("https://api.example.com/a%20b/%23/%5C")},
		{"an uppercase scheme", urlIs("HTTPS://api.example.com/hook")},
		{"an uppercase host", urlIs("https://API.EXAMPLE.COM/hook")},
		{"a trailing dot in the host", urlIs("https://api.example.com./hook")},
		{"a host that is not ASCII", urlIs("https://münchen.example/hook")},
		{"a percent-encoded host that is not ASCII", urlIs("https://m%C3%BCnchen.example/hook")},
		{"a path that is not ASCII", urlIs("https://api.example.com/größe")},
		{"an IPv4 address", urlIs("https://192.0.2.1/hook")},
		{"an IPv6 address with a port", urlIs("https://[2001:db8::1]:8443/hook")},
		{"port 1", urlIs("https://api.example.com:1/hook")},
		{"port 65535", urlIs("https://api.example.com:65535/hook")},
		{"a port with leading zeros", urlIs("https://api.example.com:00443/hook")},
		{"a colon without a port", urlIs("https://api.example.com:/hook")},
		{"http to localhost", urlIs("http://localhost:8080/hook")},
		{"http to localhost without a path", urlIs("http://localhost")},
		{"http to localhost in uppercase", urlIs("HTTP://LOCALHOST:8080/hook")},
		{"http to 127.0.0.1", urlIs("http://127.0.0.1:8080/hook")},
		{"http to [::1]", urlIs("http://[::1]:8080/hook")},
		{"http to [::1] without a port", urlIs("http://[::1]/hook")},
		{"https to localhost", urlIs("https://localhost:8443/hook")},
		{"2,048 characters", urlIs(urlOfLength(2048, "a"))},
		{"2,048 characters of several bytes", urlIs(urlOfLength(2048, "ü"))},
	})
}

func TestTheReceiverURLIsRefused(t *testing.T) {
	at := func(says ...string) []refusal {
		var all []refusal
		for _, s := range says {
			all = append(all, refusal{"spec.url", s})
		}
		return all
	}
	testRefused(t, []refusedCase{
		{"no url", remove("spec.url"), at("Required value")},
		{"null", set("spec.url", nil), at("Required value")},
		{"a number", set("spec.url", 1), at("must be of type string")},
		{"an empty url", urlIs(""), at("should be at least 1 chars long", saysAbsolute)},
		{"2,049 characters", urlIs(urlOfLength(2049, "a")), at("Too long: may not be more than 2048")},
		{"2,049 characters of several bytes", urlIs(urlOfLength(2049, "ü")), at("Too long: may not be more than 2048")},

		{"a relative url", urlIs("/medblocks/webhook"), at(saysAbsolute)},
		{"a bare host", urlIs("api.example.com/hook"), at(saysAbsolute)},
		{"a host and a port", urlIs("api.example.com:443"), at(saysAbsolute)},
		{"no scheme", urlIs("//api.example.com/hook"), at(saysAbsolute)},
		{"no host", urlIs("https:///hook"), at(saysAbsolute)},
		{"a port and no host", urlIs("https://:443/hook"), at(saysAbsolute)},
		{"an opaque url", urlIs("https:api.example.com"), at(saysAbsolute)},
		{"one slash", urlIs("https:/api.example.com/hook"), at(saysAbsolute)},
		{"half an escape", urlIs("https://api.example.com/%zz"), at(saysAbsolute)},
		{"an escaped ASCII host", urlIs("http://%6cocalhost/hook"), at(saysAbsolute)},
		{"an IPv6 address without brackets", urlIs("https://2001:db8::1/hook"), at(saysAbsolute)},
		{"an IPv6 address that does not end", urlIs("https://[::1/hook"), at(saysAbsolute)},
		{"a port that is no number", urlIs("https://api.example.com:https/hook"), at(saysAbsolute)},

		{"http to a public host", urlIs("http://api.example.com/hook"), at(saysHTTPS)},
		{"uppercase http to a public host", urlIs("HTTP://api.example.com/hook"), at(saysHTTPS)},
		{"another scheme", urlIs("ftp://api.example.com/hook"), at(saysHTTPS)},
		{"another scheme to localhost", urlIs("ws://localhost/hook"), at(saysHTTPS)},
		{"http to a host that starts like localhost", urlIs("http://localhost.evil.com/hook"), at(saysHTTPS)},
		{"http to a host that ends like localhost", urlIs("http://evil-localhost/hook"), at(saysHTTPS)},
		{"http to a subdomain of localhost", urlIs("http://a.localhost/hook"), at(saysHTTPS)},
		{"http to localhost with a trailing dot", urlIs("http://localhost./hook"), at(saysHTTPS)},
		{"http to localhost with an ideographic full stop", urlIs("http://localhost。evil.com/hook"), at(saysHTTPS)},
		{"http to letters that look like localhost", urlIs("http://ⓛocalhost/hook"), at(saysHTTPS)},
		{"http to a host that starts like 127.0.0.1", urlIs("http://127.0.0.1.evil.com/hook"), at(saysHTTPS)},
		{"http to another loopback address", urlIs("http://127.0.0.2/hook"), at(saysHTTPS)},
		{"http to 127.1", urlIs("http://127.1/hook"), at(saysHTTPS)},
		{"http to the loopback address as a number", urlIs("http://2130706433/hook"), at(saysHTTPS)},
		{"http to [::1] with a zone", urlIs("http://[::1%25eth0]/hook"), at(saysHTTPS)},
		{"http to [::1] written out", urlIs("http://[0:0:0:0:0:0:0:1]/hook"), at(saysHTTPS)},
		{"http to an IPv4 address in IPv6", urlIs("http://[::ffff:127.0.0.1]/hook"), at(saysHTTPS)},
		{"http to 0.0.0.0", urlIs("http://0.0.0.0/hook"), at(saysHTTPS)},

		{"a user and a password", urlIs("https://user:password@api.example.com/hook"), at(saysUserinfo)},
		{"a user", urlIs("https://user@api.example.com/hook"), at(saysUserinfo)},
		{"an empty user", urlIs("https://@api.example.com/hook"), at(saysUserinfo)},
		{"userinfo with an escaped at sign", urlIs("https://a%40b@api.example.com/hook"), at(saysUserinfo)},
		{"userinfo under an uppercase scheme", urlIs("HTTPS://user@api.example.com/hook"), at(saysUserinfo)},
		{"userinfo that looks like a local host", urlIs("http://127.0.0.1@evil.com/hook"), at(saysUserinfo, saysHTTPS)},
		{"userinfo that looks like a local host and a port", urlIs("http://localhost:80@evil.com/hook"), at(saysUserinfo, saysHTTPS)},
		{"a public user at a local host", urlIs("http://evil.com@localhost/hook"), at(saysUserinfo)},

		{"a fragment", urlIs("https://api.example.com/hook#top"), at(saysFragment)},
		{"an empty fragment", urlIs("https://api.example.com/hook#"), at(saysFragment)},
		{"a fragment behind the host", urlIs("https://api.example.com#top"), at(saysFragment)},
		{"a fragment that hides the host", urlIs("http://localhost#.evil.com/"), at(saysFragment)},

		{"port 0", urlIs("https://api.example.com:0/hook"), at(saysPort)},
		{"port 65536", urlIs("https://api.example.com:65536/hook"), at(saysPort)},
		{"port 70000", urlIs("https://api.example.com:70000/hook"), at(saysPort)},
		{"a port of 20 digits", urlIs("https://api.example.com:99999999999999999999/hook"), at(saysPort)},
		{"port 0 at localhost", urlIs("http://localhost:0/hook"), at(saysPort)},

		{"a space", urlIs("https://api.example.com/a b"), at(saysCharacter)},
		{"a leading space", urlIs(" https://api.example.com/hook"), at(saysCharacter)},
		{"a trailing line feed", urlIs("https://api.example.com/hook\n"), at(saysCharacter)},
		{"a tab in the host", urlIs("https://api.exam\tple.com/hook"), at(saysCharacter)},
		{"a no-break space", urlIs("https://api.example.com/a\u00a0b"), at(saysCharacter)},
		{"a line separator", urlIs("https://api.example.com/a\u2028b"), at(saysCharacter)},
		{"a zero-width space", urlIs("https://api.example\u200b.com/hook"), at(saysCharacter)},
		{"a right-to-left override", urlIs("https://api.example.com/\u202etxt.exe"), at(saysCharacter)},
		{"a NUL", urlIs("https://api.example.com/a\u0000b"), at(saysCharacter)},
		{"a backslash in the path", urlIs(`https://api.example.com/a\b`), at(saysCharacter)},
		{"a backslash behind the host", urlIs(`https://api.example.com\hook`), at(saysCharacter)},
		{"backslashes for slashes", urlIs(`https:\\api.example.com\hook`), at(saysCharacter)},
		{"a backslash that hides the host", urlIs(`https://api.example.com\@evil.com/hook`), at(saysCharacter, saysUserinfo)},
		{"a backslash behind localhost", urlIs(`http://localhost\.evil.com/hook`), at(saysCharacter)},
	})
}
