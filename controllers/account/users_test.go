// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"fmt"
	"math/rand/v2"
	"testing"

	. "github.com/onsi/gomega"
)

func TestTheIndexOfUsersIsWhatASearchWouldFind(t *testing.T) {
	g := NewWithT(t)
	u := newUsers()
	for range 20_000 {
		who := Resource{Namespace: "shop", Name: fmt.Sprint(rand.IntN(6))}
		id := []string{"", "wh_1", "wh_2", "wh_3"}[rand.IntN(4)]
		switch rand.IntN(8) {
		case 0:
			u.remove(who)
		case 1, 2, 3:
			u.await(who, id)
		default:
			u.add(who)
			u.track(who, id)
		}
		for _, id := range []string{"wh_1", "wh_2", "wh_3"} {
			var searched []Resource
			tracked := false
			for who := range u.tracked {
				if u.tracked[who] == id || u.awaited[who] == id {
					searched = append(searched, who)
				}
				tracked = tracked || u.tracked[who] == id
			}
			if len(searched) == 0 {
				g.Expect(u.lookers).NotTo(HaveKey(id))
			} else {
				g.Expect(u.of(id)).To(ConsistOf(searched))
			}
			g.Expect(u.isTracked(id)).To(Equal(tracked))
		}
		for who := range u.awaited {
			g.Expect(u.has(who)).To(BeTrue())
		}
	}
}
