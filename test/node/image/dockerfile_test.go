// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package image

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// root is the repository.
var root = filepath.Join("..", "..", "..")

func dockerfile(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return string(content)
}

func TestTheDockerfileIsRead(t *testing.T) {
	g := NewWithT(t)
	read, err := parse(dockerfile(t))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(read.compile).To(Equal(`CGO_ENABLED=0 GOOS=${TARGETOS} GOARCH=${TARGETARCH} ` +
		`go build -trimpath -buildvcs=false -ldflags "-s -w" -o /out/manager ./cmd/manager`))
	g.Expect(read.program).To(Equal("/manager"))
	g.Expect(read.files).To(Equal(map[string]string{"/etc/ssl/certs/ca-certificates.crt": "/etc/ssl/certs/ca-certificates.crt"}))
	g.Expect(read.folders).To(Equal([]string{"/etc", "/etc/ssl", "/etc/ssl/certs"}))
	g.Expect(read.user).To(Equal("65532:65532"))
	g.Expect(read.entrypoint).To(Equal([]string{"/manager"}))
	g.Expect(read.created).To(Equal("1970-01-01T00:00:00Z"))
	g.Expect(read.labels).To(HaveLen(7))
	g.Expect(read.labels).To(HaveKeyWithValue("org.opencontainers.image.licenses", "Apache-2.0"))
	g.Expect(read.labels).To(HaveKeyWithValue("org.opencontainers.image.version", "unknown"))
	g.Expect(read.labels).To(HaveKeyWithValue("org.opencontainers.image.created", "1970-01-01T00:00:00Z"))
}

// TestWhatTheReaderDoesNotKnowIsNotPassedOver changes the Dockerfile in one place each: the image would be another one then.
func TestWhatTheReaderDoesNotKnowIsNotPassedOver(t *testing.T) {
	const user, entrypoint, touch, last = "USER 65532:65532\n", "ENTRYPOINT [\"/manager\"]\n", " && \\\n    find /out ", "COPY --from=build /out/ /\n"
	const created = "FROM scratch\nARG CREATED=1970-01-01T00:00:00Z"
	for name, c := range map[string]struct{ old, changed, says string }{
		"an instruction":                    {user, user + "VOLUME /data\n", "does not know what VOLUME does here"},
		"an environment":                    {user, user + "ENV GODEBUG=x\n", "does not know what ENV does here"},
		"a command beside the entrypoint":   {entrypoint, entrypoint + "CMD [\"--leader-elect\"]\n", "does not know what CMD does here"},
		"a folder to run in":                {user, user + "WORKDIR /src\n", "does not know what WORKDIR does here"},
		"another folder to compile in":      {"WORKDIR /src", "WORKDIR /app", "only known as"},
		"another base":                      {"FROM scratch", "FROM gcr.io/distroless/static", "only known as"},
		"a third stage":                     {"FROM scratch\n", "FROM scratch\nFROM scratch\n", "does not know what FROM does here"},
		"another compiler":                  {"${GO_IMAGE} AS build", "golang:latest AS build", "only known as"},
		"a command":                         {"RUN go mod download", "RUN go generate ./...", `what the command "go generate ./..." does`},
		"a command after one that is known": {"RUN go mod download", "RUN go mod download && rm go.sum", `what the command "rm go.sum" does`},
		"a command after a semicolon":       {"./cmd/manager", "./cmd/manager; rm go.sum", "does not know what the command"},
		"a flag of a copy":                  {last, "COPY --chown=1:1 --from=build /out/ /\n", "only known as"},
		"a file of the context":             {last, last + "COPY README.md /\n", "only known as"},
		"a part of what was made":           {last, "COPY --from=build /out/manager /\n", "only known as"},
		"a folder that is not there":        {"mkdir -p /out/etc/ssl/certs", "mkdir -p /out/etc/ssl", "no folder /etc/ssl/certs was made"},
		"a file of another name":            {"/out/etc/ssl/certs/", "/out/etc/ssl/certs/all.crt", "does not know what the command"},
		"a user by name":                    {user, "USER nonroot\n", "only known as two numbers"},
		"a second user":                     {user, user + "USER 0:0\n", "it is there twice"},
		"no user":                           {user, "", "names a user"},
		"a shell":                           {entrypoint, "ENTRYPOINT /manager\n", "only known as a list"},
		"a second entrypoint":               {entrypoint, entrypoint + entrypoint, "it is there twice"},
		"an entrypoint that is not there":   {entrypoint, "ENTRYPOINT [\"/operator\"]\n", "takes the program for entrypoint"},
		"no entrypoint":                     {entrypoint, "", "takes the program for entrypoint"},
		"no time":                           {touch, " && true || find /out ", "does not know what the command"},
		"two times":                         {created, strings.Replace(created, "1970", "2026", 1), "it was 1970-01-01T00:00:00Z before"},
		"a label of an unknown variable":    {"${REVISION}", "${COMMIT}", "${COMMIT} is not an argument of this stage"},
		"a label of the other form":         {"${REVISION}", "$REVISION", "is not an argument of this stage"},
		"a label without quotes":            {`.licenses="Apache-2.0"`, ".licenses=Apache-2.0", "only known as name="},
		"a label twice":                     {"image.revision", "image.version", "it is there twice"},
		"an argument of another":            {"ARG VERSION=unknown", "ARG VERSION=${GO_IMAGE}", "quotes and variables are not known"},
		"in small letters":                  {user, "user 65532:65532\n", "does not know what user does here"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			original := dockerfile(t)
			g.Expect(original).To(ContainSubstring(c.old))
			_, err := parse(strings.Replace(original, c.old, c.changed, 1))
			g.Expect(err).To(MatchError(ContainSubstring(c.says)))
		})
	}
}

func TestAPartThatIsMissingIsMissed(t *testing.T) {
	for without, says := range map[string]string{
		"RUN CGO_ENABLED": "not everything is there yet",
		"RUN mkdir":       "no instruction brings the certificates that it trusts",
		"COPY --from":     "no instruction copies what was made to the image",
		"USER":            "no instruction names a user",
		"ENTRYPOINT":      "no instruction takes the program for entrypoint",
		"FROM scratch":    "does not know what LABEL does here",
	} {
		t.Run(without, func(t *testing.T) {
			var kept []string
			for _, instruction := range Instructions(dockerfile(t)) {
				if !strings.HasPrefix(instruction, without) {
					kept = append(kept, instruction)
				}
			}
			_, err := parse(strings.Join(kept, "\n"))
			NewWithT(t).Expect(err).To(MatchError(ContainSubstring(says)))
		})
	}
}
