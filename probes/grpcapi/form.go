package grpcapi

import (
	"context"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"iscope/probes"
)

// Form describes the message that a method takes, field by field, by their
// names in JSON. Messages are named in Types, so those that contain themselves
// are written down once.
func (p *probe) Form(ctx context.Context, method string) (probes.Form, error) {
	l, done, err := p.use(ctx, "describing "+method)
	if err != nil {
		return probes.Form{}, err
	}
	defer done()
	md, err := l.method(ctx, method)
	if err != nil {
		return probes.Form{}, err
	}
	w := &former{link: l, form: probes.Form{Types: map[string][]probes.Shape{}}, extensions: extensionsByMessage(md.ParentFile())}
	w.form.Root = w.message(md.Input())
	w.form.Root.Doc = l.comment(md.Input())
	w.types(ctx)
	return w.form, nil
}

type former struct {
	link       *link
	form       probes.Form
	todo       []protoreflect.MessageDescriptor // named, their fields not yet written
	extensions map[protoreflect.FullName][]protoreflect.FieldDescriptor
}

// types writes the fields of all messages that were named, and of those that
// they name.
func (w *former) types(ctx context.Context) {
	for len(w.todo) > 0 {
		md := w.todo[0]
		w.todo = w.todo[1:]
		var fields []probes.Shape
		for i := range md.Fields().Len() {
			fields = append(fields, w.field(ctx, md.Fields().Get(i)))
		}
		for _, xd := range w.extensions[md.FullName()] {
			fields = append(fields, w.field(ctx, xd))
		}
		w.form.Types[string(md.FullName())] = fields
	}
}

func (w *former) field(ctx context.Context, fd protoreflect.FieldDescriptor) probes.Shape {
	var s probes.Shape
	switch {
	case fd.IsMap():
		elem := w.single(fd.MapValue())
		s = probes.Shape{Kind: probes.ShapeMap, Elem: &elem, Type: "map<" + fd.MapKey().Kind().String() + ", " + elem.Type + ">"}
		if k := scalarShapes[fd.MapKey().Kind()]; k != probes.ShapeString {
			s.Keys = k
		}
	case fd.IsList():
		elem := w.single(fd)
		s = probes.Shape{Kind: probes.ShapeList, Elem: &elem, Type: "repeated " + elem.Type}
	default:
		s = w.single(fd)
		s.Required = fd.Cardinality() == protoreflect.Required
		if fd.HasDefault() {
			s.Default = string(scalarTemplate(fd))
		}
	}
	s.Name = fd.JSONName()
	if fd.IsExtension() {
		s.Name = "[" + string(fd.FullName()) + "]"
	}
	oneof := fd.ContainingOneof()
	if oneof != nil && !oneof.IsSynthetic() {
		s.Group = string(oneof.Name())
	} else if fd.HasPresence() && fd.Message() == nil && !s.Required {
		s.Nullable = true // optional: left out and zero differ
	}
	s.Doc = w.link.comment(fd)
	if o, ok := fd.Options().(*descriptorpb.FieldOptions); ok {
		s.Deprecated = o.GetDeprecated()
	}
	w.constrain(ctx, &s, fd)
	return s
}

// single is the shape of one value of a field.
func (w *former) single(fd protoreflect.FieldDescriptor) probes.Shape {
	switch {
	case fd.Enum() != nil:
		return w.enum(fd.Enum())
	case fd.Message() != nil:
		return w.message(fd.Message())
	}
	return probes.Shape{Kind: scalarShapes[fd.Kind()], Type: fd.Kind().String(), Rule: scalarRules[fd.Kind()]}
}

func (w *former) enum(ed protoreflect.EnumDescriptor) probes.Shape {
	s := probes.Shape{Kind: probes.ShapeEnum, Type: string(ed.FullName())}
	if ed.FullName() == "google.protobuf.NullValue" {
		s.Choices = []probes.Choice{{Value: "null"}}
		return s
	}
	for i := range ed.Values().Len() {
		v := ed.Values().Get(i)
		s.Choices = append(s.Choices, probes.Choice{Value: string(quote(string(v.Name()))), Doc: w.link.comment(v)})
	}
	return s
}

func (w *former) message(md protoreflect.MessageDescriptor) probes.Shape {
	name := md.FullName()
	s := probes.Shape{Type: string(name)}
	switch {
	case md.IsPlaceholder():
		s.Kind = probes.ShapeObject // its file is missing
	case isWellKnown(name) && name != "google.protobuf.Empty":
		w.wellKnown(&s, md)
	default:
		s.Kind, s.Of = probes.ShapeObject, string(name)
		if _, ok := w.form.Types[s.Of]; !ok {
			w.form.Types[s.Of] = nil // named; types() writes it
			w.todo = append(w.todo, md)
		}
	}
	return s
}

