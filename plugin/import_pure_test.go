// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// atMedblocks is an endpoint that can be written as a manifest, unless a change says otherwise.
func atMedblocks(changes ...func(*medblocks.Endpoint)) *medblocks.Endpoint {
	e := &medblocks.Endpoint{
		ID: "wh_01M85857P72FZ8WGFNFQ076S8K", URL: "https://api.example.com/hooks", Events: []string{"*"},
		Status: medblocks.EndpointStatusActive, APIVersion: "2026-04-25",
	}
	for _, change := range changes {
		change(e)
	}
	return e
}

func withURL(url string) func(*medblocks.Endpoint) {
	return func(e *medblocks.Endpoint) { e.URL = url }
}

func withEvents(events ...string) func(*medblocks.Endpoint) {
	return func(e *medblocks.Endpoint) { e.Events = events }
}

func withMetadata(keys int, value string) func(*medblocks.Endpoint) {
	return func(e *medblocks.Endpoint) {
		e.Metadata = medblocks.Metadata{}
		for i := range keys {
			e.Metadata[fmt.Sprintf("key-%02d", i)] = value
		}
	}
}

func withDescription(text string) func(*medblocks.Endpoint) {
	return func(e *medblocks.Endpoint) { e.Description = text }
}

// What is refused here is what the API server refuses, and nothing else.
func TestExactlyWhatTheAPIServerRefusesIsNotWritten(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	accepted := map[string]func(*medblocks.Endpoint){
		"plain":               withURL("https://api.example.com/hooks"),
		"no path":             withURL("https://api.example.com"),
		"a port":              withURL("https://api.example.com:8443/hooks"),
		"the highest port":    withURL("https://api.example.com:65535/"),
		"capitals":            withURL("HTTPS://API.Example.COM/Hooks"),
		"a query":             withURL("https://api.example.com/hooks?a=b&c=%20"),
		"an @ in the query":   withURL("https://api.example.com/hooks?to=a@b"),
		"an @ in the path":    withURL("https://api.example.com/a@b"),
		"localhost":           withURL("http://localhost:8080/hooks"),
		"LOCALHOST":           withURL("http://LOCALHOST/hooks"),
		"loopback":            withURL("http://127.0.0.1/hooks"),
		"loopback, version 6": withURL("http://[::1]:80/hooks"),
		"an address":          withURL("https://192.0.2.1/hooks"),
		"2048 characters":     withURL("https://api.example.com/" + strings.Repeat("x", 2024)),
		"umlauts":             withURL("https://api.example.com/ä"),
		"all four events":     withEvents("patient_flow.completed", "connection.token_refresh_failed", "records.sync.completed", "records.sync.failed"),
		"an event twice":      withEvents("patient_flow.completed", "patient_flow.completed"),
		"40 keys":             withMetadata(40, "x"),
		"a long value":        withMetadata(1, strings.Repeat("ä", 4096)),
		"a long description":  withDescription(strings.Repeat("ä", 500)),
		"an empty mark":       func(e *medblocks.Endpoint) { e.Metadata = medblocks.Metadata{v1alpha1.MarkOwner: ""} },
		"an odd key":          func(e *medblocks.Endpoint) { e.Metadata = medblocks.Metadata{"": "", "a b/ä": "x"} },
		"no version":          func(e *medblocks.Endpoint) { e.APIVersion = "" },
		"an odd version":      func(e *medblocks.Endpoint) { e.APIVersion = "latest" },
		"another version":     func(e *medblocks.Endpoint) { e.APIVersion = "2025-01-31" },
		"disabled":            func(e *medblocks.Endpoint) { e.Status = medblocks.EndpointStatusDisabled },
	}
	refused := map[string]func(*medblocks.Endpoint){
		"no url":                     withURL(""),
		"a relative url":             withURL("/hooks"),
		"no scheme":                  withURL("api.example.com/hooks"),
		"no host":                    withURL("https:///hooks"),
		"http":                       withURL("http://api.example.com/hooks"),
		"another scheme":             withURL("ftp://api.example.com/hooks"),
		"a host like localhost":      withURL("http://localhost.example.com/"),
		"userinfo":                   withURL("https://user:password@api.example.com/"),
		"only an @":                  withURL("https://@api.example.com/"),
		"a fragment":                 withURL("https://api.example.com/#top"),
		"an empty fragment":          withURL("https://api.example.com/#"),
		"white space":                withURL("https://api.example.com/a b"),
		"a no-break space":           withURL("https://api.example.com/a\u00a0b"),
		"a control character":        withURL("https://api.example.com/a\u0007"),
		"a backslash":                withURL(`https://api.example.com/a\b`),
		"port 0":                     withURL("https://api.example.com:0/"),
		"a port that is too high":    withURL("https://api.example.com:65536/"),
		"a port that is too long":    withURL("https://api.example.com:000443/"),
		"2049 characters":            withURL("https://api.example.com/" + strings.Repeat("x", 2025)),
		"a bad escape":               withURL("https://api.example.com/%zz"),
		"no events":                  withEvents(),
		"an unknown event":           withEvents("patient_flow.completed", "invoice.paid"),
		"all and one":                withEvents("*", "patient_flow.completed"),
		"41 keys":                    withMetadata(41, "x"),
		"a value that is too long":   withMetadata(1, strings.Repeat("ä", 4097)),
		"a description that is long": withDescription(strings.Repeat("ä", 501)),
		"an id that is too long":     func(e *medblocks.Endpoint) { e.ID = "wh_" + strings.Repeat("0", 62) },
	}
	plan := blueprint{namespace: n.namespace, keySecret: keySecretName}
	for what, change := range accepted {
		t.Run(what, func(t *testing.T) {
			g := NewWithT(t)
			e := atMedblocks(change)
			g.Expect(refusals(e)).To(BeEmpty())
			g.Expect(suite.api.Create(t.Context(), plan.resourceOf(e, "patients"), client.DryRunAll)).To(Succeed())
		})
	}
	for what, change := range refused {
		t.Run(what, func(t *testing.T) {
			g := NewWithT(t)
			e := atMedblocks(change)
			g.Expect(refusals(e)).To(HaveLen(1))
			g.Expect(suite.api.Create(t.Context(), plan.resourceOf(e, "patients"), client.DryRunAll)).NotTo(Succeed())
		})
	}
}

