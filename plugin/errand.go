// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// errand is a request about one resource, while its outcome is awaited.
type errand struct {
	key   client.ObjectKey
	token string
	// before is the resource as it was when it was asked for, and last as it was seen last.
	before, last *v1alpha1.MedblocksWebhookEndpoint
	// nonce of the signing Secret when it was asked for; empty: not known.
	nonce string
	// answered: the operator has written to the status since.
	answered bool
}

// office makes requests and waits for their outcomes. It is an onlooker.
type office struct {
	s        *Session
	api      client.WithWatch
	kind     requestKind
	deadline time.Time
	waiting  []*errand
	ended    []requestOutcome
}

// open makes the request about a resource, unless it would be in vain.
func (o *office) open(ctx context.Context, res *v1alpha1.MedblocksWebhookEndpoint) {
	e := &errand{key: client.ObjectKeyFromObject(res), before: res}
	if why := o.kind.refuse(res); why != "" {
		o.end(e, ending{outcomeRefused, why})
		return
	}
	e.nonce = o.nonceOf(ctx, res)
	var err error
	if e.last, e.token, err = o.s.ask(ctx, o.api, o.kind, res); err != nil {
		o.end(e, ending{outcomeFailed, explained(err)})
		return
	}
	o.waiting = append(o.waiting, e)
	o.tell(e, o.kind.asking)
}

// explained is an error with what to do about it, in one line.
func explained(err error) string {
	if step := nextStep(err); step != "" {
		return fmt.Sprintf("%v (%s)", err, step)
	}
	return err.Error()
}

// nonceOf reads which secret the signing Secret holds, but not the secret. Empty: it may not be read.
func (o *office) nonceOf(ctx context.Context, res *v1alpha1.MedblocksWebhookEndpoint) string {
	if o.kind.name != rotateRequest.name {
		return ""
	}
	secret, err := secretMetadata(ctx, o.api, res.Namespace, publishedSecret(res))
	if err != nil {
		return ""
	}
	return secret.Annotations[v1alpha1.AnnotationSecretGeneration]
}

// secretMetadata reads of a Secret all but what it holds: that does not come over the wire.
func secretMetadata(ctx context.Context, api client.Reader, namespace, name string) (*metav1.PartialObjectMetadata, error) {
	secret := &metav1.PartialObjectMetadata{}
	secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	return secret, api.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, secret)
}

// await waits for the outcomes of all that is open.
func (o *office) await(ctx context.Context, timeout time.Duration) {
	waiting, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	keys := make([]client.ObjectKey, 0, len(o.waiting))
	for _, e := range o.waiting {
		keys = append(keys, e.key)
	}
	err := follow(waiting, o.api, where(keys), o)
	o.close(func(e *errand) ending {
		switch {
		case ctx.Err() != nil:
			return ending{outcomeInterrupted, "interrupted; the request stands, and the operator serves it. `kubectl medblocks status` shows what comes of it"}
		case waiting.Err() == nil && err != nil:
			return ending{outcomeFailed, explained(err) + "; the request stands"}
		}
		return ending{outcomeTimedOut, o.silence(ctx, e, timeout)}
	})
}

// silence says what is known where the outcome did not come in time, and how to find out why.
func (o *office) silence(ctx context.Context, e *errand, timeout time.Duration) string {
	status := saying(e.last, v1alpha1.ConditionReconciling)
	switch {
	case isSeen(e.last, e.token), e.answered:
		return fmt.Sprintf("not finished within %s%s. The request stands, and the operator goes on", timeout, status)
	case meta.IsStatusConditionTrue(e.last.Status.Conditions, v1alpha1.ConditionReconciling):
		return fmt.Sprintf("nothing new within %s%s. The request stands. %s", timeout, status, o.s.whereabouts(ctx, o.api))
	}
	return fmt.Sprintf("no operator has answered within %s. The request stands, and is served when one does. %s", timeout, o.s.whereabouts(ctx, o.api))
}

// whereabouts says where the operator is that does not answer, or how to find out.
func (s *Session) whereabouts(ctx context.Context, api client.Reader) string {
	is := s.findOperator(ctx, api)
	text := strings.ToUpper(is.Message[:1]) + is.Message[1:]
	if is.State == operatorWorking || is.State == operatorUnknown {
		text += ". See whether it looks at this resource: its flags --watch-namespaces and --watch-label-selector, and its log"
	}
	return text
}

