// Package schema turns the text of a schema, wherever it comes from, into
// something that decodes bodies, and finds the schema of a body.
package schema

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"iscope/inspectors/avro"
	"iscope/inspectors/contract"
	"iscope/inspectors/emit"
	"iscope/inspectors/protobuf"
)

// Type is the language of a schema, in the words of Confluent's registry.
type Type string

const (
	Avro     Type = "AVRO"
	Protobuf Type = "PROTOBUF"
	JSON     Type = "JSON"
)

// String is the word for people and for View.Inspector: "avro".
func (t Type) String() string { return strings.ToLower(string(t)) }

// Source is the text of a schema and of those it refers to, each before what
// needs it.
type Source struct {
	Type Type
	Text string
	Refs []Ref
}

// Ref is a schema another refers to by a name: of Protobuf the path it imports,
// of JSON the address, of Avro the full name of a type.
type Ref struct{ Name, Text string }

// Schema decodes bodies. It is immutable.
type Schema struct {
	Type Type
	// Name is the type's full name, "" if it has none or, of Protobuf, several.
	Name string
	// Text is the schema as it was written, "" where only descriptors are known.
	Text string

	avro    *avro.Schema
	proto   *protobuf.Schema
	message protoreflect.MessageDescriptor // of Protobuf, where it is settled
	json    *contract.Schema
}

// Limits for schemas, which come from strangers too.
const (
	maxText = 4 << 20 // bytes, of a schema with all it refers to
	maxRefs = 256
)

// Compile compiles a schema. It may take some milliseconds, and ends soon after
// ctx.
func Compile(ctx context.Context, src Source) (*Schema, error) {
	size := len(src.Text)
	for _, r := range src.Refs {
		size += len(r.Text)
	}
	if size > maxText || len(src.Refs) > maxRefs {
		return nil, fmt.Errorf("%d bytes with %d references, more than %d and %d", size, len(src.Refs), maxText, maxRefs)
	}
	switch src.Type {
	case Avro:
		return compileAvro(src)
	case JSON:
		return compileJSON(src)
	case Protobuf:
		return compileProto(ctx, src)
	}
	return nil, fmt.Errorf("schema type %q is not supported", string(src.Type))
}

func compileAvro(src Source) (s *Schema, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the Avro parser panicked: %v", r)
		}
	}()
	var refs []string
	for _, r := range src.Refs {
		refs = append(refs, r.Text)
	}
	a, err := avro.Compile(src.Text, refs)
	if err != nil {
		return nil, err
	}
	return &Schema{Type: Avro, Name: a.Name(), Text: src.Text, avro: a}, nil
}

func compileJSON(src Source) (*Schema, error) {
	var refs []contract.Ref
	for _, r := range src.Refs {
		refs = append(refs, contract.Ref(r))
	}
	c, err := contract.Compile(src.Text, refs)
	if err != nil {
		return nil, err
	}
	return &Schema{Type: JSON, Name: c.Title(), Text: src.Text, json: c}, nil
}

func compileProto(ctx context.Context, src Source) (*Schema, error) {
	const main = "schema.proto"
	name := main
	files := map[string]string{}
	for _, r := range src.Refs {
		files[r.Name] = r.Text
	}
	for files[name] != "" { // a reference may be called so
		name = "_" + name
	}
	files[name] = src.Text
	p, err := protobuf.Compile(ctx, files, name)
	if err != nil {
		return nil, errors.New(strings.ReplaceAll(err.Error(), name+":", "line "))
	}
	return &Schema{Type: Protobuf, Text: src.Text, proto: p}, nil
}

// Decode writes the JSON of a body. index says which message of a Protobuf
// schema it is; nil where the schema settles that or has only one. Errors about
// the body are *emit.Fault.
//
// A JSON body is written as it is, and not checked; see Check.
func (s *Schema) Decode(w *emit.Writer, body []byte, index []int) error {
	switch s.Type {
	case Avro:
		return s.avro.Decode(w, body)
	case JSON:
		w.Raw(body)
		return nil
	}
	md, err := s.pick(index, body)
	if err != nil {
		return err
	}
	return s.proto.Decode(w, body, md)
}

// MessageName is the full name of the type that a body with that index has, ""
// if that is not settled.
func (s *Schema) MessageName(index []int, body []byte) string {
	if s.Type == Protobuf {
		if md, err := s.pick(index, body); err == nil {
			return string(md.FullName())
		}
	}
	return s.Name
}

func (s *Schema) pick(index []int, body []byte) (protoreflect.MessageDescriptor, error) {
	if len(index) > 0 {
		return s.proto.ByIndex(index, body)
	}
	if s.message != nil {
		return s.message, nil
	}
	all := s.proto.Messages()
	if len(all) != 1 {
		return nil, fmt.Errorf("the schema has %d messages, and nothing says which it is", len(all))
	}
	return all[0], nil
}

// Check returns how a JSON body violates a JSON Schema, a sentence each. Other
// types have nothing to check beyond decoding.
func (s *Schema) Check(body []byte) []string {
	if s.Type != JSON {
		return nil
	}
	return s.json.Check(body)
}
