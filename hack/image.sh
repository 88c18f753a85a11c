#!/usr/bin/env bash
# Copyright 2026 The Medblocks Webhook Operator Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Builds the container image IMG for PLATFORM (default: this machine's; several, with commas between them, make an image of that many
# platforms) with the first of docker, podman and buildah that works here, and with PUSH=1 pushes it. VERSION (default: what git
# describes) and the commit are in its labels. Called by `make image`. `image.sh engine` only names the engine that works here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# A client without its engine (docker on many machines) does not count, nor does docker without buildx: its old builder does not know
# for which platform it builds.
works() {
  command -v "$1" >/dev/null && "$1" info >/dev/null 2>&1 || return 1
  [[ $1 != docker ]] || docker buildx version >/dev/null 2>&1
}

find_engine() {
  local engine
  for engine in docker podman buildah; do
    if works "$engine"; then
      echo "$engine"
      return 0
    fi
  done
  echo "image: none of docker (with buildx), podman and buildah works here; install or start one of them" >&2
  return 1
}

# GNU's date and that of the BSDs take a number of seconds in different ways.
to_time() { date -u -d "@$1" +%Y-%m-%dT%H:%M:%SZ 2>/dev/null || date -u -r "$1" +%Y-%m-%dT%H:%M:%SZ; }

engine=$(find_engine)
if [[ ${1:-} == engine ]]; then
  echo "$engine"
  exit 0
fi

# The time of the commit, and not of the build, so that both the first build of a commit and the next give the same image.
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
unset SOURCE_DATE_EPOCH # An engine that reads it too would refuse to be told the time twice.
arguments=(--file Dockerfile
  --build-arg "CREATED=$(to_time "$epoch")"
  --build-arg "VERSION=${VERSION:-$(git describe --tags --always --dirty 2>/dev/null || echo unknown)}"
  --build-arg "REVISION=$(git rev-parse HEAD 2>/dev/null || echo unknown)")
if [[ -n ${GO_IMAGE:-} ]]; then
  arguments+=(--build-arg "GO_IMAGE=$GO_IMAGE")
fi
if [[ -n ${PLATFORM:-} ]]; then
  arguments+=(--platform "$PLATFORM")
fi

build_with_docker() {
  # Provenance holds the time of the build. Only docker's containerd image store can load several platforms; a push needs none.
  arguments+=(--build-arg "SOURCE_DATE_EPOCH=$epoch" --provenance=false --tag "$IMG")
  if [[ -n ${PUSH:-} ]]; then arguments+=(--push); else arguments+=(--load); fi
  docker buildx build "${arguments[@]}" .
}

# podman and buildah are one family. Given several platforms, they would let the tag end at the last one: a list has to be asked for,
# and one that is there already would only become longer.
build_with() {
  arguments+=(--timestamp "$epoch")
  if [[ ${PLATFORM:-} != *,* ]]; then
    "$1" build "${arguments[@]}" --tag "$IMG" .
    if [[ -n ${PUSH:-} ]]; then "$1" push "$IMG" "docker://$IMG"; fi
    return
  fi
  "$1" rmi "$IMG" >/dev/null 2>&1 || true # It may not be there.
  "$1" build "${arguments[@]}" --manifest "$IMG" .
  if [[ -n ${PUSH:-} ]]; then "$1" manifest push --all "$IMG" "docker://$IMG"; fi
}

echo "Building ${IMG:?} with $engine."
if [[ $engine == docker ]]; then build_with_docker; else build_with "$engine"; fi