func TestAnUnknownStatusIsNotWritten(t *testing.T) {
	e := atMedblocks(func(e *medblocks.Endpoint) { e.Status = "paused\n# x" })
	d := blueprint{keySecret: keySecretName}.documentOf(e, "patients")
	g := NewWithT(t)
	g.Expect(d.resource).To(BeNil())
	g.Expect(d.yaml()).To(BeEquivalentTo("# " + e.ID + `: paused\n# x, API version 2026-04-25` + "\n" +
		`# Not imported: its status is \"paused\\n# x\", and neither active nor disabled.` + "\n"))
}

func TestAManifestSaysWhatAnEndpointIsLike(t *testing.T) {
	pattern, err := parsePattern("{name}-by-hand")
	g := NewWithT(t)
	g.Expect(err).NotTo(HaveOccurred())
	plan := blueprint{namespace: "team", keySecret: "key", keySecretKey: "token", existing: pattern}
	d := plan.documentOf(atMedblocks(withEvents("records.sync.failed", "patient_flow.completed"), withDescription("Say \"hi\"\nagain"), func(e *medblocks.Endpoint) {
		e.Status, e.Metadata = medblocks.EndpointStatusDisabled, medblocks.Metadata{"team": "records", "retries": "5", "text": `"5"`, v1alpha1.MarkOwner: ""}
	}), "patients")
	g.Expect(d.yaml()).To(BeEquivalentTo(`# wh_01M85857P72FZ8WGFNFQ076S8K "Say \"hi\"\nagain": disabled, API version 2026-04-25
# Its signing secret is copied from Secret patients-by-hand, key MEDBLOCKS_WEBHOOK_SECRET, to Secret patients-signing-secret.
# It is disabled at Medblocks, which does not tell by whom. Without the line "state: Disabled", or with Active once it is adopted,
# it is for you or the re-enable policy to enable it (docs/reenable-policy.md).
# Metadata is a map of strings: what is a number or another JSON value at Medblocks becomes its text. Look at retries.
apiVersion: connect.medblocks.com/v1alpha1
kind: MedblocksWebhookEndpoint
metadata:
  name: patients
  namespace: team
spec:
  adopt:
    endpointID: wh_01M85857P72FZ8WGFNFQ076S8K
    existingSecretRef:
      key: MEDBLOCKS_WEBHOOK_SECRET
      name: patients-by-hand
  apiKeySecretRef:
    key: token
    name: key
  description: |-
    Say "hi"
    again
  events:
  - patient_flow.completed
  - records.sync.failed
  medblocksAPIVersion: "2026-04-25"
  metadata:
    retries: "5"
    team: records
    text: '"5"'
  state: Disabled
  url: https://api.example.com/hooks
`))
}

