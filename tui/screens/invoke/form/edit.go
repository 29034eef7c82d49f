package form

import (
	"slices"

	"iscope/probes"
	"iscope/tui/screens/invoke/jsondoc"
)

// Put sets what a row stands for.
func (f *Form) Put(r *Row, v *jsondoc.Value) {
	f.Doc = jsondoc.Put(f.Doc, r.Path, v)
	f.Lay()
}

// Type sets a row to what was typed.
func (f *Form) Type(r *Row, typed string) {
	f.Put(r, Parse(f.resolve(r.Shape, r.Path, r.Value), typed))
}

// Typed is a row's value as it is typed.
func (f *Form) Typed(r *Row) string {
	return Words(f.resolve(r.Shape, r.Path, r.Value), r.Value)
}

// Clear takes away what a row stands for: the field is then not set, the element
// or entry gone.
func (f *Form) Clear(r *Row) {
	switch {
	case r.Kind == Group:
		f.choose(r, -1)
		return
	case r.Kind == Add:
		return
	case len(r.Path) == 0:
		f.Doc = nil
	default:
		jsondoc.Remove(f.Doc, r.Path)
	}
	delete(f.picked, r.Path.String())
	f.Lay()
}

// Empty sets a row to the empty value of its kind: "", 0, false, {}, [] differ
// from not being set.
func (f *Form) Empty(r *Row) {
	if r.Kind == Add || r.Kind == Group {
		return
	}
	f.Put(r, Zero(f.resolve(r.Shape, r.Path, r.Value)))
}

// Zero is the empty value of a shape.
func Zero(s *probes.Shape) *jsondoc.Value {
	if s == nil {
		return jsondoc.NewNull()
	}
	switch s.Kind {
	case probes.ShapeObject, probes.ShapeMap:
		return jsondoc.NewObject()
	case probes.ShapeList:
		return jsondoc.NewList()
	case probes.ShapeUnion:
		if len(s.Variants) > 0 {
			return Zero(&s.Variants[0])
		}
	case probes.ShapeInteger, probes.ShapeNumber:
		return jsondoc.NewNumber("0")
	case probes.ShapeBool:
		return jsondoc.NewBool(false)
	case probes.ShapeEnum:
		if len(s.Choices) > 0 {
			return jsondoc.Of([]byte(s.Choices[0].Value))
		}
	case probes.ShapeTime:
		return jsondoc.NewText("now")
	case probes.ShapeDuration:
		return jsondoc.NewText("0s")
	case probes.ShapeAny:
		return jsondoc.NewNull()
	}
	return jsondoc.NewText("")
}

// Start is what a place begins with when a person sets it: the contract's
// example or default, or else the empty value.
func Start(s *probes.Shape) *jsondoc.Value {
	if s != nil {
		for _, doc := range []string{s.Example, s.Default} {
			if v := jsondoc.Of([]byte(doc)); v != nil {
				return v
			}
		}
	}
	return Zero(s)
}

// Toggle opens or closes a branch.
func (f *Form) Toggle(r *Row) {
	f.open[r.Path.String()] = !r.Open
	f.Lay()
}

// SetOpen opens or closes a branch and reports whether that changed anything.
func (f *Form) SetOpen(r *Row, open bool) bool {
	if !r.Branch || r.Open == open {
		return false
	}
	f.Toggle(r)
	return true
}

// Append adds an element to a list, or an entry of that name to a map, and
// returns its path.
func (f *Form) Append(r *Row, key string) jsondoc.Path {
	in := f.Doc.At(r.Path)
	shape := f.resolve(r.Shape, r.Path, in)
	var p jsondoc.Path
	if shape != nil && shape.Kind == probes.ShapeMap {
		p = r.Path.Member(key)
	} else {
		n := 0
		if in != nil && in.Kind == jsondoc.List {
			n = len(in.Kids)
		}
		p = r.Path.Element(n)
	}
	var elem *probes.Shape
	if shape != nil {
		elem = shape.Elem
	}
	if f.Doc.At(p) == nil {
		f.Doc = jsondoc.Put(f.Doc, p, Start(elem))
	}
	f.open[r.Path.String()] = true
	f.Lay()
	return p
}

// Choices are what can be picked on a row, in words, and which is there now (-1
// for none or something else). It has none where text is typed.
func (f *Form) Choices(r *Row) (words []string, docs []string, now int) {
	now = -1
	switch {
	case r.Kind == Group:
		for _, m := range r.Members {
			words, docs = append(words, m.Name), append(docs, m.Doc)
		}
		return words, docs, r.Chosen
	case r.Shape == nil || r.Kind == Add:
		return nil, nil, -1
	case r.Shape.Kind == probes.ShapeUnion:
		for i := range r.Shape.Variants {
			v := &r.Shape.Variants[i]
			words, docs = append(words, variantName(v)), append(docs, v.Doc)
		}
		return words, docs, f.Variant(r.Shape, r.Path, r.Value)
	case r.Shape.Kind == probes.ShapeBool:
		words, docs = []string{"false", "true"}, []string{"", ""}
		if r.Value != nil {
			now = slices.Index(words, r.Value.Text)
		}
		return words, docs, now
	}
	for i, c := range r.Shape.Choices {
		words, docs = append(words, Unquote(c.Value)), append(docs, c.Doc)
		if r.Value != nil && r.Value.Compact() == c.Value {
			now = i
		}
	}
	return words, docs, now
}

func variantName(s *probes.Shape) string {
	if s.Name != "" {
		return s.Name
	}
	return TypeOf(s)
}

// Pick takes one of Choices; -1 clears.
func (f *Form) Pick(r *Row, i int) {
	switch {
	case r.Kind == Group:
		f.choose(r, i)
	case i < 0:
		f.Clear(r)
	case r.Shape.Kind == probes.ShapeUnion:
		f.pickVariant(r, i)
	case r.Shape.Kind == probes.ShapeBool:
		f.Put(r, jsondoc.NewBool(i == 1))
	default:
		if v := jsondoc.Of([]byte(r.Shape.Choices[i].Value)); v != nil {
			f.Put(r, v)
		}
	}
}

// choose sets one field of a oneof and takes out the others, which come back as
// they were when they are chosen again.
func (f *Form) choose(r *Row, i int) {
	in := f.Doc.At(r.Path)
	for _, m := range r.Members {
		if key, v := member(in, m.Name); v != nil {
			f.parked[r.Path.Member(m.Name).String()] = v
			in.Remove(jsondoc.Step{Key: key, Index: -1})
		}
	}
	if i >= 0 {
		m := r.Members[i]
		p := r.Path.Member(m.Name)
		v := f.parked[p.String()]
		if v == nil {
			v = Start(m)
		}
		f.Doc = jsondoc.Put(f.Doc, p, v)
	}
	f.Lay()
}

// pickVariant changes what a union holds; what was there comes back with its
// variant.
func (f *Form) pickVariant(r *Row, i int) {
	at := r.Path.String()
	was := f.Variant(r.Shape, r.Path, r.Value)
	if was == i && r.Value != nil {
		return
	}
	mark := func(n int) string { return at + "\x00" + variantName(&r.Shape.Variants[n]) }
	if r.Value != nil {
		f.parked[mark(was)] = r.Value
	}
	f.picked[at] = i
	v := f.parked[mark(i)]
	if v == nil {
		v = Start(&r.Shape.Variants[i])
	}
	f.Put(r, v)
}

// Resolved is the shape a row's value is edited by: of a union the variant that
// is meant.
func (f *Form) Resolved(r *Row) *probes.Shape { return f.resolve(r.Shape, r.Path, r.Value) }
