package form

import (
	"fmt"
	"strings"

	"iscope/probes"
	"iscope/tui/screens/invoke/jsondoc"
)

// Lay makes the rows that are visible, and looks for what is wrong.
func (f *Form) Lay() {
	f.problems, f.first = map[string]string{}, ""
	for _, p := range f.Check() {
		if _, ok := f.problems[p.Path.String()]; !ok {
			f.problems[p.Path.String()] = p.Text
			if f.first == "" {
				f.first = strings.TrimPrefix(p.Path.String()+": ", ": ") + p.Text
			}
		}
	}
	f.Rows = f.Rows[:0]
	root := f.resolve(&f.Shapes.Root, nil, f.Doc)
	if f.Shapes.Root.Kind == probes.ShapeObject && root.Of != "" {
		f.fields(root, nil, f.Doc, 0)
	} else if f.Shapes.Root.Kind != probes.ShapeNone {
		f.place(Row{Kind: Field, Shape: &f.Shapes.Root, Value: f.Doc, Label: "document"})
	}
}

// maxRows bounds what is laid out; what is beyond is reached as text.
const maxRows = 20_000

// place adds a row, and what is below it if it is open.
func (f *Form) place(r Row) {
	if len(f.Rows) >= maxRows {
		return
	}
	s := f.resolve(r.Shape, r.Path, r.Value)
	r.Problem = f.problems[r.Path.String()]
	r.Branch = branches(s, r.Value)
	if r.Branch {
		r.Open = f.isOpen(&r, s)
		if !r.Open {
			r.Inside = f.inside(r.Path)
		}
	}
	f.Rows = append(f.Rows, r)
	if r.Open {
		f.below(s, &r)
	}
}

// branches reports whether something can be below a place.
func branches(s *probes.Shape, v *jsondoc.Value) bool {
	if s == nil || s.Kind == probes.ShapeAny || s.Kind == probes.ShapeObject && s.Of == "" {
		return v != nil && len(v.Kids) > 0
	}
	switch s.Kind {
	case probes.ShapeObject, probes.ShapeList, probes.ShapeMap:
		return true
	}
	return v != nil && len(v.Kids) > 0 // something of another kind stands here
}

// openDepth is how deep what is set is open from the beginning.
const openDepth = 4

// isOpen: what is set is open unless closed, what is not is closed unless opened.
// Types may contain themselves, so nothing opens by itself for ever.
func (f *Form) isOpen(r *Row, s *probes.Shape) bool {
	if open, ok := f.open[r.Path.String()]; ok {
		return open
	}
	if s != nil && (s.Kind == probes.ShapeList || s.Kind == probes.ShapeMap) && r.Value != nil && len(r.Value.Kids) > 50 {
		return false
	}
	return len(r.Path) == 0 || r.Value != nil && r.Depth < openDepth
}

func (f *Form) below(s *probes.Shape, r *Row) {
	kind := probes.ShapeAny
	if s != nil {
		kind = s.Kind
	}
	switch {
	case kind == probes.ShapeObject && s.Of != "" && (r.Value == nil || r.Value.Kind != jsondoc.List):
		f.fields(s, r.Path, r.Value, r.Depth+1)
	case kind == probes.ShapeList && (r.Value == nil || r.Value.Kind != jsondoc.Object):
		f.elements(s.Elem, r)
		f.Rows = append(f.Rows, Row{Kind: Add, Depth: r.Depth + 1, Path: r.Path, Shape: s, Label: "+ add"})
	case kind == probes.ShapeMap && (r.Value == nil || r.Value.Kind != jsondoc.List):
		f.entries(s.Elem, r, Entry)
		f.Rows = append(f.Rows, Row{Kind: Add, Depth: r.Depth + 1, Path: r.Path, Shape: s, Label: "+ add"})
	case r.Value != nil && r.Value.Kind == jsondoc.List:
		f.elements(nil, r)
	default:
		f.entries(nil, r, Extra)
	}
}

