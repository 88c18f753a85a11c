# Copyright 2026 The Medblocks Webhook Operator Authors.
# SPDX-License-Identifier: Apache-2.0
#
# `make help` lists what there is. Everything needs Go, make and git (with bash, which git brings) and nothing else: the tools are
# pinned in hack/tools and hack/tools/lint, the control plane in hack/controlplane, and all of them are built from their modules.

SHELL := /usr/bin/env bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

## IMG: image that image builds and deploy runs (default: the one in config/manager/deployment.yaml)
default_image := $(shell sed -n 's/^ *image: *//p' config/manager/deployment.yaml)
IMG ?= $(default_image)
## PLATFORM: platform of the image, such as linux/arm64 or linux/amd64,linux/arm64 (default: this machine's)
PLATFORM ?=
## PUSH: set to 1, image also pushes the image
PUSH ?=
## GO_IMAGE: Go image that image compiles in, such as one with a digest (default: the one in the Dockerfile)
GO_IMAGE ?=
## VERSION: version of the release, such as v0.1.0
VERSION ?=
## PLUGIN_PLATFORMS: what release builds the kubectl plugin for, such as linux/amd64 darwin/arm64 (default: five of them)
PLUGIN_PLATFORMS ?=
## HOLD: set to 1, demo keeps everything up at its end and prints what to play with
HOLD ?=
## PKG: packages that test and fuzz look at (default: all)
PKG ?= ./...
## TESTARGS: more arguments for go test, such as TESTARGS='-run TestName -count=20'
TESTARGS ?=
## FUZZTIME: how long fuzz runs each fuzz test (default: 30s)
FUZZTIME ?= 30s
## DURATION: how long soak goes on (default: 10m)
DURATION ?= 10m
## SEED: the seed that soak begins with (default: the one of make test)
SEED ?=
## MUTANTS: regular expression for the names of the mutants to run (default: all)
MUTANTS ?=
## N: how many resources bench works with (default: 1000)
N ?= 1000
## STEADY: how long bench watches a settled system (default: 1m; 10m for the operator's default intervals)
STEADY ?= 1m
## BENCH_ARGS: more arguments of bench (bin/bench --help lists them) or bench-micro (those of go test)
BENCH_ARGS ?=
## ARGS: arguments of the manager that run starts
ARGS ?=
## KUBECTL: kubectl to use (default: bin/k8s/kubectl, built when missing)
## KUBEBUILDER_ASSETS: folder with etcd, kube-apiserver, kube-controller-manager and kubectl (default: bin/k8s, built when missing)

GO ?= go

# Programs are built without the paths of this machine in them. (Tests are not: their failures name files.)
BUILD_FLAGS ?= -trimpath

# Go notes the commit in what it builds, and refuses to build where it sees a repository that git will not read (one without a commit,
# or one of another user); there the commit is left out.
ifneq ($(shell git rev-parse --verify -q HEAD >/dev/null 2>&1 && echo readable),readable)
export GOFLAGS := $(shell $(GO) env GOFLAGS) -buildvcs=false
endif

# The tools have several modfiles: golangci-lint brings its linters as libraries in versions of its choosing, and is not to choose
# them for the generators too. Those of a release have one of their own, and so has each program that tests run: hack/tools/NAME.
test_tools := helm kubeconform
tool := $(GO) tool -modfile=hack/tools/go.mod
lint_tool := $(GO) tool -modfile=hack/tools/lint/go.mod
# Those that verify sees to be tidy. Not test/monitoring and hack/tools/prometheus: they would download the tests of all that Prometheus could
# be linked with.
modules := . hack/controlplane hack/tools hack/tools/lint hack/tools/release $(addprefix hack/tools/,$(test_tools))

# The race detector needs a C compiler; compiling the one standard package that is written in C shows whether there is a working one.
race_flag = $(shell $(GO) build -race -o /dev/null runtime/cgo >/dev/null 2>&1 && echo -race)

# Where etcd, kube-apiserver, kube-controller-manager and kubectl are: built here, unless the environment says otherwise.
ifdef KUBEBUILDER_ASSETS
controlplane_if_ours :=
else
export KUBEBUILDER_ASSETS := $(CURDIR)/bin/k8s
controlplane_if_ours := controlplane
endif

# KUBECTL=kubectl takes the machine's own instead of building ours.
ifdef KUBECTL
kubectl_if_ours :=
else
KUBECTL := bin/k8s/kubectl
kubectl_if_ours := bin-kubectl
endif

##@ Start here

.PHONY: help
help: ## Show this list.
	@awk -f hack/help.awk $(MAKEFILE_LIST)

.PHONY: demo
demo: build $(controlplane_if_ours) ## Show the whole story on this machine, in a minute and a half: registered, disabled, brought back, rotated.
	@bin/demo $(if $(filter-out 0 false no,$(HOLD)),--hold)

