package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/charmbracelet/x/term"

	"iscope/inspectors"
	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/probes/tap"
)

// recordSink prints records: JSON lines for programs, a table for people, bare
// values for those who ask.
func (a *app) recordSink(columns []probes.Column, dec *decoding) (sink tap.Sink, flush func() error) {
	if a.output == "raw" {
		s := newRawSink(a.out, a.warn)
		return s, s.Flush
	}
	if a.json() {
		s := newJSONSink(a.out, a.tty())
		if dec.json {
			s.dec = dec
		}
		return s, s.Flush
	}
	t := &tableSink{w: a.out, columns: columns, width: a.width(), chain: inspectors.Default(), env: dec.env}
	return t, func() error { return nil }
}

func (a *app) width() int {
	if w, _, err := term.GetSize(a.out.Fd()); err == nil && w > 0 {
		return w
	}
	return 120
}

// tableSink prints a record a line under a heading, as wide as the terminal.
type tableSink struct {
	w       io.Writer
	columns []probes.Column
	width   int
	chain   inspectors.Chain
	env     inspectors.Env
	headed  bool
}

// Write prints one line, and the heading before the first.
func (t *tableSink) Write(ctx context.Context, r probes.Record) error {
	if !t.headed {
		t.headed = true
		if err := t.line(safe.Const("TIME"), func(c probes.Column) safe.Text { return safe.Line(c.Title, c.Width) }); err != nil {
			return err
		}
	}
	if r.Kind == probes.Gap || r.Kind == probes.Notice {
		why, _ := r.Attr(probes.AttrReason)
		return t.print(safe.Line(fmt.Sprintf("%s: %s %s", r.Kind, r.Err, why), t.width))
	}
	at := r.Time
	if at.IsZero() {
		at = r.Seen
	}
	return t.line(safe.Line(at.Local().Format("15:04:05.000"), 12), func(c probes.Column) safe.Text { return t.cell(ctx, &r, c) })
}

func (t *tableSink) cell(ctx context.Context, r *probes.Record, c probes.Column) safe.Text {
	switch c.Attr {
	case "key":
		if r.Key == nil {
			return safe.Const("—")
		}
		return safe.LineBytes(r.Key, c.Width)
	case "size":
		return safe.Line(fmt.Sprint(int64(len(r.Body))+r.Cut), c.Width)
	case "subject":
		return safe.Line(r.Source.Subject, c.Width)
	case "summary":
		return safe.Line(t.chain.Brief(ctx, r, t.env, t.width), t.width)
	}
	v, _ := r.Attr(c.Attr)
	return safe.Line(v, c.Width)
}

func (t *tableSink) line(first safe.Text, cell func(probes.Column) safe.Text) error {
	row := []safe.Text{first.Fit(12)}
	for _, c := range t.columns {
		text := cell(c)
		switch {
		case c.Attr == "summary": // takes what is left
		case c.Right:
			text = text.FitRight(c.Width)
		default:
			text = text.Fit(c.Width)
		}
		row = append(row, safe.Const("  "), text)
	}
	return t.print(safe.Concat(row...).Cut(t.width))
}

func (t *tableSink) print(s safe.Text) error {
	_, err := fmt.Fprintln(t.w, s.String())
	return err
}

// table prints aligned columns of trusted or sanitized text.
func (a *app) table(head []string, rows [][]string) error {
	w := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(head, "\t"))
	for _, r := range rows {
		for i := range r {
			r[i] = line(r[i])
		}
		fmt.Fprintln(w, strings.Join(r, "\t"))
	}
	return w.Flush()
}

// printJSON prints one value as one line.
func (a *app) printJSON(v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	text := b.Bytes()
	if a.tty() {
		text = safe.JSON(text)
	}
	_, err := a.out.Write(text)
	return err
}
