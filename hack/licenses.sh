#!/usr/bin/env bash
# Copyright 2026 The Medblocks Webhook Operator Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Writes the licences of all that the programs of a release are linked from: `licenses.sh list` as the page docs/licenses.md, `licenses.sh
# texts` with their full texts, as they have to accompany a binary. Fails, and names them, if there are others than those allowed below.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Permissive ones, which ask for no more than to be named. Anything else is a decision to make, and to write down here.
readonly allowed='Apache-2.0|BSD-2-Clause|BSD-3-Clause|ISC|MIT'

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The programs of a release on their operating systems, wherever this runs. go-licenses would look up a URL for each licence, over the
# network; we have the texts. The proxy that does not exist answers for it at once, and the log about it is left out.
report() {
  printf '%s' "$1" >"$work/template"
  report_on linux ./cmd/manager ./cmd/kubectl-medblocks
  report_on darwin ./cmd/kubectl-medblocks
  report_on windows ./cmd/kubectl-medblocks
}

report_on() {
  HTTP_PROXY=http://127.0.0.1:9 HTTPS_PROXY=http://127.0.0.1:9 GOOS=$1 GOARCH=amd64 CGO_ENABLED=0 \
    "$tool" report --template "$work/template" --ignore github.com/medblocks/webhook-operator \
    --logtostderr=false --stderrthreshold=2 --log_file=/dev/null "${@:2}"
}

for os in linux darwin windows; do
  GOOS=$os "${GO:-go}" list -deps ./cmd/manager ./cmd/kubectl-medblocks >/dev/null # Whatever has to be downloaded is downloaded here.
done
tool=$("${GO:-go}" tool -modfile=hack/tools/release/go.mod -n go-licenses)
report '{{range .}}| {{.Name}} | {{.Version}} | {{.LicenseName}} |
{{end}}' | LC_ALL=C sort -u >"$work/list"
if grep -Ev "\| ($allowed) \|\$" "$work/list" >&2; then
  echo "licenses: the licences above are not among those allowed ($allowed)" >&2
  exit 1
fi

case ${1:-} in
  list)
    cat <<'PAGE'
# Under which licences is what the operator is made of?

The program in the image and the kubectl plugin are linked from the Go packages below and from Go's own standard library (BSD-3-Clause).
Their full texts are in `licenses.txt` of each release. `make licenses` writes this page, and fails if a licence is not among those that
`hack/licenses.sh` allows.

| package | version | licence |
|---|---|---|
PAGE
    cat "$work/list"
    ;;
  texts)
    bar=$(printf '=%.0s' {1..80})
    # A character that is in no text separates them: what several programs are linked from is there once.
    report "{{range .}}$bar
{{.Name}} {{.Version}}: {{.LicenseName}}

{{.LicenseText}}
"$'\036{{end}}' | awk 'BEGIN { RS = "\036"; ORS = "" } !seen[$0]++'
    printf '%s\n%s\n\n' "$bar" "The Go standard library: BSD-3-Clause"
    cat "$("${GO:-go}" env GOROOT)/LICENSE"
    ;;
  *) echo "usage: licenses.sh list|texts" >&2; exit 2 ;;
esac
