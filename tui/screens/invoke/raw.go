package invoke

import (
	"unicode/utf8"

	"iscope/inspectors"
	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/tui/kit"
	"iscope/tui/theme"
)

// inspectedBody is the record whose body a tab shows.
type inspectedBody struct{ rec *probes.Record }

// rawPage shows the bytes as they are, so many a row, whatever their number: no
// row needs to know of those before it.
func (v *screen) rawPage(body *inspectedBody, w int) *page {
	b, per := body.rec.Body, max(8, w-2)
	return &page{n: (len(b) + per - 1) / per, row: func(i, w int) string {
		from, to := runeStart(b, i*per), runeStart(b, (i+1)*per)
		return kit.NewLine(v.o.Theme, w).Say(theme.Plain, " ").Put(theme.Plain, safe.LineBytes(b[from:to], w)).String()
	}}
}

// runeStart moves a place that is within a letter to its beginning.
func runeStart(b []byte, i int) int {
	i = min(i, len(b))
	for n := 0; n < utf8.UTFMax-1 && i > 0 && i < len(b) && !utf8.RuneStart(b[i]); n++ {
		i--
	}
	return i
}

func (v *screen) hexPage(body *inspectedBody) *page {
	b := body.rec.Body
	return &page{n: inspectors.HexRows(len(b)), row: func(i, w int) string {
		return kit.Spans(v.o.Theme, inspectors.Hex(b, i, 1)[0], w)
	}}
}
