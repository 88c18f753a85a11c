#!/usr/bin/env bash
# Copyright 2026 The Medblocks Webhook Operator Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Usage: progress.sh WHAT COMMAND…. The command is a `go build -v`: its list of compiled packages becomes a line now and then, so that
# somebody who waits sees that it goes on, and a build that has nothing to do says nothing. Everything else it says is let through.
set -euo pipefail

readonly what=$1
shift
"$@" 2>&1 | {
  compiled=0 next=5
  while IFS= read -r line; do
    if [[ ! $line =~ ^[A-Za-z0-9._/~-]+$ ]]; then
      printf '%s\n' "$line"
      continue
    fi
    compiled=$((compiled + 1))
    if ((SECONDS >= next)); then
      if ((next == 5)); then
        echo "Building $what from source; the first time this takes two or three minutes on two cores."
      fi
      printf '  %4d packages compiled, %d min %02d s\n' "$compiled" $((SECONDS / 60)) $((SECONDS % 60))
      next=$((SECONDS + 15))
    fi
  done
}
