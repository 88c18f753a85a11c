// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
)

const (
	// interval is how often Prometheus scrapes, and evaluates rules.
	interval = 30 * time.Second
	// lookback is how old the last sample of a series may be; Prometheus' default.
	lookback = 5 * time.Minute
)

// start is when all that is told in these tests begins.
var start = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

var (
	promQL = parser.NewParser(parser.Options{})
	engine = promql.NewEngine(promql.EngineOpts{
		MaxSamples: 1_000_000, Timeout: time.Minute, LookbackDelta: lookback, Parser: promQL, EnableAtModifier: true, EnableNegativeOffset: true,
	})
)

// sample is one value of a series at a time.
type sample struct {
	at    int64
	value float64
}

var _ chunks.Sample = sample{}

func (s sample) T() int64                      { return s.at }
func (s sample) ST() int64                     { return 0 }
func (s sample) F() float64                    { return s.value }
func (s sample) H() *histogram.Histogram       { return nil }
func (s sample) FH() *histogram.FloatHistogram { return nil }
func (s sample) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (s sample) Copy() chunks.Sample           { return s }

// series are what a Prometheus has stored. They are few: a query looks at all of them.
type series []*oneSeries

type oneSeries struct {
	labels  labels.Labels
	samples []chunks.Sample
}

var _ storage.Queryable = series{}

// Querier is a view of the samples in a range of time (storage.Queryable).
func (s series) Querier(from, to int64) (storage.Querier, error) {
	return querier{series: s, from: from, to: to}, nil
}

type querier struct {
	series
	from, to int64
}

// Select finds the series that match (storage.Querier).
func (q querier) Select(_ context.Context, _ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	var found []storage.Series
	for _, one := range q.series {
		if !one.matches(matchers) {
			continue
		}
		within := slices.DeleteFunc(slices.Clone(one.samples), func(s chunks.Sample) bool { return s.T() < q.from || s.T() > q.to })
		if len(within) > 0 {
			found = append(found, storage.NewListSeries(one.labels, within))
		}
	}
	slices.SortFunc(found, func(a, b storage.Series) int { return labels.Compare(a.Labels(), b.Labels()) })
	return &seriesSet{all: found, at: -1}
}

func (o *oneSeries) matches(matchers []*labels.Matcher) bool {
	for _, m := range matchers {
		if !m.Matches(o.labels.Get(m.Name)) {
			return false
		}
	}
	return true
}

func (querier) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil // no query asks for that
}

func (querier) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (querier) Close() error { return nil }

type seriesSet struct {
	all []storage.Series
	at  int
}

func (s *seriesSet) Next() bool                      { s.at++; return s.at < len(s.all) }
func (s *seriesSet) At() storage.Series              { return s.all[s.at] }
func (*seriesSet) Err() error                        { return nil }
func (*seriesSet) Warnings() annotations.Annotations { return nil }

// told makes series of Prometheus' notation for them, with a value for each interval: `name{label="value"} 0x3 _x2 1x4 stale`.
func told(t *testing.T, lines ...string) series {
	t.Helper()
	var all series
	for _, line := range lines {
		named, values, err := promQL.ParseSeriesDesc(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		one := &oneSeries{labels: named}
		for i, value := range values {
			if !value.Omitted {
				one.samples = append(one.samples, sample{at: start.Add(time.Duration(i) * interval).UnixMilli(), value: value.Value})
			}
		}
		all = append(all, one)
	}
	return all
}

// ask evaluates a query at a time. What Prometheus has to remark on it is an error here.
func (s series) ask(ctx context.Context, query string, at time.Time) (promql.Vector, error) {
	asked, err := engine.NewInstantQuery(ctx, s, nil, query, at)
	if err != nil {
		return nil, err
	}
	defer asked.Close()
	result := asked.Exec(ctx)
	if result.Err != nil {
		return nil, result.Err
	}
	vector, err := result.Vector()
	if err != nil {
		return nil, err
	}
	return slices.Clone(vector), nil
}
