// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/test/stack"
)

// node stands for the nodes of a cluster, which this machine has none of: it takes the operator's Deployments for what they are,
// and runs one process for each, with the flags and the service account that it has; and it calls every Deployment available.
type node struct {
	*site
	runs    bool
	running map[types.NamespacedName]*pod
}

// pod is an operator that runs for a Deployment.
type pod struct {
	manager *stack.Manager
	args    []string
}

// startNode starts a node that looks at all Deployments again and again, until stop is called.
func (s *site) startNode(ctx context.Context, runs bool) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	n := &node{site: s, runs: runs, running: map[types.NamespacedName]*pod{}}
	var (
		done   sync.WaitGroup
		failed error
	)
	done.Go(func() {
		_ = wait.PollUntilContextCancel(ctx, often, true, func(ctx context.Context) (bool, error) {
			if err := n.look(ctx); ctx.Err() == nil {
				failed = err // what fails now, because a page is about to install the rest, may work the next time
			}
			return false, nil
		}) // it ends when it is told to
	})
	return func() error {
		cancel()
		done.Wait()
		if failed != nil {
			return fmt.Errorf("in place of a node: %w", failed)
		}
		return nil
	}
}

func (n *node) look(ctx context.Context) error {
	var all appsv1.DeploymentList
	if err := n.api.List(ctx, &all); err != nil {
		return err
	}
	wanted := slices.DeleteFunc(slices.Clone(all.Items), func(d appsv1.Deployment) bool { return ptr.Deref(d.Spec.Replicas, 1) == 0 })
	n.endWithout(wanted)
	for i := range wanted {
		if err := n.runOperator(ctx, &wanted[i]); err != nil {
			return err
		}
	}
	for i := range all.Items {
		deployment := &all.Items[i]
		if err := client.IgnoreNotFound(n.callAvailable(ctx, deployment)); err != nil {
			return err
		}
	}
	return nil
}

// endWithout ends the operators whose Deployment is gone, or has no replicas. Their permissions may be gone too, so that how they end does not matter.
func (n *node) endWithout(deployments []appsv1.Deployment) {
	for key, p := range n.running {
		if !slices.ContainsFunc(deployments, func(d appsv1.Deployment) bool { return client.ObjectKeyFromObject(&d) == key }) {
			delete(n.running, key)
			_ = n.stack.EndProcess(p.manager.Process)
		}
	}
}

// runOperator starts the operator of a Deployment, or starts it again when its flags have changed.
func (n *node) runOperator(ctx context.Context, d *appsv1.Deployment) error {
	container := d.Spec.Template.Spec.Containers[0]
	if !n.runs || !strings.Contains(container.Image, "/webhook-operator:") || container.Name != "manager" {
		return nil
	}
	key := client.ObjectKeyFromObject(d)
	if p := n.running[key]; p != nil {
		if slices.Equal(p.args, container.Args) {
			return nil
		}
		delete(n.running, key)
		if err := n.stack.EndProcess(p.manager.Process); err != nil {
			return err
		}
	}
	account, err := n.credentials(ctx, d)
	if err != nil {
		return err
	}
	flags := append(slices.Clone(managerFlags), "--kubeconfig="+account, "--leader-election-namespace="+d.Namespace, "--operator-namespace="+d.Namespace)
	for _, argument := range container.Args {
		if !strings.Contains(argument, "-bind-address=") { // ports of this machine are shared
			flags = append(flags, argument)
		}
	}
	manager, err := n.stack.StartManager(ctx, d.Name, n.emulator.URL, flags...)
	if err != nil {
		return err
	}
	n.running[key] = &pod{manager: manager, args: container.Args}
	return nil
}

// credentials writes a kubeconfig with a token of the service account that a Deployment names.
func (n *node) credentials(ctx context.Context, d *appsv1.Deployment) (string, error) {
	config, err := n.plane.ServiceAccountConfig(ctx, d.Namespace, d.Spec.Template.Spec.ServiceAccountName)
	if err != nil {
		return "", err
	}
	const name = "node"
	kubeconfig := clientcmdapi.NewConfig()
	kubeconfig.Clusters[name] = &clientcmdapi.Cluster{Server: config.Host, CertificateAuthorityData: config.CAData}
	kubeconfig.AuthInfos[name] = &clientcmdapi.AuthInfo{Token: config.BearerToken}
	kubeconfig.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	kubeconfig.CurrentContext = name
	path := filepath.Join(n.stack.Dir, fmt.Sprintf("%s-%s.kubeconfig", d.Namespace, d.Name))
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return "", err
	}
	return path, clientcmd.WriteToFile(*kubeconfig, path)
}

// callAvailable writes the status that a Deployment has once all of its pods are ready, or with no replicas gone: then kubectl
// rollout status ends.
func (n *node) callAvailable(ctx context.Context, d *appsv1.Deployment) error {
	if d.Status.ObservedGeneration == d.Generation {
		return nil
	}
	replicas := ptr.Deref(d.Spec.Replicas, 1)
	before := d.DeepCopy()
	d.Status = appsv1.DeploymentStatus{
		ObservedGeneration: d.Generation, Replicas: replicas, UpdatedReplicas: replicas, ReadyReplicas: replicas, AvailableReplicas: replicas,
	}
	for _, condition := range []appsv1.DeploymentConditionType{appsv1.DeploymentAvailable, appsv1.DeploymentProgressing} {
		d.Status.Conditions = append(d.Status.Conditions, appsv1.DeploymentCondition{
			Type: condition, Status: corev1.ConditionTrue, Reason: "NewReplicaSetAvailable", LastUpdateTime: metav1.Now(), LastTransitionTime: metav1.Now(),
		})
	}
	return n.api.Status().Patch(ctx, d, client.MergeFrom(before))
}
