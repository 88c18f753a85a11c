// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
)

// model is one resource, its Secrets and Medblocks as plain data: what a plan's step does is done to it at once, or late,
// or not at all. It has no client of any kind; makePlan, conclude and the judgement of errors are the operator's own.
type model struct {
	rng   *rand.Rand
	clock *clocktesting.FakeClock
	judge Reconciler // for its clock and its judgement
	res   *v1alpha1.MedblocksWebhookEndpoint
	mem   *memory

	// What the key Secret holds: the hash of the key, empty where there never was one, and why there is none now.
	keyHash     string
	credentials error
	refused     error
	pausedUntil time.Time
	snapshot    snapshot

	// Medblocks: the endpoints by workspace and id, the secret that each signs with, and the exhausted events of each.
	endpoints  map[string]map[string]*medblocks.Endpoint
	inForce    map[string]string
	exhausted  map[string][]medblocks.EventRecord
	byPerson   map[string]bool // disabled by a person
	normalises bool            // stores URLs in another form than they were sent
	late       []lateEffect

	secrets     map[string]*storedSecret
	source      string // in the user's Secret that the signing secret is copied from; empty: it is not there
	quota       error  // why no Secret can be created
	terminating bool   // the namespace is going
	readOnly    bool

	// Other resources that claim the endpoint to adopt, and those that claim a signing Secret, by its name.
	endpointRivals []rival
	secretRivals   map[string]rival

	errands errands

	// faults are what goes wrong at which write, counted from the first.
	faults map[int]fault
	writes int
	// afterCrash happens once, when the operator has died the next time.
	afterCrash func()
	counts     map[action]int
	serial     int
	gone       bool // the resource
	// released: a deletion finished without its endpoint; stripped: so did one whose finalizer somebody took away.
	released, stripped bool

	// blocked: something was done that only a person can answer, so that the resource need not become Ready.
	blocked bool
	// others are endpoints that must stay as they are.
	others map[string]bystander
	told   []string
	check  func(w *work, p plan) error
}

// snapshot is what the account knows from its last complete list and the operator's own calls.
type snapshot struct {
	key       string
	listedAt  time.Time
	suspect   bool
	endpoints map[string]medblocks.Endpoint
}

// storedSecret is a Secret in Kubernetes.
type storedSecret struct {
	view   secretView
	hidden bool // without the operator's label, the cache does not have it
	locked error
}

// lateEffect is a call that takes effect after its caller has given up.
type lateEffect struct {
	at     time.Time
	effect func()
}

// workspaces of the keys that the model knows.
var workspaces = map[string]string{"v1:key": "A", "v1:new": "A", "v1:other": "B"}

const modelFlight = 30 * time.Second

// newModel is a resource as settled() or unregistered() has it.
func newModel(rng *rand.Rand, from *scenario) *model {
	clock := clocktesting.NewFakeClock(from.now)
	m := &model{
		rng: rng, clock: clock, judge: Reconciler{Clock: clock, PollInterval: pollInterval}, res: from.res, mem: &memory{uid: from.res.UID},
		keyHash: "v1:key", inForce: map[string]string{}, exhausted: map[string][]medblocks.EventRecord{},
		byPerson: map[string]bool{}, endpoints: map[string]map[string]*medblocks.Endpoint{"A": {}, "B": {}},
		secrets: map[string]*storedSecret{}, faults: map[int]fault{}, counts: map[action]int{}, others: map[string]bystander{},
		secretRivals: map[string]rival{},
	}
	if e := from.obs.view.Endpoint; e != nil {
		m.endpoints["A"][e.ID] = e
		m.inForce[e.ID] = string(from.obs.secret.value)
	}
	if from.obs.secret.exists {
		m.secrets[from.obs.secret.name] = &storedSecret{view: from.obs.secret}
	}
	m.list()
	return m
}

func (m *model) unique(kind string) string {
	m.serial++
	return fmt.Sprintf("%s-%d", kind, m.serial)
}

// here are the endpoints that the key sees.
func (m *model) here() map[string]*medblocks.Endpoint { return m.endpoints[workspaces[m.keyHash]] }

// pass lets time go by, with what takes effect meanwhile.
func (m *model) pass(d time.Duration) {
	m.clock.Step(d)
	m.late = slices.DeleteFunc(m.late, func(l lateEffect) bool {
		due := !m.clock.Now().Before(l.at)
		if due {
			l.effect()
		}
		return due
	})
}

// list is a complete list of the account. One that does not show a loss settles a suspicion.
func (m *model) list() {
	m.snapshot = snapshot{key: m.keyHash, listedAt: m.clock.Now(), endpoints: map[string]medblocks.Endpoint{}}
	for id, e := range m.here() {
		m.snapshot.endpoints[id] = clone(e)
	}
}

// restart begins a new life of the operator.
func (m *model) restart() {
	m.mem, m.snapshot = &memory{uid: m.res.UID}, snapshot{}
	m.errands.probing, m.errands.job = false, nil
	if m.credentials != nil {
		m.keyHash = "" // the last working key was in memory only
	}
}

