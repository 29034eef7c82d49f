package form

import (
	"fmt"
	"strings"

	"iscope/probes"
	"iscope/tui/screens/invoke/jsondoc"
)

// Commented is the document with its schema as comments, for an editor: before
// every field its type, limits and words; fields that are not set are there as
// comments, ready to be taken in. jsondoc.Parse reads it back.
func (f *Form) Commented(doc *jsondoc.Value, head ...string) string {
	w := commenter{form: f}
	for _, line := range head {
		w.comment(0, line)
	}
	if doc == nil {
		doc = jsondoc.NewObject()
	}
	root := f.resolve(&f.Shapes.Root, nil, doc)
	w.value(root, nil, doc, 0)
	w.b.WriteByte('\n')
	return w.b.String()
}

type commenter struct {
	form *Form
	b    strings.Builder
}

func (w *commenter) indent(depth int) { w.b.WriteString(strings.Repeat("  ", depth)) }

func (w *commenter) comment(depth int, text string) {
	for line := range strings.SplitSeq(strings.TrimRight(text, " \n"), "\n") {
		w.indent(depth)
		w.b.WriteString("// " + printable(line) + "\n")
	}
}

// printable keeps a contract's words from ending their comment, or from doing
// anything in the terminal the editor runs in.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0x2028 || r == 0x2029 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return ' '
		}
		return r
	}, s)
}

func (w *commenter) value(s *probes.Shape, p jsondoc.Path, v *jsondoc.Value, depth int) {
	s = w.form.resolve(s, p, v)
	switch {
	case s != nil && s.Kind == probes.ShapeObject && s.Of != "" && v.Kind == jsondoc.Object:
		w.object(s, p, v, depth)
	case v.Kind == jsondoc.List && len(v.Kids) > 0:
		w.kids(v, depth, '[', ']', func(i int) {
			var elem *probes.Shape
			if s != nil && s.Kind == probes.ShapeList {
				elem = s.Elem
			}
			w.value(elem, p.Element(i), v.Kids[i], depth+1)
		})
	case v.Kind == jsondoc.Object && len(v.Kids) > 0:
		w.kids(v, depth, '{', '}', func(i int) {
			var elem *probes.Shape
			if s != nil && s.Kind == probes.ShapeMap {
				elem = s.Elem
			}
			w.b.WriteString(jsondoc.Quote(v.Keys[i]) + ": ")
			w.value(elem, p.Member(v.Keys[i]), v.Kids[i], depth+1)
		})
	default:
		w.b.WriteString(v.Compact())
	}
}

func (w *commenter) kids(v *jsondoc.Value, depth int, opening, closing byte, one func(i int)) {
	w.b.WriteByte(opening)
	for i := range v.Kids {
		w.b.WriteByte('\n')
		w.indent(depth + 1)
		one(i)
		if i < len(v.Kids)-1 {
			w.b.WriteByte(',')
		}
	}
	w.b.WriteByte('\n')
	w.indent(depth)
	w.b.WriteByte(closing)
}

// object writes the fields that are set and those that are not. A comma stands
// after each that is set: one too many at the end is read over.
func (w *commenter) object(s *probes.Shape, p jsondoc.Path, v *jsondoc.Value, depth int) {
	w.b.WriteString("{\n")
	fields := w.form.Shapes.Fields(s)
	known := map[string]bool{}
	for i := range fields {
		field := &fields[i]
		key, value := member(v, field.Name)
		known[key] = true
		w.about(field, depth+1)
		w.indent(depth + 1)
		if value == nil {
			w.b.WriteString("// " + jsondoc.Quote(field.Name) + ": " + Start(field).Compact() + ",\n")
			continue
		}
		w.b.WriteString(jsondoc.Quote(key) + ": ")
		w.value(field, p.Member(key), value, depth+1)
		w.b.WriteString(",\n")
	}
	for i, k := range v.Keys {
		if known[k] {
			continue
		}
		w.comment(depth+1, "not in the contract")
		w.indent(depth + 1)
		w.b.WriteString(jsondoc.Quote(k) + ": ")
		w.value(nil, p.Member(k), v.Kids[i], depth+1)
		w.b.WriteString(",\n")
	}
	w.indent(depth)
	w.b.WriteByte('}')
}

// Bounds of what is said of one field.
const (
	saidChoices = 24
	saidLines   = 6
)

// about is a field's contract in a few comment lines.
func (w *commenter) about(s *probes.Shape, depth int) {
	w.comment(depth, Line(s))
	if len(s.Choices) > 0 {
		names := make([]string, 0, saidChoices)
		for i, c := range s.Choices {
			if i == saidChoices {
				names = append(names, fmt.Sprintf("… %d more", len(s.Choices)-i))
				break
			}
			names = append(names, Unquote(c.Value))
		}
		w.comment(depth, "  one of "+strings.Join(names, " | "))
	}
	for i, line := range strings.Split(strings.TrimSpace(s.Doc), "\n") {
		if i == saidLines || line == "" && i == 0 {
			break
		}
		w.comment(depth, "  "+strings.TrimSpace(line))
	}
}

// Line says of a field what can be said on a line: its name, type and limits.
func Line(s *probes.Shape) string {
	parts := []string{TypeOf(s)}
	if s.Name != "" {
		parts[0] = s.Name + " " + parts[0]
	}
	say := func(on bool, text string) {
		if on {
			parts = append(parts, text)
		}
	}
	say(s.Required, "required")
	say(s.Nullable, "may be null")
	say(s.Deprecated, "deprecated")
	say(s.Group != "", "one of "+s.Group)
	say(s.Rule != "", s.Rule)
	say(s.Default != "", "default "+s.Default)
	say(s.Example != "", "for example "+s.Example)
	say(s.Kind == probes.ShapeBytes, "base64, hex:…, text:… or @file")
	say(s.Kind == probes.ShapeTime, "RFC 3339, or now-1h")
	say(s.Kind == probes.ShapeDuration, "such as 1.5s")
	return strings.Join(parts, ", ")
}
