// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/test/process"
)

// demonstration is a demo that runs with temporary folders of its own. Everything that it starts inherits that setting, by which it
// can be found.
type demonstration struct {
	*process.Process
	tmp string
}

func startDemo(t *testing.T, args ...string) *demonstration {
	t.Helper()
	g := NewWithT(t)
	tmp := t.TempDir()
	log := filepath.Join(suite.stack.Dir, "demo-"+t.Name()+".log")
	suite.secrets.watchLog(log)
	cmd := suite.plane.Command(context.Background(), suite.stack.Programs.Demo, args...)
	cmd.Env = append(os.Environ(), "TMPDIR="+tmp)
	p, err := process.Start("demo", cmd, log)
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { _ = p.Kill() })
	return &demonstration{Process: p, tmp: tmp}
}

// await waits until the demo has said something.
func (d *demonstration) await(t *testing.T, pattern string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()
	found, err := d.AwaitLine(ctx, regexp.MustCompile(pattern))
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return found
}

// ends waits for the demo's end and returns its exit code.
func (d *demonstration) ends(t *testing.T, within time.Duration) int {
	t.Helper()
	NewWithT(t).Eventually(d.Done()).WithTimeout(within).Should(BeClosed(), "the demo said:\n%s", d.Log())
	return d.ExitCode()
}

// running is a process that the demo has started, or itself.
type running struct {
	pid     int
	command string
}

func (d *demonstration) processes(t *testing.T) []running {
	t.Helper()
	environments, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil || len(environments) == 0 {
		t.Skip("no /proc to look for processes in")
	}
	var found []running
	for _, path := range environments {
		environment, err := os.ReadFile(path) // a process may be gone by now: then it does not count
		if err != nil || !strings.Contains("\x00"+string(environment), "\x00TMPDIR="+d.tmp+"\x00") {
			continue
		}
		dir := filepath.Dir(path)
		line, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		pid, err := strconv.Atoi(filepath.Base(dir))
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		found = append(found, running{pid: pid, command: strings.ReplaceAll(string(line), "\x00", " ")})
	}
	return found
}

func (d *demonstration) files(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(d.tmp)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func (d *demonstration) expectNothingLeft(t *testing.T) {
	t.Helper()
	g := NewWithT(t)
	g.Expect(d.processes(t)).To(BeEmpty())
	g.Expect(d.files(t)).To(BeEmpty())
}

// program is one that must run in the middle of the story.
func (d *demonstration) program(t *testing.T, name string) running {
	t.Helper()
	found := slices.DeleteFunc(d.processes(t), func(r running) bool { return !strings.Contains(r.command, "/"+name+" ") })
	NewWithT(t).Expect(found).To(HaveLen(1), name)
	return found[0]
}

// expectPrograms proves that an empty list of processes means something: this is how they are found.
func (d *demonstration) expectPrograms(t *testing.T) {
	t.Helper()
	for _, name := range []string{"etcd", "kube-apiserver", "kube-controller-manager", "emulator", "receiver", "manager", "demo"} {
		d.program(t, name)
	}
}

func TestTheDemoTellsTheWholeStoryAndLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	demo := startDemo(t)
	g.Expect(demo.ends(t, 5*patience)).To(Equal(0), "the demo said:\n%s", demo.Log())
	said := demo.Log()
	g.Expect(said).To(ContainSubstring("$ kubectl apply -f endpoint.yaml\n"))
	expectInOrder(g, said,
		`POST /webhooks \(201\)`, `condition Ready – → True Registered`, `verified its signature with the current secret`,
		`attempt 3 after 6 min → 50[34]`, `condition DeliveriesHealthy – → False DeliveriesFailing`, `If nothing changes, Medblocks disables the endpoint on`,
		`✓ the operator warns after [3-8] failed attempts of nine`,
		`attempt 9 after 3\.6 days → 503`, `condition Enabled True → False AutoDisabled`, `condition Ready True → False AutoDisabled`,
		`Warning DeliveriesFailing`, `Warning AutoDisabled`, `of the 4 events before that, which failed 9, 8, 7 and 6 times`,
		`it answered 503`, `condition Enabled still False AutoDisabled .{0,250}it answered 405`,
		`PATCH /webhooks/wh_\w+ {"status":"active"} \(200\)`, `condition Enabled False → True Active`, `the attempt was in the status before it was made`,
		`POST /events/evt_\w+/redeliver, receiver: 200 \(the canary`, `and counts 1 duplicate`, `"delivered":4,`, `"state":"Completed"`,
		`EnableEndpoint ReenablePolicy`,
		`POST /webhooks/wh_\w+/rotate-secret \(200\)`, `refused none: [1-9]\d* signed with the old secret, [1-9]\d* with the new one`,
		`MEDBLOCKS_WEBHOOK_SECRET_PREVIOUS:`, `nothing fails any more`,
		`DELETE /webhooks/wh_\w+ \(204\)`, `All of it was seen to happen`, `✓ 10\. `,
	)
	g.Expect(said).To(MatchRegexp(`condition DeliveriesHealthy +Unknown +→ True +Delivering`), "a minute after the first look")
	g.Expect(said).NotTo(ContainSubstring("\x1b"), "no colours in a file")
	demo.expectNothingLeft(t)
}

