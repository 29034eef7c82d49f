package filter

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync/atomic"

	"iscope/probes"
)

// state is one evaluation.
type state struct {
	ctx    context.Context
	rec    *probes.Record
	row    *Row
	decode Decoder
	names  []atomic.Uint32 // of the filter: what is known of each
	code   *code
	sample bool // evaluate in full, whatever the prefilter says

	slots  []value
	scan   scanner
	cell   [1]value // see scalar
	fault  Fault
	budget int
	lists  int // within which a condition is being judged

	opened   docState
	doc      string
	docErr   error
	shape    shape
	decoded  string // see words
	searched docState
	buf      []byte
}

type docState uint8

const (
	docUnopened docState = iota
	docOpen
	docNone // the record has no body
	docCut
	docText // a text or number: there is nothing below it
	docBad  // docErr says why
)

// shape is whether the raw bytes of a body are an object in JSON whose text can
// be searched as it is.
type shape uint8

const (
	shapeUnknown shape = iota
	shapePlain
	shapeOther
)

// The work of one evaluation is bounded, so that lists within lists end: to
// about 50 ms, and to going once through every element of the body. It is counted
// in bytes of JSON that are read.
const (
	spend      = 32 << 20 // allowed in any case
	perByte    = 40       // allowed for each byte of the body: an element has two or more
	perElement = 64       // cost of one, however small
	searching  = 2        // bytes of text that are searched at the cost of one
	matching   = 40       // cost of a byte that a regular expression looks at
)

// charge counts work that is done again for every element of a list. Done once,
// it is bounded by the size of the record.
func (st *state) charge(n int) {
	if st.lists > 0 {
		st.budget -= n
	}
}

// keepBuffer is the capacity up to which a buffer is kept for other records.
const keepBuffer = 1 << 20

// reset makes the state fit for another record and forgets the last one.
func (st *state) reset() {
	clear(st.slots)
	buf := st.buf[:0]
	if cap(buf) > keepBuffer {
		buf = nil
	}
	*st = state{slots: st.slots, buf: buf}
}

// fail notes why a part cannot be judged. The first reason stays.
func (st *state) fail(f Fault) value {
	if st.fault.code == noFault {
		st.fault = f
	}
	return value{kind: faultK}
}

// unsure is fail for conditions.
func (st *state) unsure(f Fault) verdict {
	st.fail(f)
	return unsure
}

// body takes the body apart, once, and returns the value of a path.
func (st *state) body(t *inBody) value {
	if st.opened == docUnopened {
		st.open()
	}
	switch st.opened {
	case docCut:
		return st.fail(Fault{where: t.where, code: cutShort})
	case docBad:
		return st.fail(Fault{where: t.where, code: noDocument, err: st.docErr})
	case docText:
		if len(t.path) > 0 {
			return st.fail(Fault{where: t.where, code: noDocument, err: errNoDocument})
		}
	case docNone:
		return value{}
	}
	return st.slots[t.slot]
}

var errNoDocument = errors.New("the body is no document: use raw to search in its text")

func (st *state) open() {
	r := st.rec
	switch {
	case r.Cut > 0:
		st.opened = docCut
		return
	case len(r.Body) == 0:
		st.opened = docNone
		return
	}
	raw := view(r.Body)
	if object(raw) {
		st.read(raw)
		return
	}
	// An array, a number, or no JSON: only reading tells.
	if direct(raw[0]) {
		if st.read(raw); st.opened != docBad {
			return
		}
	}
	if st.decode == nil {
		st.opened, st.docErr = docBad, errNoDocument
		return
	}
	text, err := st.decode(st.ctx, r)
	switch {
	case err != nil:
		st.opened, st.docErr = docBad, err
	case len(text) == 0:
		st.opened = docNone
	default:
		st.read(view(text))
	}
}

// direct reports whether a JSON text may begin with c.
func direct(c byte) bool {
	return strings.IndexByte("{[\"-0123456789tfn \t\r\n", c) >= 0
}

// read fills the slots from a JSON text.
func (st *state) read(text string) {
	st.doc = text
	st.scan = scanner{in: text, slots: st.slots}
	if err := st.scan.document(st.code.body); err != nil {
		clear(st.slots)
		st.opened, st.docErr = docBad, errors.New("the body is "+err.Error())
		return
	}
	st.opened = docOpen
	st.budget += perByte * len(text)
	if c := text[strings.IndexFunc(text, solid)]; c != '{' && c != '[' && c != 'n' {
		st.opened = docText
	}
}

func solid(r rune) bool { return !strings.ContainsRune(" \t\r\n", r) }

// What is known of a name in the filter.
const (
	neverAsked uint32 = iota
	neverFound
	found
)

// note marks a name as asked for, and found.
func (st *state) note(name int, ok bool) {
	p := &st.names[name]
	switch p.Load() {
	case found:
		return
	case neverAsked:
		p.CompareAndSwap(neverAsked, neverFound)
	}
	if ok {
		p.Store(found)
	}
}

// object reports whether a body counts as an object in JSON: by its ends alone,
// so that the prefilter and the reading of documents agree about it.
func object(s string) bool {
	s = strings.TrimLeft(s, " \t\r\n")
	if len(s) < 2 || s[0] != '{' {
		return false
	}
	next := strings.TrimLeft(s[1:], " \t\r\n")
	if next == "" || next[0] != '"' && next[0] != '}' {
		return false
	}
	end := strings.TrimRight(next, " \t\r\n")
	return end[len(end)-1] == '}'
}

// searchable reports whether a string or key of the document must occur in the
// bytes of the body as it is: whole, JSON, and no escape sequence anywhere.
func (st *state) searchable() bool {
	if st.shape == shapeUnknown {
		st.shape = shapeOther
		if st.rec.Cut == 0 && object(view(st.rec.Body)) && bytes.IndexByte(st.rec.Body, '\\') < 0 {
			st.shape = shapePlain
		}
	}
	return st.shape == shapePlain
}
