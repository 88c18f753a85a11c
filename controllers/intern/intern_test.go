// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package intern

import (
	"strings"
	"testing"
	"time"
	"unsafe"

	. "github.com/onsi/gomega"
)

type text string

type part struct{ Text text }

type object struct {
	Name    text
	List    []part
	Pointer *part
	None    *part
	Map     map[string]text
	Secrets map[string][]byte
	NoMap   map[string]string
	At      time.Time
	Count   int
	hidden  string
}

// newObject has strings that share no memory with those of another one.
func newObject() *object {
	fresh := func(s string) text { return text(strings.Clone(s)) }
	return &object{
		Name: fresh("name"), List: []part{{fresh("first")}, {fresh("second")}, {""}}, Pointer: &part{fresh("pointed")},
		Map: map[string]text{strings.Clone("key"): fresh("value")}, Secrets: map[string][]byte{strings.Clone("key"): []byte("secret")},
		At: time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC), Count: 1, hidden: "hidden",
	}
}

func where[S ~string](s S) *byte { return unsafe.StringData(string(s)) }

func keyOf[V any](m map[string]V) string {
	for key := range m {
		return key
	}
	return ""
}

func TestWhatTwoObjectsSayIsKeptOnce(t *testing.T) {
	g := NewWithT(t)
	a, b := newObject(), newObject()
	g.Expect(where(a.Name)).NotTo(BeIdenticalTo(where(b.Name)))
	Strings(a)
	Strings(b)
	g.Expect(b).To(Equal(newObject()))
	g.Expect(where(b.Name)).To(BeIdenticalTo(where(a.Name)))
	g.Expect(where(b.List[1].Text)).To(BeIdenticalTo(where(a.List[1].Text)))
	g.Expect(where(b.Pointer.Text)).To(BeIdenticalTo(where(a.Pointer.Text)))
	g.Expect(where(b.Map["key"])).To(BeIdenticalTo(where(a.Map["key"])))
	for _, key := range []string{keyOf(b.Map), keyOf(a.Secrets), keyOf(b.Secrets)} {
		g.Expect(where(key)).To(BeIdenticalTo(where(keyOf(a.Map))))
	}
}

func TestSecretBytesAndLongStringsAreNotRemembered(t *testing.T) {
	g := NewWithT(t)
	long := &part{text(strings.Repeat("x", longest+1))}
	Strings(newObject())
	Strings(long)
	g.Expect(table.last[:]).NotTo(ContainElement("secret"))
	g.Expect(table.last[:]).NotTo(ContainElement(string(long.Text)))
	g.Expect(table.last[:]).To(ContainElement("value"))
}
