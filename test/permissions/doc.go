// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package permissions tests what the repository ships for RBAC and admission, with the real program on the real API server: that the operator
// needs every verb of its roles, that it makes do with less in the layouts that give it less, and what people may do.
package permissions
