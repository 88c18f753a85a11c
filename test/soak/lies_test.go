// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/faults"
	"github.com/medblocks/webhook-operator/test/lab"
)

// lies are well-formed answers that are untrue about what exists: lists that miss an endpoint, or lag behind, and 404s for an
// endpoint that is there.
//
// An endpoint counts as gone once a complete list does not show it and a read does not find it. So either may lie, as often as
// it likes. Both at once, about the same endpoint, are nothing that anybody could tell from the truth; neither is a list that
// hides an endpoint whose id the operator does not know, as there is no read that could contradict it. Hence
//   - no read denies an endpoint that the last list hid, until a list has shown it again;
//   - no list hides an endpoint that is being denied at the same moment;
//   - no list hides an endpoint whose id is not in the status of its resource, and as long as one hides it, nobody makes the
//     operator forget that id.
type lies struct {
	world *lab.World

	mu     sync.Mutex
	hidden map[string]bool      // by id: the last list did not show it, and should have
	shown  map[string]time.Time // when a list has last shown it
	denied map[string]time.Time // when a read has last denied it
}

// toldLies counts the lies of all worlds: which lists hid one of our endpoints, and which reads denied one.
var toldLies struct{ hiding, denying atomic.Int64 }

func newLies(w *lab.World) *lies {
	return &lies{world: w, hidden: map[string]bool{}, shown: map[string]time.Time{}, denied: map[string]time.Time{}}
}

// isLie tells whether a fault is a lie about what exists. A 404 that is not in the vendor's own words says nothing.
func isLie(f faults.Fault) bool {
	return f.Name == "status 404" || slices.Contains([]string{"short list", "list that misses one", "list that lags"}, f.Kind)
}

// liesFor are the lies that a call can be answered with.
func liesFor(call faults.Call) []faults.Fault {
	var all []faults.Fault
	if call == faults.List || call == faults.ListDisabled {
		all = append(all, faults.ListWithout(1), faults.ListWithout(2))
	}
	for _, f := range faults.OfMedblocks("") {
		if isLie(f) && f.Befalls(call) && (call.IsList() == (f.Name != "status 404") || call == faults.ListEvents) {
			all = append(all, f)
		}
	}
	return all
}

// tell answers with a lie if that is fair, and with the truth otherwise. Without a lie it takes note of the truth.
func (l *lies) tell(w *lab.Wire, r *lab.Request, lie *faults.Fault, send func() (*http.Response, error)) (*http.Response, error) {
	if faults.CallOf(r) == faults.ListDisabled { // it proves no absence, whatever it says
		return lie.New(l.world)(w, r, send)
	}
	if faults.CallOf(r) != faults.List {
		if !l.mayDeny(r) {
			return send()
		}
		return lie.New(l.world)(w, r, send)
	}
	truth, listed, err := idsOf(send())
	if err != nil {
		return nil, err
	}
	if lie != nil {
		untruth, shown, err := idsOf(lie.New(l.world)(w, r, send))
		if err != nil {
			return nil, err
		}
		if l.mayHide(listed, shown) {
			return untruth, nil
		}
	}
	l.show(listed)
	return truth, nil
}

// mayDeny tells whether a read of an endpoint may say that there is none, and takes note that it does.
func (l *lies) mayDeny(r *lab.Request) bool {
	path := strings.Split(strings.Trim(r.Path, "/"), "/")
	i := slices.IndexFunc(path, func(p string) bool { return strings.HasPrefix(p, "wh_") })
	if i < 0 {
		return true // it is about none that exists
	}
	id, now := path[i], l.world.Clock.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	// What was shown at this very moment need not have arrived yet.
	if l.hidden[id] || !now.After(l.shown[id]) {
		return false
	}
	l.denied[id] = now
	toldLies.denying.Add(1)
	return true
}

// mayHide tells whether a list that should show the one may show the other, and takes note that it does.
func (l *lies) mayHide(listed, shown []string) bool {
	hidden := slices.DeleteFunc(slices.Clone(listed), func(id string) bool { return slices.Contains(shown, id) || l.isBystander(id) })
	known := l.knownIDs()
	now := l.world.Clock.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range hidden {
		if !slices.Contains(known, id) || !now.After(l.denied[id]) {
			return false
		}
	}
	for _, id := range listed {
		l.hidden[id] = slices.Contains(hidden, id)
		if !l.hidden[id] {
			l.shown[id] = now
		}
	}
	if len(hidden) > 0 {
		toldLies.hiding.Add(1)
	}
	return true
}

// show takes note of a true list.
func (l *lies) show(listed []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range listed {
		l.hidden[id], l.shown[id] = false, l.world.Clock.Now()
	}
}

// hides tells whether a list has hidden an endpoint, and none has shown it since.
func (l *lies) hides(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.hidden[id]
}

func (l *lies) isBystander(id string) bool {
	for _, b := range l.world.Bystanders {
		if b.ID == id {
			return true
		}
	}
	return false
}

// knownIDs are the endpoints that their resources know for good: those that may go at any moment know nothing.
func (l *lies) knownIDs() []string {
	list := &v1alpha1.MedblocksWebhookEndpointList{}
	if l.world.Client.List(l.world.Context(), list, client.InNamespace(l.world.Namespace)) != nil {
		return nil
	}
	var ids []string
	for _, res := range list.Items {
		if len(res.Finalizers) > 0 && res.DeletionTimestamp.IsZero() {
			ids = append(ids, res.Status.EndpointID)
		}
	}
	return ids
}

// idsOf reads the ids of a list, which can be read once more.
func idsOf(resp *http.Response, err error) (*http.Response, []string, error) {
	if err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return nil, nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	var page struct {
		Data []struct{ ID string }
	}
	_ = json.Unmarshal(body, &page) // an error is no list
	ids := make([]string, 0, len(page.Data))
	for _, item := range page.Data {
		ids = append(ids, item.ID)
	}
	return resp, ids, nil
}
