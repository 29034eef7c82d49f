package filter

import (
	"fmt"
	"strings"
)

// Error is a filter that does not compile.
type Error struct {
	Source  string // the filter as it was given
	Column  int    // in characters, from 1
	Message string // one line
	Hint    string // what to do about it; may be empty
}

// Error is the message with the place, as several lines: the text around the
// column and a caret below it. Screens with one line use the fields.
func (e *Error) Error() string {
	line, caret := e.Snippet()
	return fmt.Sprintf("column %d: %s\n  %s\n  %s", e.Column, e.Message, line, caret)
}

// around is how many characters of a long filter are shown on either side.
const around = 40

// Snippet is the text around the column in one line, and a line with a caret
// below it.
func (e *Error) Snippet() (line, caret string) {
	text := []rune(strings.Map(flat, e.Source))
	at := min(max(e.Column-1, 0), len(text))
	from, to := max(at-around, 0), min(at+around, len(text))
	line = string(text[from:to])
	if from > 0 {
		line, at = "…"+line, at+1
	}
	if to < len(text) {
		line += "…"
	}
	return line, strings.Repeat(" ", at-from) + "^"
}

// flat makes control characters blanks: one column each.
func flat(r rune) rune {
	if r < ' ' || r == 0x7f {
		return ' '
	}
	return r
}

// Fault is why a record or row could not be judged. It holds no content of the
// record.
type Fault struct {
	where string // the part of the filter
	code  faultCode
	a, b  kind
	err   error
}

type faultCode uint8

const (
	noFault    faultCode = iota
	badOrder             // a and b have no order
	alike                // a and b look the same and are of different types
	notText              // an operator for text
	notBool              // a condition that is neither true nor false
	notNumber            // arithmetic
	notList              // any, all, none, count, in
	notTime              // text that reads as no time or duration
	noDocument           // err says why the body has no fields
	cutShort             // what is there of the body does not settle it
	tooDear              // the budget of one evaluation is spent
)

// Error says which part failed and why.
func (f *Fault) Error() string {
	switch f.code {
	case badOrder:
		return fmt.Sprintf("%s: %s cannot be compared with %s", f.where, f.a, f.b)
	case alike:
		return fmt.Sprintf("%s: looks the same, but one is %s and the other %s; use text(…) or number(…)", f.where, f.a, f.b)
	case notText:
		return fmt.Sprintf("%s: needs text, this is %s", f.where, f.a)
	case notBool:
		return fmt.Sprintf("%s: needs true or false, this is %s", f.where, f.a)
	case notNumber:
		return fmt.Sprintf("%s: does not work with %s and %s", f.where, f.a, f.b)
	case notList:
		return fmt.Sprintf("%s: needs a list, this is %s", f.where, f.a)
	case notTime:
		return fmt.Sprintf("%s: the text reads as no time or duration", f.where)
	case noDocument:
		return fmt.Sprintf("%s: %v", f.where, f.err)
	case cutShort:
		return fmt.Sprintf("%s: not settled by the part of the body that was kept", f.where)
	case tooDear:
		return fmt.Sprintf("%s: too much work for one record", f.where)
	}
	return f.where
}

// Unwrap returns the failure of the decoder, if that was the reason.
func (f *Fault) Unwrap() error { return f.err }
