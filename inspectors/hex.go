package inspectors

import (
	"context"
	"strconv"

	"iscope/inspectors/safe"
	"iscope/probes"
)

// perRow is the number of bytes in a row of a dump.
const perRow = 16

// dump shows bytes: the last resort, and the way to see what is really there.
type dump struct{}

func (dump) Name() string { return "hex" }

func (dump) Inspect(_ context.Context, r *probes.Record, env Env) (View, error) {
	// A row of the dump costs fifty times its bytes.
	rows := max(env.limit()/64/perRow, 1)
	return View{Summary: hexSummary(r.Body, 96), Lines: Hex(r.Body, 0, rows),
		Truncated: HexRows(len(r.Body)) > rows}, nil
}

// HexRows is the number of rows a dump of n bytes has.
func HexRows(n int) int { return (n + perRow - 1) / perRow }

// Hex lays out rows of a dump, starting at row from: offset, sixteen bytes in
// hexadecimal, the same in ASCII. Only these rows are looked at, so that a body
// of any size can be scrolled.
func Hex(b []byte, from, rows int) []Line {
	out := make([]Line, 0, max(min(rows, HexRows(len(b))-from), 0))
	for row := max(from, 0); row < from+rows && row*perRow < len(b); row++ {
		out = append(out, hexRow(b[row*perRow:min((row+1)*perRow, len(b))], row*perRow))
	}
	return out
}

func hexRow(b []byte, offset int) Line {
	const digits = "0123456789abcdef"
	var hex [perRow*3 + 2]byte
	var ascii [perRow]byte
	for i := range hex {
		hex[i] = ' '
	}
	for i, c := range b {
		at := i*3 + i/8 // one blank more between the halves
		hex[at], hex[at+1] = digits[c>>4], digits[c&15]
		ascii[i] = '.'
		if c >= 0x20 && c < 0x7f {
			ascii[i] = c
		}
	}
	return Line{
		{Offset, safe.Line(offsetText(offset), 20)},
		{Plain, safe.LineBytes(append([]byte("  "), hex[:]...), 64)},
		{String, safe.LineBytes(ascii[:len(b)], perRow)},
	}
}

func offsetText(n int) string {
	s := strconv.FormatInt(int64(n), 16)
	const zeros = "00000000"
	if len(s) < len(zeros) {
		return zeros[len(s):] + s
	}
	return s
}

// hexSummary is the first bytes of a binary body and its size, in about max
// characters.
func hexSummary(b []byte, max int) string {
	const digits = "0123456789abcdef"
	n := min(len(b), (max-16)/3)
	if n < 4 {
		n = min(len(b), 4)
	}
	out := make([]byte, 0, n*3+24)
	for _, c := range b[:n] {
		out = append(out, digits[c>>4], digits[c&15], ' ')
	}
	if n < len(b) {
		out = append(out, "… "...)
	}
	return string(append(strconv.AppendInt(out, int64(len(b)), 10), " bytes"...))
}
