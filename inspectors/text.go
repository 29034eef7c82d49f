package inspectors

import (
	"context"
	"strings"
	"unicode/utf8"

	"iscope/inspectors/safe"
	"iscope/probes"
)

// plain shows text in UTF-8.
type plain struct{}

func (plain) Name() string { return "text" }

func (plain) Inspect(_ context.Context, r *probes.Record, env Env) (View, error) {
	head, truncated := window(r.Body, env)
	if at := notText(head, truncated || r.Cut > 0); at >= 0 {
		if strings.HasPrefix(contentType(r), "text/") {
			return View{}, &malformed{kind: "UTF-8 text", offset: at, reason: "byte " + hexByte(head[at])}
		}
		return View{}, ErrNotMine
	}
	rows, more := safe.Block(string(head), safe.Wide, len(head)+1)
	v := View{Summary: oneLine(head, 4096), Truncated: truncated || more}
	for _, row := range rows {
		v.Lines = append(v.Lines, Line{{Plain, row}})
	}
	return v, nil
}

// notText returns the offset of the first byte that says binary, -1 for text:
// bytes that are no UTF-8, NUL, or more control characters than a text with
// colours in it has. cut allows for half a character at the end.
func notText(b []byte, cut bool) int {
	controls, first := 0, -1
	for i := 0; i < len(b); {
		c := b[i]
		if c < utf8.RuneSelf {
			if c < 0x20 && c != '\n' && c != '\t' && c != '\r' {
				if c == 0 {
					return i
				}
				if first < 0 {
					first = i
				}
				controls++
			}
			i++
			continue
		}
		_, size := utf8.DecodeRune(b[i:])
		if size == 1 {
			if cut && len(b)-i < utf8.UTFMax && !utf8.FullRune(b[i:]) {
				break
			}
			return i
		}
		i += size
	}
	if controls*4 > len(b) {
		return first
	}
	return -1
}

func hexByte(c byte) string {
	const digits = "0123456789abcdef"
	return "0x" + string([]byte{digits[c>>4], digits[c&15]})
}
