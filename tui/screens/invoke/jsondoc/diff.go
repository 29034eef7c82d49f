package jsondoc

// Change is one difference between two documents. Old is nil where something
// came, New where it went.
type Change struct {
	Path     Path
	Old, New *Value
}

// MaxChanges bounds a comparison: what differs in more places is another
// document.
const MaxChanges = 500

// Diff compares two documents by path. The order of members counts for nothing;
// of two lists the common beginning and end are set aside, and what is between is
// compared element by element. more says that the list was cut.
func Diff(old, new *Value) (out []Change, more bool) {
	d := differ{}
	d.values(nil, old, new)
	return d.out, d.more
}

type differ struct {
	out  []Change
	more bool
}

func (d *differ) add(p Path, old, new *Value) {
	if len(d.out) == MaxChanges {
		d.more = true
		return
	}
	d.out = append(d.out, Change{p, old, new})
}

func (d *differ) values(p Path, old, new *Value) {
	switch {
	case d.more || old == nil && new == nil:
	case old == nil || new == nil || old.Kind != new.Kind:
		d.add(p, old, new)
	case old.Kind == Object:
		d.objects(p, old, new)
	case old.Kind == List:
		d.lists(p, old, new)
	case old.Text != new.Text:
		d.add(p, old, new)
	}
}

func (d *differ) objects(p Path, old, new *Value) {
	after := members(new)
	before := members(old)
	for _, k := range old.Keys {
		d.values(p.Member(k), before[k], after[k])
	}
	for _, k := range new.Keys {
		if before[k] == nil {
			d.values(p.Member(k), nil, after[k])
		}
	}
}

func members(v *Value) map[string]*Value {
	out := make(map[string]*Value, len(v.Keys))
	for i, k := range v.Keys {
		out[k] = v.Kids[i]
	}
	return out
}

func (d *differ) lists(p Path, old, new *Value) {
	from, n := 0, min(len(old.Kids), len(new.Kids))
	for from < n && Equal(old.Kids[from], new.Kids[from]) {
		from++
	}
	end := 0
	for end < n-from && Equal(old.Kids[len(old.Kids)-1-end], new.Kids[len(new.Kids)-1-end]) {
		end++
	}
	a, b := old.Kids[from:len(old.Kids)-end], new.Kids[from:len(new.Kids)-end]
	for i := range max(len(a), len(b)) {
		var x, y *Value
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		d.values(p.Element(from+i), x, y)
	}
}

// Equal reports whether two values say the same, whatever the order of members.
func Equal(a, b *Value) bool {
	if a == nil || b == nil || a.Kind != b.Kind || len(a.Kids) != len(b.Kids) {
		return a == b
	}
	if a.Kind != Object {
		for i := range a.Kids {
			if !Equal(a.Kids[i], b.Kids[i]) {
				return false
			}
		}
		return a.Text == b.Text
	}
	other := members(b)
	for i, k := range a.Keys {
		if !Equal(a.Kids[i], other[k]) {
			return false
		}
	}
	return true
}
