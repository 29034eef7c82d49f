package main

import (
	"context"
	"fmt"
	"strings"

	"iscope/inspectors/evolve"
)

// comparison is the JSON of inspect diff. The names of its fields do not change.
type comparison struct {
	Old     sideText        `json:"old"`
	New     sideText        `json:"new"`
	Kind    string          `json:"kind"`
	Summary summaryText     `json:"summary"`
	Changes []evolve.Change `json:"changes"`
	Notes   []string        `json:"notes,omitempty"`
}

type sideText struct {
	Name string `json:"name"`
}

type summaryText struct {
	Breaking   int `json:"breaking"`
	Dangerous  int `json:"dangerous"`
	Compatible int `json:"compatible"`
	Ignored    int `json:"ignored"`
}

func (a *app) printComparison(old, now *evolve.Contract, r *evolve.Report) error {
	sum := summaryText{Breaking: r.Count(evolve.Breaking), Dangerous: r.Count(evolve.Dangerous), Compatible: r.Count(evolve.Compatible), Ignored: r.Ignored}
	if a.json() {
		return a.printJSON(comparison{Old: sideText{old.Name}, New: sideText{now.Name}, Kind: string(r.Kind), Summary: sum, Changes: r.Changes, Notes: r.Notes})
	}
	var last evolve.Severity
	for _, c := range r.Changes {
		if c.Severity != last {
			if last != 0 {
				fmt.Fprintln(a.out)
			}
			last = c.Severity
			fmt.Fprintln(a.out, strings.ToUpper(last.String()))
		}
		a.printChange(&c)
	}
	if len(r.Changes) > 0 {
		fmt.Fprintln(a.out)
	}
	for _, n := range r.Notes {
		fmt.Fprintln(a.out, "not read: "+line(n))
	}
	text := fmt.Sprintf("%d breaking, %d dangerous, %d compatible", sum.Breaking, sum.Dangerous, sum.Compatible)
	if sum.Ignored > 0 {
		text += fmt.Sprintf(", %d ignored", sum.Ignored)
	}
	_, err := fmt.Fprintln(a.out, text)
	return err
}

func (a *app) printChange(c *evolve.Change) {
	at := ""
	switch {
	case c.Line > 0:
		at = fmt.Sprintf(" (line %d)", c.Line)
	case c.OldLine > 0:
		at = fmt.Sprintf(" (was in line %d)", c.OldLine)
	}
	fmt.Fprintf(a.out, "  %s  %s%s\n      %s\n", c.Rule, line(c.Path), at, line(c.Text))
}

// shown is the JSON of inspect show.
type shown struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	Text string `json:"text"`
}

func (a *app) inspectShow(ctx context.Context, arg string, o inspectOpts) error {
	c, err := a.contract(ctx, arg, o.imports)
	if err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(shown{Name: c.Name, Kind: string(c.Kind), Text: c.Text})
	}
	_, err = fmt.Fprintln(a.out, strings.TrimRight(block(c.Text), "\n"))
	return err
}
