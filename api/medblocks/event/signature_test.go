// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package event_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/medblocks/event"
)

const (
	currentSecret  = "whsec_current_7Hq2"
	previousSecret = "whsec_previous_k9Zt"
)

var signedAt = time.Date(2026, 4, 25, 14, 35, 0, 0, time.UTC)

func goodBody() []byte {
	return body("records.sync.failed", `{"resource_type":"records_sync","patient_id":"pat_1","connection_id":"fhirsrc_1","error_message":"x"}`)
}

func verifier(now time.Time, secrets ...string) event.Verifier {
	return event.Verifier{Secrets: event.StaticSecrets(secrets...), Clock: fixedClock(now)}
}

func TestSignMakesTheVendorsHeader(t *testing.T) {
	// The expected value was made with: printf '1777127700.{"a":1}' | openssl dgst -sha256 -hmac whsec_test
	NewWithT(t).Expect(event.Sign([]byte(`{"a":1}`), "whsec_test", time.Unix(1777127700, 999_999_999))).
		To(Equal("t=1777127700,v1=34307000ab8d9ca5c00d6c5d695a7ee1083b7eb34669050ffa7ad7783be01336"))
}

func TestAGenuineEventIsConstructed(t *testing.T) {
	raw := goodBody()
	now := time.Now()
	header := event.Sign(raw, currentSecret, now)
	timestamp, mac, _ := strings.Cut(header, ",")
	_, otherMAC, _ := strings.Cut(event.Sign(raw, "whsec_other", now), ",")
	cases := map[string]struct {
		header  string
		secrets []string
		index   int
	}{
		"with the current secret":                 {header, []string{currentSecret}, 0},
		"with the previous secret":                {header, []string{"whsec_new", currentSecret}, 1},
		"with the same secret twice":              {header, []string{currentSecret, currentSecret}, 0},
		"with an empty secret beside it":          {header, []string{"", currentSecret}, 1},
		"with several signatures, ours first":     {header + "," + otherMAC, []string{currentSecret}, 0},
		"with several signatures, ours last":      {timestamp + "," + otherMAC + "," + mac, []string{currentSecret}, 0},
		"with the time last":                      {mac + "," + timestamp, []string{currentSecret}, 0},
		"with white space":                        {" " + timestamp + " , " + mac + " ", []string{currentSecret}, 0},
		"with a scheme that is not known":         {header + ",v2=zzz,v0=" + mac[3:], []string{currentSecret}, 0},
		"with a signature that is no hex as well": {timestamp + ",v1=zz," + mac, []string{currentSecret}, 0},
		"with upper-case hex":                     {timestamp + ",v1=" + strings.ToUpper(mac[3:]), []string{currentSecret}, 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			e, err := event.ConstructEvent(raw, tc.header, tc.secrets...)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(e.Type).To(Equal(event.TypeRecordsSyncFailed))
			g.Expect(e.SecretIndex).To(Equal(tc.index))
			g.Expect(e.SignedAt).To(BeTemporally("==", now.Truncate(time.Second)))
			g.Expect([]byte(e.Raw)).To(Equal(raw))
		})
	}
}

