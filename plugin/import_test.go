// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/controlplane"
	"github.com/medblocks/webhook-operator/test/stack"
)

// registered makes an endpoint at Medblocks, as a script would, and returns its id.
func (n *tenant) registered(t *testing.T, body string) string {
	t.Helper()
	g := NewWithT(t)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, suite.emulator.URL+"/webhooks", strings.NewReader(body))
	g.Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Authorization", "Bearer "+n.apiKey)
	answer, err := http.DefaultClient.Do(request)
	g.Expect(err).NotTo(HaveOccurred())
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	g.Expect(err).NotTo(HaveOccurred())
	var made struct {
		ID string `json:"id"`
	}
	g.Expect(json.Unmarshal(text, &made)).To(Succeed(), "%s", text)
	g.Expect(made.ID).NotTo(BeEmpty(), "%s", text)
	return made.ID
}

func (n *tenant) endpoint(t *testing.T, id string) stack.Endpoint {
	t.Helper()
	for _, endpoint := range n.endpoints(t) {
		if endpoint.ID == id {
			return endpoint
		}
	}
	t.Fatalf("there is no endpoint %s", id)
	return stack.Endpoint{}
}

// keyFile is a file with the tenant's API key.
func (n *tenant) keyFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	NewWithT(t).Expect(os.WriteFile(path, []byte(n.apiKey+"\n"), 0o600)).To(Succeed())
	return path
}

// apply applies manifests in the tenant's namespace, as a user does.
func (n *tenant) apply(t *testing.T, manifests string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), suite.plane.KubectlPath(), append([]string{
		"apply", "--kubeconfig=" + suite.plane.AdminKubeconfig(), "--cache-dir=" + t.TempDir(), "--namespace=" + n.namespace,
	}, args...)...)
	cmd.Stdin = strings.NewReader(manifests)
	output, err := cmd.CombinedOutput()
	NewWithT(t).Expect(err).NotTo(HaveOccurred(), "%s\n%s", output, manifests)
}

// ofEndpoint is the resource that adopts an endpoint.
func (n *tenant) ofEndpoint(t *testing.T, id string) *v1alpha1.MedblocksWebhookEndpoint {
	t.Helper()
	var list v1alpha1.MedblocksWebhookEndpointList
	NewWithT(t).Expect(suite.api.List(t.Context(), &list)).To(Succeed())
	for i := range list.Items {
		if adopt := list.Items[i].Spec.Adopt; adopt != nil && adopt.EndpointID == id {
			return &list.Items[i]
		}
	}
	t.Fatalf("no resource adopts %s", id)
	return nil
}

