# Copyright 2026 The Medblocks Webhook Operator Authors.
# SPDX-License-Identifier: Apache-2.0
#
# The manager's image: one static program and the CA certificates that it verifies Medblocks with. `make image` builds it with docker,
# podman or buildah. Compiled on the builder's own platform for the target's, so that no emulator is needed.
#
# The compiler has its exact version, because the program depends on it. There is no digest: it would have to be looked up in a registry
# at each update, by hand. Who wants one builds with --build-arg GO_IMAGE=docker.io/library/golang:1.26.8@sha256:…
ARG GO_IMAGE=docker.io/library/golang:1.26.8
FROM --platform=$BUILDPLATFORM ${GO_IMAGE} AS build
ARG TARGETOS
ARG TARGETARCH
WORKDIR /src

# The modules have a layer of their own, which stays valid while only code changes.
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# There is no .git here: the commit is in the image's labels.
RUN CGO_ENABLED=0 GOOS=${TARGETOS} GOARCH=${TARGETARCH} \
    go build -trimpath -buildvcs=false -ldflags "-s -w" -o /out/manager ./cmd/manager

# What the image holds, with the time of the commit on each file: the same commit gives the same layer.
ARG CREATED=1970-01-01T00:00:00Z
RUN mkdir -p /out/etc/ssl/certs && \
    cp /etc/ssl/certs/ca-certificates.crt /out/etc/ssl/certs/ && \
    find /out -exec touch -d "${CREATED}" {} +

FROM scratch
ARG CREATED=1970-01-01T00:00:00Z
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Medblocks webhook operator" \
      org.opencontainers.image.description="Kubernetes operator that keeps Medblocks webhook endpoints as declared" \
      org.opencontainers.image.source="https://github.com/medblocks/webhook-operator" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /out/ /
# A number, because Kubernetes can only check a number against runAsNonRoot. Nothing is written: the root file system can be read-only.
USER 65532:65532
ENTRYPOINT ["/manager"]
