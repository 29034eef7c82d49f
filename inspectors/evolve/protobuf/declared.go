package protobuf

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// inFile finds what is declared under the same name within a file: at level
// file, types may not move.
func inFile(f protoreflect.FileDescriptor, old protoreflect.Descriptor) protoreflect.Descriptor {
	name := strings.TrimPrefix(string(old.FullName()), string(old.ParentFile().Package())+".")
	if old.ParentFile().Package() == "" {
		name = string(old.FullName())
	}
	var in any = f
	for _, part := range strings.Split(name, ".") {
		in = member(in, protoreflect.Name(part))
		if in == nil {
			return nil
		}
	}
	return in.(protoreflect.Descriptor)
}

func member(in any, name protoreflect.Name) any {
	if c, ok := in.(container); ok {
		if m := c.Messages().ByName(name); m != nil {
			return m
		}
		if e := c.Enums().ByName(name); e != nil {
			return e
		}
		if x := c.Extensions().ByName(name); x != nil {
			return x
		}
	}
	if f, ok := in.(protoreflect.FileDescriptor); ok {
		if s := f.Services().ByName(name); s != nil {
			return s
		}
	}
	return nil
}

// gone tells that a type is missing, by the rule of the level. What is only
// imported may go: whether it is missed is told where it was used.
func (d *differ) gone(old, now protoreflect.Descriptor, what string) {
	if d.b.c.Partial && now == nil || !d.a.c.own[old.ParentFile().Path()] || d.a.c.only != nil && now == nil && what != "SERVICE" {
		return // a type that the service no longer uses is told where it was used
	}
	if d.level == File {
		g := d.now(old.ParentFile())
		if g == nil { // the file is gone, which is told
			return
		}
		if d.b.lost(g) || inFile(g, old) != nil {
			return
		}
		d.add(what+"_NO_DELETE", old, nil, "", "", "%s", missing(what, now))
		return
	}
	if now == nil && d.b.packages[string(old.ParentFile().Package())] || now == nil && d.level != Package {
		d.add("PACKAGE_"+what+"_NO_DELETE", old, nil, "", "", "%s", missing(what, nil))
	}
}

func missing(what string, now protoreflect.Descriptor) string {
	text := "the " + strings.ToLower(what) + " is gone"
	if now != nil {
		text += " from its file; it is in " + now.ParentFile().Path()
	}
	return text
}

// lost reports whether nothing is known of a file.
func (x *index) lost(f protoreflect.FileDescriptor) bool { return x.files[f.Path()] == nil }

func (d *differ) messages() {
	for _, name := range d.a.order {
		a := d.a.messages[name]
		if a == nil {
			continue
		}
		b := d.b.messages[name]
		if b == nil {
			d.gone(a, nil, "MESSAGE")
			continue
		}
		d.gone(a, b, "MESSAGE")
		d.message(a, b)
	}
	for _, name := range d.b.order {
		if b := d.b.messages[name]; b != nil && d.a.messages[name] == nil {
			d.fine("MESSAGE_ADDED", nil, b, "", "", "a new message")
		}
	}
}

func (d *differ) message(a, b protoreflect.MessageDescriptor) {
	d.fields(a, b)
	d.oneofs(a, b)
	d.required(a, b)
	d.reservedMessage(a, b)
	x, _ := a.Options().(*descriptorpb.MessageOptions)
	y, _ := b.Options().(*descriptorpb.MessageOptions)
	if x.GetNoStandardDescriptorAccessor() != y.GetNoStandardDescriptorAccessor() && y.GetNoStandardDescriptorAccessor() {
		d.add("MESSAGE_NO_REMOVE_STANDARD_DESCRIPTOR_ACCESSOR", a, b, "", "", "generated code loses its descriptor accessor")
	}
	if jsonFormat(a) != jsonFormat(b) && jsonFormat(a) == "ALLOW" {
		d.add("MESSAGE_SAME_JSON_FORMAT", a, b, jsonFormat(a), jsonFormat(b), "support for JSON was promised and is not any more")
	}
}

func (d *differ) oneofs(a, b protoreflect.MessageDescriptor) {
	for i := range a.Oneofs().Len() {
		o := a.Oneofs().Get(i)
		if o.IsSynthetic() || b.Oneofs().ByName(o.Name()) != nil {
			continue
		}
		d.add("ONEOF_NO_DELETE", o, nil, "", "", "the oneof is gone")
	}
	for i := range b.Oneofs().Len() {
		if o := b.Oneofs().Get(i); !o.IsSynthetic() && a.Oneofs().ByName(o.Name()) == nil {
			d.fine("ONEOF_ADDED", nil, o, "", "", "a new oneof")
		}
	}
}

// required compares the required fields of proto2: adding one breaks old
// writers, removing one old readers.
func (d *differ) required(a, b protoreflect.MessageDescriptor) {
	var lost, more []string
	for i := range a.RequiredNumbers().Len() {
		if n := a.RequiredNumbers().Get(i); !b.RequiredNumbers().Has(n) {
			lost = append(lost, string(a.Fields().ByNumber(n).Name()))
		}
	}
	for i := range b.RequiredNumbers().Len() {
		if n := b.RequiredNumbers().Get(i); !a.RequiredNumbers().Has(n) {
			more = append(more, string(b.Fields().ByNumber(n).Name()))
		}
	}
	if len(lost) > 0 {
		d.add("MESSAGE_SAME_REQUIRED_FIELDS", a, b, strings.Join(lost, ", "), "", "no longer required, which old readers do not know: %s", strings.Join(lost, ", "))
	}
	if len(more) > 0 {
		d.add("MESSAGE_SAME_REQUIRED_FIELDS", a, b, "", strings.Join(more, ", "), "required now, which old writers do not know: %s", strings.Join(more, ", "))
	}
}

