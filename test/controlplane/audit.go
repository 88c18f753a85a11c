// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"fmt"
	"os"
	"path/filepath"

	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"
)

// OperatorUser is the name under which the API server knows the operator.
const OperatorUser = "system:serviceaccount:" + OperatorNamespace + ":" + OperatorServiceAccount

// AuditLog returns the path of the file with the requests of Options.AuditUsers. A line is written when the answer has been
// sent. The file is removed by Stop.
func (c *ControlPlane) AuditLog() string { return filepath.Join(c.dir, "audit.log") }

// configureAudit has the API server log who asked for what, without any content.
func (c *ControlPlane) configureAudit(server *envtest.APIServer) error {
	if len(c.options.AuditUsers) == 0 {
		return nil
	}
	policy, err := yaml.Marshal(map[string]any{
		"apiVersion": "audit.k8s.io/v1",
		"kind":       "Policy",
		"omitStages": []string{"RequestReceived", "ResponseStarted", "Panic"},
		"rules":      []map[string]any{{"level": "Metadata", "users": c.options.AuditUsers}, {"level": "None"}},
	})
	if err != nil {
		return fmt.Errorf("write the audit policy: %w", err)
	}
	path := filepath.Join(c.dir, "audit.yaml")
	if err := os.WriteFile(path, policy, 0o600); err != nil {
		return fmt.Errorf("write the audit policy: %w", err)
	}
	server.Configure().
		Set("audit-policy-file", path).
		Set("audit-log-path", c.AuditLog()).
		Set("audit-log-maxsize", "10000") // megabytes: never rotated
	return nil
}
