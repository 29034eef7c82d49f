package kit

// List is where the cursor is in a list of so many rows, and which of them are
// visible. It holds no rows: whoever draws asks for the visible range.
type List struct {
	Cursor, top int
}

// Move moves the cursor among n rows, h of them visible.
func (l *List) Move(delta, n int) {
	l.Cursor = max(0, min(l.Cursor+delta, n-1))
}

// Nav moves by a movement key and reports whether it was one.
func (l *List) Nav(k Nav, n, h int) bool {
	delta, ok := k.Delta(h)
	if ok {
		l.Move(delta, n)
	}
	return ok
}

// Window returns the visible range of n rows in h lines, keeping the cursor in
// it.
func (l *List) Window(n, h int) (from, to int) {
	h = max(0, h)
	l.Cursor = max(0, min(l.Cursor, n-1))
	if l.Cursor < l.top {
		l.top = l.Cursor
	}
	if l.Cursor >= l.top+h {
		l.top = l.Cursor - h + 1
	}
	l.top = max(0, min(l.top, n-h))
	return l.top, min(n, l.top+h)
}

// Scroll is a place in a text that is only looked at.
type Scroll struct{ Top int }

// Nav scrolls n rows of text in h lines.
func (s *Scroll) Nav(k Nav, n, h int) bool {
	delta, ok := k.Delta(h)
	if ok {
		s.Top = max(0, min(s.Top+delta, n-h))
	}
	return ok
}

// Window returns the visible range.
func (s *Scroll) Window(n, h int) (from, to int) {
	h = max(0, h)
	s.Top = max(0, min(s.Top, n-h))
	return s.Top, min(n, s.Top+h)
}
