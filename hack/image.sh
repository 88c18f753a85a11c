#!/usr/bin/env bash
# Copyright 2026 The Medblocks Webhook Operator Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Builds the container image IMG for PLATFORM (default: this machine's) with the first of docker, podman and buildah that works
# here. Called by `make image`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

find_engine() {
  local engine
  for engine in docker podman buildah; do
    # A client without its engine (docker on many machines) does not count.
    if command -v "$engine" >/dev/null && "$engine" info >/dev/null 2>&1; then
      echo "$engine"
      return 0
    fi
  done
  echo "image: none of docker, podman and buildah works here; install or start one of them" >&2
  return 1
}

engine=$(find_engine)
arguments=(--tag "${IMG:?}" --file Dockerfile
  --build-arg "VERSION=$(git describe --tags --always --dirty 2>/dev/null || echo unknown)"
  --build-arg "REVISION=$(git rev-parse HEAD 2>/dev/null || echo unknown)")
if [[ -n ${PLATFORM:-} ]]; then
  arguments+=(--platform "$PLATFORM")
fi
echo "Building $IMG with $engine."
exec "$engine" build "${arguments[@]}" .
