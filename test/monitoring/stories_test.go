// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"strconv"
	"strings"
	"time"
)

// at is what fires at a time after the beginning: the labels of each instance, beside severity and alertname.
type at struct {
	after  time.Duration
	firing []string
}

// story is what Prometheus has scraped, every 30 seconds, and what one alert makes of it.
type story struct {
	alert, name string
	series      []string
	expected    []at
}

const prefix = "medblocks_webhook_operator_"

// Two replicas of an operator, as Prometheus tells them apart.
const (
	podA = `job="operator", instance="10.0.0.1:8443"`
	podB = `job="operator", instance="10.0.0.2:8443"`
	// shardA and shardB are operators with a job each.
	shardA = `job="shard-a", instance="10.0.0.1:8443"`
	shardB = `job="shard-b", instance="10.0.0.2:8443"`
)

func endpointSeries(metric, name, target, values string) string {
	return prefix + metric + `{namespace="shop", name="` + name + `", ` + target + `} ` + values
}

func minutes(n float64) time.Duration { return time.Duration(n * float64(time.Minute)) }

func stories() []story {
	var all []story
	for _, some := range [][]story{disabledStories(), failingStories(), exhaustedStories(), stalledStories(), countedStories(), orphanStories(), accountStories(), sweepStories(), downStories()} {
		all = append(all, some...)
	}
	return all
}

func disabledStories() []story {
	const alert, hooks = "MedblocksWebhookEndpointDisabled", "name=hooks,namespace=shop"
	return []story{
		{alert, "fires two minutes after the disable and clears five after the end", []string{
			endpointSeries("endpoint_enabled", "hooks", podA, "1x3 0x20 1x40"),
			endpointSeries("endpoint_enabled", "well", podA, "1x80"),
		}, []at{{minutes(3.5), nil}, {minutes(4), []string{hooks}}, {minutes(12), []string{hooks}}, {minutes(17), []string{hooks}}, {minutes(18), nil}}},
		{alert, "not for one that is enabled again at once", []string{
			endpointSeries("endpoint_enabled", "hooks", podA, "1x3 0x2 1x20"),
		}, []at{{minutes(3), nil}, {minutes(4), nil}, {minutes(10), nil}}},
		{alert, "not for one that is disabled because its spec says so", []string{
			endpointSeries("endpoint_enabled", "hooks", podA, "1x3 0x40"),
			endpointSeries("endpoint_disabled_by_spec", "hooks", podA, "_x3 1x40"),
			endpointSeries("endpoint_enabled", "other", podA, "0x40"),
		}, []at{{minutes(10), []string{"name=other,namespace=shop"}}}},
		{alert, "ends where the spec gives in", []string{
			endpointSeries("endpoint_enabled", "hooks", podA, "0x60"),
			endpointSeries("endpoint_disabled_by_spec", "hooks", podA, "_x10 1x50"),
		}, []at{{minutes(4), []string{hooks}}, {minutes(11), nil}}},
		{alert, "goes on through a scrape that failed", []string{
			endpointSeries("endpoint_enabled", "hooks", podA, "0x9 stale _x3 0x40"),
		}, []at{{minutes(4), []string{hooks}}, {minutes(5.5), []string{hooks}}, {minutes(8), []string{hooks}}}},
		{alert, "goes on while another replica takes over, as one alert", []string{
			endpointSeries("endpoint_enabled", "hooks", podA, "0x10 stale"),
			endpointSeries("endpoint_enabled", "hooks", podB, "_x6 0x40"),
		}, []at{{minutes(4), []string{hooks}}, {minutes(5), []string{hooks}}, {minutes(7), []string{hooks}}, {minutes(20), []string{hooks}}}},
		{alert, "is not silenced by a replica whose cache is behind", []string{
			endpointSeries("endpoint_enabled", "hooks", podA, "0x20"),
			endpointSeries("endpoint_enabled", "hooks", podB, "1x20"),
		}, []at{{minutes(5), []string{hooks}}}},
		{alert, "ends with its resource", []string{
			endpointSeries("endpoint_enabled", "hooks", podA, "0x20 stale"),
		}, []at{{minutes(10), []string{hooks}}, {minutes(16), nil}}},
	}
}

