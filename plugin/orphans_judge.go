// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"fmt"
	"io"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/printers"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
	"github.com/medblocks/webhook-operator/controllers/endpoint"
)

func listedEndpoint(e *medblocks.Endpoint, key *OrphanKey) OrphanEndpoint {
	is := OrphanEndpoint{
		ID: e.ID, URL: endpoint.WithoutQuery(e.URL), Status: string(e.Status), Owner: e.Metadata[v1alpha1.MarkOwner], Key: key.from(),
		incarnation: e.Metadata[v1alpha1.MarkIncarnation], shownBy: key.value,
	}
	if !e.CreatedAt.IsZero() {
		is.CreatedAt = &metav1.Time{Time: e.CreatedAt.UTC().Truncate(time.Second)}
	}
	return is
}

// judgeEndpoints leaves out the endpoints that resources have, and gives a verdict on the others. Without a complete list of resources,
// absence proves nothing. It is a pure function.
func judgeEndpoints(listed []OrphanEndpoint, resources []v1alpha1.MedblocksWebhookEndpoint, clusterID string, complete bool) []OrphanEndpoint {
	unclaimed, owned := map[string]string{}, map[string]string{}
	for _, e := range listed {
		unclaimed[e.ID] = e.Owner
	}
	endpoint.DropClaimed(unclaimed, resources, clusterID)
	named := map[string]bool{}
	for i := range resources {
		owned[account.OwnerMark(clusterID, client.ObjectKeyFromObject(&resources[i]))] = resources[i].Status.EndpointID
		for _, id := range endpoint.Names(&resources[i]) {
			named[id] = true
		}
	}
	var judged []OrphanEndpoint
	seen := map[string]bool{}
	for _, e := range listed {
		if seen[e.ID] {
			continue // two keys of one workspace show it
		}
		seen[e.ID] = true
		_, free := unclaimed[e.ID]
		if has := owned[e.Owner]; !free && !named[e.ID] && has != "" && has != e.ID {
			e.Verdict = verdictDuplicate
			e.Advice = fmt.Sprintf("%s has endpoint %s: the operator deletes this one by itself; if it stays, see what 'kubectl medblocks plan' says about the resource", resourceIn(e.Owner), has)
			judged = append(judged, e)
		}
		if free {
			e.Verdict, e.Advice = verdictOn(e.Owner, clusterID, complete)
			judged = append(judged, e)
		}
	}
	return judged
}

// verdictOn judges an endpoint that no resource has, by its mark.
func verdictOn(owner, clusterID string, complete bool) (verdict, advice string) {
	const adopt = "spec.adopt.endpointID of a resource takes it over"
	switch {
	case owner == "":
		return verdictUnmarked, adopt + ", and 'kubectl medblocks import' writes one"
	case !account.IsOurs(owner, clusterID):
		return verdictOtherCluster, "leave it alone if that cluster lives. If not: " + adopt
	case !complete:
		return verdictUnclear, "whether " + resourceIn(owner) + " exists, or another resource has the endpoint, is not known"
	}
	return verdictOrphaned, "create " + resourceIn(owner) + " again, and the operator takes the endpoint over; or delete it at Medblocks"
}

// resourceIn is the namespace and name in an owner mark.
func resourceIn(owner string) string {
	_, resource, _ := strings.Cut(owner, "/")
	return "MedblocksWebhookEndpoint " + resource
}

func writeOrphans(to io.Writer, report *OrphanReport, now time.Time) {
	if len(report.Orphans) == 0 {
		fmt.Fprintln(to, "There are no orphans "+amongWhat(report.Keys)+".")
	}
	writeEndpoints(to, "Endpoints of this cluster that no resource has:", report.Orphans, now)
	writeEndpoints(to, "Endpoints with other clusters' marks:", report.OtherClusters, now)
	writeEndpoints(to, "Endpoints without a mark:", report.Unmarked, now)
	for _, key := range report.Keys {
		if key.Problem != "" {
			fmt.Fprintf(to, "\n%s\n", wrapped("Not looked at: "+key.Problem, textWidth))
		}
	}
}

func amongWhat(keys []OrphanKey) string {
	endpoints := 0
	for _, key := range keys {
		endpoints += key.Endpoints
	}
	if len(keys) == 1 {
		return fmt.Sprintf("among the %d endpoints that the API key of %s shows", endpoints, keys[0].from())
	}
	return fmt.Sprintf("among the %d endpoints that %d API keys show", endpoints, len(keys))
}

// writeEndpoints writes a table, and below it what to do about each.
func writeEndpoints(to io.Writer, title string, endpoints []OrphanEndpoint, now time.Time) {
	if len(endpoints) == 0 {
		return
	}
	fmt.Fprintln(to, title)
	table := printers.GetNewTabWriter(to)
	fmt.Fprint(table, "ENDPOINT\tVERDICT\tSTATUS\tAGE\tOWNER\tURL\n")
	for _, e := range endpoints {
		var created time.Time
		if e.CreatedAt != nil {
			created = e.CreatedAt.Time
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", e.ID, e.Verdict, e.Status, age(now, created), orDash(e.Owner), e.URL)
	}
	_ = table.Flush() // a terminal or a pipe that does not take it
	fmt.Fprintln(to)
	for _, e := range endpoints {
		fmt.Fprintln(to, strings.TrimLeft(indented(wrapped(e.ID+": "+e.Advice, textWidth-2), 2), " "))
	}
}
