// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// health is what a health check of Argo CD returns.
type health struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

// Argo CD's words; any other one counts as Unknown there.
const (
	healthy     = "Healthy"
	progressing = "Progressing"
	degraded    = "Degraded"
	suspended   = "Suspended"
)

// libraries are those that Argo CD gives to scripts from its ConfigMap, but for os.time and os.date: there are no strings and no
// mathematics in them.
var libraries = map[string]lua.LGFunction{
	lua.LoadLibName: lua.OpenPackage,
	lua.BaseLibName: lua.OpenBase,
	lua.TabLibName:  lua.OpenTable,
}

// script is a health check.
type script string

func readScript(t testing.TB, path string) script {
	t.Helper()
	content, err := os.ReadFile(path)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return script(content)
}

// of runs the script about an object as Argo CD does, within its second.
func (s script) of(object *unstructured.Unstructured) (health, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for _, name := range []string{lua.LoadLibName, lua.BaseLibName, lua.TabLibName} {
		if err := state.CallByParam(lua.P{Fn: state.NewFunction(libraries[name]), Protect: true}, lua.LString(name)); err != nil {
			return health{}, fmt.Errorf("open the library %q: %w", name, err)
		}
	}
	state.SetContext(ctx)
	state.SetGlobal("obj", luaValue(state, object.Object))
	if err := state.DoString(string(s)); err != nil {
		return health{}, fmt.Errorf("the script: %w", err)
	}
	table, ok := state.Get(-1).(*lua.LTable)
	if !ok {
		return health{}, fmt.Errorf("the script returns a %s", state.Get(-1).Type())
	}
	is := health{Status: lua.LVAsString(table.RawGetString("status")), Message: lua.LVAsString(table.RawGetString("message"))}
	switch is.Status {
	case healthy, progressing, degraded, suspended:
	default:
		return is, fmt.Errorf("the script returns the status %q", is.Status)
	}
	if is.Message == "" {
		return is, fmt.Errorf("the script says %s and not why", is.Status)
	}
	return is, nil
}

// luaValue is a JSON value for Lua.
func luaValue(state *lua.LState, value any) lua.LValue {
	switch value := value.(type) {
	case bool:
		return lua.LBool(value)
	case float64:
		return lua.LNumber(value)
	case int64:
		return lua.LNumber(value)
	case string:
		return lua.LString(value)
	case []any:
		table := state.CreateTable(len(value), 0)
		for _, item := range value {
			table.Append(luaValue(state, item))
		}
		return table
	case map[string]any:
		table := state.CreateTable(0, len(value))
		for key, item := range value {
			table.RawSetString(key, luaValue(state, item))
		}
		return table
	}
	return lua.LNil
}
