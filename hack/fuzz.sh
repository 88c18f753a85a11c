#!/usr/bin/env bash
# Copyright 2026 The Medblocks Webhook Operator Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Runs every fuzz test of the given packages, one after another (go test takes one at a time), each for FUZZTIME. Called by
# `make fuzz`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly go=${GO:-go} fuzztime=${FUZZTIME:-30s}
found=0
while IFS= read -r package; do
  while IFS= read -r name; do
    found=1
    echo "== $package $name"
    "$go" test -run '^$' -fuzz "^$name\$" -fuzztime "$fuzztime" "$package"
  done < <("$go" test -list '^Fuzz' "$package" | grep '^Fuzz' || true)
done < <("$go" list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' "${@:-./...}")
if ((found == 0)); then
  echo "no fuzz tests found" >&2
  exit 1
fi
