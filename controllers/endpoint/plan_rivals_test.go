// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

func rivalNamed(name string, older bool) rival {
	return rival{who: types.NamespacedName{Namespace: "shop", Name: name}, owner: "cluster/shop/" + name, older: older}
}

func TestOfTwoAdoptersTheOneWithTheOlderClaimWins(t *testing.T) {
	taken := func(s *scenario, owner string) {
		s.found()
		s.obs.view.Endpoint.Metadata = map[string]string{v1alpha1.MarkOwner: owner}
	}
	runPlanCases(t, []planCase{
		{"others are looked for before anything is adopted", adopting(), func(s *scenario) {
			s.found()
			s.obs.endpointRivals = nil
		}, "read:rivals"},
		{"the older one goes first, which takes no call to see", adopting(), func(s *scenario) {
			s.obs.endpointRivals = []rival{rivalNamed("first", true)}
		}, "Conflict=stalled"},
		{"a younger one is not waited for", adopting(), func(s *scenario) {
			s.found()
			s.obs.endpointRivals = []rival{rivalNamed("second", false)}
		}, adoption},
		{"a younger one that has adopted it keeps it", adopting(), func(s *scenario) {
			taken(s, "cluster/shop/second")
			s.obs.endpointRivals = []rival{rivalNamed("second", false)}
		}, "Conflict=stalled"},
		{"a resource that has not adopted it, and claims nothing, loses it", adopting(), func(s *scenario) {
			taken(s, "cluster/shop/third")
			s.obs.endpointRivals = []rival{rivalNamed("second", false)}
		}, adoption},
		{"what was adopted is not given back", adopting(), func(s *scenario) {
			s.obs.view.Endpoint.Metadata = map[string]string{v1alpha1.MarkOwner: testOwner, v1alpha1.MarkIncarnation: testUID, v1alpha1.MarkSecretGeneration: "HALFWAY"}
			s.found()
			s.obs.endpointRivals = []rival{rivalNamed("first", true)}
			s.obs.since[sightOfMark("HALFWAY")] = s.now.Add(-time.Hour)
		}, "AddFinalizer MarkRotation(Adoption) RotateSecret(Adoption) PublishSecret"},
	}, makePlan)
}

func TestWhoMayNotAdoptAnEndpointKeepsNobodyFromIt(t *testing.T) {
	for name, test := range map[string]struct {
		mark   string
		change func(*rival)
		want   bool
	}{
		"the older one goes first":                            {"", func(*rival) {}, true},
		"a younger one does not":                              {"", func(r *rival) { r.older = false }, false},
		"one that its account does not allow does not":        {"", func(r *rival) { r.account, r.refused = "shared", true }, false},
		"it keeps what it has adopted":                        {"cluster/shop/first", func(r *rival) { r.account, r.refused, r.older = "shared", true, false }, true},
		"another namespace's is not its to take":              {"cluster/other/hooks", func(r *rival) { r.account = "shared" }, false},
		"not even one whose name begins with that of its own": {"cluster/shopping/hooks", func(r *rival) { r.account = "shared" }, false},
		"with a key of its own it is":                         {"cluster/other/hooks", func(*rival) {}, true},
		"one of its own namespace is":                         {"cluster/shop/hooks", func(r *rival) { r.account = "shared" }, true},
		"one without a mark is":                               {"", func(r *rival) { r.account = "shared" }, true},
	} {
		t.Run(name, func(t *testing.T) {
			is := rivalNamed("first", true)
			test.change(&is)
			NewWithT(t).Expect(is.claims(test.mark)).To(Equal(test.want))
		})
	}
}

