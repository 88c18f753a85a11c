// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package secrecy looks for secrets where they must not be: in logs, events, resources, metrics and errors.
package secrecy

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"
)

// window is how many characters in a row of a secret, in any encoding, are a leak. Fewer would be met by chance, and more
// would let a message pass that was cut off.
const window = 16

// looksSecret finds secrets that nobody told us about. The vendor's documentation writes them with an ellipsis, so that
// examples in messages are no match.
var looksSecret = regexp.MustCompile(`(whsec_|mb_sk_(sbx|live)_)[A-Za-z0-9]{8,}`)

// Keeper knows secrets. The zero value knows none. Its methods are safe for concurrent use.
type Keeper struct {
	mu sync.Mutex
	// windows are all pieces to be found nowhere. Every piece has the same length, so that looking for thousands of secrets
	// in a text costs one look-up per character.
	windows map[string]struct{}
	kept    map[string]struct{}
}

// Keep remembers secrets, which may then be found nowhere. One that is too short to be told from other text is only found
// together with its prefix.
func (k *Keeper) Keep(secrets ...string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.kept == nil {
		k.kept, k.windows = map[string]struct{}{}, map[string]struct{}{}
	}
	for _, secret := range secrets {
		if _, known := k.kept[secret]; known || secret == "" {
			continue
		}
		k.kept[secret] = struct{}{}
		for _, form := range forms(secret) {
			if len(form) >= window {
				k.windows[form[:window]] = struct{}{}
			}
		}
	}
}

// Kept is how many secrets it knows.
func (k *Keeper) Kept() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.kept)
}

// Leak describes the first secret in a text, without repeating it; nil where there is none.
func (k *Keeper) Leak(where, text string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	for at := 0; at+window <= len(text); at++ {
		if _, leaked := k.windows[text[at:at+window]]; leaked {
			return leak(where, "a secret", text, at)
		}
	}
	if at := looksSecret.FindStringIndex(text); at != nil {
		return leak(where, "something like a secret", text, at[0])
	}
	return nil
}

func leak(where, what, text string, at int) error {
	return fmt.Errorf("%s: %s after …%q", where, what, text[max(0, at-80):at])
}

// forms are the ways in which a secret may show. All are without its prefix, which is no secret and may be left out.
func forms(secret string) []string {
	core := secret[strings.LastIndex(secret, "_")+1:]
	all := []string{core, url.QueryEscape(core), url.PathEscape(core), hex.EncodeToString([]byte(core))}
	// Three characters of base64 depend on where in a longer text the secret begins.
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		for offset := range 3 {
			encoded := encoding.EncodeToString([]byte(strings.Repeat(" ", offset) + core))
			all = append(all, encoded[min(4, len(encoded)):]) // the first group holds the filling, or what stands before the secret
		}
	}
	return all
}
