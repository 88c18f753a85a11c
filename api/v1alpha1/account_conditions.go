// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// ReasonAccepted is the reason of a MedblocksAccount that is Ready: Medblocks accepts its API key. The other reasons are those of an
// endpoint's Synced: Pending, CredentialsUnavailable, WrongEnvironment, InvalidAPIKey, Forbidden, RateLimited and APIUnavailable.
const ReasonAccepted = "Accepted"

// AccountKind is the kind of a MedblocksAccount.
const AccountKind = "MedblocksAccount"