func (f *Form) elements(elem *probes.Shape, r *Row) {
	if r.Value == nil {
		return
	}
	for i, k := range r.Value.Kids {
		f.place(Row{Kind: Element, Depth: r.Depth + 1, Path: r.Path.Element(i), Shape: elem, Value: k, Label: fmt.Sprintf("[%d]", i)})
	}
}

func (f *Form) entries(elem *probes.Shape, r *Row, kind Kind) {
	if r.Value == nil {
		return
	}
	for i, k := range r.Value.Kids {
		if i < len(r.Value.Keys) {
			f.place(Row{Kind: kind, Depth: r.Depth + 1, Path: r.Path.Member(r.Value.Keys[i]), Shape: elem, Value: k, Label: r.Value.Keys[i]})
		}
	}
}

// fields lays an object's fields out: those of a oneof below the choice between
// them, those that the contract does not know at the end.
func (f *Form) fields(s *probes.Shape, p jsondoc.Path, v *jsondoc.Value, depth int) {
	fields := f.Shapes.Fields(s)
	known, grouped := map[string]bool{}, map[string]bool{}
	for i := range fields {
		field := &fields[i]
		key, value := member(v, field.Name)
		known[key] = true
		if field.Group == "" {
			f.place(Row{Kind: Field, Depth: depth, Path: p.Member(key), Shape: field, Value: value, Label: field.Name})
		} else if !grouped[field.Group] {
			grouped[field.Group] = true
			f.group(fields, field.Group, p, v, depth)
		}
	}
	if v == nil || v.Kind != jsondoc.Object {
		return
	}
	for i, k := range v.Keys {
		if !known[k] {
			f.place(Row{Kind: Extra, Depth: depth, Path: p.Member(k), Value: v.Kids[i], Label: k})
		}
	}
}

func (f *Form) group(fields []probes.Shape, name string, p jsondoc.Path, v *jsondoc.Value, depth int) {
	head := Row{Kind: Group, Depth: depth, Path: p, Label: name, Chosen: -1}
	var set []Row
	for i := range fields {
		field := &fields[i]
		if field.Group != name {
			continue
		}
		if key, value := member(v, field.Name); value != nil {
			head.Chosen = len(head.Members)
			set = append(set, Row{Kind: Field, Depth: depth + 1, Path: p.Member(key), Shape: field, Value: value, Label: field.Name})
		}
		head.Members = append(head.Members, field)
	}
	if len(set) > 1 {
		head.Problem = "only one of these may be set"
	}
	f.Rows = append(f.Rows, head)
	for _, r := range set {
		f.place(r)
	}
}

// inside counts what is wrong below a path.
func (f *Form) inside(p jsondoc.Path) (n int) {
	at := p.String()
	for path := range f.problems {
		if len(path) > len(at) && strings.HasPrefix(path, at) && (path[len(at)] == '.' || path[len(at)] == '[') {
			n++
		}
	}
	return n
}

// Row is the index of the row that stands for a path, or of the nearest above it.
func (f *Form) Row(p jsondoc.Path) int {
	for n := len(p); n > 0; n-- {
		at := p[:n].String()
		for i := range f.Rows {
			if f.Rows[i].Kind != Add && f.Rows[i].Kind != Group && f.Rows[i].Path.String() == at {
				return i
			}
		}
	}
	return 0
}

// Reveal opens everything above a path, so that it has a row.
func (f *Form) Reveal(p jsondoc.Path) {
	for n := 1; n < len(p); n++ {
		f.open[p[:n].String()] = true
	}
	f.Lay()
}

// Set is how many fields of the document have a value.
func (f *Form) Set() int {
	if f.Doc == nil {
		return 0
	}
	return len(f.Doc.Kids)
}

// Wrong is in how many places something is wrong.
func (f *Form) Wrong() int { return len(f.problems) }

// First is the first of those places, and what is wrong there; "" if nothing is.
func (f *Form) First() string { return f.first }
