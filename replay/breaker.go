package replay

import "fmt"

// breakerWindow is how many results the error rate looks back over, and
// breakerLeast how many it needs to say anything.
const (
	breakerWindow = 50
	breakerLeast  = 20
)

// breaker decides when a destination has had enough.
type breaker struct {
	inRow, row int // limit, now
	rate       float64
	window     [breakerWindow]bool
	seen, bad  int
}

// result notes one result and returns why to stop, or "".
func (b *breaker) result(faulty bool) string {
	at := b.seen % breakerWindow
	if b.window[at] { // of breakerWindow results ago; false before
		b.bad--
	}
	b.window[at] = faulty
	b.seen++
	b.row++
	if faulty {
		b.bad++
	} else {
		b.row = 0
	}
	n := min(b.seen, breakerWindow)
	switch {
	case b.inRow > 0 && b.row >= b.inRow:
		return fmt.Sprintf("%d errors in a row", b.row)
	case n >= breakerLeast && float64(b.bad) > b.rate*float64(n):
		return fmt.Sprintf("%d of the last %d went wrong", b.bad, n)
	}
	return ""
}
