// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/controlplane"
)

// apiServer is the API server that all tests of this package share; each test uses names of its own.
var apiServer struct {
	// raw sends bytes as they are: what is tested is what a user sends, not what a Go type makes of it.
	raw *rest.RESTClient
	// typed decodes what is stored, as the operator's cache does.
	typed client.Client
	// kubectl and kubeconfig are the paths for what a user reads with kubectl.
	kubectl, kubeconfig string
}

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	plane, err := controlplane.Start(context.Background(), controlplane.Options{})
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, plane.Stop()) }()
	apiServer.kubectl, apiServer.kubeconfig = plane.KubectlPath(), plane.AdminKubeconfig()
	if err := connect(plane.Admin); err != nil {
		return 1, err
	}
	return m.Run(), decodeAll()
}

// decodeAll reads everything that the tests have stored in one typed list, as an informer does: one object that does
// not decode would fail the list, and with it the operator's cache of every resource in the cluster.
func decodeAll() error {
	list := &v1alpha1.MedblocksWebhookEndpointList{}
	if err := apiServer.typed.List(context.Background(), list); err != nil {
		return fmt.Errorf("a stored object breaks the typed list: %w", err)
	}
	accounts := &v1alpha1.MedblocksAccountList{}
	if err := apiServer.typed.List(context.Background(), accounts); err != nil {
		return fmt.Errorf("a stored account breaks the typed list: %w", err)
	}
	return nil
}

func connect(config *rest.Config) error {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return err
	}
	rawConfig := rest.CopyConfig(config)
	rawConfig.APIPath = "/apis"
	groupVersion := v1alpha1.GroupVersion
	rawConfig.GroupVersion = &groupVersion
	rawConfig.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	raw, err := rest.RESTClientFor(rawConfig)
	if err != nil {
		return fmt.Errorf("raw client: %w", err)
	}
	apiServer.raw = raw

	apiServer.typed, err = client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return fmt.Errorf("typed client: %w", err)
	}
	return nil
}