func failingStories() []story {
	const alert, hooks = "MedblocksWebhookEndpointAboutToBeDisabled", "name=hooks,namespace=shop"
	return []story{
		{alert, "fires after five minutes and clears", []string{
			endpointSeries("endpoint_deliveries_healthy", "hooks", podA, "1x3 0x20 1x40"),
			endpointSeries("endpoint_deliveries_healthy", "well", podA, "1x80"),
			endpointSeries("endpoint_enabled", "hooks", podA, "1x80"),
		}, []at{{minutes(6.5), nil}, {minutes(7), []string{hooks}}, {minutes(12), []string{hooks}}, {minutes(18), nil}}},
		{alert, "gives way to the disable", []string{
			endpointSeries("endpoint_deliveries_healthy", "hooks", podA, "0x20 stale"),
		}, []at{{minutes(10), []string{hooks}}, {minutes(16), nil}}},
		{alert, "goes on through a scrape that failed, and a change of replicas", []string{
			endpointSeries("endpoint_deliveries_healthy", "hooks", podA, "0x14 stale"),
			endpointSeries("endpoint_deliveries_healthy", "hooks", podB, "_x16 0x20"),
		}, []at{{minutes(7), []string{hooks}}, {minutes(7.5), []string{hooks}}, {minutes(9), []string{hooks}}}},
		{alert, "not where nobody looks at deliveries", []string{
			endpointSeries("endpoint_enabled", "hooks", podA, "1x40"),
		}, []at{{minutes(20), nil}}},
	}
}

func exhaustedStories() []story {
	const alert, hooks = "MedblocksWebhookEndpointReenableExhausted", "name=hooks,namespace=shop"
	return []story{
		{alert, "fires after a minute, once for two replicas, and clears", []string{
			endpointSeries("endpoint_reenable_exhausted", "hooks", podA, "_x4 1x20 stale"),
			endpointSeries("endpoint_reenable_exhausted", "hooks", podB, "_x4 1x20 stale"),
		}, []at{{minutes(2.5), nil}, {minutes(3), []string{hooks}}, {minutes(13), []string{hooks}}, {minutes(18), nil}}},
		{alert, "not for one that is disabled and has attempts left", []string{
			endpointSeries("endpoint_enabled", "hooks", podA, "0x40"),
		}, []at{{minutes(15), nil}}},
		{alert, "goes on through a scrape that failed", []string{
			endpointSeries("endpoint_reenable_exhausted", "hooks", podA, "1x6 stale _ 1x20"),
		}, []at{{minutes(3), []string{hooks}}, {minutes(3.5), []string{hooks}}, {minutes(6), []string{hooks}}}},
	}
}

func stalled(name, reason, target, values string) string {
	return prefix + `endpoint_stalled{namespace="shop", name="` + name + `", reason="` + reason + `", ` + target + `} ` + values
}

func stalledStories() []story {
	const alert = "MedblocksWebhookEndpointStalled"
	return []story{
		{alert, "fires after fifteen minutes and clears", []string{
			stalled("hooks", "InvalidRequest", podA, "1x40 stale"), stalled("hooks", "InvalidRequest", podB, "1x40 stale"),
		}, []at{{minutes(14.5), nil}, {minutes(15), []string{"name=hooks,namespace=shop,reason=InvalidRequest"}}, {minutes(26), nil}}},
		{alert, "not for what is put right in time", []string{
			stalled("hooks", "CredentialsUnavailable", podA, "1x20 stale"),
		}, []at{{minutes(16), nil}, {minutes(30), nil}}},
		{alert, "not for a disabled endpoint, which has its own", []string{
			stalled("a", "AutoDisabled", podA, "1x60"), stalled("b", "DisabledManually", podA, "1x60"), stalled("c", "Unknown", podA, "1x60"),
		}, []at{{minutes(25), nil}}},
		{alert, "goes on while another replica takes over", []string{
			stalled("hooks", "Forbidden", podA, "1x34 stale"), stalled("hooks", "Forbidden", podB, "_x37 1x40"),
		}, []at{{minutes(17.5), []string{"name=hooks,namespace=shop,reason=Forbidden"}}, {minutes(25), []string{"name=hooks,namespace=shop,reason=Forbidden"}}}},
	}
}

