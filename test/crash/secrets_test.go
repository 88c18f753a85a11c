// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package crash

import (
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/lab"
)

// signingSecret sets spec.signingSecret.
func signingSecret(spec v1alpha1.SigningSecretSpec) func(*lab.Resource) {
	return func(res *lab.Resource) { res.Spec.SigningSecret = &spec }
}

// renameScenarios are those in which the signing Secret gets another name.
func renameScenarios() []scenario {
	return []scenario{
		{
			name:    "rename the Secret",
			prepare: created(),
			act:     rename("renamed"),
			exact:   true,
		},
		{
			name:    "rename the Secret twice",
			prepare: created(),
			act:     rename("middle"),
			still:   rename("last"), // also while nobody runs, wherever the first rename broke off
			exact:   true,
			ends:    movedOn,
		},
		{
			name:    "rename the Secret while it is being renamed",
			prepare: created(),
			act:     rename("middle"),
			during:  renameDuringMove,
			still:   rename("last"),
			exact:   true,
			ends:    movedOn,
		},
	}
}

// secretScenarios are about the signing Secret.
func secretScenarios() []scenario {
	const interval = 3 * time.Hour
	return append(renameScenarios(), []scenario{
		{
			name:    "rotate by annotation",
			prepare: created(),
			act:     annotate(v1alpha1.AnnotationRotateSecretRequestedAt),
			calls:   calls{rotations: 1}, pairs: true,
		},
		{
			name:    "rotate by interval",
			prepare: created(signingSecret(v1alpha1.SigningSecretSpec{Rotation: &v1alpha1.SecretRotation{Interval: metav1.Duration{Duration: interval}}})),
			act:     func(w *lab.World) { w.Advance(interval) },
			calls:   calls{rotations: 1},
		},
		{
			name:    "rename the Secret and rotate",
			prepare: created(),
			act: change(func(res *lab.Resource) {
				signingSecret(v1alpha1.SigningSecretSpec{Name: "renamed"})(res)
				res.Annotations[v1alpha1.AnnotationRotateSecretRequestedAt] = "now"
			}),
			calls: calls{rotations: 1},
		},
		{
			name:    "label the Secret",
			prepare: created(),
			act:     change(signingSecret(v1alpha1.SigningSecretSpec{Labels: map[string]v1alpha1.LabelValue{"team": "intake"}})),
		},
		{
			name:    "heal a lost Secret",
			prepare: created(),
			act:     func(w *lab.World) { w.DeleteSecret(signing) },
			calls:   calls{rotations: 1}, pairs: true,
		},
		{
			name:    "heal a Secret that was tampered with",
			prepare: created(),
			act: func(w *lab.World) {
				w.ChangeSecret(signing, func(s *corev1.Secret) { s.Data[v1alpha1.SecretKeyValue] = []byte("whsec_of_somebody_else") })
			},
			calls: calls{rotations: 1},
		},
	}...)
}

func rename(secret string) func(*lab.World) {
	return change(signingSecret(v1alpha1.SigningSecretSpec{Name: secret}))
}

// renameDuringMove asks for another name while the Secret of the one before is being written.
func renameDuringMove(w *lab.World) lab.Middleware {
	return func(_ *lab.Wire, r *lab.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if r.IsWrite() && r.Side == lab.Kubernetes && r.Method == http.MethodPost && strings.HasSuffix(r.Path, "/secrets") {
			patch := client.RawPatch(types.MergePatchType, []byte(`{"spec":{"signingSecret":{"name":"last"}}}`))
			if err := w.Client.Patch(w.Context(), w.Manifest(hooks), patch); err != nil {
				return nil, err
			}
		}
		return send()
	}
}

// movedOn tells that only the Secret of the last name is left.
func movedOn(w *lab.World) {
	w.T.Helper()
	w.Expect(w.Secret(signing)).To(BeNil())
	w.Expect(w.Secret("middle")).To(BeNil())
	secretsInForce("last")(w)
}
