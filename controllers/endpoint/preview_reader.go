// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// previewReader reads with the rights of whoever asks, and notes what they may not read: the operator may, most likely, so that what
// this leads to says nothing about it.
type previewReader struct {
	live client.Reader
	// home is the namespace of the resource, and keys the one of the API keys of MedblocksAccounts.
	home, keys string
	// barred is what else than other namespaces' may not be read; nil: nothing.
	barred error
	notes  []string
	// mustReadByName: Secrets may not be listed.
	mustReadByName bool
}

func (r *previewReader) begin(home, keys string) {
	r.home, r.keys, r.barred, r.notes, r.mustReadByName = home, keys, nil, nil, false
}

// Get reads an object live (client.Reader).
func (r *previewReader) Get(ctx context.Context, key client.ObjectKey, object client.Object, opts ...client.GetOption) error {
	err := r.live.Get(ctx, key, object, opts...)
	switch {
	case !apierrors.IsForbidden(err):
	case key.Namespace == "" || key.Namespace == r.home || key.Namespace == r.keys:
		r.barred = err
	default:
		r.note("another resource wants the same endpoint, and you may not read its API key in %s: it is taken for one that cannot see the endpoint", key)
	}
	return err
}

// List reads objects live (client.Reader).
func (r *previewReader) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	return r.live.List(ctx, list, opts...)
}

func (r *previewReader) note(format string, args ...any) {
	if is := fmt.Sprintf(format, args...); !slices.Contains(r.notes, is) {
		r.notes = append(r.notes, is)
	}
}

// previewCache answers as the operator's cache would, and reads live for it: there are only the Secrets with the operator's label, and
// lists go by the cache's indexes.
type previewCache struct {
	client.Client // nil: there is nothing to write with
	*previewReader
}

// Get reads an object (client.Reader).
func (c *previewCache) Get(ctx context.Context, key client.ObjectKey, object client.Object, opts ...client.GetOption) error {
	if err := c.previewReader.Get(ctx, key, object, opts...); err != nil {
		return err
	}
	if secret, ok := object.(*corev1.Secret); ok && secret.Labels[v1alpha1.LabelManagedBy] != v1alpha1.ManagedBy {
		*secret = corev1.Secret{}
		return apierrors.NewNotFound(corev1.Resource("secrets"), key.Name)
	}
	return nil
}

// previewIndexes are the cache's, by name.
var previewIndexes = map[string]client.IndexerFunc{
	indexClaims: indexedClaims, IndexAccount: accountOfObject, indexOwner: ownersOfSecret,
}

// List reads the objects that one of the cache's indexes leads to (client.Reader).
func (c *previewCache) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	var asked client.ListOptions
	asked.ApplyOptions(opts)
	from := client.ListOptions{Namespace: asked.Namespace}
	if _, ok := list.(*corev1.SecretList); ok {
		from.LabelSelector = labels.SelectorFromSet(labels.Set{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy})
	}
	err := c.listAll(ctx, list, from)
	switch _, secrets := list.(*corev1.SecretList); {
	case !apierrors.IsForbidden(err):
	case secrets:
		c.mustReadByName = true
	case from.Namespace == "":
		from.Namespace = c.home
		c.note("you may not list the resources of all namespaces: those of others than %s are not reckoned with", c.home)
		err = c.listAll(ctx, list, from)
	}
	if err != nil {
		if apierrors.IsForbidden(err) && !c.mustReadByName {
			c.barred = err
		}
		return err
	}
	return keepIndexed(list, asked)
}

// listAll reads all pages.
func (c *previewCache) listAll(ctx context.Context, list client.ObjectList, from client.ListOptions) error {
	var all []runtime.Object
	for from.Limit = pageSize; ; from.Continue = list.GetContinue() {
		if err := c.live.List(ctx, list, &from); err != nil {
			return err
		}
		page, err := meta.ExtractList(list)
		if err != nil {
			return err
		}
		all = append(all, page...)
		if list.GetContinue() == "" {
			return meta.SetList(list, all)
		}
	}
}

// keepIndexed leaves out what the index does not lead to.
func keepIndexed(list client.ObjectList, asked client.ListOptions) error {
	if asked.FieldSelector == nil {
		return nil
	}
	all, err := meta.ExtractList(list)
	if err != nil {
		return err
	}
	var kept []runtime.Object
	for _, wanted := range asked.FieldSelector.Requirements() {
		index, known := previewIndexes[wanted.Field]
		if !known {
			return fmt.Errorf("there is no index %q", wanted.Field)
		}
		for _, object := range all {
			if is, ok := object.(client.Object); ok && slices.Contains(index(is), wanted.Value) {
				kept = append(kept, object)
			}
		}
	}
	return meta.SetList(list, kept)
}