// countedStories are those of two alerts that are alike.
func countedStories() []story {
	var all []story
	for alert, counter := range map[string]string{
		"MedblocksWebhookSigningSecretRecovered": prefix + "secrets_recovered_total",
		"MedblocksWebhookDeletionReleased":       prefix + "released_deletions_total",
	} {
		all = append(all,
			story{alert, "fires at the first one, for an hour", []string{
				counter + `{` + podA + `} 0x4 1x200`,
			}, []at{{minutes(2), nil}, {minutes(3), []string{"job=operator"}}, {minutes(50), []string{"job=operator"}}, {minutes(63), nil}}},
			story{alert, "not for what was counted before", []string{counter + `{` + podA + `} 7x100`}, []at{{minutes(30), nil}}},
			story{alert, "not because another replica takes over, or a process starts anew", []string{
				counter + `{` + podA + `} 7x20 stale`, counter + `{` + podB + `} 0x100`, counter + `{job="operator", instance="10.0.0.3:8443"} 5x20 0x80`,
			}, []at{{minutes(8), nil}, {minutes(12), nil}, {minutes(30), nil}}},
			story{alert, "is not lost in a scrape that failed", []string{
				counter + `{` + podA + `} 0x4 stale _ 1x60`,
			}, []at{{minutes(5), []string{"job=operator"}}}},
		)
	}
	return all
}

func orphanStories() []story {
	const alert, metric = "MedblocksWebhookEndpointOrphaned", prefix + "orphaned_endpoints"
	return []story{
		{alert, "fires after an hour and clears", []string{
			metric + `{namespace="shop", ` + podA + `} 2x130 0x60`, metric + `{namespace="calm", ` + podA + `} 0x190`,
		}, []at{{minutes(59), nil}, {minutes(60), []string{"namespace=shop"}}, {minutes(82), nil}}},
		{alert, "not while a cluster is being restored", []string{
			metric + `{namespace="shop", ` + podA + `} 20x60 0x100`,
		}, []at{{minutes(45), nil}, {minutes(70), nil}}},
		{alert, "goes on while another replica takes over", []string{
			metric + `{namespace="shop", ` + podA + `} 2x125 stale`, metric + `{namespace="shop", ` + podB + `} _x135 2x40`,
		}, []at{{minutes(62), []string{"namespace=shop"}}, {minutes(66), []string{"namespace=shop"}}, {minutes(85), []string{"namespace=shop"}}}},
	}
}

func account(metric, labels, target, values string) string {
	return prefix + "account_" + metric + `{account="shop/medblocks-api-key"` + labels + `, ` + target + `} ` + values
}

func accountStories() []story {
	const alert, key = "MedblocksWebhookAccountRefused", "account=shop/medblocks-api-key,job=operator"
	return []story{
		{alert, "fires after two minutes and clears", []string{account("breaker_open", "", podA, "0x3 1x20 0x40")},
			[]at{{minutes(3.5), nil}, {minutes(4), []string{key}}, {minutes(18), nil}}},
		{alert, "not for a refusal that ends soon", []string{account("breaker_open", "", podA, "0x3 1x2 0x40")}, []at{{minutes(4), nil}, {minutes(10), nil}}},
		{alert, "goes on through a scrape that failed, and a change of replicas", []string{
			account("breaker_open", "", podA, "1x10 stale"), account("breaker_open", "", podB, "_x12 1x40"),
		}, []at{{minutes(5), []string{key}}, {minutes(5.5), []string{key}}, {minutes(15), []string{key}}}},
	}
}

// swept is when a list was finished, in seconds since 1970, scrape by scrape.
func swept(kind, target string, values string) string {
	return account("last_sweep_timestamp_seconds", `, kind="`+kind+`"`, target, values)
}

// sweptEvery is how often that is to be, in seconds.
func sweptEvery(kind, target string, seconds int) string {
	return account("sweep_interval_seconds", `, kind="`+kind+`"`, target, strconv.Itoa(seconds)+"x80")
}

// byDefault adds the default intervals to what the processes of a story show.
func byDefault(stories []story) []story {
	for i, s := range stories {
		for _, target := range []string{podA, podB, shardA, shardB} {
			if strings.Contains(strings.Join(s.series, ""), target) && !strings.Contains(strings.Join(s.series, ""), "sweep_interval") {
				stories[i].series = append(stories[i].series, sweptEvery("disabled", target, 30), sweptEvery("full", target, 300))
			}
		}
	}
	return stories
}