func TestEachWayToFailCanBeToldFromTheOthers(t *testing.T) {
	all := []error{
		event.ErrMissingSignature, event.ErrMalformedSignature, event.ErrTimestampOutsideWindow,
		event.ErrSignatureMismatch, event.ErrNotAnEvent, event.ErrNoSecrets,
	}
	raw := goodBody()
	header := event.Sign(raw, currentSecret, signedAt)
	_, mac, _ := strings.Cut(header, ",")
	changed := append([]byte(nil), raw...)
	changed[len(changed)/2] ^= 1
	noEvent := []byte(`{"hello":"world"}`)
	past, future := signedAt.Add(-event.DefaultTolerance-time.Second), signedAt.Add(event.DefaultTolerance+time.Second)
	current := []string{currentSecret}
	cases := map[string]struct {
		body    []byte
		header  string
		secrets []string
		want    error
	}{
		"no header":                        {raw, "", current, event.ErrMissingSignature},
		"a header of white space":          {raw, "  ", current, event.ErrMissingSignature},
		"a bare word":                      {raw, "abc", current, event.ErrMalformedSignature},
		"an empty item":                    {raw, header + ",", current, event.ErrMalformedSignature},
		"no time":                          {raw, mac, current, event.ErrMalformedSignature},
		"an empty time":                    {raw, "t=," + mac, current, event.ErrMalformedSignature},
		"a time in words":                  {raw, "t=now," + mac, current, event.ErrMalformedSignature},
		"a negative time":                  {raw, "t=-1," + mac, current, event.ErrMalformedSignature},
		"a signed time":                    {raw, "t=+1," + mac, current, event.ErrMalformedSignature},
		"a time with a fraction":           {raw, "t=1.5," + mac, current, event.ErrMalformedSignature},
		"a time that is too long":          {raw, "t=" + strings.Repeat("9", 13) + "," + mac, current, event.ErrMalformedSignature},
		"two times":                        {raw, header + ",t=1777127700", current, event.ErrMalformedSignature},
		"no signature":                     {raw, "t=1777127700", current, event.ErrMalformedSignature},
		"an empty signature":               {raw, "t=1777127700,v1=", current, event.ErrMalformedSignature},
		"a signature that is no hex":       {raw, "t=1777127700,v1=" + strings.Repeat("z", 64), current, event.ErrMalformedSignature},
		"a signature that is too short":    {raw, header[:len(header)-2], current, event.ErrMalformedSignature},
		"a signature that is too long":     {raw, header + "00", current, event.ErrMalformedSignature},
		"a scheme that is not known":       {raw, strings.Replace(header, "v1=", "v2=", 1), current, event.ErrMalformedSignature},
		"too many signatures":              {raw, header + strings.Repeat(","+mac, 16), current, event.ErrMalformedSignature},
		"a header that is too long":        {raw, header + strings.Repeat(",v2=a", 1000), current, event.ErrMalformedSignature},
		"a body that was changed":          {changed, header, current, event.ErrSignatureMismatch},
		"a body without its last byte":     {raw[:len(raw)-1], header, current, event.ErrSignatureMismatch},
		"a body that was encoded again":    {append([]byte(" "), raw...), header, current, event.ErrSignatureMismatch},
		"another time than was signed":     {raw, strings.Replace(header, "t=", "t=0", 1), current, event.ErrSignatureMismatch},
		"another secret":                   {raw, header, []string{"whsec_x", "whsec_y"}, event.ErrSignatureMismatch},
		"a secret with white space":        {raw, header, []string{currentSecret + "\n"}, event.ErrSignatureMismatch},
		"signed with an empty secret":      {raw, event.Sign(raw, "", signedAt), []string{currentSecret, ""}, event.ErrSignatureMismatch},
		"no secrets":                       {raw, header, nil, event.ErrNoSecrets},
		"only empty secrets":               {raw, event.Sign(raw, "", signedAt), []string{"", ""}, event.ErrNoSecrets},
		"too old":                          {raw, event.Sign(raw, currentSecret, past), current, event.ErrTimestampOutsideWindow},
		"from the future":                  {raw, event.Sign(raw, currentSecret, future), current, event.ErrTimestampOutsideWindow},
		"the largest time":                 {raw, event.Sign(raw, currentSecret, time.Unix(999_999_999_999, 0)), current, event.ErrTimestampOutsideWindow},
		"the first time":                   {raw, event.Sign(raw, currentSecret, time.Unix(0, 0)), current, event.ErrTimestampOutsideWindow},
		"too old and forged":               {raw, event.Sign(raw, "whsec_x", past), current, event.ErrSignatureMismatch},
		"signed, but no event":             {noEvent, event.Sign(noEvent, currentSecret, signedAt), current, event.ErrNotAnEvent},
		"signed, but empty":                {nil, event.Sign(nil, currentSecret, signedAt), current, event.ErrNotAnEvent},
		"too old, and no event":            {noEvent, event.Sign(noEvent, currentSecret, past), current, event.ErrTimestampOutsideWindow},
		"signed by the previous, too old":  {raw, event.Sign(raw, previousSecret, past), []string{currentSecret, previousSecret}, event.ErrTimestampOutsideWindow},
		"a newline that could split a log": {raw, "t=1\n2,v1=a", current, event.ErrMalformedSignature},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			e, err := verifier(signedAt, tc.secrets...).ConstructEvent(context.Background(), tc.body, tc.header)
			for _, sentinel := range all {
				g.Expect(errors.Is(err, sentinel)).To(Equal(errors.Is(sentinel, tc.want)), "%v is %v", err, sentinel)
			}
			g.Expect(e).To(Equal(event.Event{}))
			g.Expect(err.Error()).NotTo(ContainSubstring("whsec_"))
			g.Expect(err.Error()).NotTo(ContainSubstring("\n"))
		})
	}
}

func TestTheWindowReachesExactlyToItsEdges(t *testing.T) {
	raw := goodBody()
	header := event.Sign(raw, currentSecret, signedAt)
	for _, tc := range []struct {
		tolerance, off time.Duration
		inside         bool
	}{
		{0, 0, true},
		{0, 5 * time.Minute, true},
		{0, -5 * time.Minute, true},
		{0, 5*time.Minute + time.Nanosecond, false},
		{0, -5*time.Minute - time.Nanosecond, false},
		{time.Second, time.Second, true},
		{time.Second, 2 * time.Second, false},
		{time.Hour, 59 * time.Minute, true},
		{-1, 1000 * time.Hour, true},
	} {
		t.Run(fmt.Sprintf("%s off with a tolerance of %s", tc.off, tc.tolerance), func(t *testing.T) {
			v := verifier(signedAt.Add(tc.off), currentSecret)
			v.Tolerance = tc.tolerance
			_, err := v.ConstructEvent(context.Background(), raw, header)
			if tc.inside {
				NewWithT(t).Expect(err).NotTo(HaveOccurred())
			} else {
				NewWithT(t).Expect(err).To(MatchError(event.ErrTimestampOutsideWindow))
			}
		})
	}
}

