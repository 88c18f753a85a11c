// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package crash

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/lab"
)

// signingSecret sets spec.signingSecret.
func signingSecret(spec v1alpha1.SigningSecretSpec) func(*lab.Resource) {
	return func(res *lab.Resource) { res.Spec.SigningSecret = &spec }
}

// secretScenarios are about the signing Secret.
func secretScenarios() []scenario {
	const interval = 3 * time.Hour
	return []scenario{
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
			name:    "rename the Secret",
			prepare: created(),
			act:     change(signingSecret(v1alpha1.SigningSecretSpec{Name: "renamed"})),
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
	}
}
