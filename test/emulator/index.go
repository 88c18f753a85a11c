// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"cmp"
	"slices"
)

// index keeps items sorted by id. ULIDs sort by creation, so a page is a binary
// search and a slice of pointers, however many items there are.
type index[T any] struct {
	id    func(T) string
	items []T
}

func newIndex[T any](id func(T) string) index[T] { return index[T]{id: id} }

func (x *index[T]) find(id string) (int, bool) {
	return slices.BinarySearchFunc(x.items, id, func(item T, id string) int { return cmp.Compare(x.id(item), id) })
}

func (x *index[T]) insert(item T) {
	at, found := x.find(x.id(item))
	if found {
		x.items[at] = item
		return
	}
	x.items = slices.Insert(x.items, at, item)
}

func (x *index[T]) remove(id string) {
	if at, found := x.find(id); found {
		x.items = slices.Delete(x.items, at, at+1)
	}
}

func (x *index[T]) has(id string) bool {
	_, found := x.find(id)
	return found
}

// page returns up to limit items after the id (an empty id starts at the
// beginning) and whether more follow. The id need not be there any more: a page
// continues behind the place where it was.
func (x *index[T]) page(after string, limit int, oldestFirst bool) ([]T, bool) {
	if oldestFirst {
		return x.pageUp(after, limit)
	}
	return x.pageDown(after, limit)
}

func (x *index[T]) pageUp(after string, limit int) ([]T, bool) {
	start := 0
	if after != "" {
		at, found := x.find(after)
		start = at
		if found {
			start++
		}
	}
	end := min(start+limit, len(x.items))
	return slices.Clone(x.items[start:end]), end < len(x.items)
}

func (x *index[T]) pageDown(after string, limit int) ([]T, bool) {
	end := len(x.items)
	if after != "" {
		end, _ = x.find(after)
	}
	start := max(end-limit, 0)
	out := slices.Clone(x.items[start:end])
	slices.Reverse(out)
	return out, start > 0
}
