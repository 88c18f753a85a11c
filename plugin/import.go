// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// defaultKeySecret is the Secret with the API key in all of the documentation.
const defaultKeySecret = "medblocks-api-key"

type importOptions struct {
	apiKeySecret         string
	secretName, account  string
	rotate               bool
	existing             string
	outputDir            string
	offline              bool
	pattern              *secretPattern
	keySecret, keySecKey string
}

func newImportCommand(s *Session) *cobra.Command {
	var options importOptions
	cmd := &cobra.Command{
		Use:   "import (--rotate-secret | --existing-secret PATTERN) (--api-key-file FILE | --api-key-secret NAME[/KEY] | --account NAME)",
		Short: "Write manifests for the endpoints that no resource has yet.",
		Long: `Write manifests for the endpoints of a workspace that no resource has yet.

It reads the workspace with an API key, and changes nothing there or in the cluster. Each manifest describes an endpoint as it is, and
has the operator adopt it when you apply it. Endpoints that carry an operator's mark, or that a resource in the cluster names, are left
out. Look at the manifests, and put them where your others are.

Medblocks never shows a signing secret again, so you have to say where it comes from: --rotate-secret consents to a new one for each
endpoint (the old one stops signing at once, and receivers need the new one from the signing Secret); --existing-secret says in which
Secret of yours the present one is, and nothing changes for the receivers.`,
		Example: `  # To look at:
  kubectl medblocks import --api-key-secret=medblocks-api-key --rotate-secret

  # To keep the secrets, which you have put into one Secret, with the ids of the endpoints as keys:
  kubectl medblocks import --api-key-file=key.txt --existing-secret='webhook-secrets/{id}' --output-dir=endpoints`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := options.check(s); err != nil {
				return err
			}
			return s.importWorkspace(cmd.Context(), options)
		},
	}
	flags := cmd.Flags()
	s.addMedblocksFlags(cmd)
	flags.Lookup("api-key-file").Usage = "File with the Medblocks API key, or - for standard input."
	flags.StringVar(&options.apiKeySecret, "api-key-secret", "", "Secret with the Medblocks API key in the namespace, NAME or NAME/KEY.")
	flags.StringVar(&options.account, "account", "", "MedblocksAccount for the manifests to name, instead of a Secret. Its API key is used, unless another is given.")
	flags.StringVar(&options.secretName, "secret-name", "", "Secret with the API key for the manifests to name, NAME or NAME/KEY (default that of --api-key-secret, else "+defaultKeySecret+").")
	flags.BoolVar(&options.rotate, "rotate-secret", false, "Have a new signing secret issued for each endpoint when it is adopted.")
	flags.StringVar(&options.existing, "existing-secret", "", "Secret of yours with the present signing secret, NAME or NAME/KEY, in which {name} stands for the name of the resource and {id} for the endpoint's (default key "+v1alpha1.SecretKeyValue+").")
	flags.StringVar(&options.outputDir, "output-dir", "", "Folder to write a file per endpoint to. Default: all to standard output.")
	flags.BoolVar(&options.offline, "offline", false, "Do not ask the cluster which endpoints and names its resources have.")
	s.addOutputFlag(cmd)
	flags.Lookup("output").Usage = "Write yaml (default, with comments) or json."
	return cmd
}

func (o *importOptions) check(s *Session) error {
	keys := 0
	for _, given := range []string{s.apiKeyFile, o.apiKeySecret} {
		if given != "" {
			keys++
		}
	}
	switch {
	case keys > 1:
		return usagef("give --api-key-file or --api-key-secret, not both")
	case keys == 0 && o.account == "":
		return usagef("say whose endpoints: give the API key of the workspace with --api-key-file, --api-key-secret or --account")
	case o.account != "" && o.secretName != "":
		return usagef("give --account or --secret-name, not both: a resource names one of them")
	case o.rotate == (o.existing != ""):
		return usagef("say where the signing secrets come from, which Medblocks never shows again, with one of --rotate-secret (new ones are issued, " +
			"and the old ones stop signing at once) and --existing-secret (the Secrets of yours that hold the present ones, such as {name}-by-hand)")
	case o.offline && s.apiKeyFile == "":
		return usagef("--offline needs --api-key-file: other keys are in the cluster")
	}
	return o.parse()
}

