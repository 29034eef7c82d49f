package filter

import (
	"strings"
	"unicode/utf8"

	"iscope/probes"
)

// word is a text that has to occur somewhere, whatever its case.
type word struct{ f folded }

// searched returns the parts of a record in which words are looked for, one by
// one, the body apart.
func searched(r *probes.Record, f func(string) bool) bool {
	if f(view(r.Key)) || f(r.Source.Subject) || f(r.Err) {
		return true
	}
	for i := range r.Header {
		if f(r.Header[i].Name) || f(view(r.Header[i].Value)) {
			return true
		}
	}
	for i := range r.Attrs {
		switch r.Attrs[i].Name {
		case probes.AttrRPCMethod, probes.AttrRPCStatus, probes.AttrHTTPMethod, probes.AttrHTTPStatus, probes.AttrHTTPRoute,
			probes.AttrURL, probes.AttrStatus:
			if f(r.Attrs[i].Value) {
				return true
			}
		}
	}
	return false
}

func (c *word) judge(st *state) verdict {
	if st.row != nil {
		return truth(c.inRow(st.row))
	}
	r := st.rec
	if searched(r, c.f.in) || c.f.in(view(r.Body)) || c.f.in(st.readable()) {
		return yes
	}
	if r.Cut > 0 {
		return st.unsure(Fault{where: c.f.text, code: cutShort})
	}
	return no
}

func (c *word) inRow(r *Row) bool {
	for _, s := range [...]string{r.Name, r.Kind, r.Target, r.Group, r.Address, r.Health, r.Reason, r.Effect, r.Streams, r.Doc} {
		if c.f.in(s) {
			return true
		}
	}
	for i := range r.Attrs {
		if c.f.in(r.Attrs[i].Value) {
			return true
		}
	}
	return false
}

// readable is the text of a body that differs from its bytes: JSON with its
// escape sequences resolved, or what a decoder makes of binary data. It is ""
// where the bytes say it all.
func (st *state) readable() string {
	if st.searched != docUnopened {
		return st.decoded
	}
	st.searched = docOpen
	text := view(st.rec.Body)
	switch {
	case text == "":
		return ""
	case !direct(text[0]) && st.decode != nil && binary(text):
		doc, err := st.decode(st.ctx, st.rec)
		if err != nil {
			return "" // whatever it is, its bytes have been searched
		}
		text, st.decoded = view(doc), view(doc)
	}
	if text != "" && direct(text[0]) && strings.IndexByte(text, '\\') >= 0 {
		st.buf = unescape(st.buf[:0], text)
		st.decoded = view(st.buf)
	}
	return st.decoded
}

// binary reports whether a body is no text.
func binary(s string) bool { return strings.IndexByte(s, 0) >= 0 || !utf8.ValidString(s) }
