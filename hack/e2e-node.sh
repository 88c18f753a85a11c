#!/usr/bin/env bash
# Copyright 2026 The Medblocks Webhook Operator Authors.
# SPDX-License-Identifier: Apache-2.0
#
# Runs the operator on a real node: builds what that needs, and runs test/node/e2e. Where a node cannot run, it says why, counts one test as
# skipped, and succeeds. The test itself sees to it that nothing is left behind. GO and MAKE are the commands to use.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly summary=bin/e2e-node-summary.txt report=bin/e2e-node-steps.txt
# longest is how long it may take on two processors once everything is built, in seconds.
readonly longest=300

# missing prints why a node cannot run here; nothing: it can.
missing() {
  if [[ $(uname -s) != Linux ]]; then
    echo "it needs Linux"
    return
  fi
  if ((EUID != 0)); then
    echo "it needs root"
    return
  fi
  local program
  for program in containerd ctr runc iptables ip; do
    if ! command -v "$program" >/dev/null; then
      echo "there is no $program (Debian: apt-get install containerd runc containernetworking-plugins iptables iproute2)"
      return
    fi
  done
  if [[ ! -x /usr/lib/cni/bridge ]]; then
    echo "there is no /usr/lib/cni/bridge (Debian: apt-get install containernetworking-plugins)"
    return
  fi
  if [[ ! -r /etc/ssl/certs/ca-certificates.crt ]]; then
    echo "there is no /etc/ssl/certs/ca-certificates.crt, which the image holds (Debian: apt-get install ca-certificates)"
    return
  fi
  if [[ $(stat --file-system --format=%T "${TMPDIR:-/tmp}") == overlayfs ]]; then
    echo "${TMPDIR:-/tmp} is on an overlay, which containers cannot be unpacked on: set TMPDIR to a folder of a real file system"
    return
  fi
  local hierarchy group controller
  while read -r hierarchy; do
    group=$hierarchy/e2e-node-probe
    if ! mkdir "$group" 2>/dev/null; then
      echo "no cgroup can be made in $hierarchy"
      return
    fi
    # With version 2, a cgroup has those controllers that the one above hands down.
    for controller in cpu cpuset memory pids; do
      if [[ $hierarchy == /sys/fs/cgroup ]] && ! grep -qw "$controller" "$group/cgroup.controllers"; then
        rmdir "$group"
        echo "cgroups have no controller $controller (see /sys/fs/cgroup/cgroup.subtree_control)"
        return
      fi
    done
    rmdir "$group"
  done < <(awk '$3 ~ /^cgroup/ { print $2 }' /proc/self/mounts)
  if ! unshare --mount --net --pid --fork ip link add e2e-probe type bridge 2>/dev/null; then
    echo "this root may not make namespaces and network devices"
  fi
}

mkdir -p bin
rm -f "$summary" "$report"
reason=$(missing)
if [[ -n $reason ]]; then
  echo "SKIPPED: e2e-node: $reason."
  echo "0 passed, 0 failed, 1 skipped" >"$summary"
  exit 0
fi

"${MAKE:-make}" build node-programs bin/tools/helm bin/tools/prometheus
"${GO:-go}" build -o bin/testsummary ./hack/testsummary
echo "Running the operator on a real node: containerd and kubelet in namespaces of their own. It takes some four minutes."
start=$SECONDS status=0
E2E_NODE=1 E2E_NODE_REPORT=$PWD/$report "${GO:-go}" test -json -count=1 -timeout 20m ./test/node/e2e | bin/testsummary -o "$summary" || status=$?
[[ ! -f $report ]] || cat "$report"
echo "Done in $(((SECONDS - start) / 60)) min $(((SECONDS - start) % 60)) s."
if ((SECONDS - start > longest)); then
  echo "It should take no longer than $((longest / 60)) min on two processors that have nothing else to do."
fi
exit "$status"
