#!/usr/bin/env bash
# Copyright 2026 The Medblocks Webhook Operator Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Builds the Kubernetes control plane that the tests and the demo run against, from the Go modules named in this folder's
# go.mod. Usage: build.sh DIRECTORY [PROGRAM…]; without programs, the four of a control plane are built. What a node needs beside
# them (kube-scheduler, kubelet, kube-proxy) is built when it is named.
#
# A program is built only when it is missing from DIRECTORY, or when what it is built from (go.mod, go.sum, this script) differs
# from what it was built from: a hidden file beside it holds the checksum. File times are not compared, because a checkout
# changes them without changing anything.
set -euo pipefail

readonly control_plane=(etcd kube-apiserver kube-controller-manager kubectl)

# The versions are written once, in go.mod.
module_version() { go list -m -f '{{.Version}}' "$1"; }

package_of() {
  case "$1" in
    etcd) echo go.etcd.io/etcd/server/v3 ;;
    kube-apiserver | kube-controller-manager | kube-scheduler | kubelet | kube-proxy | kubectl) echo "k8s.io/kubernetes/cmd/$1" ;;
    *) echo "build.sh: unknown program '$1' (known: ${control_plane[*]} kube-scheduler kubelet kube-proxy)" >&2; return 1 ;;
  esac
}

# Turns the compiler's list of packages into one line every 15 seconds, and lets everything else (errors) through. Standard input:
# what `go build -v` says; $1: how many packages there are at most (fewer are compiled when the build cache holds some).
progress() {
  local total=$1 compiled=0 next=15 line
  while IFS= read -r line; do
    if [[ $line =~ ^[A-Za-z0-9._/~-]+$ ]]; then
      compiled=$((compiled + 1))
      if ((SECONDS >= next)); then
        printf '  %4d of at most %d packages compiled, %d min %02d s\n' "$compiled" "$total" $((SECONDS / 60)) $((SECONDS % 60))
        next=$((SECONDS + 15))
      fi
    else
      printf '%s\n' "$line"
    fi
  done
}

main() {
  if (($# == 0)); then
    echo "usage: build.sh DIRECTORY [PROGRAM…]" >&2
    return 2
  fi
  mkdir -p "$1"
  local out checksum program missing=()
  out=$(cd "$1" && pwd)
  shift
  cd "$(dirname "${BASH_SOURCE[0]}")"
  checksum=$(cat go.mod go.sum build.sh | cksum)

  for program in "${@:-${control_plane[@]}}"; do
    package_of "$program" >/dev/null
    if [[ ! -x $out/$program || ! -f $out/.$program.built || $(<"$out/.$program.built") != "$checksum" ]]; then
      missing+=("$program")
    fi
  done
  if ((${#missing[@]} == 0)); then
    return 0
  fi

  local kubernetes etcd packages=() total
  # Nothing here depends on the caller's build flags, so that the build cache is hit whoever builds.
  export GOFLAGS=-mod=readonly CGO_ENABLED=0 GOWORK=off
  kubernetes=$(module_version k8s.io/kubernetes)
  etcd=$(module_version go.etcd.io/etcd/server/v3)
  for program in "${missing[@]}"; do
    packages+=("$(package_of "$program")")
  done
  echo "Building ${missing[*]} (Kubernetes $kubernetes, etcd $etcd) from source into $out."
  echo "The first time this takes 5 to 8 minutes on two cores; afterwards the programs are there."
  total=$(go list -deps "${packages[@]}" | wc -l)

  # Built beside the old ones and moved over them: somebody may be running those, and a build that was interrupted leaves none.
  staging=$(mktemp -d "$out/.building.XXXXXX")
  trap 'rm -rf "$staging"' EXIT
  local flags=(-trimpath -buildvcs=false -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=$kubernetes")
  go build -v "${flags[@]}" -o "$staging/" "${packages[@]}" 2>&1 | progress "$total"
  if [[ -e $staging/server ]]; then
    mv "$staging/server" "$staging/etcd" # Go names a program after its package's folder.
  fi
  for program in "${missing[@]}"; do
    mv -f "$staging/$program" "$out/$program"
    echo "$checksum" >"$out/.$program.built"
  done
  echo "Built ${missing[*]} in $((SECONDS / 60)) min $((SECONDS % 60)) s."
}

main "$@"
