package grpcapi

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"iscope/probes"
)

// parseMessage reads a request document. Its errors say where (field path, line
// and column), what is wrong and what would be right.
func parseMessage(doc []byte, md protoreflect.MessageDescriptor, t resolver) (*dynamicpb.Message, error) {
	if len(bytes.TrimSpace(doc)) == 0 {
		return nil, hinted(errors.New("the document is empty"), "send {} to mean an empty message")
	}
	m := dynamicpb.NewMessage(md)
	if len(doc) > 0 && doc[0] == probes.WireDocument {
		if err := unmarshal(doc[1:], m, t); err != nil {
			return nil, fmt.Errorf("the recorded bytes are no %s: %w", md.FullName(), err)
		}
		return m, nil
	}
	edited, edits := withTimes(doc, md, time.Now())
	if err := (protojson.UnmarshalOptions{Resolver: t}).Unmarshal(edited, m); err != nil {
		return nil, explain(doc, edited, edits, md, protoText(err))
	}
	return m, nil
}

// position is how protojson (protobuf-go v1.36) says where.
var position = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:syntax error )?\(line (\d+):(\d+)\): (?s:(.*))$`)
})

// explain rewrites protojson's error text, which is about the edited document.
// Text it does not recognise stays.
func explain(doc, edited []byte, edits []edit, md protoreflect.MessageDescriptor, text string) error {
	if text == "unexpected EOF" {
		line, column := lineColumn(doc, len(doc))
		return fmt.Errorf("line %d:%d: the document ends too early", line, column)
	}
	m := position().FindStringSubmatch(text)
	if m == nil {
		return errors.New(text)
	}
	what := m[3]
	offset := offsetOf(edited, m[1], m[2])
	steps := pathAt(edited, offset)
	line, column := lineColumn(doc, given(edits, offset))
	where := fmt.Sprintf("line %d:%d", line, column)
	if p := pathText(steps); p != "" {
		where = p + " (" + where + ")"
	}
	return hinted(fmt.Errorf("%s: %s", where, what), adviceFor(what, md, steps))
}

// lineColumn counts as protojson does: columns are runes, both from 1.
func lineColumn(doc []byte, offset int) (line, column int) {
	before := doc[:offset]
	line = bytes.Count(before, []byte("\n")) + 1
	before = before[bytes.LastIndexByte(before, '\n')+1:]
	return line, utf8.RuneCount(before) + 1
}

// offsetOf is the inverse of lineColumn; len(doc) if there is no such place.
func offsetOf(doc []byte, line, column string) int {
	l, err1 := strconv.Atoi(line)
	c, err2 := strconv.Atoi(column)
	if err1 != nil || err2 != nil {
		return len(doc)
	}
	at := 0
	for ; l > 1; l-- {
		i := bytes.IndexByte(doc[at:], '\n')
		if i < 0 {
			return len(doc)
		}
		at += i + 1
	}
	for ; c > 1 && at < len(doc); c-- {
		_, n := utf8.DecodeRune(doc[at:])
		at += n
	}
	return at
}

// adviceFor says what would be right in place of what protojson refused.
func adviceFor(what string, md protoreflect.MessageDescriptor, steps []step) string {
	owner, fd := walk(md, steps)
	switch {
	case strings.HasPrefix(what, "unknown field") && owner != nil && len(steps) > 0:
		return probes.NearestHint(steps[len(steps)-1].key, fieldNames(owner.Fields()))
	case strings.Contains(what, "is already set") && fd != nil && fd.ContainingOneof() != nil:
		return "give only one of " + strings.Join(fieldNames(fd.ContainingOneof().Fields()), ", ")
	case strings.HasPrefix(what, "unable to resolve"):
		return "the server does not describe this type; sources may (options " + optProto + ", " + optProtoset + ")"
	case fd != nil && (strings.HasPrefix(what, "invalid") || strings.HasPrefix(what, "unexpected token")):
		return expected(fd)
	}
	return ""
}

type fieldList interface {
	Len() int
	Get(int) protoreflect.FieldDescriptor
}

func fieldNames(fds fieldList) []string {
	out := make([]string, fds.Len())
	for i := range out {
		out[i] = fds.Get(i).JSONName()
	}
	return out
}

// enumAtMost bounds the values listed of an enum.
const enumAtMost = 20

// expected describes the values a field takes.
func expected(fd protoreflect.FieldDescriptor) string {
	if fd.IsMap() {
		fd = fd.MapValue()
	}
	if fd.Enum() != nil {
		values := fd.Enum().Values()
		var names []string
		for i := range min(values.Len(), enumAtMost) {
			names = append(names, string(values.Get(i).Name()))
		}
		if values.Len() > enumAtMost {
			names = append(names, "…")
		}
		return "allowed: " + strings.Join(names, ", ")
	}
	if md := fd.Message(); md != nil {
		name := md.FullName()
		if e, ok := wellKnownExamples[name]; ok {
			return "write it as " + e
		}
		if fields := md.Fields(); isWellKnown(name) && fields.Len() == 1 && fields.Get(0).Message() == nil {
			return expected(fields.Get(0)) // a wrapper is written as what it wraps
		}
		return "it takes an object, a message " + string(name)
	}
	return "it takes " + scalarWords[fd.Kind()]
}

var wellKnownExamples = map[protoreflect.FullName]string{
	"google.protobuf.Timestamp": `"2026-11-22T14:03:00Z" or "now-1h"`,
	"google.protobuf.Duration":  `"1.5s"`,
	"google.protobuf.FieldMask": `"name,address.city"`,
	"google.protobuf.ListValue": `[1, "two"]`,
}

var scalarWords = map[protoreflect.Kind]string{
	protoreflect.BoolKind:     "true or false",
	protoreflect.StringKind:   "a string",
	protoreflect.BytesKind:    "base64 in a string",
	protoreflect.FloatKind:    `a number, "NaN" or "Infinity"`,
	protoreflect.DoubleKind:   `a number, "NaN" or "Infinity"`,
	protoreflect.Int32Kind:    "an integer from -2147483648 to 2147483647",
	protoreflect.Sint32Kind:   "an integer from -2147483648 to 2147483647",
	protoreflect.Sfixed32Kind: "an integer from -2147483648 to 2147483647",
	protoreflect.Uint32Kind:   "an integer from 0 to 4294967295",
	protoreflect.Fixed32Kind:  "an integer from 0 to 4294967295",
	protoreflect.Int64Kind:    "an integer of 64 bits, as a number or in a string",
	protoreflect.Sint64Kind:   "an integer of 64 bits, as a number or in a string",
	protoreflect.Sfixed64Kind: "an integer of 64 bits, as a number or in a string",
	protoreflect.Uint64Kind:   "an integer of 64 bits from 0, as a number or in a string",
	protoreflect.Fixed64Kind:  "an integer of 64 bits from 0, as a number or in a string",
}
