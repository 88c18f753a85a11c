// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The names under which the operator publishes the signing secrets, both as keys
// of the Kubernetes Secret and as environment variables.
const (
	SecretName         = "MEDBLOCKS_WEBHOOK_SECRET"
	PreviousSecretName = "MEDBLOCKS_WEBHOOK_SECRET_PREVIOUS"
)

// SecretSource returns the secrets that are accepted at this moment. It is asked
// for every delivery, so that a rotation needs no restart, and ten times a second
// while one waits for other secrets (see Options.SecretsWait).
type SecretSource interface {
	// WebhookSecrets returns the current secret first and the previous one, if
	// any, second. Empty strings are placeholders and never match.
	WebhookSecrets(ctx context.Context) ([]string, error)
}

// SecretFunc is a function that is a SecretSource.
type SecretFunc func(ctx context.Context) ([]string, error)

// WebhookSecrets calls the function.
func (f SecretFunc) WebhookSecrets(ctx context.Context) ([]string, error) { return f(ctx) }

// fixedSecrets never change while the process runs: nobody needs to wait for others.
type fixedSecrets struct{ SecretFunc }

// StaticSecrets are secrets that never change while the process runs.
func StaticSecrets(secrets ...string) SecretSource {
	return fixedSecrets{func(context.Context) ([]string, error) { return secrets, nil }}
}

// SecretsFromEnv reads the two variables that `envFrom` with the operator's Secret
// sets. A process's environment does not follow a rotation: deliveries that are
// signed with the new secret are refused until the pods are restarted.
func SecretsFromEnv() SecretSource {
	return fixedSecrets{func(context.Context) ([]string, error) {
		return []string{
			strings.TrimSpace(os.Getenv(SecretName)), strings.TrimSpace(os.Getenv(PreviousSecretName)),
		}, nil
	}}
}

// SecretsFromDir reads the operator's Secret mounted as a volume, at every
// delivery: two small files cost less than a watch that may miss a change, and a
// rotation is seen as soon as the kubelet has written it. Mount the whole Secret:
// the kubelet never changes what is mounted with a subPath.
func SecretsFromDir(dir string) SecretSource {
	return SecretFunc(func(context.Context) ([]string, error) { return readSecrets(dir) })
}

// maxReads is far above the swaps there can be while two small files are read.
const maxReads = 100

// readSecrets reads the two secrets of one generation. The kubelet swaps all files
// of a volume at once by moving the ..data link, and then removes the old ones, one
// after the other. So what was read counts, and a file that was not there is
// missing, only if the link has not moved meanwhile.
func readSecrets(dir string) ([]string, error) {
	for range maxReads {
		generation := generationOf(dir)
		secrets, err := readGeneration(generation)
		if generationOf(dir) == generation {
			return secrets, err
		}
	}
	return nil, fmt.Errorf("%s changes too fast to be read", dir)
}

// generationOf returns the directory that the ..data link leads to.
func generationOf(dir string) string {
	target, err := os.Readlink(filepath.Join(dir, "..data"))
	switch {
	case err != nil:
		return dir // a plain directory, or none: reading from it says what is wrong
	case filepath.IsAbs(target):
		return target
	}
	return filepath.Join(dir, target)
}

func readGeneration(dir string) ([]string, error) {
	current, err := readSecret(dir, SecretName)
	if err != nil {
		return nil, err
	}
	previous, err := readSecret(dir, PreviousSecretName)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return []string{current, previous}, nil
}

// maxSecretSize is far above any secret, and keeps a wrong path harmless.
const maxSecretSize = 4096

func readSecret(dir, name string) (string, error) {
	file, err := os.Open(filepath.Join(dir, name)) //nolint:gosec // the operator of the receiver names the directory
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(file, maxSecretSize+1))
	if err != nil {
		return "", err
	}
	if len(data) > maxSecretSize {
		return "", fmt.Errorf("%s is larger than %d bytes", name, maxSecretSize)
	}
	return strings.TrimSpace(string(data)), nil
}
