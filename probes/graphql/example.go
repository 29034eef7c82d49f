package graphql

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// exampleDepth bounds input objects within input objects.
const exampleDepth = 6

// examples are the variables of a made query to start from: those that are
// required, and the page size where a server insists on one.
func (c *contract) examples(o *operation) json.RawMessage {
	out := ordered{}
	for _, a := range asked(o.field) {
		switch {
		case a.Type.NonNull && a.DefaultValue == nil:
			out.add(a.Name, c.example(a.Type, 0))
		case a.Name == "first" && page(c.composite(o.field.Type), o.field) != "":
			out.add(a.Name, json.RawMessage("10"))
		}
	}
	return out.json()
}

// example is a value of a type: empty, or of the right form where the type's
// name says which. Of an input object only what is required is set, because what
// is set to something empty means something to GraphQL servers.
func (c *contract) example(t *ast.Type, depth int) json.RawMessage {
	if t.NamedType == "" {
		return json.RawMessage("[" + string(c.example(t.Elem, depth)) + "]")
	}
	def := c.schema.Types[t.NamedType]
	switch {
	case def == nil || depth > exampleDepth:
		return json.RawMessage("null")
	case def.Kind == ast.Enum:
		for _, v := range def.EnumValues {
			if !isDeprecated(v.Directives) {
				return quoted(v.Name)
			}
		}
		return json.RawMessage("null")
	case def.Kind == ast.InputObject:
		out := ordered{}
		one := def.Directives.ForName("oneOf") != nil
		for i, f := range def.Fields {
			switch {
			case f.DefaultValue != nil:
				out.add(f.Name, literal(f.DefaultValue))
			case f.Type.NonNull || one && i == 0:
				out.add(f.Name, c.example(f.Type, depth+1))
			}
		}
		return out.json()
	}
	return scalarExample(t.NamedType)
}

// scalarExample goes by the names that scalars mostly have
// (https://the-guild.dev/graphql/scalars).
func scalarExample(name string) json.RawMessage {
	switch strings.ToLower(name) {
	case "int", "float", "long", "bigint", "bigdecimal", "decimal":
		return json.RawMessage("0")
	case "boolean":
		return json.RawMessage("false")
	case "datetime", "timestamp", "instant":
		return json.RawMessage(`"2026-01-02T15:04:05Z"`)
	case "date", "localdate":
		return json.RawMessage(`"2026-01-02"`)
	case "uuid":
		return json.RawMessage(`"00000000-0000-0000-0000-000000000000"`)
	case "uri", "url":
		return json.RawMessage(`"https://example.com/"`)
	case "json", "jsonobject":
		return json.RawMessage("{}")
	}
	return json.RawMessage(`""`)
}

// literal is a GraphQL value as JSON.
func literal(v *ast.Value) json.RawMessage {
	switch v.Kind {
	case ast.IntValue, ast.FloatValue, ast.BooleanValue:
		if json.Valid([]byte(v.Raw)) {
			return json.RawMessage(v.Raw)
		}
	case ast.StringValue, ast.BlockValue, ast.EnumValue:
		return quoted(v.Raw)
	case ast.ListValue:
		parts := make([]string, len(v.Children))
		for i, k := range v.Children {
			parts[i] = string(literal(k.Value))
		}
		return json.RawMessage("[" + strings.Join(parts, ",") + "]")
	case ast.ObjectValue:
		out := ordered{}
		for _, k := range v.Children {
			out.add(k.Name, literal(k.Value))
		}
		return out.json()
	}
	return json.RawMessage("null")
}

// ordered is a JSON object whose fields keep their order.
type ordered struct{ b []byte }

func (o *ordered) add(name string, value json.RawMessage) {
	if len(o.b) > 0 {
		o.b = append(o.b, ',')
	}
	o.b = append(append(append(o.b, quoted(name)...), ':'), value...)
}

func (o *ordered) json() json.RawMessage { return json.RawMessage("{" + string(o.b) + "}") }

func quoted(s string) json.RawMessage { return marshal(s) }

// marshal writes what always has a JSON form, < and > as they are: a person
// reads it.
func marshal(v any) json.RawMessage {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return json.RawMessage("null")
	}
	return bytes.TrimSpace(b.Bytes())
}
