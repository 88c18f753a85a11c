// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

const dashboardFile = "../../config/grafana/medblocks-webhook-operator.json"

// dashboard is what Grafana stores, as far as it is looked at here.
type dashboard struct {
	UID           string  `json:"uid"`
	Title         string  `json:"title"`
	SchemaVersion int     `json:"schemaVersion"`
	Panels        []panel `json:"panels"`
	Templating    struct {
		List []struct {
			Name, Type string
			Datasource json.RawMessage
			Query      json.RawMessage
		} `json:"list"`
	} `json:"templating"`
}

type panel struct {
	ID         int        `json:"id"`
	Type       string     `json:"type"`
	Title      string     `json:"title"`
	Datasource datasource `json:"datasource"`
	GridPos    struct {
		X, Y, W, H int
	} `json:"gridPos"`
	Targets []struct {
		Expr       string     `json:"expr"`
		RefID      string     `json:"refId"`
		Datasource datasource `json:"datasource"`
	} `json:"targets"`
}

type datasource struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

func readDashboard(t *testing.T) dashboard {
	t.Helper()
	content, err := os.ReadFile(dashboardFile)
	if err != nil {
		t.Fatal(err)
	}
	var d dashboard
	if err := json.NewDecoder(bytes.NewReader(content)).Decode(&d); err != nil {
		t.Fatalf("%s: %v", dashboardFile, err)
	}
	if d.UID == "" || d.Title == "" || d.SchemaVersion == 0 || len(d.Panels) == 0 {
		t.Fatalf("%s is no dashboard", dashboardFile)
	}
	return d
}

// filled is a query with the dashboard's variables as they are at the start: all namespaces.
func filled(query string) string {
	return strings.NewReplacer("$namespace", ".*", "$__rate_interval", "2m").Replace(query)
}

func TestTheDashboardAsksTheDatasourceThatItsReaderChooses(t *testing.T) {
	d := readDashboard(t)
	variables := map[string]string{}
	for _, variable := range d.Templating.List {
		variables[variable.Name] = variable.Type
	}
	if variables["datasource"] != "datasource" || variables["namespace"] != "query" || len(variables) != 2 {
		t.Errorf("variables: %v", variables)
	}
	chosen := datasource{Type: "prometheus", UID: "${datasource}"}
	for _, p := range d.Panels {
		if p.Type == "row" {
			continue
		}
		if p.Datasource != chosen {
			t.Errorf("%q asks %+v", p.Title, p.Datasource)
		}
		for _, target := range p.Targets {
			if target.Datasource != chosen {
				t.Errorf("%q asks %+v", p.Title, target.Datasource)
			}
			if query := filled(target.Expr); strings.Contains(query, "$") {
				t.Errorf("%q uses a variable that does not exist: %s", p.Title, query)
			}
		}
	}
}

func TestTheDashboardHasARowForEachQuestionAndNoPanelHidesAnother(t *testing.T) {
	taken, ids, rows := map[[2]int]string{}, map[int]bool{}, 0
	for _, p := range readDashboard(t).Panels {
		if ids[p.ID] {
			t.Errorf("%q has the id of another panel", p.Title)
		}
		ids[p.ID] = true
		switch {
		case p.Type == "row":
			rows++
			if !strings.HasSuffix(p.Title, "?") {
				t.Errorf("the row %q is no question", p.Title)
			}
		case rows == 0:
			t.Errorf("%q is in no row", p.Title)
		case len(p.Targets) == 0:
			t.Errorf("%q asks nothing", p.Title)
		}
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
					t.Fatalf("%q is over %q, or leaves the page", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
	}
	if rows != 6 {
		t.Errorf("%d rows", rows)
	}
}
