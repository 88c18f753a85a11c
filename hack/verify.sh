#!/usr/bin/env bash
# Copyright 2026 The Medblocks Webhook Operator Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Checks that what is generated is up to date (it is generated again, in place) and that modules, formatting and vet are in order.
# All checks run; the exit status says whether any of them complained. Called by `make verify`, which sets GO, MAKE and MODULES.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly go=${GO:-go} make=${MAKE:-make} modules=${MODULES:?}
failed=0

complain() {
  failed=1
  printf '\nverify: %s\n' "$1" >&2
}

generated_files() {
  find config/crd/bases dist docs/reference.md docs/licenses.md api -type f \
    \( -path 'api/*/zz_generated.*' -o -not -path 'api/*' \) 2>/dev/null | LC_ALL=C sort
}

# Checksums, and not `git diff` alone: they also see a generated file that nobody has added yet, and hold in an archive without git.
checksums() { generated_files | while IFS= read -r file; do cksum "$file"; done; }

check_generated() {
  local before after
  before=$(checksums)
  "$make" generate manifests docs install-manifest chart licenses || { complain "generating failed"; return 0; }
  after=$(checksums)
  if [[ $before != "$after" ]]; then
    comm -3 <(sort <<<"$before") <(sort <<<"$after") | awk '{print "  " $3}' | sort -u >&2
    complain "the files above were out of date. They are up to date now: look at the difference and commit it"
  fi
  if git rev-parse --verify -q HEAD >/dev/null 2>&1; then
    local uncommitted
    uncommitted=$(git status --porcelain --untracked-files=all -- config/crd/bases dist docs/reference.md docs/licenses.md 'api/**/zz_generated.*')
    if [[ -n $uncommitted ]]; then
      printf '%s\n' "$uncommitted" >&2
      complain "the generated files above differ from the last commit: commit them"
    fi
  fi
}

check_modules() {
  local module
  for module in $modules; do
    (cd "$module" && GOWORK=off "$go" mod tidy -diff) || complain "$module/go.mod is not tidy: run 'go mod tidy' there"
  done
}

check_format() {
  local unformatted
  unformatted=$(find . -name '*.go' -not -path './bin/*' -print0 | xargs -0 gofmt -l)
  if [[ -n $unformatted ]]; then
    printf '%s\n' "$unformatted" >&2
    complain "the files above are not formatted: run 'gofmt -w' on them"
  fi
}

check_headers() {
  local wanted missing=0 file
  wanted=$(<hack/boilerplate.go.txt)
  while IFS= read -r -d '' file; do
    if ! [[ $(head -n 6 "$file") == *"$wanted"* ]]; then
      echo "$file" >&2
      missing=1
    fi
  done < <(find . -name '*.go' -not -path './bin/*' -print0)
  ((missing == 0)) || complain "the files above do not start with hack/boilerplate.go.txt"
}

check_generated
check_modules
check_format
check_headers
"$go" vet ./... || complain "go vet complains"
exit "$failed"
