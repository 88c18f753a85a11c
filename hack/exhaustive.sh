#!/usr/bin/env bash
# Copyright 2026 The Medblocks Webhook Operator Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Runs every plan of the packages that enumerate plans, and prints a line per scenario: how many plans it has, and how many passed.
# `make test` runs a fixed part of them. GO is the go command.
set -euo pipefail

# least is how many plans there have to be: fewer, and a generator has lost some without anybody noticing.
readonly least=3000
# longest is how long it may take on two processors, in seconds: what takes longer is run by nobody.
readonly longest=2400
# The longest comes first, so that the others are tested beside it, and none is left for the end.
readonly packages=(./test/faults ./test/crash ./test/stale ./test/states ./test/soak ./controllers/endpoint ./test/rules ./test/lab)
# parallel is how many plans of a package run at a time. They wait for an answer most of the time: with so many, of two packages, two
# processors are never idle, and an answer still comes long before anybody gives up on it.
readonly parallel=12

mkdir -p bin
report=$PWD/bin/plans.txt
rm -f "$report"
status=0
# Without the race detector, which `make test` uses: here the number of interleavings counts.
EXHAUSTIVE=1 LAB_REPORT=$report "${GO:-go}" test -count=1 -p 2 -parallel "$parallel" -timeout 60m "${packages[@]}" "$@" || status=$?
if [[ ! -f $report ]]; then
  echo "No plan was run."
  exit 1
fi
sort "$report" | awk -F '\t' -v least="$least" '
  function line(a, b, c, d) { printf "%-12s  %-60s  %6s  %6s\n", a, b, c, d }
  BEGIN { line("package", "scenario", "plans", "passed") }
  { line($1, $2, $3, $4); plans += $3; passed += $4 }
  END {
    line("all", "", plans, passed)
    if (plans < least) { print "There have to be at least " least " plans."; exit 1 }
    if (passed < plans) exit 1
  }' || status=1
echo "Done in $((SECONDS / 60)) min $((SECONDS % 60)) s."
if ((SECONDS > longest)); then
  echo "It should take no longer than $((longest / 60)) min on two processors."
  status=1
fi
exit "$status"