// secretKeyPattern is what the key of a Secret may look like.
var secretKeyPattern = regexp.MustCompile(`^[-._a-zA-Z0-9]{1,253}$`)

func isSecretName(name string) bool { return len(validation.IsDNS1123Subdomain(name)) == 0 }

func (o *importOptions) parse() (err error) {
	if o.existing != "" {
		if o.pattern, err = parsePattern(o.existing); err != nil {
			return err
		}
	}
	o.keySecret, o.keySecKey, _ = strings.Cut(cmp.Or(o.secretName, o.apiKeySecret, defaultKeySecret), "/")
	if !isSecretName(o.keySecret) || (o.keySecKey != "" && !secretKeyPattern.MatchString(o.keySecKey)) {
		return usagef("%q is not the name of a Secret, or of a Secret and a key in it (NAME/KEY)", cmp.Or(o.secretName, o.apiKeySecret))
	}
	if o.account != "" && !isSecretName(o.account) {
		return usagef("--account %q is not the name of a MedblocksAccount", o.account)
	}
	return nil
}

func (s *Session) importWorkspace(ctx context.Context, options importOptions) error {
	known, err := s.known(ctx, options)
	if err != nil {
		return err
	}
	endpoints, err := s.workspace(ctx, options)
	if err != nil {
		return err
	}
	i := importer{s: s, options: options, endpoints: len(endpoints)}
	unmanaged := i.sortOut(endpoints, known)
	if options.pattern != nil && options.pattern.isFixed() && len(unmanaged) > 1 {
		return usagef("--existing-secret %q would be the same secret for %s: use {name} or {id} in it", options.existing, count(len(unmanaged), "endpoint"))
	}
	names := resourceNames(unmanaged, func(name string) bool {
		return known.names[name] || name+v1alpha1.DefaultSigningSecretSuffix == options.keySecret
	})
	plan := blueprint{
		namespace: *s.cluster.Namespace, keySecret: options.keySecret, keySecretKey: options.keySecKey,
		account: options.account, existing: options.pattern,
	}
	for e := range unmanaged {
		i.documents = append(i.documents, plan.documentOf(&unmanaged[e], names[unmanaged[e].ID]))
	}
	return i.write()
}

// workspace lists the endpoints, oldest first: the order of their ids.
func (s *Session) workspace(ctx context.Context, options importOptions) ([]medblocks.Endpoint, error) {
	vendor, err := s.importClient(ctx, options)
	if err != nil {
		return nil, err
	}
	var endpoints []medblocks.Endpoint
	for e, err := range vendor.ListEndpoints(ctx, medblocks.ListEndpointsOptions{}) {
		if err != nil {
			return nil, fmt.Errorf("listing the endpoints of the workspace: %w", err)
		}
		endpoints = append(endpoints, e)
	}
	slices.SortFunc(endpoints, func(a, b medblocks.Endpoint) int { return cmp.Compare(a.ID, b.ID) })
	return slices.CompactFunc(endpoints, func(a, b medblocks.Endpoint) bool { return a.ID == b.ID }), nil // pages may overlap
}

func (s *Session) importClient(ctx context.Context, options importOptions) (*medblocks.Client, error) {
	switch {
	case s.apiKeyFile != "":
		return s.MedblocksFromFile()
	case options.apiKeySecret == "":
		ref, err := s.keyRefOf(ctx, &v1alpha1.MedblocksWebhookEndpoint{
			Spec: v1alpha1.MedblocksWebhookEndpointSpec{AccountRef: &v1alpha1.AccountReference{Name: options.account}},
		})
		if err != nil {
			return nil, err
		}
		return s.medblocksFromSecret(ctx, ref)
	}
	namespace, err := s.Namespace()
	if err != nil {
		return nil, err
	}
	name, key, _ := strings.Cut(options.apiKeySecret, "/")
	return s.medblocksFromSecret(ctx, keyRef{Namespace: namespace, Secret: name, Key: cmp.Or(key, v1alpha1.DefaultAPIKeySecretKey)})
}

// knowledge is what the cluster's resources have already.
type knowledge struct {
	// endpoints that a resource manages, observes or is about to adopt.
	endpoints map[string]client.ObjectKey
	// names of the resources in the namespace.
	names map[string]bool
}