.PHONY: test
test: build tools $(controlplane_if_ours) ## Run all tests, with the race detector where there is a C compiler.
	@$(GO) build -o bin/testsummary ./hack/testsummary
	@race='$(race_flag)'; \
	if [ -z "$$race" ]; then echo 'No working C compiler: the tests run without the race detector.'; export CGO_ENABLED=0; fi; \
	set -o pipefail; \
	$(GO) test -json -timeout 20m $$race $(TESTARGS) $(PKG) | bin/testsummary -o bin/test-summary.txt

# In a module of its own, because Prometheus is a dependency of nothing else. The first command has a real operator make the scrapes; it is
# built as the programs are, so that what they have compiled need not be compiled again.
.PHONY: test-monitoring
test-monitoring: build $(controlplane_if_ours) ## Evaluate alerts and dashboard with Prometheus' own engine, over what a real operator shows.
	@$(GO) build -o bin/testsummary ./hack/testsummary
	@rm -rf bin/monitoring
	@SCRAPES='$(CURDIR)/bin/monitoring' CGO_ENABLED=0 $(GO) test $(BUILD_FLAGS) -count=1 ./test/e2e -run '^TestAlertsAndDashboardNameWhatAFleetInTroubleShows$$'
	@set -o pipefail; cd test/monitoring && $(GO) test -json $(TESTARGS) ./... | ../../bin/testsummary -o ../../bin/test-monitoring-summary.txt

##@ Build

.PHONY: build
build: ## Build bin/manager, bin/kubectl-medblocks, bin/emulator, bin/receiver and bin/demo.
	@mkdir -p bin
	@CGO_ENABLED=0 hack/progress.sh 'the programs' $(GO) build -v $(BUILD_FLAGS) -o bin/ ./cmd/...

.PHONY: controlplane
controlplane: ## Build etcd, kube-apiserver, kube-controller-manager and kubectl into bin/k8s, if missing or outdated.
	@hack/controlplane/build.sh bin/k8s

.PHONY: node-programs
node-programs: controlplane
	@hack/controlplane/build.sh bin/k8s kube-scheduler kubelet kube-proxy

.PHONY: bin-kubectl
bin-kubectl:
	@hack/controlplane/build.sh bin/k8s kubectl

.PHONY: tools
tools: $(addprefix bin/tools/,$(test_tools)) ## Build the programs that tests run into bin/tools, if missing or outdated.

# It knows all clouds otherwise. Only a node's end-to-end test runs it: `make test` does not build it.
bin/tools/prometheus: tool_flags := -tags remove_all_sd,enable_kubernetes_sd

# The flags, and most versions, are those of hack/controlplane/build.sh: what both compile is compiled once.
bin/tools/%: hack/tools/%/go.mod hack/tools/%/go.sum
	@mkdir -p bin/tools
	@cd hack/tools/$* && GOFLAGS=-mod=readonly GOWORK=off CGO_ENABLED=0 ../../progress.sh '$*' $(GO) build -v -trimpath -buildvcs=false -ldflags '-s -w' \
		$(tool_flags) -o '$(CURDIR)/bin/tools/' tool
	@touch $@

.PHONY: image
image: ## Build the container image IMG with docker, podman or buildah, whichever works here.
	@IMG='$(IMG)' PLATFORM='$(PLATFORM)' PUSH='$(filter-out 0 false no,$(PUSH))' GO_IMAGE='$(GO_IMAGE)' hack/image.sh

.PHONY: release
release: bin/tools/helm ## Write what is published of VERSION into bin/release, and build the image where that is possible.
	@GO='$(GO)' VERSION='$(VERSION)' PLUGIN_PLATFORMS='$(PLUGIN_PLATFORMS)' PLATFORM='$(PLATFORM)' PUSH='$(filter-out 0 false no,$(PUSH))' GO_IMAGE='$(GO_IMAGE)' hack/release.sh

