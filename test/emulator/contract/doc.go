// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package contract checks a server against the vendor's contract, over HTTP and
// with net/http alone: neither the client nor the emulator's own types take part.
//
// By itself it starts an emulator. With MEDBLOCKS_CONTRACT_BASE_URL and
// MEDBLOCKS_CONTRACT_API_KEY it talks to that server instead: then it makes only
// calls that the vendor documents, removes every endpoint it made, and skips the
// checks that need the emulator's own surface.
//
// A base URL that is not on this machine is refused, unless
// MEDBLOCKS_CONTRACT_ALLOW_REMOTE=1 says that the owner of the workspace agrees;
// even then the key must be a sandbox key.
//
// Checks marked [assumed] are about what the vendor's documentation leaves open.
// They fail against the emulator. Elsewhere they only report, because the
// operator works either way.
package contract