// observe is what the operator's own observe does, of the model.
func (m *model) observe() *work {
	mem, res := m.mem, m.res
	obs := &observation{
		owner: testOwner, nonce: m.unique("nonce"), inFlight: modelFlight,
		live: map[string]*medblocks.Endpoint{}, disposed: map[string]bool{}, since: map[string]time.Time{},
		appliedHash: res.Status.AppliedHash, acceptedHash: res.Status.AcceptedHash,
	}
	w := &work{res: res, mem: mem, obs: obs, performed: map[deed]bool{}, reread: map[string]bool{}}
	mem.meet(res, m.clock.Now(), modelFlight)
	obs.flyingUntil, obs.lostUntil, obs.clobbers = mem.flyingUntil, mem.lostUntil, mem.clobbers
	m.observeSecret(obs)
	m.observeErrands(obs)
	if res.Spec.Suspend && res.DeletionTimestamp.IsZero() {
		return w
	}
	if mem.registered == res.Status.EndpointID {
		mem.registered = ""
	}
	obs.intent = intentOf(res)
	if obs.intent.open(res.Status.EndpointID) {
		obs.intentSince = mem.sight(obs.intent, m.clock.Now())
		obs.intentRefused, obs.registered, obs.failure = mem.refused || obs.intent.Refused, mem.registered, mem.failure
	}
	if is := mem.stored; is.endpointID != "" && (is.endpointID == res.Status.EndpointID || is.endpointID == obs.registered) {
		obs.appliedHash, obs.acceptedHash = is.applied, is.accepted
	}
	obs.held, obs.refusals, obs.proven, obs.clobbered = mem.held, mem.refusals, mem.proven, mem.clobbered
	obs.copies, obs.sourceDue = mem.copies, m.judge.sourceDue(w)
	if mem.deleted != "" {
		obs.live[mem.deleted], obs.disposed[mem.deleted] = nil, true
	}
	m.observeAccount(obs)
	return w
}

func (m *model) observeSecret(obs *observation) {
	name := m.res.SigningSecretName()
	obs.secret = m.look(name, false)
	for _, other := range slices.Sorted(maps.Keys(m.secrets)) {
		s := m.res.Status.SigningSecret
		stored := m.secrets[other]
		if other != name && ((s != nil && s.Name == other) || (stored.view.owned && !stored.hidden)) {
			former := m.look(other, false)
			obs.former = append(obs.former, &former)
		}
	}
	m.observeSecretRivals(obs)
}

func (m *model) observeAccount(obs *observation) {
	obs.credentials = m.credentials
	if m.keyHash == "" {
		return
	}
	if m.snapshot.key != m.keyHash {
		m.snapshot = snapshot{key: m.keyHash, endpoints: map[string]medblocks.Endpoint{}}
	}
	if obs.registered != "" && obs.intent.underAnotherKey(m.keyHash) {
		obs.registered = ""
	}
	id := m.res.Status.EndpointID
	if obs.registered != "" {
		id = obs.registered
	}
	if id == "" {
		id = specAdopts(m.res)
	}
	obs.keyHash, obs.refused, obs.turn = m.keyHash, m.refused, account.Turn{At: m.pausedUntil, Asked: true}
	obs.view = account.View{ListedAt: m.snapshot.listedAt, Suspect: m.snapshot.suspect}
	if e, known := m.snapshot.endpoints[id]; known {
		obs.view.Endpoint = &e
	}
	for _, e := range m.snapshot.endpoints {
		if e.Metadata[v1alpha1.MarkOwner] == testOwner {
			obs.view.Owned = append(obs.view.Owned, e)
		}
	}
	slices.SortFunc(obs.view.Owned, account.OlderFirst)
}

// look reads a Secret: from the cache, which has only labelled ones, or live and with a dry run.
func (m *model) look(name string, live bool) secretView {
	stored, exists := m.secrets[name]
	if !exists || (stored.hidden && !live) {
		view := secretView{name: name, live: live}
		if live {
			view.unwritable = m.quota
		}
		return view
	}
	view := stored.view
	view.exists, view.live, view.dressed = true, live, view.dressed && !stored.hidden
	if live && view.owned {
		view.unwritable = stored.locked
	}
	return view
}

// deepen is what the operator's own deepen does, of the model.
func (m *model) deepen(w *work, n needs) error {
	for _, id := range n.endpoints {
		if m.clock.Now().Before(m.pausedUntil) {
			return &vendorError{action: actionRead, err: &account.PausedError{Until: m.pausedUntil}}
		}
		w.obs.live[id] = nil
		if e, known := m.here()[id]; known {
			is := clone(e)
			w.obs.live[id], m.snapshot.endpoints[id] = &is, clone(e)
			w.obs.seeUpdate(&is)
		}
	}
	if n.secret {
		w.obs.secret = m.look(w.obs.secret.name, true)
		for i, was := range w.obs.former {
			former := m.look(was.name, true)
			w.obs.former[i] = &former
		}
		m.observeSecretRivals(w.obs)
	}
	if n.source {
		m.readSource(w)
	}
	if n.rivals {
		w.obs.endpointRivals = append([]rival{}, m.endpointRivals...)
	}
	if n.evidence != "" {
		w.obs.evidence = &evidence{exhausted: slices.Clone(m.exhausted[n.evidence]), complete: true}
	}
	if n.since != "" {
		w.obs.since[n.since] = w.mem.sighted(n.since, m.clock.Now())
	}
	if n.namespace {
		w.obs.namespaceTerminating = new(m.terminating)
	}
	return nil
}

func clone(e *medblocks.Endpoint) medblocks.Endpoint {
	copied := *e
	copied.Events, copied.Metadata = slices.Clone(e.Events), maps.Clone(e.Metadata)
	return copied
}
