#!/usr/bin/env bash
# Copyright 2026 The Medblocks Webhook Operator Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Writes into bin/release what is published of VERSION (vMAJOR.MINOR.PATCH, with an optional -suffix) besides the image, and builds the
# image where that is possible. The same commit gives the same bytes. Called by `make release`; docs/release.md has the whole procedure.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly version=${VERSION:-} go=${GO:-go} out=bin/release
# The operating systems and processors that the kubectl plugin is published for.
readonly plugin_platforms=${PLUGIN_PLATFORMS:-linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64}
repository=$(sed -n 's/^ *image: *\(.*\):.*/\1/p' config/manager/deployment.yaml)
readonly repository

fail() {
  echo "release: $1" >&2
  exit 1
}

check_request() {
  [[ $version =~ ^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] || fail "VERSION='$version' is not a version such as v0.1.0"
  [[ -x bin/tools/helm ]] || fail "bin/tools/helm is missing: run make tools"
  local changed
  changed=$(git status --porcelain) || fail "a release is made of a commit, and this is no repository of git"
  if [[ -n $changed ]]; then
    printf '%s\n' "$changed" >&2
    fail "the files above differ from the commit: nobody could make this release again"
  fi
}

# write_sbom OS PROCESSOR FILE LIST: the modules that a program is linked from, and its checksum.
write_sbom() {
  # Without the time and the serial number, which would be new in each run. It takes the platform from Go's environment, and not from the
  # program.
  GOOS=$1 GOARCH=$2 bin/tools/cyclonedx-gomod bin -json -std -notimestamp -noserial -version "$version" -output "$4" "$3"
}

# The manager as the Dockerfile builds it, for its list of modules and its checksum.
write_managers_sbom() {
  CGO_ENABLED=0 GOOS=linux GOARCH=$1 "$go" build -trimpath -buildvcs=false -ldflags "-s -w" -o "$work/$1/manager" ./cmd/manager
  write_sbom linux "$1" "$work/$1/manager" "$out/sbom-linux-$1.cdx.json"
}

write_plugin() {
  local os=${1%/*} processor=${1#*/} file
  file=$out/kubectl-medblocks-$os-$processor
  CGO_ENABLED=0 GOOS=$os GOARCH=$processor "$go" build -trimpath -buildvcs=false \
    -ldflags "-s -w -X github.com/medblocks/webhook-operator/plugin.version=$version" -o "$work/kubectl-medblocks" ./cmd/kubectl-medblocks
  write_sbom "$os" "$processor" "$work/kubectl-medblocks" "$file.cdx.json"
  [[ $os != windows ]] || file+=.exe
  mv "$work/kubectl-medblocks" "$file"
}

write_install_manifest() {
  local folder=bin/release-manifest
  mkdir -p "$folder"
  cat >"$folder/kustomization.yaml" <<YAML
resources: [../../config/default]
images:
- {name: $repository, newTag: $version}
YAML
  "$go" tool -modfile=hack/tools/go.mod kustomize build "$folder" --output "$out/install.yaml"
  rm -r "$folder"
}

write_chart() {
  bin/tools/helm package dist/chart --version "${version#v}" --app-version "$version" --destination "$out" >/dev/null
  "$go" run ./hack/repack "$out"/*.tgz "$epoch"
}

write_checksums() {
  local sum=(sha256sum)
  command -v sha256sum >/dev/null || sum=(shasum -a 256)
  (cd "$out" && LC_ALL=C && "${sum[@]}" -- * >"$work/checksums" && mv "$work/checksums" checksums.txt)
}

build_image() {
  local engine
  if engine=$(hack/image.sh engine 2>"$work/why"); then
    VERSION=$version IMG="$repository:$version" hack/image.sh
  else
    echo "SKIPPED the image $repository:$version: $(<"$work/why")"
  fi
}

check_request
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
epoch=$(git log -1 --format=%ct)
rm -rf "$out"
mkdir -p "$out" bin/tools

echo "Release $version of commit $(git rev-parse --short HEAD), in $out."
# -trimpath, because a checksum of the program is in what it writes.
"$go" build -modfile=hack/tools/release/go.mod -trimpath -buildvcs=false -o bin/tools/ github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod
write_install_manifest
write_chart
write_managers_sbom amd64
write_managers_sbom arm64
for platform in $plugin_platforms; do
  write_plugin "$platform"
done
hack/licenses.sh texts >"$out/licenses.txt"
write_checksums
cat "$out/checksums.txt"
build_image
