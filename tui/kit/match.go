package kit

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"

	"iscope/probes"
)

// Matcher makes a filter of what was typed: every word must occur in the key,
// the body, a header or an attribute, whatever its case. nil when nothing was
// typed.
func Matcher(typed string) func(*probes.Record) bool {
	var words [][]byte
	for w := range strings.FieldsSeq(typed) {
		words = append(words, []byte(strings.ToLower(w)))
	}
	if len(words) == 0 {
		return nil
	}
	return func(r *probes.Record) bool {
		for _, w := range words {
			if !occurs(r, w) {
				return false
			}
		}
		return true
	}
}

func occurs(r *probes.Record, word []byte) bool {
	if containsFold(r.Body, word) || containsFold(r.Key, word) || containsFold([]byte(r.Err), word) {
		return true
	}
	for i := range r.Header {
		if containsFold([]byte(r.Header[i].Name), word) || containsFold(r.Header[i].Value, word) {
			return true
		}
	}
	for i := range r.Attrs {
		if containsFold([]byte(r.Attrs[i].Value), word) {
			return true
		}
	}
	return containsFold([]byte(r.Source.Subject), word)
}

// containsFold reports whether b holds the lower-case word, ignoring the case of
// ASCII letters, without copying b.
func containsFold(b, word []byte) bool {
	first := word[0]
	upper := first
	if first >= 'a' && first <= 'z' {
		upper = first - 'a' + 'A'
	}
	for len(b) >= len(word) {
		i := bytes.IndexByte(b, first)
		if upper != first {
			if j := bytes.IndexByte(b[:limit(i, len(b))], upper); j >= 0 {
				i = j
			}
		}
		if i < 0 || len(b)-i < len(word) {
			return false
		}
		if bytes.EqualFold(b[i:i+len(word)], word) {
			return true
		}
		b = b[i+1:]
	}
	return false
}

func limit(i, n int) int {
	if i < 0 {
		return n
	}
	return i
}

// Copy copies bytes to the clipboard, unless they could do harm there. what names
// them: "value".
func Copy(what string, b []byte) tea.Cmd {
	if HasControl(b) {
		return Send(Toast{Text: "the " + what + " holds control bytes; copying it could run something", Bad: true})
	}
	return tea.Batch(tea.SetClipboard(string(b)), Say(fmt.Sprintf("copied %s (%d B) via OSC 52", what, len(b))))
}

// HasControl reports whether a terminal or shell could take a part of b for
// something other than text.
func HasControl(b []byte) bool {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 || r < 0x20 && r != '\n' && r != '\t' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return true
		}
		i += n
	}
	return false
}