// wellKnown fills in the shape of a message with a JSON form of its own.
func (w *former) wellKnown(s *probes.Shape, md protoreflect.MessageDescriptor) {
	anything := &probes.Shape{Kind: probes.ShapeAny, Type: "google.protobuf.Value"}
	switch md.FullName() {
	case "google.protobuf.Timestamp":
		s.Kind, s.Example = probes.ShapeTime, `"2026-11-22T14:03:00Z"`
	case "google.protobuf.Duration":
		s.Kind, s.Example = probes.ShapeDuration, `"1.5s"`
	case "google.protobuf.FieldMask":
		s.Kind, s.Example = probes.ShapeFieldMask, `"name,address.city"`
	case "google.protobuf.Struct":
		s.Kind, s.Elem = probes.ShapeMap, anything
	case "google.protobuf.ListValue":
		s.Kind, s.Elem = probes.ShapeList, anything
	case "google.protobuf.Any":
		s.Kind, s.Example = probes.ShapeAny, wellKnown[md.FullName()]
		s.Rule = `an object with the type in "@type"`
	case "google.protobuf.Value":
		s.Kind = probes.ShapeAny
	default: // a wrapper: written as what it wraps
		inner := md.Fields().ByNumber(1)
		s.Kind, s.Rule, s.Nullable = scalarShapes[inner.Kind()], scalarRules[inner.Kind()], true
	}
}

// extensionsByMessage lists what a file and all that it imports add to others'
// messages.
func extensionsByMessage(fd protoreflect.FileDescriptor) map[protoreflect.FullName][]protoreflect.FieldDescriptor {
	out := map[protoreflect.FullName][]protoreflect.FieldDescriptor{}
	seen := map[string]bool{}
	var file func(protoreflect.FileDescriptor)
	var inside func(protoreflect.MessageDescriptors)
	add := func(xs protoreflect.ExtensionDescriptors) {
		for i := range xs.Len() {
			name := xs.Get(i).ContainingMessage().FullName()
			// Options are the contract's, not the caller's.
			if !strings.HasPrefix(string(name), "google.protobuf.") {
				out[name] = append(out[name], xs.Get(i))
			}
		}
	}
	inside = func(ms protoreflect.MessageDescriptors) {
		for i := range ms.Len() {
			add(ms.Get(i).Extensions())
			inside(ms.Get(i).Messages())
		}
	}
	file = func(fd protoreflect.FileDescriptor) {
		if fd.IsPlaceholder() || seen[fd.Path()] {
			return
		}
		seen[fd.Path()] = true
		add(fd.Extensions())
		inside(fd.Messages())
		for i := range fd.Imports().Len() {
			file(fd.Imports().Get(i).FileDescriptor)
		}
	}
	file(fd)
	return out
}

var scalarShapes = map[protoreflect.Kind]probes.ShapeKind{
	protoreflect.BoolKind:     probes.ShapeBool,
	protoreflect.StringKind:   probes.ShapeString,
	protoreflect.BytesKind:    probes.ShapeBytes,
	protoreflect.FloatKind:    probes.ShapeNumber,
	protoreflect.DoubleKind:   probes.ShapeNumber,
	protoreflect.Int32Kind:    probes.ShapeInteger,
	protoreflect.Sint32Kind:   probes.ShapeInteger,
	protoreflect.Sfixed32Kind: probes.ShapeInteger,
	protoreflect.Uint32Kind:   probes.ShapeInteger,
	protoreflect.Fixed32Kind:  probes.ShapeInteger,
	protoreflect.Int64Kind:    probes.ShapeInteger,
	protoreflect.Sint64Kind:   probes.ShapeInteger,
	protoreflect.Sfixed64Kind: probes.ShapeInteger,
	protoreflect.Uint64Kind:   probes.ShapeInteger,
	protoreflect.Fixed64Kind:  probes.ShapeInteger,
}

const (
	int32Rule  = "from -2147483648 to 2147483647"
	uint32Rule = "from 0 to 4294967295"
	uint64Rule = "0 or more"
)

var scalarRules = map[protoreflect.Kind]string{
	protoreflect.Int32Kind: int32Rule, protoreflect.Sint32Kind: int32Rule, protoreflect.Sfixed32Kind: int32Rule,
	protoreflect.Uint32Kind: uint32Rule, protoreflect.Fixed32Kind: uint32Rule,
	protoreflect.Uint64Kind: uint64Rule, protoreflect.Fixed64Kind: uint64Rule,
}