func TestARivalOfAnotherNamespaceIsNotNamedToWhoeverSharesItsAccount(t *testing.T) {
	for name, test := range map[string]struct {
		account string
		own     bool // this one has a key of its own
		in      string
		named   bool
	}{
		"both share":                  {"shared", false, "elsewhere", false},
		"in one namespace":            {"shared", false, "shop", true},
		"this one has its own key":    {"shared", true, "elsewhere", true},
		"the rival has its own key":   {"", false, "elsewhere", true},
		"both have keys of their own": {"", true, "elsewhere", true},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			s := adopting()
			s.found()
			is := rivalNamed("first", true)
			is.who.Namespace, is.account = test.in, test.account
			s.obs.endpointRivals = []rival{is}
			if !test.own {
				s.obs.guardrails = &guardrails{account: "shared"}
			}
			p := makePlan(s.res, s.obs, s.now)
			h := p.hold(v1alpha1.ConditionSynced)
			g.Expect(h.Reason).To(Equal(v1alpha1.ReasonConflict))
			if test.named {
				g.Expect(h.Message).To(ContainSubstring(is.who.String()))
			} else {
				g.Expect(h.Message).To(And(ContainSubstring("another resource"), Not(ContainSubstring("elsewhere")), Not(ContainSubstring("first"))))
			}
		})
	}
}

func TestOfTwoResourcesWithOneSigningSecretTheOneWithTheOlderClaimWins(t *testing.T) {
	with := func(is rival, change func(*scenario)) func(*scenario) {
		return func(s *scenario) {
			s.obs.secret.live = true
			s.obs.secretRivals = []rival{is}
			if change != nil {
				change(s)
			}
		}
	}
	publishing := rivalNamed("second", false)
	publishing.published = true
	renamed := func(s *scenario) {
		former := s.obs.secret
		former.name = "old"
		s.read()
		s.obs.former, s.obs.secret = []*secretView{&former}, secretView{name: "new", live: true}
		s.res.Status.SigningSecret.Name = "old"
	}
	const conflict = "Conflict=stalled NotOwned=stalled"
	runPlanCases(t, []planCase{
		{"the older one goes first", unregistered(), with(rivalNamed("first", true), nil), conflict},
		{"a younger one is not waited for", unregistered(), with(rivalNamed("second", false), nil), "WriteIntent RegisterEndpoint(Spec) PublishSecret"},
		{"a younger one that has published there keeps it", unregistered(), with(publishing, nil), conflict},
		{"a younger one that owns it keeps it", unregistered(), with(rivalNamed("second", false), func(s *scenario) {
			s.obs.secret.exists, s.obs.secret.owner = true, "shop/second"
		}), conflict},
		{"a Secret of nobody's who claims it is merely not ours", unregistered(), with(rivalNamed("first", true), func(s *scenario) {
			s.obs.secret.exists, s.obs.secret.owner = true, "shop/third"
		}), "NotOwned=stalled"},
		{"nothing is moved into another one's Secret", settled(), with(rivalNamed("first", true), renamed), conflict},
		{"it is moved where nobody else is first", settled(), with(rivalNamed("second", false), renamed), "MoveSecret"},
		{"a lost Secret is healed by who has published there", settled(), with(rivalNamed("first", true), func(s *scenario) {
			s.read()
			s.obs.secret = secretView{name: s.obs.secret.name, live: true}
		}), "MarkRotation(SecretLost) RotateSecret(SecretLost) PublishSecret"},
	}, makePlan)
}

func TestWhoLosesAClaimLooksAgainNowAndThen(t *testing.T) {
	g := NewWithT(t)
	s := adopting()
	s.found()
	s.obs.endpointRivals = []rival{rivalNamed("first", true)}
	p := makePlan(s.res, s.obs, s.now)
	g.Expect(p.Wake).To(Equal(s.now.Add(slowRetry)))
	s = unregistered()
	s.obs.secret.live, s.obs.secretRivals = true, []rival{rivalNamed("first", true)}
	p = makePlan(s.res, s.obs, s.now)
	g.Expect(p.Wake).To(Equal(s.now.Add(slowRetry)))
}

