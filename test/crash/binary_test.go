// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package crash

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/lab"
	"github.com/medblocks/webhook-operator/test/process"
)

// patience is how long (real time) the real program may take for anything.
const patience = 90 * time.Second

// pollInterval of the real program, which lives in real time.
const pollInterval = time.Second

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
}

// run starts the real operator, which one of the crashes ends, if there is any.
func run(w *lab.World, path string, crashes ...crash) *program {
	w.T.Helper()
	wire := w.NewWire()
	wire.Intercept(next(crashes))
	p := &program{wire: wire, doors: w.Open(wire)}
	cmd := lab.Command(w.T.Context(), path,
		"--kubeconfig="+p.doors.Kubeconfig, "--api-base-url="+p.doors.Medblocks, "--watch-namespaces="+w.Namespace, "--cluster-id="+lab.ClusterID,
		"--api-timeout=2s", "--poll-interval="+pollInterval.String(), "--disabled-poll-interval="+pollInterval.String(),
		"--api-qps=100", "--api-burst=100", "--metrics-bind-address=0", "--health-probe-bind-address=0",
	)
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
}

// settle waits until the resource is Ready, and nothing is written any more.
func (p *program) settle(w *lab.World) {
	w.T.Helper()
	written, since := 0, time.Now()
	w.Eventually(func() bool {
		if n := p.wire.Written(); n != written {
			written, since = n, time.Now()
		}
		return meta.IsStatusConditionTrue(w.Get(hooks).Status.Conditions, v1alpha1.ConditionReady) && time.Since(since) >= 3*pollInterval
	}).WithTimeout(patience).WithPolling(50*time.Millisecond).Should(BeTrue(), p.Log)
}

func TestTheRealProgramSurvivesSIGKILL(t *testing.T) {
	t.Parallel()
	path := build(t)
	w := lab.NewWorld(t)
	undisturbed := run(w, path)
	create()(w)
	undisturbed.settle(w)
	before := outcome(w)
	const writes = 4 // intent, POST, Secret and status; in real time, a stale cache may cost another one
	w.Expect(undisturbed.wire.Written()).To(BeNumerically(">=", writes))
	for _, c := range points(writes, 1) {
		t.Run(c.String(), func(t *testing.T) {
			t.Parallel()
			lab.Report("register, the real program").Plan(t)
			killed(t, path, before, c)
		})
	}
}

// killed kills the real operator while it registers, and lets another one finish.
func killed(t *testing.T, path string, undisturbed lab.State, c crash) {
	t.Helper()
	w := lab.NewWorld(t)
	first := run(w, path, c)
	create()(w)
	w.Eventually(first.wire.Done()).WithTimeout(patience).Should(BeClosed(), first.Log)
	first.kill()
	w.Expect(first.Running()).To(BeFalse())
	second := run(w, path)
	second.settle(w)
	if diff := cmp.Diff(undisturbed, outcome(w)); diff != "" {
		t.Errorf("SIGKILL changes the outcome (-undisturbed +killed):\n%s", diff)
	}
	s := scenario{calls: calls{posts: 1}}
	s.count(t, result{calls: callsTo(w), crashes: 1})
	w.CheckInvariants()
}
