// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package secrecy

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

const (
	key    = "mb_sk_sbx_canaryOFTHETESTS0123456789"
	secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw/+=="
)

func TestASecretIsFoundInEveryFormAndAtEveryPlace(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var keeper Keeper
	keeper.Keep(key, secret, key)
	g.Expect(keeper.Kept()).To(Equal(2))
	for _, s := range []string{key, secret} {
		bare := s[strings.LastIndex(s, "_")+1:]
		for _, before := range []string{"", "B", "Be", "Bearer ", `{"secret": "`} {
			for name, text := range map[string]string{
				"raw": before + s, "without its prefix": before + bare, "cut off": before + bare[:20],
				"base64":           base64.StdEncoding.EncodeToString([]byte(before + s)),
				"base64, for URLs": base64.RawURLEncoding.EncodeToString([]byte(before + s)),
				"URL-encoded":      url.QueryEscape(before + s), "hex": hex.EncodeToString([]byte(before + s)),
			} {
				g.Expect(keeper.Leak("a log", "a line with "+text+" in it")).To(MatchError(ContainSubstring("a log: ")), "%s after %q", name, before)
			}
		}
	}
}

func TestALeakIsReportedWithoutRepeatingIt(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var keeper Keeper
	keeper.Keep(key)
	err := keeper.Leak("a log", "the key is "+strings.TrimPrefix(key, "mb_sk_sbx_")+".")
	g.Expect(err).To(MatchError(`a log: a secret after …"the key is "`))
}

func TestWhatLooksLikeASecretIsFoundThoughNobodyTold(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var keeper Keeper
	g.Expect(keeper.Leak("a log", "whsec_0123456789abcdef")).NotTo(Succeed())
	g.Expect(keeper.Leak("a log", "mb_sk_live_0123456789abcdef")).NotTo(Succeed())
	g.Expect(keeper.Leak("a log", "keys look like mb_sk_sbx_…, secrets like whsec_…")).To(Succeed())
	g.Expect(keeper.Leak("a log", "a text without any, of no more than the usual length")).To(Succeed())
	keeper.Keep("mb_sk_sbx_shortish")
	g.Expect(keeper.Leak("a log", "a shortish text")).To(Succeed())
	g.Expect(keeper.Leak("a log", "mb_sk_sbx_shortish")).NotTo(Succeed())
}
