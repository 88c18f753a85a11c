// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package medblocks

import (
	"context"
	"errors"
	"iter"
	"net/url"
	"strconv"
)

const (
	maxPageSize = 100
	// maxPages ends a list that never would: a hundred thousand items and more.
	maxPages = 10_000
)

// page is one page of a list (vendor). Pointers tell what is absent.
type page[T any] struct {
	Data       *[]T    `json:"data"`
	HasMore    *bool   `json:"has_more"`
	NextCursor *string `json:"next_cursor"`
}

// paginate yields the items of all pages. accept completes an item and says
// whether it is one; a page is yielded only when every item of it is.
func paginate[T any](
	ctx context.Context, c *Client, list request, limit int, accept func(item *T, requestID string) bool,
) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		if limit < 0 || limit > maxPageSize {
			yield(none, invalid(list.operation, "the page size %d is not between 1 and %d", limit, maxPageSize))
			return
		}
		walk := pageWalk{client: c, list: list, limit: defaultTo(limit, DefaultPageSize), seen: map[string]bool{}}
		for more := true; more; {
			var items []T
			var err error
			if items, more, err = nextPage(ctx, &walk, accept); err != nil {
				yield(none, err)
				return
			}
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
		}
	}
}

// pageWalk is where a list has got to.
type pageWalk struct {
	client *Client
	list   request
	limit  int
	cursor string
	seen   map[string]bool
}

func nextPage[T any](
	ctx context.Context, walk *pageWalk, accept func(item *T, requestID string) bool,
) (items []T, more bool, err error) {
	result, err := walk.fetch(ctx)
	if err != nil {
		return nil, false, err
	}
	var current page[T]
	if err := result.decode(&current); err != nil {
		return nil, false, err
	}
	if current.Data == nil {
		return nil, false, result.malformed("the list has no data")
	}
	items = *current.Data
	for i := range items {
		if !accept(&items[i], result.requestID) {
			return nil, false, result.malformed("item %d of the list has no valid id", i)
		}
	}
	more, err = walk.advance(result, current.HasMore, current.NextCursor)
	return items, more, err
}

// fetch gets the next page. One that is too large to read is asked for again in
// smaller pieces: otherwise a workspace with much metadata could never be listed.
func (w *pageWalk) fetch(ctx context.Context) (answer, error) {
	for {
		if w.list.before != nil {
			if err := w.list.before(ctx); err != nil {
				return answer{}, err
			}
		}
		query := make(url.Values, len(w.list.query)+2)
		for key, values := range w.list.query {
			query[key] = values
		}
		query.Set("limit", strconv.Itoa(w.limit))
		if w.cursor != "" {
			query.Set("starting_after", w.cursor)
		}
		call := w.list
		call.query = query
		result, err := w.client.do(ctx, call)
		var malformed *MalformedError
		if w.limit == 1 || !errors.As(err, &malformed) || !malformed.tooLarge {
			return result, err
		}
		w.limit = max(w.limit/4, 1)
	}
}

// advance moves to the next page, or says that this was the last one. A page that
// does not say which is an error, not an end: absence from a list counts only
// when the list is known to be complete.
func (w *pageWalk) advance(result answer, hasMore *bool, next *string) (bool, error) {
	switch {
	case hasMore == nil:
		return false, result.malformed("the list does not say whether there is more")
	case !*hasMore:
		return false, nil
	case next == nil || *next == "":
		return false, result.malformed("the list has more, but no cursor to it")
	case w.seen[*next]:
		return false, result.malformed("the list repeats a cursor")
	case len(w.seen) >= maxPages:
		return false, result.malformed("the list does not end within %d pages", maxPages)
	}
	w.seen[*next] = true
	w.cursor = *next
	return true, nil
}
