package kit

import (
	"context"

	"iscope/inspectors"
	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/tui/theme"
)

var spanStyles = map[inspectors.Kind]theme.Style{
	inspectors.Key: theme.JSONKey, inspectors.String: theme.JSONText, inspectors.Number: theme.JSONNum,
	inspectors.Word: theme.JSONWord, inspectors.Punct: theme.Dim, inspectors.Offset: theme.Dim, inspectors.Comment: theme.Dim,
}

// Spans draws a line of an inspector's view.
func Spans(t theme.Theme, line inspectors.Line, w int) string {
	l := NewLine(t, w).Say(theme.Plain, " ")
	for _, s := range line {
		l.Put(spanStyles[s.Kind], s.Text)
	}
	return l.String()
}

// Problems draws what is wrong with a body.
func Problems(t theme.Theme, v *inspectors.View, w int) (rows []string) {
	for _, p := range v.Problems {
		rows = append(rows, NewLine(t, w).Say(theme.Warn, " "+t.Glyph(theme.Warning)+" ").Put(theme.Warn, safe.Line(p.Message, max(0, w-4))).String())
	}
	return rows
}

// previewLimit keeps a body shown in passing cheap.
const previewLimit = 16 << 10

// Body draws the beginning of a record's body in at most h rows.
func Body(t theme.Theme, chain inspectors.Chain, r *probes.Record, w, h int) []string {
	v := chain.Inspect(context.Background(), r, inspectors.Env{Limit: previewLimit})
	rows := Problems(t, &v, w)
	for _, line := range v.Lines {
		if len(rows) >= h {
			break
		}
		rows = append(rows, Spans(t, line, w))
	}
	return rows[:min(len(rows), max(0, h))]
}