func (o *office) enough() bool { return len(o.waiting) == 0 }

func (o *office) begin(ctx context.Context, all []v1alpha1.MedblocksWebhookEndpoint) {
	there := map[client.ObjectKey]*v1alpha1.MedblocksWebhookEndpoint{}
	for i := range all {
		there[client.ObjectKeyFromObject(&all[i])] = &all[i]
	}
	for _, e := range slices.Clone(o.waiting) {
		if res := there[e.key]; res != nil {
			o.change(ctx, res)
		} else {
			o.gone(ctx, e.last)
		}
	}
}

func (o *office) change(ctx context.Context, res *v1alpha1.MedblocksWebhookEndpoint) {
	e := o.of(res)
	if e == nil {
		return
	}
	if res.UID != e.before.UID {
		o.gone(ctx, e.last)
		return
	}
	for _, line := range progress(e.last, res) {
		o.tell(e, line)
	}
	e.answered = e.answered || !equality.Semantic.DeepEqual(e.last.Status, res.Status)
	e.last = res
	switch token := res.Annotations[o.kind.annotation]; {
	case token == "":
		o.end(e, ending{outcomeFailed, "somebody has removed the annotation " + o.kind.annotation + ", and with it the request: ask again"})
		return
	case token != e.token:
		o.tell(e, "somebody else has asked for the same: one answer serves both")
		e.token = token
	}
	if v := judgeRequest(o.kind, res, e.before, e.token, o.deadline); v != nil {
		o.end(e, o.verified(ctx, e, *v))
	}
}

// verified believes that a signing secret was rotated once the Secret says so too, where the user may read it.
func (o *office) verified(ctx context.Context, e *errand, v ending) ending {
	if v.outcome != outcomeDone || e.nonce == "" || o.nonceOf(ctx, e.last) != e.nonce {
		return v
	}
	return ending{outcomeFailed, fmt.Sprintf("the operator says that the secret was rotated, but Secret %q still holds the one from before: ask again, and see its events", publishedSecret(e.last))}
}

func (o *office) gone(_ context.Context, res *v1alpha1.MedblocksWebhookEndpoint) {
	if e := o.of(res); e != nil {
		o.end(e, ending{outcomeFailed, "it was deleted meanwhile"})
	}
}

func (o *office) of(res *v1alpha1.MedblocksWebhookEndpoint) *errand {
	at := slices.IndexFunc(o.waiting, func(e *errand) bool { return e.key == client.ObjectKeyFromObject(res) })
	if at < 0 {
		return nil
	}
	return o.waiting[at]
}

// tell shows progress to people.
func (o *office) tell(e *errand, line string) {
	if o.s.isHuman() {
		fmt.Fprintf(o.s.ErrOut, "%s: %s\n", o.s.label(e.key), line)
	}
}

// end notes how an errand has ended.
func (o *office) end(e *errand, v ending) {
	o.waiting = slices.DeleteFunc(o.waiting, func(other *errand) bool { return other == e })
	o.ended = append(o.ended, requestOutcome{
		Namespace: e.key.Namespace, Name: e.key.Name, Request: o.kind.name, Token: e.token, Outcome: v.outcome, Message: v.message,
	})
	if o.s.isHuman() {
		fmt.Fprintf(o.s.Out, "%s: %s\n", o.s.label(e.key), v.message)
	}
}

// close ends all that is still open.
func (o *office) close(how func(*errand) ending) {
	for _, e := range slices.Clone(o.waiting) {
		o.end(e, how(e))
	}
}

// report prints the outcomes, unless people have read them already, and returns the worst.
func (o *office) report() error {
	result := requestReport{TypeMeta: typed("RequestReport"), Items: o.ended}
	code := ExitOK
	for _, item := range o.ended {
		code = max(code, codeOf(item.Outcome))
	}
	slices.SortFunc(result.Items, func(a, b requestOutcome) int {
		return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
	})
	if o.s.isHuman() {
		if len(o.ended) == 0 {
			fmt.Fprintln(o.s.ErrOut, "There are no resources.")
		}
	} else if err := o.s.print(result, nil); err != nil {
		return err
	}
	return silently(code)
}
