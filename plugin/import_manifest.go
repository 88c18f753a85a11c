// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// document is what an import writes about one endpoint: comment lines, and a manifest where there can be one.
type document struct {
	endpointID string
	comment    []string
	resource   *v1alpha1.MedblocksWebhookEndpoint
	// reasons why there is none.
	reasons []string
}

// blueprint is what all manifests of an import have in common.
type blueprint struct {
	namespace string // empty: that of whoever applies it
	// keySecret and keySecretKey name the Secret with the API key, or account the MedblocksAccount.
	keySecret, keySecretKey string
	account                 string
	// existing says where the present signing secrets are; without it they are rotated.
	existing *secretPattern
}

// documentOf is a pure function.
func (b blueprint) documentOf(e *medblocks.Endpoint, name string) document {
	d := document{endpointID: e.ID, comment: []string{introduction(e)}, reasons: refusals(e)}
	if len(d.reasons) > 0 {
		return d
	}
	d.resource = b.resourceOf(e, name)
	d.comment = append(d.comment, b.consequence(d.resource))
	if e.Status == medblocks.EndpointStatusDisabled {
		d.comment = append(d.comment, "It is disabled at Medblocks, which does not tell by whom. Without the line \"state: Disabled\", or with Active once it is adopted,",
			"it is for you or the re-enable policy to enable it (docs/reenable-policy.md).")
	}
	if keys := nonStrings(d.resource.Spec.Metadata); len(keys) > 0 {
		d.comment = append(d.comment, "Metadata is a map of strings: what is a number or another JSON value at Medblocks becomes its text. Look at "+strings.Join(keys, ", ")+".")
	}
	return d
}

// introduction says in one line what an endpoint is.
func introduction(e *medblocks.Endpoint) string {
	words := e.ID
	if e.Description != "" {
		words += fmt.Sprintf(" %q", e.Description)
	}
	words += ": " + oneLine(string(e.Status))
	if e.APIVersion != "" {
		words += ", API version " + oneLine(e.APIVersion)
	}
	if !e.CreatedAt.IsZero() {
		words += ", registered on " + e.CreatedAt.UTC().Format(time.DateOnly)
	}
	return words
}

// oneLine keeps what Medblocks sends from being more than a comment.
func oneLine(text string) string {
	quoted := fmt.Sprintf("%q", text)
	return quoted[1 : len(quoted)-1]
}

// consequence says what applying the manifest does to the signing secret.
func (b blueprint) consequence(res *v1alpha1.MedblocksWebhookEndpoint) string {
	if ref := res.Spec.Adopt.ExistingSecretRef; ref != nil {
		return fmt.Sprintf("Its signing secret is copied from Secret %s, key %s, to Secret %s.", ref.Name, ref.Key, res.SigningSecretName())
	}
	return fmt.Sprintf("Applying this issues a new signing secret, in Secret %s, and the old one stops signing at once.", res.SigningSecretName())
}

var pinnedVersion = regexp.MustCompile(`^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$`)

func (b blueprint) resourceOf(e *medblocks.Endpoint, name string) *v1alpha1.MedblocksWebhookEndpoint {
	res := &v1alpha1.MedblocksWebhookEndpoint{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.Kind},
		ObjectMeta: metav1.ObjectMeta{Namespace: b.namespace, Name: name},
		Spec: v1alpha1.MedblocksWebhookEndpointSpec{
			URL: e.URL, Events: eventSet(e.Events), Description: e.Description,
			Adopt: &v1alpha1.AdoptSpec{EndpointID: e.ID},
		},
	}
	for key, value := range ownMetadata(e) {
		if res.Spec.Metadata == nil {
			res.Spec.Metadata = map[string]v1alpha1.MetadataValue{}
		}
		res.Spec.Metadata[key] = v1alpha1.MetadataValue(value)
	}
	// Medblocks pins it for good, and it cannot be added later: were the endpoint deleted and registered again one day, its events would
	// have the shape of another version.
	if pinnedVersion.MatchString(e.APIVersion) {
		res.Spec.MedblocksAPIVersion = e.APIVersion
	}
	if e.Status == medblocks.EndpointStatusDisabled {
		res.Spec.State = v1alpha1.StateDisabled
	}
	if b.account != "" {
		res.Spec.AccountRef = &v1alpha1.AccountReference{Name: b.account}
	} else {
		res.Spec.APIKeySecretRef = v1alpha1.APIKeySecretReference{Name: b.keySecret, Key: b.keySecretKey}
	}
	if b.existing != nil {
		res.Spec.Adopt.ExistingSecretRef = b.existing.of(name, e.ID)
	} else {
		res.Spec.Adopt.RotateSecret = true
	}
	return res
}

// nonStrings are the keys whose values may not be strings at Medblocks: the client reads those as their JSON text.
func nonStrings(metadata map[string]v1alpha1.MetadataValue) []string {
	var keys []string
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		text := strings.TrimSpace(string(metadata[key]))
		if text != "" && text[0] != '"' && json.Valid([]byte(text)) {
			keys = append(keys, oneLine(key))
		}
	}
	return keys
}

// secretPattern says in which Secret, and under which key, the signing secret of each endpoint is.
type secretPattern struct {
	name, key string
}

// Placeholders of a secretPattern.
const (
	placeholderName = "{name}"
	placeholderID   = "{id}"
)

// parsePattern reads NAME[/KEY].
func parsePattern(text string) (*secretPattern, error) {
	name, key, hasKey := strings.Cut(text, "/")
	if !hasKey {
		key = v1alpha1.SecretKeyValue
	}
	p := &secretPattern{name: name, key: key}
	example := p.of("example", "wh_01M85857P72FZ8WGFNFQ076S8K")
	switch {
	case !isSecretName(example.Name):
		return nil, usagef("--existing-secret %q does not lead to the name of a Secret (lower-case letters, digits, '-' and '.'), such as {name}-by-hand or webhook-secrets/{id}", text)
	case !secretKeyPattern.MatchString(example.Key):
		return nil, usagef("--existing-secret %q does not lead to a key of a Secret (letters, digits, '-', '_' and '.'), such as webhook-secrets/{id}", text)
	case example.Name == "example"+v1alpha1.DefaultSigningSecretSuffix:
		return nil, usagef("--existing-secret %q is the Secret that the operator writes to: keep your copy in another one", text)
	}
	return p, nil
}

// isFixed tells whether all endpoints would share one secret.
func (p *secretPattern) isFixed() bool {
	all := p.name + p.key
	return !strings.Contains(all, placeholderName) && !strings.Contains(all, placeholderID)
}

// of fills the pattern in. The name of a Secret has no capitals and no underscore.
func (p *secretPattern) of(name, id string) *v1alpha1.SecretKeyReference {
	inName := strings.NewReplacer(placeholderName, name, placeholderID, strings.ToLower(strings.ReplaceAll(id, "_", "-")))
	inKey := strings.NewReplacer(placeholderName, name, placeholderID, id)
	return &v1alpha1.SecretKeyReference{Name: inName.Replace(p.name), Key: inKey.Replace(p.key)}
}