.PHONY: clean
clean: ## Remove what was built. The control plane in bin/k8s stays; make clean-all removes it too.
	rm -rf $(filter-out bin/k8s,$(wildcard bin/*))

.PHONY: clean-all
clean-all:
	rm -rf bin

##@ Generate

.PHONY: generate
generate: ## Generate the resource's deepcopy functions.
	@$(tool) controller-gen object:headerFile=hack/boilerplate.go.txt paths=./api/v1alpha1/...

.PHONY: manifests
manifests: ## Generate the CustomResourceDefinition (config/rbac is written by hand: each rule says who needs it).
	@$(tool) controller-gen crd paths=./api/v1alpha1/... output:crd:artifacts:config=config/crd/bases

.PHONY: docs
docs: ## Generate the reference page of the resource, docs/reference.md.
	@$(tool) crd-ref-docs --source-path=api/v1alpha1 --config=hack/docs/config.yaml --templates-dir=hack/docs --renderer=markdown \
		--output-path=docs/reference.md --log-level=ERROR

.PHONY: licenses
licenses: ## Check the licences of what the programs of a release are linked from, and list them in docs/licenses.md.
	@mkdir -p bin
	@GO='$(GO)' hack/licenses.sh list >bin/licenses.md && mv bin/licenses.md docs/licenses.md

.PHONY: install-manifest
install-manifest: manifests ## Render config/default into one file for kubectl apply, dist/install.yaml.
	@mkdir -p dist
	@$(tool) kustomize build config/default --output dist/install.yaml

.PHONY: chart
chart: manifests ## Copy what the Helm chart in dist/chart shares with config: CustomResourceDefinitions, permissions, alerts.
	@rm -rf dist/chart/files && mkdir -p dist/chart/files/{crds,rbac,namespaced,prometheus}
	@cp config/crd/bases/*.yaml dist/chart/files/crds/
	@cp $(filter-out %/kustomization.yaml %/service_account.yaml,$(wildcard config/rbac/*.yaml)) dist/chart/files/rbac/
	@cp $(filter-out %/kustomization.yaml,$(wildcard config/namespaced/role/*.yaml)) dist/chart/files/namespaced/
	@for file in $(wildcard config/prometheus/prometheusrule.yaml); do cp "$$file" dist/chart/files/prometheus/; done

##@ Check

.PHONY: lint
lint: ## Run golangci-lint, and kube-api-linter as one of its linters (.golangci.yml gives the reason for each linter).
	@$(lint_tool) golangci-lint-kube-api-linter run
	@cd test/monitoring && $(GO) tool -modfile=../../hack/tools/lint/go.mod golangci-lint-kube-api-linter run --config ../../.golangci.yml

.PHONY: vulncheck
vulncheck: ## Look for known vulnerabilities in what the programs call; says that it is skipped where the database is not reachable.
	@$(GO) run ./hack/vulncheck "$${GOVULNDB:-https://vuln.go.dev}" $(GO) tool -modfile=hack/tools/release/go.mod govulncheck ./cmd/...

.PHONY: verify
verify: ## Check that generated files are up to date, and modules, formatting and vet are in order.
	@GO='$(GO)' MAKE='$(MAKE)' MODULES='$(modules)' hack/verify.sh

.PHONY: fuzz
fuzz: ## Run every fuzz test for FUZZTIME.
	@GO='$(GO)' FUZZTIME='$(FUZZTIME)' hack/fuzz.sh $(PKG)

.PHONY: test-exhaustive
test-exhaustive: build $(controlplane_if_ours) ## Run every plan: each crash point, stale view, fault and edit. make test runs a part.
	@GO='$(GO)' hack/exhaustive.sh $(TESTARGS)

.PHONY: e2e-node
e2e-node: ## Run the operator as Pods on a real node: image, probes, mounted Secret, restarts. Needs Linux, root and containerd.
	@GO='$(GO)' MAKE='$(MAKE)' hack/e2e-node.sh

.PHONY: soak
soak: $(controlplane_if_ours) ## Let everything go wrong at once for DURATION, from SEED on.
	@SOAK_DURATION='$(DURATION)' SOAK_SEED='$(SEED)' $(GO) test ./test/soak -run TestAfterEveryStorm -count=1 -timeout 0 -v $(TESTARGS)

.PHONY: bench
bench: build $(controlplane_if_ours) ## Measure what N resources cost, and what the same costs without the operator and with a textbook one.
	@$(GO) build -o bin/bench ./test/bench
	@bin/bench -n $(N) --steady $(STEADY) $(BENCH_ARGS)

.PHONY: bench-micro
bench-micro: ## Measure single functions at 10,000 endpoints: time and allocations of a plan, a diff, a sweep.
	@$(GO) test -run '^$$' -bench . -benchmem -count 1 $(BENCH_ARGS) ./controllers/...

.PHONY: mutants
mutants: $(controlplane_if_ours) ## Undo one safeguard after another, and see that the test which guards it fails.
	@$(GO) run ./hack/mutants -run '$(MUTANTS)'

.PHONY: presubmit
presubmit: lint verify test test-monitoring ## Everything that a committed change must pass.

##@ Cluster: uses the current kubeconfig context

.PHONY: run
run: build ## Run the manager on this machine.
	bin/manager $(ARGS)

.PHONY: install
install: $(kubectl_if_ours) ## Install the CustomResourceDefinition.
	$(KUBECTL) apply --server-side -k config/crd

.PHONY: uninstall
uninstall: $(kubectl_if_ours) ## Remove the CustomResourceDefinition, and with it every resource. The manager must still run to finish that.
	$(KUBECTL) delete --ignore-not-found -k config/crd

.PHONY: deploy
deploy: $(kubectl_if_ours) ## Deploy the manager with image IMG, and everything it needs.
	@mkdir -p bin/deploy
	@echo 'resources: [../../config/default]' >bin/deploy/kustomization.yaml
	@cd bin/deploy && $(GO) tool -modfile=../../hack/tools/go.mod kustomize edit set image '$(firstword $(subst :, ,$(default_image)))=$(IMG)'
	$(KUBECTL) apply --server-side -k bin/deploy

.PHONY: undeploy
undeploy: $(kubectl_if_ours) ## Remove the manager; resources and the CustomResourceDefinition stay.
	$(KUBECTL) delete --ignore-not-found -k config/manager
	$(KUBECTL) delete --ignore-not-found -k config/rbac
