package form

import (
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
	"time"

	"iscope/probes"
	"iscope/tui/screens/invoke/jsondoc"
)

// Resolver turns what an editor takes into what a contract takes: times that
// count from now, durations in units, bytes as text, hex or a file.
type Resolver struct {
	Now time.Time
	// File reads a file whose name was typed as @name; it may block.
	File func(name string) ([]byte, error)
}

// Resolve returns the document as it is sent; the one it is given stays as it is.
// What cannot be resolved is left for the target to judge, except a file that
// cannot be read.
func (f *Form) Resolve(doc *jsondoc.Value, r Resolver) (*jsondoc.Value, error) {
	doc = doc.Clone()
	if doc == nil {
		return nil, nil
	}
	return doc, r.value(f, &f.Shapes.Root, nil, doc)
}

func (r *Resolver) value(f *Form, s *probes.Shape, p jsondoc.Path, v *jsondoc.Value) error {
	s = f.resolve(s, p, v)
	if s == nil {
		return nil
	}
	switch {
	case s.Kind == probes.ShapeObject && v.Kind == jsondoc.Object:
		fields := f.Shapes.Fields(s)
		for i := range fields {
			if key, value := member(v, fields[i].Name); value != nil {
				if err := r.value(f, &fields[i], p.Member(key), value); err != nil {
					return err
				}
			}
		}
	case s.Elem != nil && s.Kind == probes.ShapeList && v.Kind == jsondoc.List:
		for i, k := range v.Kids {
			if err := r.value(f, s.Elem, p.Element(i), k); err != nil {
				return err
			}
		}
	case s.Elem != nil && s.Kind == probes.ShapeMap && v.Kind == jsondoc.Object:
		for i, k := range v.Kids {
			if err := r.value(f, s.Elem, p.Member(v.Keys[i]), k); err != nil {
				return err
			}
		}
	case v.Kind == jsondoc.String:
		return r.text(s, p, v)
	}
	return nil
}

func (r *Resolver) text(s *probes.Shape, p jsondoc.Path, v *jsondoc.Value) error {
	switch s.Kind {
	case probes.ShapeTime:
		if at, err := Time(v.Text, r.Now); err == nil && strings.HasPrefix(v.Text, "now") {
			v.Text = at.UTC().Format(time.RFC3339Nano)
		}
	case probes.ShapeDuration:
		if d, err := Duration(v.Text); err == nil {
			v.Text = seconds(d)
		}
	case probes.ShapeBytes:
		name, isFile := strings.CutPrefix(v.Text, "@")
		if !isFile {
			if b, err := Bytes(v.Text); err == nil && strings.Contains(v.Text, ":") {
				v.Text = base64.StdEncoding.EncodeToString(b)
			}
			return nil
		}
		b, err := r.File(name)
		if err != nil {
			return fmt.Errorf("reading the file for %s: %w", p, err)
		}
		v.Text = base64.StdEncoding.EncodeToString(b)
	}
	return nil
}

// seconds is protobuf's JSON form of a duration, exactly.
func seconds(d time.Duration) string {
	s := new(big.Rat).SetFrac64(int64(d), int64(time.Second)).FloatString(9)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".") + "s"
}

// Starter is the document a form begins with: of the template, what is required
// or more than an empty value. Its other fields are on the form, not set.
func (f *Form) Starter(template *jsondoc.Value) *jsondoc.Value {
	root := f.resolve(&f.Shapes.Root, nil, template)
	if template == nil || root.Kind != probes.ShapeObject || root.Of == "" {
		return template.Clone()
	}
	return f.starter(root, template, 0)
}

// starterDepth bounds what is filled in on its own.
const starterDepth = 8

func (f *Form) starter(s *probes.Shape, v *jsondoc.Value, depth int) *jsondoc.Value {
	out := jsondoc.NewObject()
	fields := f.Shapes.Fields(s)
	for i := range fields {
		field := &fields[i]
		key, value := member(v, field.Name)
		if value == nil {
			continue
		}
		kept := value.Clone()
		shape := f.resolve(field, nil, value)
		if value.Kind == jsondoc.Object && shape.Kind == probes.ShapeObject && shape.Of != "" && depth < starterDepth {
			kept = f.starter(shape, value, depth+1)
		}
		first := shape.Kind == probes.ShapeEnum && len(shape.Choices) > 0 && shape.Choices[0].Value == value.Compact()
		example := jsondoc.Of([]byte(field.Example))
		if field.Required || example != nil && jsondoc.Equal(example, value) || !blank(kept) && !first {
			out.Set(key, kept)
		}
	}
	return out
}

// blank reports whether a value says nothing: "", 0, false, null, the first
// instant, and what holds only such.
func blank(v *jsondoc.Value) bool {
	switch v.Kind {
	case jsondoc.Object, jsondoc.List:
		for i, k := range v.Kids {
			if i < len(v.Keys) && v.Keys[i] == "@type" {
				continue
			}
			if !blank(k) {
				return false
			}
		}
		return true
	case jsondoc.String:
		switch v.Text {
		case "", "0", "0s", "1970-01-01T00:00:00Z":
			return true
		}
		return strings.HasSuffix(v.Text, "_UNSPECIFIED") || strings.HasSuffix(v.Text, "_UNKNOWN")
	case jsondoc.Number:
		return v.Text == "0"
	case jsondoc.Bool:
		return v.Text == "false"
	}
	return true
}
