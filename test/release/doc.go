// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package release makes releases of copies of this project and looks at what was written. It has no code but tests; they need
// bin/tools/helm, which `make tools` builds.
package release
