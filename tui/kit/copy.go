package kit

import (
	"context"
	"fmt"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"

	"iscope/inspectors"
	"iscope/probes"
)

// Copy copies bytes to the clipboard, unless they could do harm there. what names
// them: "value".
func Copy(what string, b []byte) tea.Cmd {
	if HasControl(b) {
		return Send(Toast{Text: "the " + what + " holds control bytes; copying it could run something", Bad: true})
	}
	return tea.Batch(tea.SetClipboard(string(b)), Say(fmt.Sprintf("copied %s (%d B) via OSC 52", what, len(b))))
}

// CopyBody copies a record's body; of one that is no text, what was decoded of it.
func CopyBody(r *probes.Record, env inspectors.Env) tea.Cmd {
	if HasControl(r.Body) {
		if text, kind, err := inspectors.Decode(context.Background(), r, env); err == nil && kind != "text" {
			return Copy("decoded value", text)
		}
	}
	return Copy("value", r.Body)
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
