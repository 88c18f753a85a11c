// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package e2e

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"strings"

	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/test/node"
)

const tokenFile = "var/run/secrets/kubernetes.io/serviceaccount/token"

// tokensAreSignedAnew does the first half of what replaces the key that signs tokens: the API server signs with the new one, and still takes
// what the former has signed. Kubelet, which asks for new tokens once it has restarted, writes them into the Pods while those run. The
// operator reads its file again within a minute, so the second half comes later.
func tokensAreSignedAnew(w *world) {
	var err error
	w.signers.next, err = w.cluster.NewSigner("service-accounts-2")
	w.must(err)
	for _, pod := range w.operators() {
		id, err := w.tokenOf(&pod)
		w.must(err)
		w.signers.former = append(w.signers.former, id)
	}
	w.must(w.cluster.RestartAPIServer(w.ctx, node.FirstSigner, w.signers.next))
	w.must(w.cluster.RestartKubelet(w.ctx))
	for _, pod := range w.operators() {
		w.Eventually(func() (string, error) { return w.tokenOf(&pod) }).ShouldNot(gomega.BeElementOf(w.signers.former), "kubelet has not written another token")
	}
	w.oneGoesOn()
}

// formerTokensAreRefused does the other half: who still shows a token of the former key is nobody to the API server from now on.
func formerTokensAreRefused(w *world) {
	w.Eventually(w.shown).ShouldNot(gomega.ContainElement(gomega.BeElementOf(w.signers.former)), "the operator still shows its former token")
	w.must(w.cluster.RestartAPIServer(w.ctx, w.signers.next))
	w.declare("after the former key")
	w.oneGoesOn()
}

// oneGoesOn sees that an operator has gone on with its new token. (A leader ends, and is started again, when the API server is away for too
// long for it to keep its Lease, as it may be on a busy machine. The one that waits does not.)
func (w *world) oneGoesOn() {
	w.Helper()
	var all []int32
	for _, pod := range w.operators() {
		all = append(all, restarts(&pod))
	}
	w.Expect(all).To(gomega.ContainElement(gomega.BeZero()), "all operators were restarted")
}

// signers are the keys that sign tokens.
type signers struct {
	next node.Signer
	// former are the ids of the tokens that the first key has signed for the operator.
	former []string
}

// tokenOf is the id of the token that a Pod of the operator has been given.
func (w *world) tokenOf(pod *corev1.Pod) (string, error) {
	if err := w.api.Get(w.ctx, client.ObjectKeyFromObject(pod), pod); err != nil {
		return "", err
	}
	pid, err := w.cluster.ContainerProcess(pod, "manager")
	if err != nil {
		return "", err
	}
	content, err := os.ReadFile(procFile(pid, "root", tokenFile))
	if err != nil {
		return "", err
	}
	parts := strings.Split(string(content), ".")
	if len(parts) != 3 {
		return "", errors.New("the file with the token holds none")
	}
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", err
	}
	var token struct {
		ID string `json:"jti"`
	}
	return token.ID, json.Unmarshal(claims, &token)
}

// shown are the ids of the tokens that the operator has shown to the API server lately: since the log was looked at before.
func (w *world) shown() ([]string, error) {
	log, err := w.cluster.Audited()
	if err != nil {
		return nil, err
	}
	ids := sets.New[string]()
	for line := range strings.Lines(log) {
		var request struct {
			User struct {
				Extra map[string][]string `json:"extra"`
			} `json:"user"`
		}
		if err := json.Unmarshal([]byte(line), &request); err != nil {
			return nil, err
		}
		for _, id := range request.User.Extra["authentication.kubernetes.io/credential-id"] {
			ids.Insert(strings.TrimPrefix(id, "JTI="))
		}
	}
	if ids.Len() == 0 {
		return nil, errors.New("the operator has asked for nothing")
	}
	return ids.UnsortedList(), nil
}

func restarts(pod *corev1.Pod) (n int32) {
	for i := range pod.Status.ContainerStatuses {
		n += pod.Status.ContainerStatuses[i].RestartCount
	}
	return n
}
