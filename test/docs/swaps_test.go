// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"regexp"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/medblocks/webhook-operator/api/medblocks"
)

// swaps exchanges in a page's commands what readers have to replace, or what pages that run beside each other cannot share: the API
// key, and ports of this machine.
type swaps struct {
	apiKey string
	// emulator is the URL of what takes the place of Medblocks.
	emulator string
	ports    map[string]int    // by the port that the page names
	ids      map[string]string // by the id that the page shows
}

var notForNames = regexp.MustCompile(`[^a-z0-9]+`)

// slug is a page's name as a part of other names.
func slug(p *page) string {
	return strings.Trim(notForNames.ReplaceAllString(strings.ToLower(strings.TrimSuffix(p.path, ".md")), "-"), "-")
}

// newSwaps has a key, and thereby a workspace, of the page's own.
func newSwaps(p *page, namespace, emulator string) *swaps {
	return &swaps{apiKey: "mb_sk_sbx_" + slug(p) + "-" + namespace, emulator: emulator, ports: map[string]int{}, ids: map[string]string{}}
}

var (
	placeholderKey = regexp.MustCompile(`\bmb_sk_(sbx|live)_(…|\.\.\.)`)
	vendorID       = regexp.MustCompile(`\b(wh|evt)_[0-9A-Z]{26}\b`)
	loopbackPort   = regexp.MustCompile(`(127\.0\.0\.1|localhost|\[::1\]):([1-9]\d{3,4})\b`)
)

// inCommand does all exchanges in what the shell is to run: also Medblocks itself is another one there.
func (s *swaps) inCommand(text string) string {
	return strings.ReplaceAll(s.in(text), medblocks.DefaultBaseURL+"/", s.emulator+"/")
}

// in does all exchanges in a text.
func (s *swaps) in(text string) string {
	text = strings.ReplaceAll(text, "whsec_…", "whsec_"+strings.Repeat("0a", 24))
	text = placeholderKey.ReplaceAllStringFunc(text, func(key string) string {
		return strings.Replace(s.apiKey, "mb_sk_sbx_", placeholderKey.ReplaceAllString(key, "mb_sk_${1}_"), 1)
	})
	text = vendorID.ReplaceAllStringFunc(text, func(id string) string { return cmp.Or(s.ids[id], id) })
	return loopbackPort.ReplaceAllStringFunc(text, func(address string) string {
		found := loopbackPort.FindStringSubmatch(address)
		return fmt.Sprintf("%s:%d", found[1], s.port(found[2]))
	})
}

// learn notes which ids have taken the place of those that the page shows, because later commands name them.
func (s *swaps) learn(shown, printed string) {
	there := vendorID.FindAllString(printed, -1)
	for i, id := range vendorID.FindAllString(shown, -1) {
		if i < len(there) && s.ids[id] == "" {
			s.ids[id] = there[i]
		}
	}
}

// port is the free one that stands for the one that the page names.
func (s *swaps) port(named string) int {
	if s.ports[named] == 0 {
		s.ports[named] = freePort()
	}
	return s.ports[named]
}

// defaultPorts are those that the programs listen on when nobody says anything.
var defaultPorts = map[string][]string{"emulator": {"8089"}, "receiver": {"8088"}, "manager": {"8081", "8443"}}

var listenFlag = regexp.MustCompile(`--listen[= ](\S+:\d+)`)

// servers are the addresses at which what a script has started will listen.
func (s *swaps) servers(script string) []string {
	var found []string
	for line := range strings.Lines(strings.ReplaceAll(script, "\\\n", " ")) {
		for _, program := range programs.FindAllStringSubmatch(line, -1) {
			if given := listenFlag.FindStringSubmatch(line); given != nil {
				found = append(found, given[1])
				continue
			}
			// Of the manager only the first: metrics are served a little later.
			found = append(found, fmt.Sprintf("127.0.0.1:%d", s.port(defaultPorts[program[2]][0])))
		}
	}
	return found
}

// taken are the ports that were given out, so that none is given to two.
var taken = struct {
	sync.Mutex
	ports map[int]bool
}{ports: map[int]bool{}}

// freePort is a port of this machine that nobody listens on, outside of the range that the system itself takes ports from.
func freePort() int {
	taken.Lock()
	defer taken.Unlock()
	for {
		port := 20_000 + rand.IntN(10_000)
		if taken.ports[port] {
			continue
		}
		listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		taken.ports[port] = true
		_ = listener.Close()
		return port
	}
}

func awaitListener(ctx context.Context, address string) error {
	return wait.PollUntilContextCancel(ctx, often, true, func(ctx context.Context) (bool, error) {
		connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err != nil {
			return false, nil //nolint:nilerr // not yet
		}
		return true, connection.Close()
	})
}
