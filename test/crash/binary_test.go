// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package crash

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/lab"
	"github.com/medblocks/webhook-operator/test/process"
)

const (
	// patience is how long (real time) the real program may take for anything.
	patience = 90 * time.Second
	// pollInterval of the real program, which lives in real time.
	pollInterval = time.Second
	// polls are how many of them have to pass without a write until the program has nothing left to do.
	polls = 3
)

// build builds the operator, with the flags of `make build`, whose results are cached.
func build(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "manager")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-o", path, "../../cmd/manager")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building the operator: %v\n%s", err, output)
	}
	return path
}

// program is the real operator, behind doors.
type program struct {
	*process.Process
	wire  *lab.Wire
	doors *lab.Doors
	// log of the world, which is searched for secrets and panics: it gets all that the program has said, once that has ended.
	log  io.Writer
	said sync.Once
}

// run starts the real operator, as talkative as it can be.
func run(w *lab.World, path string, m lab.Middleware, flags ...string) *program {
	w.T.Helper()
	wire := w.NewWire()
	wire.Intercept(m)
	p := &program{wire: wire, doors: w.Open(wire), log: w.Logs}
	cmd := lab.Command(w.T.Context(), path, append(flags,
		"--kubeconfig="+p.doors.Kubeconfig, "--api-base-url="+p.doors.Medblocks, "--watch-namespaces="+w.Namespace, "--cluster-id="+lab.ClusterID,
		"--api-timeout=2s", "--poll-interval="+pollInterval.String(), "--disabled-poll-interval="+pollInterval.String(),
		"--api-qps=100", "--api-burst=100", "--metrics-bind-address=0", "--health-probe-bind-address=0", "--zap-log-level=10",
	)...)
	var err error
	p.Process, err = process.Start("manager", cmd, filepath.Join(w.T.TempDir(), "log"))
	w.Expect(err).NotTo(HaveOccurred())
	w.T.Cleanup(p.kill)
	return p
}

// kill ends the operator with SIGKILL, once the answers that it is to get have arrived.
func (p *program) kill() {
	p.wire.Cut()
	p.doors.Close()
	_ = p.Kill() // it may have been killed before
	p.said.Do(func() { _, _ = io.WriteString(p.log, p.Log()) })
}

// rest waits until the program watches the resources, and then for some polls in which it writes nothing.
func (p *program) rest(w *lab.World) {
	w.T.Helper()
	w.Eventually(p.watches).WithTimeout(patience).WithPolling(50*time.Millisecond).Should(BeTrue(), p.Log)
	written, since := p.wire.Written(), time.Now()
	w.Eventually(func() time.Duration {
		if n := p.wire.Written(); n != written {
			written, since = n, time.Now()
		}
		return time.Since(since)
	}).WithTimeout(patience).WithPolling(50*time.Millisecond).Should(BeNumerically(">=", polls*pollInterval), p.Log)
}

func (p *program) watches() bool {
	return slices.ContainsFunc(p.wire.Requests(), func(r lab.Request) bool {
		return r.Side == lab.Kubernetes && r.Query.Get("watch") != "" && strings.HasSuffix(r.Path, "/"+lab.ResourceViews)
	})
}

func TestTheRealProgramSurvivesSIGKILL(t *testing.T) {
	t.Parallel()
	path := build(t)
	all := named("register", "spec change", "rotate by annotation", "rename the Secret", "adopt with Rotate", "delete")
	for i, s := range all {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			undisturbed := play(t, s)
			for _, c := range killings(undisturbed.writes, i) {
				t.Run(c.String(), func(t *testing.T) {
					t.Parallel()
					lab.Report("the real program: " + s.name).Plan(t)
					killed(t, path, s, undisturbed, c)
				})
			}
		})
	}
}

// killings are all points, or two of three: each start of a program takes a while.
func killings(writes, row int) []crash {
	all := points(writes, row)
	if lab.Exhaustive() {
		return all
	}
	left := row % len(all)
	return slices.Delete(all, left, left+1)
}

// killed kills the real operator in a scenario, and lets another one finish. The world has been prepared in virtual time, which
// begins so early that it does not run ahead of the real one.
func killed(t *testing.T, path string, s scenario, undisturbed result, c crash) {
	t.Helper()
	w, op := stage(t, s, func(s *lab.Setup) { s.Start = s.Start.Add(-time.Hour) })
	op.Kill()
	first := run(w, path, lab.CrashAt(c.write, c.kind))
	s.act(w)
	w.Eventually(first.wire.Done()).WithTimeout(patience).Should(BeClosed(), first.Log)
	first.kill()
	w.Expect(first.Running()).To(BeFalse())
	w.Expect(w.Logs.String()).To(ContainSubstring("Reconciling"), "what it said at the highest verbosity")
	second := run(w, path, nil)
	difference := func() string { return cmp.Diff(undisturbed.outcome, outcome(w)) }
	w.Eventually(difference).WithTimeout(patience).WithPolling(200*time.Millisecond).
		Should(BeEmpty(), "SIGKILL changes the outcome (-undisturbed +killed)")
	second.rest(w)
	w.Expect(difference()).To(BeEmpty(), "(-undisturbed +killed)")
	s.count(t, result{calls: callsTo(w), crashes: 1})
	w.CheckInvariants()
	checkForeign(w)
}

func TestTheRealProgramWritesNothingButTheStatusUnderReadOnly(t *testing.T) {
	t.Parallel()
	lab.Report("the real program: --read-only").Plan(t)
	w := lab.NewWorld(t)
	p := run(w, build(t), nil, "--read-only")
	create()(w)
	w.Eventually(func() any {
		return meta.FindStatusCondition(w.Get(hooks).Status.Conditions, v1alpha1.ConditionSynced)
	}).WithTimeout(patience).WithPolling(50*time.Millisecond).Should(HaveValue(HaveField("Reason", v1alpha1.ReasonDrifted)), p.Log)
	p.rest(w)
	w.Expect(w.Secret(signing)).To(BeNil())
	w.Expect(callsTo(w)).To(Equal(calls{}))
	for _, r := range p.wire.Requests() {
		if r.IsWrite() {
			w.Expect(r.Side).To(Equal(lab.Kubernetes), r.String())
			w.Expect(r.Method+" "+r.Path).To(And(HavePrefix(http.MethodPatch), HaveSuffix("/"+hooks+"/status")), r.String())
		}
	}
	w.CheckInvariants()
}
