// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package node starts a real Kubernetes cluster of one node on this machine: etcd, kube-apiserver, kube-controller-manager and
// kube-scheduler, and a node with containerd, kubelet and kube-proxy, on which Pods run. Nothing of it touches the machine that it runs
// on but for cgroups and a folder for temporary files, and those are removed.
//
// There are three stages, each the same program started again in namespaces of its own (sandbox.go):
//
//   - Outside, on the machine: makes the cgroups, starts the next stage, and looks afterwards whether anything was left behind
//     (leftovers.go).
//   - The machine room (room.go): the control plane, and the tests. It has its own processes, mounts and network.
//   - The node (boot.go): again its own processes, mounts and network; a pair of virtual network devices connects it with the control plane.
//     Its first process supervises containerd, kubelet and kube-proxy. Kill it, and everything on the node is gone but for its disk, as on a
//     machine that loses power (Cluster.RestartNode).
//
// It needs Linux, root, and the programs that hack/e2e-node.sh looks for.
package node
