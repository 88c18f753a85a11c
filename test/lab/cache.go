// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"sync"

	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// watchedCache is an operator's cache that knows what its event handlers have dealt with. What a cache shows may still be
// on its way to the handlers; what they have dealt with is in the controller's queue, or will never be.
type watchedCache struct {
	cache.Cache
	handled *handled
}

func (op *Operator) newCache(config *rest.Config, options cache.Options) (cache.Cache, error) {
	inner, err := cache.New(config, options)
	return &watchedCache{Cache: inner, handled: &op.handled}, err
}

// GetInformer is how a controller gets at its events.
func (c *watchedCache) GetInformer(ctx context.Context, object client.Object, options ...cache.InformerGetOption) (cache.Informer, error) {
	inner, err := c.Cache.GetInformer(ctx, object, options...)
	return &watchedInformer{Informer: inner, handled: c.handled}, err
}

type watchedInformer struct {
	cache.Informer
	handled *handled
}

// AddEventHandlerWithOptions is how controllers register.
func (i *watchedInformer) AddEventHandlerWithOptions(
	handler toolscache.ResourceEventHandler, options toolscache.HandlerOptions,
) (toolscache.ResourceEventHandlerRegistration, error) {
	return i.Informer.AddEventHandlerWithOptions(toolscache.ResourceEventHandlerDetailedFuncs{
		AddFunc: func(object any, initial bool) {
			handler.OnAdd(object, initial)
			i.handled.put(object)
		},
		UpdateFunc: func(before, after any) {
			handler.OnUpdate(before, after)
			i.handled.put(after)
		},
		DeleteFunc: func(object any) {
			handler.OnDelete(object)
			if gone, ok := object.(toolscache.DeletedFinalStateUnknown); ok {
				object = gone.Obj
			}
			i.handled.remove(object)
		},
	}, options)
}

// handled are the versions of the objects that the event handlers have dealt with, by type and name.
type handled struct {
	mu       sync.Mutex
	versions map[string]map[string]string
}

func (h *handled) put(object any) {
	o, ok := object.(client.Object)
	if !ok {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	kind := reflect.TypeOf(object).Elem().Name()
	if h.versions == nil {
		h.versions = map[string]map[string]string{}
	}
	if h.versions[kind] == nil {
		h.versions[kind] = map[string]string{}
	}
	h.versions[kind][o.GetName()] = o.GetResourceVersion()
}

func (h *handled) remove(object any) {
	o, ok := object.(client.Object)
	if !ok {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.versions[reflect.TypeOf(object).Elem().Name()], o.GetName())
}

// knowledge are the names and versions of the objects of each kind, as versions has them.
type knowledge struct{ resources, secrets string }

func (h *handled) all() knowledge {
	h.mu.Lock()
	defer h.mu.Unlock()
	return knowledge{resources: h.of("MedblocksWebhookEndpoint"), secrets: h.of("Secret")}
}

func (h *handled) of(kind string) string {
	all := make([]string, 0, len(h.versions[kind]))
	for name, version := range h.versions[kind] {
		all = append(all, name+"="+version)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}
