// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import "slices"

// users are the resources that use an account, and the endpoints that they have to do with. Which ones look at an endpoint is
// answered without a search: a list may bring thousands of changes.
type users struct {
	tracked map[Resource]string // the endpoint that each user manages; empty: none yet
	awaited map[Resource]string // the endpoints that some look at without managing them
	// lookers are the users that manage an endpoint or look at it, by its id: almost always one, for which a set would be too large.
	lookers map[string][]Resource
}

func newUsers() users {
	return users{tracked: map[Resource]string{}, awaited: map[Resource]string{}, lookers: map[string][]Resource{}}
}

func (u *users) has(who Resource) bool {
	_, using := u.tracked[who]
	return using
}

func (u *users) add(who Resource) {
	if !u.has(who) {
		u.tracked[who] = ""
	}
}

func (u *users) remove(who Resource) {
	u.track(who, "")
	u.await(who, "")
	delete(u.tracked, who)
}

// track keeps which endpoint a user manages.
func (u *users) track(who Resource, id string) {
	if was, using := u.tracked[who]; using && was != id {
		u.tracked[who] = id
		u.reindex(who, was, id)
	}
}

// await keeps which endpoint a user looks at without managing it; empty: none.
func (u *users) await(who Resource, id string) {
	was := u.awaited[who]
	if !u.has(who) || was == id {
		return
	}
	if u.awaited[who] = id; id == "" {
		delete(u.awaited, who)
	}
	u.reindex(who, was, id)
}

func (u *users) reindex(who Resource, was, is string) {
	if was != "" && u.tracked[who] != was && u.awaited[who] != was {
		u.lookers[was] = slices.DeleteFunc(u.lookers[was], func(other Resource) bool { return other == who })
		if len(u.lookers[was]) == 0 {
			delete(u.lookers, was)
		}
	}
	if is != "" && !slices.Contains(u.lookers[is], who) {
		u.lookers[is] = append(u.lookers[is], who)
	}
}

// of are the users that manage an endpoint or look at it.
func (u *users) of(id string) []Resource { return slices.Clone(u.lookers[id]) }

// isTracked tells whether a user manages that endpoint.
func (u *users) isTracked(id string) bool {
	return slices.ContainsFunc(u.lookers[id], func(who Resource) bool { return u.tracked[who] == id })
}

// ids are the endpoints that users manage.
func (u *users) ids() []string {
	var ids []string
	for _, id := range u.tracked {
		if id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}