func TestWhatIsImportedAndAppliedIsAdoptedAsItIs(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "managed")
	n.awaitReady(t, "managed")
	ids := map[string]string{
		"plain":    n.registered(t, `{"url":"https://api.example.com/hooks","events":["patient_flow.completed"],"description":"Patient events, production"}`),
		"wildcard": n.registered(t, `{"url":"https://api.example.com/all","events":["*"]}`),
		"twin":     n.registered(t, `{"url":"https://api.example.com/all","events":["records.sync.failed","patient_flow.completed"]}`),
		"odd": n.registered(t, `{"url":"https://api.example.com/odd?q=a%20b","events":["*"],"description":"line one\nline two: # {\"not\": yaml}",`+
			`"metadata":{"team":"records","retries":5,"nested":{"a":[1,null]},"empty":"","yes":"yes","version":"1.10"}}`),
		"long":     n.registered(t, `{"url":"https://api.example.com/long","events":["*"],"description":"long","metadata":{"notes":"`+strings.Repeat("ä", 4096)+`"}}`),
		"disabled": n.registered(t, `{"url":"https://api.example.com/disabled","events":["*"],"description":"disabled"}`),
	}
	g.Expect(suite.emulator.Disable(t.Context(), ids["disabled"])).To(Succeed())
	others := n.registered(t, `{"url":"https://api.example.com/others","events":["*"],"metadata":{"webhook-operator/owner":"another-cluster/team/patients"}}`)
	fragment := n.registered(t, `{"url":"https://api.example.com/page#fragment","events":["*"],"description":"with a\nfragment"}`)
	tooLong := n.registered(t, `{"url":"https://api.example.com/x","events":["*"],"metadata":{"notes":"`+strings.Repeat("x", 4097)+`"}}`)

	is := n.invoke(t, "import", "--api-key-secret="+keySecretName, "--rotate-secret")

	g.Expect(is.code).To(Equal(ExitUnhealthy), "%+v", is)
	g.Expect(is.err).To(ContainSubstring("10 endpoints in the workspace: 6 manifests written, 1 named by a resource of the cluster, " +
		"1 marked as managed by an operator, 2 cannot be written as a manifest\n"))
	g.Expect(is.out).To(And(
		ContainSubstring(`# `+fragment+` "with a\nfragment": active`), ContainSubstring("# Not imported: its url has a fragment"),
		ContainSubstring("# "+tooLong), ContainSubstring("# Not imported: its metadata has a value of more than 4096 characters"),
		Not(ContainSubstring(others)), Not(ContainSubstring("creationTimestamp")), Not(ContainSubstring("status:")),
	))

	n.apply(t, is.out, "--dry-run=server", "-f", "-")
	before := n.endpoints(t)
	n.apply(t, is.out, "-f", "-")
	for what, id := range ids {
		res := n.ofEndpoint(t, id)
		n.awaitReady(t, res.Name)
		was, now := endpointIn(before, id), n.endpoint(t, id)
		g.Expect(now.URL).To(Equal(was.URL), what)
		g.Expect(now.Events).To(ConsistOf(was.Events), what)
		g.Expect(now.Status).To(Equal(was.Status), what)
		g.Expect(now.Secret).NotTo(Equal(was.Secret), what)
		g.Expect(string(n.secret(t, res.SigningSecretName()).Data[v1alpha1.SecretKeyValue])).To(Equal(now.Secret), what)
		for key, value := range was.Metadata {
			g.Expect(now.Metadata).To(HaveKeyWithValue(key, asText(t, value)), what)
		}
	}
	odd := n.ofEndpoint(t, ids["odd"])
	g.Expect(odd.Spec.Description).To(Equal("line one\nline two: # {\"not\": yaml}"))
	g.Expect(odd.Spec.Metadata).To(Equal(map[string]v1alpha1.MetadataValue{
		"team": "records", "retries": "5", "nested": `{"a":[1,null]}`, "empty": "", "yes": "yes", "version": "1.10",
	}))
	g.Expect(n.ofEndpoint(t, ids["disabled"]).Spec.State).To(Equal(v1alpha1.StateDisabled))
	g.Expect(n.ofEndpoint(t, ids["plain"]).Name).To(Equal("patient-events-production"))

	again := n.invoke(t, "import", "--api-key-secret="+keySecretName, "--rotate-secret")
	g.Expect(again.err).To(ContainSubstring("10 endpoints in the workspace: 0 manifests written, 7 named by a resource"))
}

func endpointIn(all []stack.Endpoint, id string) stack.Endpoint {
	for _, endpoint := range all {
		if endpoint.ID == id {
			return endpoint
		}
	}
	return stack.Endpoint{}
}

// asText is a value of metadata after it was adopted: a string, whatever it was.
func asText(t *testing.T, value any) string {
	t.Helper()
	if text, ok := value.(string); ok {
		return text
	}
	text, err := json.Marshal(value)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return string(text)
}

