// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// operatorLease is the lease that the shipped operator holds while it works (--leader-election-id).
const operatorLease = "medblocks-webhook-operator.connect.medblocks.com"

// operatorLabel is on the Deployment, whichever way it was installed.
const (
	operatorLabel = "app.kubernetes.io/name"
	operatorName  = "medblocks-webhook-operator"
)

// findOperator looks for an operator at work: who works renews a lease. Without a lease, the Deployment tells. A user who may read neither
// is told so, and no more.
func (s *Session) findOperator(ctx context.Context, api client.Reader) OperatorStatus {
	var lease coordinationv1.Lease
	err := api.Get(ctx, client.ObjectKey{Namespace: s.operatorNamespace, Name: operatorLease}, &lease)
	switch {
	case err == nil:
		return operatorByLease(&lease, s.Clock.Now())
	case !apierrors.IsNotFound(err):
		return OperatorStatus{State: operatorUnknown, Message: fmt.Sprintf(
			"whether the operator runs is not known: you may not read its lease (kubectl auth can-i get leases.coordination.k8s.io/%s -n %s)", operatorLease, s.operatorNamespace)}
	}
	var deployments appsv1.DeploymentList
	err = api.List(ctx, &deployments, client.InNamespace(s.operatorNamespace), client.MatchingLabels{operatorLabel: operatorName})
	if err != nil {
		return OperatorStatus{State: operatorUnknown, Message: fmt.Sprintf(
			"whether the operator runs is not known: it holds no lease, and you may not list Deployments (kubectl auth can-i list deployments.apps -n %s)", s.operatorNamespace)}
	}
	return operatorByDeployments(deployments.Items, s.operatorNamespace)
}

// operatorByLease judges by when the lease was last renewed.
func operatorByLease(lease *coordinationv1.Lease, now time.Time) OperatorStatus {
	spec := lease.Spec
	if spec.HolderIdentity == nil || *spec.HolderIdentity == "" || spec.RenewTime == nil || spec.LeaseDurationSeconds == nil {
		return OperatorStatus{State: operatorAway, Message: "no operator works: the last one has ended. " + startIt(lease.Namespace)}
	}
	// Another operator takes over after as long again at the latest.
	if lasts := 2 * time.Duration(*spec.LeaseDurationSeconds) * time.Second; now.Sub(spec.RenewTime.Time) > lasts {
		return OperatorStatus{State: operatorAway, Message: fmt.Sprintf("no operator works: the last one has given no sign of life for %s. %s",
			age(now, spec.RenewTime.Time), startIt(lease.Namespace))}
	}
	pod, _, _ := strings.Cut(*spec.HolderIdentity, "_") // what follows is a random number
	return OperatorStatus{State: operatorWorking, Message: "the operator works: " + pod}
}

func startIt(namespace string) string {
	return fmt.Sprintf("See kubectl get pods -n %s -l %s=%s", namespace, operatorLabel, operatorName)
}

func operatorByDeployments(deployments []appsv1.Deployment, namespace string) OperatorStatus {
	for i := range deployments {
		if deployments[i].Status.ReadyReplicas > 0 {
			return OperatorStatus{State: operatorWorking, Message: "the operator works: Deployment " + deployments[i].Name + " has Pods that are ready"}
		}
	}
	if len(deployments) > 0 {
		return OperatorStatus{State: operatorAway, Message: "no operator works: Deployment " + deployments[0].Name + " has no Pod that is ready. " + startIt(namespace)}
	}
	return OperatorStatus{State: operatorNotFound, Message: fmt.Sprintf(
		"there is no operator in namespace %s. If yours runs in another one, name it with --operator-namespace", namespace)}
}