func TestNamesComeFromWhatDescribesTheEndpoint(t *testing.T) {
	for want, e := range map[string]*medblocks.Endpoint{
		"patient-events-production": atMedblocks(withDescription("  Patient events, PRODUCTION! ")),
		"api-example-com-hooks":     atMedblocks(),
		"api-example-com-a-b":       atMedblocks(withURL("https://api.example.com:8443/a//b/?x=y")),
		"endpoint-3-hooks":          atMedblocks(withDescription("3 hooks")),
		"endpoint":                  atMedblocks(withDescription("日本語"), withURL("::")),
		"api-example-com":           atMedblocks(withDescription("日本語"), withURL("https://api.example.com/")),
		"a-description-that-is-much-too-long-for-a-name": atMedblocks(withDescription("A description that is much too long for a name of anything")),
		strings.Repeat("x", longestName):                 atMedblocks(withDescription(strings.Repeat("x", 100))),
	} {
		NewWithT(t).Expect(plainName(e)).To(Equal(want))
	}
}

// Whatever there is, each endpoint has a name of its own that Kubernetes takes, and the same one whenever it is asked for.
func TestNamesAreValidUniqueAndDoNotDependOnTheOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	texts := []string{"", "patients", "Patients!", "records", strings.Repeat("long ", 30), strings.Repeat("long ", 31), "-", "9", "日本", "patients-00000a"}
	for range 200 {
		g := NewWithT(t)
		var endpoints []medblocks.Endpoint
		for i := range 1 + random.IntN(20) {
			e := atMedblocks(withDescription(texts[random.IntN(len(texts))]), withURL("https://x.example.com/"+texts[random.IntN(len(texts))]))
			e.ID = fmt.Sprintf("wh_%d%06dA", random.IntN(100), i%7)
			if random.IntN(20) == 0 {
				e.ID = "wh_" + strings.Repeat("Z", 60) + fmt.Sprintf("%02d", i)
			}
			if !slices.ContainsFunc(endpoints, func(other medblocks.Endpoint) bool { return strings.EqualFold(other.ID, e.ID) }) {
				endpoints = append(endpoints, *e)
			}
		}
		taken := map[string]bool{"patients": random.IntN(2) == 0, "records": true, "patients-00000a": random.IntN(2) == 0}
		isTaken := func(name string) bool { return taken[name] }

		names := resourceNames(endpoints, isTaken)
		g.Expect(names).To(HaveLen(len(endpoints)))
		unique := map[string]bool{}
		for _, name := range names {
			g.Expect(validation.IsDNS1035Label(name)).To(BeEmpty(), name)
			g.Expect(validation.IsDNS1123Label(name+v1alpha1.DefaultSigningSecretSuffix)).To(BeEmpty(), name)
			g.Expect(isTaken(name)).To(BeFalse(), name)
			unique[name] = true
		}
		g.Expect(unique).To(HaveLen(len(names)), "%v", slices.Sorted(maps.Values(names)))

		random.Shuffle(len(endpoints), func(i, j int) { endpoints[i], endpoints[j] = endpoints[j], endpoints[i] })
		g.Expect(resourceNames(endpoints, isTaken)).To(Equal(names))
	}
}
