package avro

import (
	"slices"
	"strings"
)

// clash is one reason why a reader cannot read what a writer has written.
type clash struct {
	rule, path, from, to, text string
	reader, writer             int // lines
}

// resolver collects all clashes of a pair of schemas.
type resolver struct {
	seen    map[[2]*schema]bool
	active  map[[2]*schema]bool // being resolved; a recursive type meets itself here
	known   map[[2]*schema]bool // what fits has found
	clashes []clash
	any     bool // one clash is enough
}

func newResolver() *resolver {
	return &resolver{seen: map[[2]*schema]bool{}, active: map[[2]*schema]bool{}, known: map[[2]*schema]bool{}}
}

func (v *resolver) add(rule, path string, r, w *schema, text string) {
	v.clashes = append(v.clashes, clash{rule: rule, path: path, from: w.String(), to: r.String(), text: text, reader: r.at.At(), writer: w.at.At()})
}

// fits reports whether a reader can read all of a writer.
func (v *resolver) fits(r, w *schema, path string) bool {
	pair := [2]*schema{r, w}
	if fits, ok := v.known[pair]; ok {
		return fits
	}
	if v.active[pair] {
		return true
	}
	sub := resolver{seen: map[[2]*schema]bool{}, active: v.active, known: v.known, any: true}
	sub.resolve(r, w, path)
	v.known[pair] = len(sub.clashes) == 0
	return len(sub.clashes) == 0
}

func (v *resolver) resolve(r, w *schema, path string) {
	pair := [2]*schema{r, w}
	if v.seen[pair] || v.active[pair] || v.any && len(v.clashes) > 0 || r.kind == "unknown" || w.kind == "unknown" {
		return
	}
	v.seen[pair], v.active[pair] = true, true
	defer delete(v.active, pair)
	switch {
	case w.kind == "union" && r.kind == "union":
		v.branches(r, w, path)
	case w.kind == "union":
		for _, b := range w.of {
			v.resolve(r, b, path)
		}
	case r.kind == "union":
		v.intoUnion(r, w, path)
	case r.kind == w.kind:
		v.same(r, w, path)
	case !promotes(w.kind, r.kind):
		v.add("TYPE_MISMATCH", path, r, w, "what is written as "+w.String()+" cannot be read as "+r.String())
	}
}

// promotes are the conversions of the specification.
func promotes(w, r string) bool {
	switch r {
	case "long":
		return w == "int"
	case "float":
		return w == "int" || w == "long"
	case "double":
		return w == "int" || w == "long" || w == "float"
	case "bytes":
		return w == "string"
	case "string":
		return w == "bytes"
	}
	return false
}

// branches asks of every branch of a writer's union whether the reader's has one
// for it.
func (v *resolver) branches(r, w *schema, path string) {
	for _, b := range w.of {
		v.intoUnion(r, b, path)
	}
}

// sameName finds the branch with the name of a record, enum or fixed, so that
// what differs within it is told, not only that it differs.
func sameName(union, s *schema) *schema {
	if !s.named() {
		return nil
	}
	for _, b := range union.of {
		if b.kind == s.kind && nameFits(b, s) {
			return b
		}
	}
	return nil
}

func (v *resolver) intoUnion(r, w *schema, path string) {
	for _, b := range r.of {
		if v.fits(b, w, path) {
			return
		}
	}
	text := "the " + r.String() + " has no branch for " + w.String()
	if b := sameName(r, w); b != nil {
		why := newResolver()
		why.active, why.any = v.active, true
		if why.resolve(b, w, path); len(why.clashes) > 0 {
			text = "the branch " + b.String() + " does not fit: " + why.clashes[0].text + " (" + why.clashes[0].path + ")"
		}
	}
	v.add("MISSING_UNION_BRANCH", path, r, w, text)
}

func (v *resolver) same(r, w *schema, path string) {
	switch r.kind {
	case "array":
		v.resolve(r.items, w.items, path+"[]")
	case "map":
		v.resolve(r.items, w.items, path+"{}")
	case "fixed":
		v.names(r, w, path)
		if r.size != w.size {
			v.add("FIXED_SIZE_MISMATCH", path, r, w, "written with "+w.size+" bytes, read with "+r.size)
		}
	case "enum":
		v.names(r, w, path)
		v.symbols(r, w, path)
	case "record":
		v.names(r, w, path)
		v.record(r, w, path)
	}
}

// nameFits reports whether names fit without their namespaces, or by an alias of
// the reader's.
func nameFits(r, w *schema) bool {
	return short(r.name) == short(w.name) || slices.Contains(r.aliases, w.name)
}

func short(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

func (v *resolver) names(r, w *schema, path string) {
	if !nameFits(r, w) {
		v.add("NAME_MISMATCH", path, r, w, "written under the name "+w.name+", read under "+r.name+", and no alias says that they are the same")
	}
}

func (v *resolver) symbols(r, w *schema, path string) {
	if r.dflt != "" && slices.Contains(r.symbols, r.dflt) {
		return
	}
	var missing []string
	known := set(r.symbols)
	for _, s := range w.symbols {
		if !known[s] {
			missing = append(missing, s)
		}
	}
	if len(missing) > 0 {
		v.add("MISSING_ENUM_SYMBOLS", path, r, w, "the reader does not know "+list(missing)+" and has no default")
	}
}

func (v *resolver) record(r, w *schema, path string) {
	for _, f := range r.fields {
		at := path + "." + f.name
		if wf := counterpart(f, w); wf != nil {
			v.resolve(f.typ, wf.typ, at)
		} else if f.dflt == nil {
			v.clashes = append(v.clashes, clash{rule: "READER_FIELD_MISSING_DEFAULT_VALUE", path: at, to: f.typ.String(), reader: f.at.At(),
				text: "the reader wants this field, what is written has none, and there is no default"})
		}
	}
}

// counterpart finds what a reader's field is called in the writer's record.
func counterpart(f *field, w *schema) *field {
	for _, name := range append([]string{f.name}, f.aliases...) {
		for _, wf := range w.fields {
			if wf.name == name {
				return wf
			}
		}
	}
	return nil
}

func set(names []string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}

// list names a few of many.
func list(names []string) string {
	const most = 6
	if len(names) > most {
		return strings.Join(names[:most], ", ") + " and others"
	}
	return strings.Join(names, ", ")
}
