// Package emit writes what a decoder reads as JSON text, with notes beside the
// values for people. Decoders of untrusted bytes write through it, so that
// depth and size are bounded in one place.
package emit

import (
	"encoding/base64"
	"math"
	"strconv"
	"unicode/utf8"
)

// MaxDepth is how deep a document may nest.
const MaxDepth = 256

// Note says something about the value that ends at byte At of the text, or
// about the object or array that opens just before it.
type Note struct {
	At   int
	Text string
}

// Writer builds one JSON text. Its zero value has no room; see New. A writer
// that is full takes nothing more: decoders ask Full in their loops. It is not
// safe for concurrent use.
type Writer struct {
	buf   []byte
	max   int
	good  int    // length of buf after the last whole value or opening
	stack []byte // closing brackets of what is open
	first bool   // nothing was written since the last opening
	inKey bool   // a key waits for its value
	full  bool
	dry   bool // only depth is kept
	noted bool
	notes []Note
}

// New returns a writer for a text of about max bytes: it is full with the value
// that exceeds them. With max 0 it is full at once.
func New(max int, notes bool) *Writer { return &Writer{max: max, noted: notes, first: true} }

// Dry returns a writer that keeps nothing, for finding out whether bytes can be
// decoded. It is never full.
func Dry() *Writer { return &Writer{dry: true} }

// Full reports whether the limit was reached; what follows is ignored.
func (w *Writer) Full() bool { return w.full }

// Depth is the number of objects and arrays that are open.
func (w *Writer) Depth() int { return len(w.stack) }

// Text returns the document. Where the writer ran full it is complete JSON of
// the beginning. The bytes are the writer's own.
func (w *Writer) Text() []byte {
	if w.full {
		w.buf = w.buf[:w.good]
	}
	for i := len(w.stack) - 1; i >= 0; i-- {
		w.buf = append(w.buf, w.stack[i])
	}
	w.stack, w.good = w.stack[:0], len(w.buf)
	return w.buf
}

// Notes returns the notes, ascending by At.
func (w *Writer) Notes() []Note {
	for len(w.notes) > 0 && w.notes[len(w.notes)-1].At > len(w.buf) {
		w.notes = w.notes[:len(w.notes)-1]
	}
	return w.notes
}

// Noting reports whether notes are kept: wording them costs more than values.
func (w *Writer) Noting() bool { return w.noted && !w.full }

// Note adds a remark about the value just written or the container just opened.
func (w *Writer) Note(text string) {
	if !w.Noting() || text == "" {
		return
	}
	if n := len(w.notes); n > 0 && w.notes[n-1].At == len(w.buf) {
		w.notes[n-1].Text += "; " + text
		return
	}
	w.notes = append(w.notes, Note{At: len(w.buf), Text: text})
}

// before writes the comma that separates a value from the one in front of it.
func (w *Writer) before() bool {
	if w.full || w.dry {
		return false
	}
	if !w.first && !w.inKey {
		w.buf = append(w.buf, ',')
	}
	w.first, w.inKey = false, false
	return true
}

func (w *Writer) after() {
	if len(w.buf) > w.max {
		w.full = true
		if w.good > 0 {
			return
		}
	}
	w.good = len(w.buf)
}

// Open starts an object ('{') or an array ('['). It reports false when nothing
// deeper is allowed; the caller gives up then.
func (w *Writer) Open(bracket byte) bool {
	if len(w.stack) >= MaxDepth {
		return false
	}
	const closing = 2 // '{' and '}', '[' and ']' are that far apart
	if w.dry {
		w.stack = append(w.stack, bracket+closing)
	}
	if w.before() {
		w.buf = append(w.buf, bracket)
		w.first = true
		if w.after(); w.good == len(w.buf) { // else there was no room for it
			w.stack = append(w.stack, bracket+closing)
		}
	}
	return true
}

// Close ends the innermost object or array.
func (w *Writer) Close() {
	if w.full || len(w.stack) == 0 {
		return
	}
	closing := w.stack[len(w.stack)-1]
	w.stack = w.stack[:len(w.stack)-1]
	if w.dry {
		return
	}
	w.buf = append(w.buf, closing)
	w.first = false
	w.good = len(w.buf) // room for brackets is always there
}

// Key starts a member of an object.
func (w *Writer) Key(name string) {
	if w.before() {
		w.buf = append(appendString(w.buf, name), ':')
		w.inKey = true
	}
}

// QuotedKey is Key for a name that is JSON already, with its quotes.
func (w *Writer) QuotedKey(name []byte) {
	if w.before() {
		w.buf = append(append(w.buf, name...), ':')
		w.inKey = true
	}
}

// Raw writes a value that is JSON already.
func (w *Writer) Raw(json []byte) {
	if w.before() {
		w.buf = append(w.buf, json...)
		w.after()
	}
}

// String writes text. Bytes that are not UTF-8 become U+FFFD, with a note. Of a
// text that does not fit the beginning is written.
func (w *Writer) String(s string) {
	if !w.before() {
		return
	}
	if room := max(w.max-len(w.buf), 0); len(s) > room {
		for room > 0 && !utf8.RuneStart(s[room]) {
			room--
		}
		w.buf = appendString(w.buf, s[:room])
		w.full, w.good = true, len(w.buf)
		return
	}
	w.buf = appendString(w.buf, s)
	w.after()
	if w.Noting() && !utf8.ValidString(s) {
		w.Note("not UTF-8: " + Hex([]byte(s)))
	}
}

// Bytes writes data in base64 (RFC 4648 §4), noting its length.
func (w *Writer) Bytes(b []byte) {
	if !w.before() {
		return
	}
	w.buf = append(w.buf, '"')
	w.buf = base64.StdEncoding.AppendEncode(w.buf, b[:min(len(b), max(w.max, 0))])
	w.buf = append(w.buf, '"')
	w.after()
	if w.Noting() {
		w.Note(Counted(len(b), "byte") + readable(b))
	}
}

// Int writes a whole number.
func (w *Writer) Int(v int64) {
	if w.before() {
		w.buf = strconv.AppendInt(w.buf, v, 10)
		w.after()
	}
}

// Uint writes a whole number.
func (w *Writer) Uint(v uint64) {
	if w.before() {
		w.buf = strconv.AppendUint(w.buf, v, 10)
		w.after()
	}
}

// Bool writes true or false.
func (w *Writer) Bool(v bool) {
	if w.before() {
		w.buf = strconv.AppendBool(w.buf, v)
		w.after()
	}
}

// Null writes null.
func (w *Writer) Null() {
	if w.before() {
		w.buf = append(w.buf, "null"...)
		w.after()
	}
}

// Float writes the shortest number that reads back as v with the given bits.
// JSON has no infinity and no NaN (RFC 8259 §6): these are strings, as in
// Protobuf's JSON.
func (w *Writer) Float(v float64, bits int) {
	if !w.before() {
		return
	}
	switch {
	case math.IsNaN(v):
		w.buf = append(w.buf, `"NaN"`...)
	case math.IsInf(v, 1):
		w.buf = append(w.buf, `"Infinity"`...)
	case math.IsInf(v, -1):
		w.buf = append(w.buf, `"-Infinity"`...)
	default:
		form := byte('f')
		if a := math.Abs(v); a != 0 && (a < 1e-6 || a >= 1e21) {
			form = 'e'
		}
		w.buf = strconv.AppendFloat(w.buf, v, form, -1, bits)
	}
	w.after()
}