func (d *differ) reservedMessage(a, b protoreflect.MessageDescriptor) {
	var lost []string
	for i := range a.ReservedRanges().Len() {
		r := a.ReservedRanges().Get(i)
		if !covered(int64(r[0]), int64(r[1])-1, func(n int64) (int64, bool) { return containing(b.ReservedRanges(), n) }) {
			lost = append(lost, span(int64(r[0]), int64(r[1])-1))
		}
	}
	for i := range a.ReservedNames().Len() {
		if n := a.ReservedNames().Get(i); !b.ReservedNames().Has(n) {
			lost = append(lost, string(n))
		}
	}
	if len(lost) > 0 {
		d.add("RESERVED_MESSAGE_NO_DELETE", a, b, strings.Join(lost, ", "), "", "no longer reserved, so that it may be used for something else: %s", strings.Join(lost, ", "))
	}
	for i := range a.ExtensionRanges().Len() {
		r := a.ExtensionRanges().Get(i)
		if !covered(int64(r[0]), int64(r[1])-1, func(n int64) (int64, bool) { return containing(b.ExtensionRanges(), n) }) {
			d.add("EXTENSION_MESSAGE_NO_DELETE", a, b, span(int64(r[0]), int64(r[1])-1), "", "extensions may no longer use %s", span(int64(r[0]), int64(r[1])-1))
		}
	}
}

// containing returns the last number of the range that a number is in.
func containing(rs protoreflect.FieldRanges, n int64) (last int64, ok bool) {
	for i := range rs.Len() {
		if r := rs.Get(i); n >= int64(r[0]) && n < int64(r[1]) {
			return int64(r[1]) - 1, true
		}
	}
	return 0, false
}

// covered reports whether ranges cover all from first to last.
func covered(first, last int64, in func(int64) (int64, bool)) bool {
	for first <= last {
		end, ok := in(first)
		if !ok {
			return false
		}
		first = end + 1
	}
	return true
}

func span(first, last int64) string {
	if first == last {
		return fmt.Sprint(first)
	}
	return fmt.Sprintf("%d to %d", first, last)
}

func (d *differ) extensions() {
	for _, f := range d.a.c.files {
		for i := range f.Extensions().Len() {
			e := f.Extensions().Get(i)
			b := d.b.extensions[e.FullName()]
			if d.a.files[f.Path()] == nil {
				continue
			}
			if b == nil {
				d.gone(e, nil, "EXTENSION")
				continue
			}
			d.field(e, b)
		}
	}
}

func (d *differ) services() {
	for _, name := range d.a.order {
		a := d.a.services[name]
		if a == nil {
			continue
		}
		b := d.b.services[name]
		if b == nil {
			d.gone(a, nil, "SERVICE")
			continue
		}
		d.gone(a, b, "SERVICE")
		for i := range a.Methods().Len() {
			if m := a.Methods().Get(i); d.a.c.only == nil || d.a.c.only[m.FullName()] {
				d.method(m, b.Methods().ByName(m.Name()))
			}
		}
		for i := range b.Methods().Len() {
			if m := b.Methods().Get(i); a.Methods().ByName(m.Name()) == nil && (d.b.c.only == nil || d.b.c.only[m.FullName()]) {
				d.fine("RPC_ADDED", nil, m, "", "", "a new method")
			}
		}
	}
	for _, name := range d.b.order {
		if b := d.b.services[name]; b != nil && d.a.services[name] == nil {
			d.fine("SERVICE_ADDED", nil, b, "", "", "a new service")
		}
	}
}

func (d *differ) method(a, b protoreflect.MethodDescriptor) {
	if b == nil {
		d.add("RPC_NO_DELETE", a, nil, "", "", "the method is gone")
		return
	}
	if x, y := a.Input().FullName(), b.Input().FullName(); x != y {
		d.add("RPC_SAME_REQUEST_TYPE", a, b, string(x), string(y), "the request was %s and is %s", x, y)
	}
	if x, y := a.Output().FullName(), b.Output().FullName(); x != y {
		d.add("RPC_SAME_RESPONSE_TYPE", a, b, string(x), string(y), "the response was %s and is %s", x, y)
	}
	if a.IsStreamingClient() != b.IsStreamingClient() {
		d.add("RPC_SAME_CLIENT_STREAMING", a, b, stream(a.IsStreamingClient()), stream(b.IsStreamingClient()), "the caller sent %s and sends %s", stream(a.IsStreamingClient()), stream(b.IsStreamingClient()))
	}
	if a.IsStreamingServer() != b.IsStreamingServer() {
		d.add("RPC_SAME_SERVER_STREAMING", a, b, stream(a.IsStreamingServer()), stream(b.IsStreamingServer()), "the server sent %s and sends %s", stream(a.IsStreamingServer()), stream(b.IsStreamingServer()))
	}
	x, _ := a.Options().(*descriptorpb.MethodOptions)
	y, _ := b.Options().(*descriptorpb.MethodOptions)
	if x.GetIdempotencyLevel() != y.GetIdempotencyLevel() {
		d.add("RPC_SAME_IDEMPOTENCY_LEVEL", a, b, x.GetIdempotencyLevel().String(), y.GetIdempotencyLevel().String(), "whether it may be repeated was %s and is %s", x.GetIdempotencyLevel(), y.GetIdempotencyLevel())
	}
	if !x.GetDeprecated() && y.GetDeprecated() {
		d.fine("RPC_DEPRECATED", a, b, "", "", "deprecated")
	}
}

func stream(many bool) string {
	if many {
		return "a stream"
	}
	return "one message"
}
