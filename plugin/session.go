// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// DefaultOperatorNamespace is where config/default and the chart's manual install the operator. The API keys of MedblocksAccounts are
// there.
const DefaultOperatorNamespace = "medblocks-webhook-operator-system"

// EnvironmentAPIBaseURL is the environment variable that --api-base-url takes its default from, for work with the emulator.
const EnvironmentAPIBaseURL = "MEDBLOCKS_API_BASE_URL"

// Session is what every subcommand works with: one invocation of the plugin.
type Session struct {
	genericiooptions.IOStreams
	// Clock tells the time, and waits.
	Clock clock.Clock

	cluster           *genericclioptions.ConfigFlags
	apiBaseURL        string
	apiKeyFile        string
	operatorNamespace string
	allNamespaces     bool
	output            outputFormat

	connected client.WithWatch // nil before the first use
	fileKey   string           // what was read from apiKeyFile: standard input can be read once
}

func newSession(streams genericiooptions.IOStreams) *Session {
	s := &Session{
		IOStreams: streams, Clock: clock.RealClock{},
		cluster:           genericclioptions.NewConfigFlags(true),
		apiBaseURL:        medblocks.DefaultBaseURL,
		operatorNamespace: DefaultOperatorNamespace,
	}
	if url := os.Getenv(EnvironmentAPIBaseURL); url != "" {
		s.apiBaseURL = url
	}
	s.cluster.WrapConfigFn = func(config *rest.Config) *rest.Config {
		config = rest.CopyConfig(config)
		config.UserAgent = "kubectl-medblocks"
		config.QPS, config.Burst = 50, 300 // as kubectl: the API server's own fairness is what protects it
		config.WarningHandler = rest.NewWarningWriter(streams.ErrOut, rest.WarningWriterOptions{Deduplicate: true})
		return config
	}
	return s
}

// Client talks to the cluster with the user's own permissions. It caches nothing.
func (s *Session) Client() (client.WithWatch, error) {
	if s.connected != nil {
		return s.connected, nil
	}
	config, err := s.cluster.ToRESTConfig()
	if err != nil {
		return nil, fmt.Errorf("finding the cluster (see --kubeconfig and --context): %w", err)
	}
	s.connected, err = client.NewWithWatch(config, client.Options{Scheme: newScheme()})
	if err != nil {
		return nil, fmt.Errorf("connecting to the cluster: %w", err)
	}
	return s.connected, nil
}

func newScheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, appsv1.AddToScheme, coordinationv1.AddToScheme, v1alpha1.AddToScheme,
	} {
		utilruntime.Must(add(scheme))
	}
	return scheme
}

// Namespace is the one that --namespace or the context of the kubeconfig names.
func (s *Session) Namespace() (string, error) {
	namespace, _, err := s.cluster.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return "", fmt.Errorf("finding the namespace (see --namespace and --kubeconfig): %w", err)
	}
	return namespace, nil
}

// scope is the namespace to list in; empty: all, with --all-namespaces.
func (s *Session) scope() (string, error) {
	if s.allNamespaces {
		return corev1.NamespaceAll, nil
	}
	return s.Namespace()
}

// addAllNamespacesFlag gives a subcommand --all-namespaces, which scope obeys.
func (s *Session) addAllNamespacesFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVarP(&s.allNamespaces, "all-namespaces", "A", false, "Look at the resources of all namespaces.")
}

// addMedblocksFlags gives a subcommand what it needs to call Medblocks.
func (s *Session) addMedblocksFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&s.apiBaseURL, "api-base-url", s.apiBaseURL, "Base URL of the Medblocks API. The environment variable "+EnvironmentAPIBaseURL+" is its default.")
	flags.StringVar(&s.apiKeyFile, "api-key-file", "", "File with the Medblocks API key, or - for standard input. Default: the Secret that the resource, or its MedblocksAccount, names.")
	s.addOperatorNamespaceFlag(cmd)
}

// addOperatorNamespaceFlag gives a subcommand --operator-namespace alone.
func (s *Session) addOperatorNamespaceFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.operatorNamespace, "operator-namespace", s.operatorNamespace, "Namespace that the operator runs in, with the API keys of MedblocksAccounts.")
	mustComplete(cmd, "operator-namespace", s.completeNamespaces)
}
