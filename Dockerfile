# Copyright 2026 The Medblocks Webhook Operator Authors.
# SPDX-License-Identifier: Apache-2.0
#
# The manager's image: one static program and the CA certificates that it verifies Medblocks with. `make image` builds it with docker,
# podman or buildah. Compiled on the builder's own platform for the target's, so that no emulator is needed.
ARG GO_VERSION=1.26
FROM --platform=$BUILDPLATFORM golang:${GO_VERSION} AS build
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

FROM scratch
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Medblocks webhook operator" \
      org.opencontainers.image.description="Kubernetes operator that keeps Medblocks webhook endpoints as declared" \
      org.opencontainers.image.source="https://github.com/medblocks/webhook-operator" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/manager /manager
# A number, because Kubernetes can only check a number against runAsNonRoot.
USER 65532:65532
ENTRYPOINT ["/manager"]
