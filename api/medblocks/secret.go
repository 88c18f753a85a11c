// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package medblocks

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
)

const redacted = "[redacted]"

// Secret is a signing secret (whsec_…). Everything that prints or encodes it
// writes "[redacted]"; only Reveal returns it. One gap is fmt's own: it calls no
// method on the unexported fields of a struct, so do not keep a Secret in one
// that gets printed.
type Secret string

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

// String returns "[redacted]".
func (Secret) String() string { return redacted }

// GoString returns "[redacted]".
func (Secret) GoString() string { return redacted }

// Format prints "[redacted]" for every verb, %x and %q included.
func (Secret) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, redacted) }

// MarshalJSON writes "[redacted]".
func (Secret) MarshalJSON() ([]byte, error) { return json.Marshal(redacted) }

// MarshalText writes "[redacted]".
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue keeps the secret out of structured logs.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// credentialPattern finds anything shaped like a signing secret or an API key,
// also one that is not ours: a vendor's error may quote a request.
var credentialPattern = regexp.MustCompile(`(?i)(whsec_|mb_sk_)[0-9a-z_+/=.\-]*`)

const (
	maxMessageRunes = 500
	maxTokenRunes   = 128
)

// scrub removes the key and everything that looks like a credential, and turns
// text of unknown origin into one printable line of at most limit runes. It cuts
// last: a cut credential would no longer be recognised.
func scrub(text, key string, limit int) string {
	text = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "\uFFFD"), isSpaceOrControl), " ")
	if key != "" {
		text = strings.ReplaceAll(text, key, redacted)
	}
	text = credentialPattern.ReplaceAllString(text, redacted)
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit-1]) + "…"
	}
	return text
}

func isSpaceOrControl(r rune) bool {
	// U+2028 and U+2029 end a line for many a log viewer.
	return r <= 0x20 || (r >= 0x7f && r <= 0xa0) || r == '\u2028' || r == '\u2029'
}