func sweepStories() []story {
	const alert, of = "MedblocksWebhookSweepTooOld", "account=shop/medblocks-api-key,job=operator,kind="
	const began = "1795608000" // start
	return byDefault([]story{
		{alert, "not while the lists go on", []string{
			swept("disabled", podA, began+"+30x60"), swept("full", podA, began+"x10 "+began+"x10"),
		}, []at{{minutes(5), nil}, {minutes(10), nil}}},
		{alert, "fires when the lists of what is disabled stop, and clears", []string{
			swept("disabled", podA, began+"x12 1795608390+30x60"),
		}, []at{{minutes(3), nil}, {minutes(4), []string{of + "disabled"}}, {minutes(6), []string{of + "disabled"}}, {minutes(11.5), nil}}},
		{alert, "fires when the full lists stop", []string{
			swept("disabled", podA, began+"+30x80"), swept("full", podA, began+"x80"),
		}, []at{{minutes(16), nil}, {minutes(17.5), []string{of + "full"}}}},
		{alert, "gives a new account two minutes", []string{
			swept("disabled", podA, "0x3 1795608120+30x40"), swept("full", podA, "0x3 1795608120x40"),
		}, []at{{minutes(1), nil}, {minutes(2), nil}, {minutes(5), nil}}},
		{alert, "leaves an account that is refused to its own alert", []string{
			swept("disabled", podA, began+"x60"), account("breaker_open", "", podA, "1x60"),
		}, []at{{minutes(20), nil}}},
		{alert, "not because another replica takes over", []string{
			swept("disabled", podA, began+"+30x10 stale"), swept("disabled", podB, "_x12 0x2 1795608420+30x40"),
		}, []at{{minutes(5), nil}, {minutes(6.5), nil}, {minutes(9), nil}, {minutes(15), nil}}},
		{alert, "tells shards apart that use the same key", []string{
			swept("disabled", shardA, began+"+30x40"),
			swept("disabled", shardB, began+"x40"),
		}, []at{{minutes(5), []string{"account=shop/medblocks-api-key,job=shard-b,kind=disabled"}}}},
		{alert, "takes the intervals that the operator has", []string{
			swept("disabled", podA, began+"x40"), sweptEvery("disabled", podA, 240),
		}, []at{{minutes(12), nil}, {minutes(14.5), []string{of + "disabled"}}}},
		{alert, "not because scrapes are further apart than lists", []string{
			swept("disabled", podA, "1795607970+30x40"), sweptEvery("disabled", podA, 1),
		}, []at{{minutes(1), nil}, {minutes(3), nil}, {minutes(6), nil}}},
	})
}

func downStories() []story {
	const alert, shown = "MedblocksWebhookOperatorDown", prefix + "endpoints"
	leads := func(target, values string) string {
		return `leader_election_master_status{name="medblocks-webhook-operator.connect.medblocks.com", ` + target + `} ` + values
	}
	resources := func(target, values string) string { return shown + `{status="active", ` + target + `} ` + values }
	return []story{
		{alert, "fires when there has never been one", nil, []at{{minutes(4.5), nil}, {minutes(5), []string{""}}}},
		{alert, "fires five minutes after the last one has gone, and clears", []string{
			resources(podA, "3x10 stale _x20 3x40"), leads(podA, "1x10 stale _x20 1x40"),
		}, []at{{minutes(10), nil}, {minutes(11), []string{""}}, {minutes(17), nil}}},
		{alert, "fires when all wait", []string{
			resources(podA, "3x40"), leads(podA, "0x40"), resources(podB, "3x40"), leads(podB, "0x40"),
		}, []at{{minutes(4.5), nil}, {minutes(5), []string{"job=operator"}}}},
		{alert, "not while one of two works", []string{
			resources(podA, "3x40"), leads(podA, "1x40"), resources(podB, "3x40"), leads(podB, "0x40"),
		}, []at{{minutes(10), nil}, {minutes(20), nil}}},
		{alert, "not while one takes over from the other", []string{
			resources(podA, "3x20 stale"), leads(podA, "1x20 stale"), resources(podB, "3x80"), leads(podB, "0x22 1x60"),
		}, []at{{minutes(10.5), nil}, {minutes(12), nil}, {minutes(30), nil}}},
		{alert, "not for a scrape that failed, or several within four minutes", []string{
			resources(podA, "3x10 stale _x7 3x40"), leads(podA, "1x10 stale _x7 1x40"),
		}, []at{{minutes(9), nil}, {minutes(20), nil}}},
		{alert, "not for one that elects no leader, nor for somebody else who waits", []string{
			resources(podA, "3x40"), `leader_election_master_status{name="another", job="another", instance="10.9.9.9:8443"} 0x40`,
		}, []at{{minutes(15), nil}}},
	}
}