// expectInOrder finds one pattern behind the other. Where lines were wrapped does not matter.
func expectInOrder(g Gomega, said string, patterns ...string) {
	rest := strings.Join(strings.Fields(said), " ")
	for _, pattern := range patterns {
		found := regexp.MustCompile(pattern).FindStringIndex(rest)
		g.Expect(found).NotTo(BeNil(), "%s is not in its place; the demo said:\n%s", pattern, said)
		rest = rest[found[1]:]
	}
}

func TestADemoThatIsHeldCanBePlayedWithAndEndsWell(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	demo := startDemo(t, "--hold")
	kubeconfig := demo.await(t, `export KUBECONFIG=(\S+)`)[1]
	fail := demo.await(t, `curl -sS -X POST (http://\S+/_receiver/fail)`)[1]
	demo.await(t, "Ctrl-C stops and removes everything")
	g.Expect(kubectl(t, "", "--kubeconfig="+kubeconfig, "wait", "--for=condition=Ready", "mwe", "--all")).To(ContainSubstring("patient-events condition met"))
	// In the held world the receiver can be told to fail, as the demo says.
	response, err := http.Post(fail, "", nil)
	g.Expect(err).NotTo(HaveOccurred())
	defer response.Body.Close()
	g.Expect(response.StatusCode).To(Equal(http.StatusOK))

	g.Expect(demo.Signal(syscall.SIGTERM)).To(Succeed())
	g.Expect(demo.ends(t, patience)).To(Equal(0), "the story had been told; the demo said:\n%s", demo.Log())
	demo.expectNothingLeft(t)
}

func TestADemoThatIsInterruptedStopsAtOnceAndSaysSo(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	demo := startDemo(t)
	demo.await(t, "attempt 7")
	demo.expectPrograms(t)
	g.Expect(demo.Signal(os.Interrupt)).To(Succeed())
	g.Expect(demo.ends(t, patience)).To(Equal(130))
	g.Expect(demo.Log()).To(ContainSubstring("Interrupted"))
	g.Expect(demo.Log()).NotTo(ContainSubstring("All of it was seen"))
	demo.expectNothingLeft(t)
}

func TestADemoThatIsKilledLeavesNothingBehindEither(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	demo := startDemo(t)
	demo.await(t, "attempt 7")
	demo.expectPrograms(t)
	g.Expect(demo.Kill()).To(Succeed())
	g.Eventually(func() []running { return demo.processes(t) }).WithTimeout(patience).WithPolling(often).Should(BeEmpty())
	g.Eventually(func() []string { return demo.files(t) }).WithTimeout(patience).WithPolling(often).Should(BeEmpty())
}

func TestADemoWhoseOperatorEndsTellsWhyItFailed(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	demo := startDemo(t)
	demo.await(t, "attempt 7")
	g.Expect(syscall.Kill(demo.program(t, "manager").pid, syscall.SIGKILL)).To(Succeed())
	g.Expect(demo.ends(t, patience)).To(Equal(1))
	g.Expect(demo.Log()).To(And(
		ContainSubstring("This did not happen as it should: Nobody mends it"), ContainSubstring("manager ended by itself (signal: killed)"),
		ContainSubstring("The last 40 lines of the operator's log"), ContainSubstring("Wrote to Medblocks"),
	))
	demo.expectNothingLeft(t)
}