func TestAnImportWithTheSecretsAtHandRotatesNothing(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	secrets := map[string]string{}
	for _, path := range []string{"one", "two"} {
		id := n.registered(t, fmt.Sprintf(`{"url":"https://api.example.com/%s","events":["*"]}`, path))
		secrets[id] = n.endpoint(t, id).Secret
	}
	g.Expect(suite.api.Create(t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: n.namespace, Name: "webhook-secrets"}, StringData: secrets,
	})).To(Succeed())

	dir := filepath.Join(t.TempDir(), "endpoints")
	is := n.invoke(t, "import", "--api-key-file="+n.keyFile(t), "--existing-secret=webhook-secrets/{id}", "--output-dir="+dir)
	g.Expect(is.code).To(Equal(ExitOK), "%+v", is)
	g.Expect(is.out).To(BeEmpty())
	g.Expect(os.ReadDir(dir)).To(ConsistOf(HaveField("Name()", "api-example-com-one.yaml"), HaveField("Name()", "api-example-com-two.yaml")))

	n.apply(t, "", "-f", dir)
	for id, secret := range secrets {
		res := n.ofEndpoint(t, id)
		n.awaitReady(t, res.Name)
		g.Expect(n.endpoint(t, id).Secret).To(Equal(secret))
		g.Expect(string(n.secret(t, res.SigningSecretName()).Data[v1alpha1.SecretKeyValue])).To(Equal(secret))
	}
}

func TestAnImportOverwritesNoFile(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	n.registered(t, `{"url":"https://api.example.com/one","events":["*"]}`)
	n.registered(t, `{"url":"https://api.example.com/two","events":["*"]}`)
	n.registered(t, `{"url":"https://api.example.com/three#","events":["*"]}`)
	dir := t.TempDir()
	mine := filepath.Join(dir, "api-example-com-two.yaml")
	g.Expect(os.WriteFile(mine, []byte("mine"), 0o600)).To(Succeed())
	args := []string{"import", "--api-key-file=" + n.keyFile(t), "--rotate-secret", "--output-dir=" + dir}

	is := n.invoke(t, args...)
	g.Expect(is.code).To(Equal(ExitFailed), "%+v", is)
	g.Expect(is.err).To(ContainSubstring(mine + " exists, and nothing was written"))
	g.Expect(os.ReadDir(dir)).To(HaveLen(1))

	g.Expect(os.Remove(mine)).To(Succeed())
	g.Expect(n.invoke(t, args...).code).To(Equal(ExitUnhealthy))
	g.Expect(os.ReadDir(dir)).To(HaveLen(3))
	g.Expect(os.ReadFile(filepath.Join(dir, notImported))).To(ContainSubstring("its url has a fragment"))
	n.apply(t, "", "--dry-run=server", "-f", dir)
}

func TestAnImportAsJSONIsOneListToApply(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	one := n.registered(t, `{"url":"https://api.example.com/one","events":["*"]}`)
	refused := n.registered(t, `{"url":"https://user:password@api.example.com/two","events":["*"]}`)

	is := n.invoke(t, "import", "--api-key-file="+n.keyFile(t), "--rotate-secret", "-o", "json")
	g.Expect(is.code).To(Equal(ExitUnhealthy), "%+v", is)
	var list v1alpha1.MedblocksWebhookEndpointList
	g.Expect(json.Unmarshal([]byte(is.out), &list)).To(Succeed())
	g.Expect(list.Kind).To(Equal("List"))
	g.Expect(list.Items).To(ConsistOf(HaveField("Spec.Adopt.EndpointID", one)))
	g.Expect(is.err).To(And(ContainSubstring(refused+": its url has a user name or password in it"), Not(ContainSubstring("user:password"))))
	n.apply(t, is.out, "--dry-run=server", "-f", "-")
}

func TestAnImportCanNameAMedblocksAccount(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	id := n.registered(t, `{"url":"https://api.example.com/one","events":["*"]}`)
	key := n.keySecret()
	key.Namespace, key.Name = controlplane.OperatorNamespace, n.namespace
	g.Expect(suite.api.Create(t.Context(), key)).To(Succeed())
	g.Expect(suite.api.Create(t.Context(), &v1alpha1.MedblocksAccount{
		ObjectMeta: metav1.ObjectMeta{Name: n.namespace},
		Spec:       v1alpha1.MedblocksAccountSpec{APIKeySecretRef: v1alpha1.APIKeySecretReference{Name: n.namespace}},
	})).To(Succeed())

	is := n.invoke(t, "import", "--account="+n.namespace, "--operator-namespace="+controlplane.OperatorNamespace, "--rotate-secret")
	g.Expect(is.code).To(Equal(ExitOK), "%+v", is)
	g.Expect(is.out).NotTo(ContainSubstring("apiKeySecretRef"))
	n.apply(t, is.out, "-f", "-")
	n.awaitReady(t, n.ofEndpoint(t, id).Name)
}

