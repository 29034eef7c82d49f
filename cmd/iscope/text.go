package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"unicode/utf8"

	"iscope/inspectors/safe"
)

// line makes text from outside fit for one line of output.
func line(s string) string { return safe.Line(s, safe.Wide).String() }

// block makes text from outside fit for several lines.
func block(s string) string {
	var b strings.Builder
	writeBlock(&b, s) // a Builder takes everything
	return strings.TrimSuffix(b.String(), "\n")
}

// pieceBytes is what is made safe at a time: an answer may be one line of 50 MB.
const pieceBytes = 32 << 10

// writeBlock writes text from outside, line by line, all of it. Each line ends
// with a line end.
func writeBlock(w io.Writer, s string) error {
	out := bufio.NewWriterSize(w, 2*pieceBytes)
	for s != "" {
		row, rest, _ := strings.Cut(s, "\n")
		for s = rest; row != ""; {
			n := min(len(row), pieceBytes)
			for n < len(row) && n > pieceBytes-utf8.UTFMax && !utf8.RuneStart(row[n]) {
				n--
			}
			safe, _ := safe.Block(row[:n], safe.Wide, 1)
			out.WriteString(safe[0].String())
			row = row[n:]
		}
		out.WriteByte('\n')
	}
	return out.Flush() // tells of any failure before
}

// writeBody writes a payload for people: JSON is indented without touching its
// numbers, and anything is safe to print.
func writeBody(w io.Writer, body []byte) error {
	var out bytes.Buffer
	if json.Indent(&out, body, "", "  ") == nil {
		body = out.Bytes()
	}
	if len(body) == 0 {
		body = []byte("\n")
	}
	return writeBlock(w, string(body))
}