func TestWhoWaitsForATurnSaysSoAndKeepsWhatItKnows(t *testing.T) {
	g := NewWithT(t)
	s := settled()
	s.read()
	s.res.Spec.Description = "new"
	p := makePlan(s.res, s.obs, s.now)
	later := p.postpone(s.now.Add(busyRetry))
	g.Expect(describe(later)).To(Equal("Pending=working"))
	g.Expect(later.Wake).To(Equal(s.now.Add(busyRetry)))
	g.Expect(later.EndpointID).To(Equal(testID))
	g.Expect(later.hold(v1alpha1.ConditionSynced).KeepReady).To(BeTrue())

	s.res.Annotations[v1alpha1.AnnotationReconcileRequestedAt] = "now"
	g.Expect(conclude(s.res, s.obs, later, nil, s.now).LastHandledReconcileRequestedAt).To(BeEmpty(), "nothing was read")
	g.Expect(conclude(s.res, s.obs, p, nil, s.now).LastHandledReconcileRequestedAt).To(Equal("now"))
}

func TestClaims(t *testing.T) {
	const id = "wh_01"
	adopts := &v1alpha1.AdoptSpec{EndpointID: id}
	for name, tc := range map[string]struct {
		change func(*v1alpha1.MedblocksWebhookEndpoint)
		want   []string
	}{
		"its Secret": {func(*v1alpha1.MedblocksWebhookEndpoint) {}, []string{"secret/hooks-signing-secret"}},
		"and the one before": {func(res *v1alpha1.MedblocksWebhookEndpoint) {
			res.Status.SigningSecret = &v1alpha1.SigningSecretStatus{Name: "old"}
		}, []string{"secret/hooks-signing-secret", "secret/old"}},
		"the endpoint to adopt": {func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.Adopt = adopts },
			[]string{"endpoint/wh_01", "secret/hooks-signing-secret"}},
		"the endpoint that it has adopted": {func(res *v1alpha1.MedblocksWebhookEndpoint) {
			res.Spec.Adopt, res.Status.EndpointID = adopts, id
		}, []string{"endpoint/wh_01", "secret/hooks-signing-secret"}},
		"no endpoint that was gone and is replaced": {func(res *v1alpha1.MedblocksWebhookEndpoint) {
			res.Spec.Adopt, res.Status.EndpointID = adopts, "wh_02"
		}, []string{"secret/hooks-signing-secret"}},
		"nothing by looking on": {func(res *v1alpha1.MedblocksWebhookEndpoint) {
			res.Spec.Adopt, res.Spec.ManagementPolicy = adopts, v1alpha1.ManagementObserve
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			res := &v1alpha1.MedblocksWebhookEndpoint{ObjectMeta: metav1.ObjectMeta{Name: "hooks"}}
			tc.change(res)
			NewWithT(t).Expect(claimsOf(res)).To(HaveExactElements(tc.want))
		})
	}
}

func TestOneResourceAtATimeWritesToAnEndpoint(t *testing.T) {
	g := NewWithT(t)
	a, b := types.NamespacedName{Name: "a"}, types.NamespacedName{Name: "b"}
	var all turns
	now := testTime
	g.Expect(all.take("wh_1", a, now)).To(BeTrue())
	g.Expect(all.take("wh_1", b, now)).To(BeFalse(), "it is another one's turn")
	g.Expect(all.take("wh_2", b, now)).To(BeTrue())
	all.end("wh_1", b, time.Time{}, now)
	g.Expect(all.take("wh_1", b, now)).To(BeFalse(), "only who has it can end it")

	flying := now.Add(30 * time.Second)
	all.end("wh_1", a, flying, now)
	g.Expect(all.take("wh_1", b, now)).To(BeFalse(), "a write may be in flight")
	g.Expect(all.take("wh_1", a, now)).To(BeTrue(), "who sent it may go on")
	all.end("wh_1", a, time.Time{}, now)
	g.Expect(all.take("wh_1", b, flying.Add(-1))).To(BeFalse(), "it still may be in flight")
	g.Expect(all.take("wh_1", b, flying)).To(BeTrue())
	all.end("wh_1", b, time.Time{}, flying)
	all.end("wh_2", b, time.Time{}, flying)
	g.Expect(all.all).To(BeEmpty(), "nothing is kept for ever")
}
