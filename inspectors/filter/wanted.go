package filter

// wanted is a tree of what a scanner looks for below one value. A nil one wants
// nothing.
type wanted struct {
	slot    int // where the value itself goes, -1: nowhere
	members []wantedMember
	items   []wantedItem
	end     bool // some items are counted from the end
}

type wantedMember struct {
	key  string
	want *wanted
}

type wantedItem struct {
	index int // negative: from the end
	want  *wanted
}

// seen marks the members an object has already had. There cannot be more than
// an expression has nodes.
type seen [maxNodes/64 + 1]uint64

// member returns what is wanted of a key that is met now.
func (w *wanted) member(key string, done *seen) *wanted {
	if w == nil {
		return nil
	}
	for i := range w.members {
		if w.members[i].key != key {
			continue
		}
		bit := uint64(1) << (i % 64)
		if done[i/64]&bit != 0 {
			return nil
		}
		done[i/64] |= bit
		return w.members[i].want
	}
	return nil
}

// element returns what is wanted of the element n.
func (w *wanted) element(n int) *wanted {
	if w == nil {
		return nil
	}
	for i := range w.items {
		if w.items[i].index == n {
			return w.items[i].want
		}
	}
	return nil
}

func (w *wanted) fromEnd() bool { return w != nil && w.end }

// step is one part of a path: a key or an index.
type step struct {
	key   string
	index int
	item  bool
}

// add puts a path into the tree and returns the node at its end.
func (w *wanted) add(path []step) *wanted {
	for _, s := range path {
		w = w.child(s)
	}
	return w
}

func (w *wanted) child(s step) *wanted {
	for i := range w.members {
		if !s.item && w.members[i].key == s.key {
			return w.members[i].want
		}
	}
	for i := range w.items {
		if s.item && w.items[i].index == s.index {
			return w.items[i].want
		}
	}
	below := &wanted{slot: -1}
	if s.item {
		w.items = append(w.items, wantedItem{s.index, below})
		w.end = w.end || s.index < 0
	} else {
		w.members = append(w.members, wantedMember{s.key, below})
	}
	return below
}