func TestAnImportNeedsNoCluster(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	id := n.registered(t, `{"url":"https://api.example.com/one","events":["*"]}`)
	nowhere := filepath.Join(t.TempDir(), "kubeconfig")
	g.Expect(os.WriteFile(nowhere, bytes.ReplaceAll([]byte(unreachable), []byte("\t"), []byte("  ")), 0o600)).To(Succeed())

	is := invokeWith(t, nowhere, n.apiKey, "import", "--api-key-file=-", "--rotate-secret", "--offline", "--secret-name=my-key/token")
	g.Expect(is.code).To(Equal(ExitOK), "%+v", is)
	g.Expect(is.out).To(And(ContainSubstring("endpointID: "+id), ContainSubstring("name: my-key"), ContainSubstring("key: token"), Not(ContainSubstring("namespace:"))))

	is = invokeWith(t, nowhere, n.apiKey, "import", "--api-key-file=-", "--rotate-secret")
	g.Expect(is.code).To(Equal(ExitFailed), "%+v", is)
	g.Expect(is.err).To(ContainSubstring("--offline"))
}

// unreachable is a kubeconfig of a cluster that nobody runs.
const unreachable = `apiVersion: v1
kind: Config
current-context: nowhere
contexts: [{name: nowhere, context: {cluster: nowhere, user: nobody}}]
clusters: [{name: nowhere, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: nobody, user: {}}]
`

func TestWhoMayOnlySeeOneNamespaceIsWarned(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	n.registered(t, `{"url":"https://api.example.com/one","events":["*"]}`)
	n.create(t, "api-example-com-one")
	viewer := n.user(t, "viewer", "medblocks-webhook-operator-viewer")

	is := invokeWith(t, viewer, "", "import", "--api-key-file="+n.keyFile(t), "--rotate-secret", "--namespace="+n.namespace)
	g.Expect(is.code).To(Equal(ExitOK), "%+v", is)
	g.Expect(is.err).To(ContainSubstring("You may not list the resources of all namespaces"))
	g.Expect(is.out).To(MatchRegexp(`name: api-example-com-one-[0-9a-z]{6}\n`), "the name is taken")
}

func TestAnImportIsToldWhatItNeeds(t *testing.T) {
	g := NewWithT(t)
	for _, args := range [][]string{
		{},
		{"--api-key-file=key"},
		{"--rotate-secret"},
		{"--api-key-file=key", "--rotate-secret", "--existing-secret={name}-by-hand"},
		{"--api-key-file=key", "--api-key-secret=key", "--rotate-secret"},
		{"--api-key-secret=key", "--offline", "--rotate-secret"},
		{"--account=team", "--secret-name=key", "--rotate-secret"},
		{"--api-key-secret=Key", "--rotate-secret"},
		{"--api-key-file=key", "--existing-secret={name}-signing-secret"},
		{"--api-key-file=key", "--existing-secret=UPPER"},
		{"--api-key-file=key", "--existing-secret={name}/a key"},
		{"--api-key-file=key", "--rotate-secret", "argument"},
	} {
		is := invoke(t, append([]string{"import"}, args...)...)
		g.Expect(is.code).To(Equal(ExitUsage), "%q: %+v", args, is)
		g.Expect(is.out).To(BeEmpty())
	}
	is := invoke(t, "import", "--api-key-file=key")
	g.Expect(is.err).To(And(ContainSubstring("--rotate-secret"), ContainSubstring("--existing-secret"), ContainSubstring("never shows")))
}

func TestOneSecretCannotBeThatOfTwoEndpoints(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	n.registered(t, `{"url":"https://api.example.com/one","events":["*"]}`)
	args := []string{"import", "--api-key-file=" + n.keyFile(t), "--existing-secret=my-secret"}
	g.Expect(n.invoke(t, args...).code).To(Equal(ExitOK))
	n.registered(t, `{"url":"https://api.example.com/two","events":["*"]}`)
	g.Expect(n.invoke(t, args...).code).To(Equal(ExitUsage))
}