func TestAVerifierWithoutSecretsSaysSo(t *testing.T) {
	g := NewWithT(t)
	raw := goodBody()
	_, err := event.Verifier{}.ConstructEvent(context.Background(), raw, event.Sign(raw, currentSecret, time.Now()))
	g.Expect(err).To(MatchError(event.ErrNoSecrets))

	broken := errors.New("vault is sealed")
	v := event.Verifier{Secrets: event.SecretFunc(func(context.Context) ([]string, error) { return nil, broken })}
	_, err = v.ConstructEvent(context.Background(), raw, event.Sign(raw, currentSecret, time.Now()))
	g.Expect(err).To(MatchError(event.ErrNoSecrets))
	g.Expect(err).To(MatchError(broken))
}

// mountSecret lays out a directory as the kubelet does for a Secret volume, and
// returns a function that swaps in another generation.
func mountSecret(g Gomega, dir string) func(generation string, files map[string]string) {
	return func(generation string, files map[string]string) {
		data := filepath.Join(dir, ".."+generation)
		g.Expect(os.Mkdir(data, 0o755)).To(Succeed())
		for name, value := range files {
			g.Expect(os.WriteFile(filepath.Join(data, name), []byte(value), 0o600)).To(Succeed())
			link := filepath.Join(dir, name)
			if _, err := os.Lstat(link); err != nil {
				g.Expect(os.Symlink(filepath.Join("..data", name), link)).To(Succeed())
			}
		}
		temporary := filepath.Join(dir, "..data_tmp")
		g.Expect(os.Symlink(".."+generation, temporary)).To(Succeed())
		g.Expect(os.Rename(temporary, filepath.Join(dir, "..data"))).To(Succeed())
	}
}

func TestAMountedSecretIsFollowedThroughARotation(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	source := event.SecretsFromDir(dir)
	secrets := func() ([]string, error) { return source.WebhookSecrets(context.Background()) }

	_, err := secrets()
	g.Expect(err).To(MatchError(os.ErrNotExist))

	swap := mountSecret(g, dir)
	swap("2026_1", map[string]string{event.SecretName: "whsec_1\n", "MEDBLOCKS_WEBHOOK_ID": "wh_1"})
	g.Expect(secrets()).To(Equal([]string{"whsec_1", ""}))
	swap("2026_2", map[string]string{event.SecretName: "whsec_2", event.PreviousSecretName: "whsec_1"})
	g.Expect(secrets()).To(Equal([]string{"whsec_2", "whsec_1"}))
	g.Expect(os.RemoveAll(filepath.Join(dir, "..2026_1"))).To(Succeed())
	g.Expect(secrets()).To(Equal([]string{"whsec_2", "whsec_1"}))
}

func TestAPreviousSecretIsSeenBeforeTheKubeletHasLinkedItsFile(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	// The kubelet moves ..data first and links files that are new only then.
	g.Expect(os.Mkdir(filepath.Join(dir, "..2026_2"), 0o755)).To(Succeed())
	for name, value := range map[string]string{event.SecretName: "whsec_2", event.PreviousSecretName: "whsec_1"} {
		g.Expect(os.WriteFile(filepath.Join(dir, "..2026_2", name), []byte(value), 0o600)).To(Succeed())
	}
	g.Expect(os.Symlink("..2026_2", filepath.Join(dir, "..data"))).To(Succeed())
	g.Expect(os.Symlink(filepath.Join("..data", event.SecretName), filepath.Join(dir, event.SecretName))).To(Succeed())
	g.Expect(event.SecretsFromDir(dir).WebhookSecrets(context.Background())).To(Equal([]string{"whsec_2", "whsec_1"}))
}

func TestAPlainDirectoryOfSecretsWorksToo(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	write := func(name, value string) {
		g.Expect(os.WriteFile(filepath.Join(dir, name), []byte(value), 0o600)).To(Succeed())
	}
	write(event.SecretName, " whsec_a \n")
	g.Expect(event.SecretsFromDir(dir).WebhookSecrets(context.Background())).To(Equal([]string{"whsec_a", ""}))
	write(event.PreviousSecretName, strings.Repeat("x", 5000))
	_, err := event.SecretsFromDir(dir).WebhookSecrets(context.Background())
	g.Expect(err).To(MatchError(ContainSubstring("larger than")))
}

func TestSecretsComeFromTheEnvironment(t *testing.T) {
	g := NewWithT(t)
	t.Setenv(event.SecretName, "whsec_env\n")
	t.Setenv(event.PreviousSecretName, "")
	g.Expect(event.SecretsFromEnv().WebhookSecrets(context.Background())).To(Equal([]string{"whsec_env", ""}))
}
