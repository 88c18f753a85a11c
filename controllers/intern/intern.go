// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package intern saves memory where thousands of decoded objects say the same: condition types, annotation keys, messages. A decoder
// makes each of them a string of its own.
package intern

import (
	"hash/maphash"
	"reflect"
	"sync"
)

const (
	// slots are far more than there are strings that many objects share, so that one is rarely driven out by another.
	slots = 4096
	// longest is above what objects share, such as the message of a condition.
	longest = 128
)

// table remembers the last string of each hash, and so never grows: what only one object says is soon forgotten.
var table struct {
	mu   sync.Mutex
	last [slots]string
}

var seed = maphash.MakeSeed()

// Strings makes the exported strings of what a pointer leads to, and those in its maps, the same in memory as equal ones of objects
// before it. Values stay equal. The object must be nobody else's yet.
func Strings(object any) {
	table.mu.Lock()
	defer table.mu.Unlock()
	visit(reflect.ValueOf(object))
}

func visit(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(shared(v.String()))
	case reflect.Pointer:
		if !v.IsNil() {
			visit(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Field(i); field.CanSet() { // what is not exported belongs to others, such as a time
				visit(field)
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return
		}
		for i := range v.Len() {
			visit(v.Index(i))
		}
	case reflect.Map:
		visitMap(v)
	}
}

// visitMap makes a map anew: the keys of one cannot be replaced.
func visitMap(v reflect.Value) {
	if v.Len() == 0 {
		return
	}
	fresh := reflect.MakeMapWithSize(v.Type(), v.Len())
	for entry := v.MapRange(); entry.Next(); {
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		key.Set(entry.Key())
		value.Set(entry.Value())
		visit(key)
		visit(value)
		fresh.SetMapIndex(key, value)
	}
	v.Set(fresh)
}

func shared(s string) string {
	if s == "" || len(s) > longest {
		return s
	}
	last := &table.last[maphash.String(seed, s)%slots]
	if *last != s {
		*last = s
	}
	return *last
}
