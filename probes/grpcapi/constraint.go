package grpcapi

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"iscope/probes"
)

// constraints are what well-known custom options of a field say about it. Their
// descriptors come from the server or the sources, as those of messages do.
type constraints struct {
	// https://google.aip.dev/203
	Behaviour []string `json:"[google.api.field_behavior]"`
	// protoc-gen-validate and its successor protovalidate.
	Rules     json.RawMessage `json:"[validate.rules]"`
	NextRules json.RawMessage `json:"[buf.validate.field]"`
	// grpc-gateway's protoc-gen-openapiv2; the example is JSON.
	OpenAPI struct {
		Example string `json:"example"`
	} `json:"[grpc.gateway.protoc_gen_openapiv2.options.openapiv2_field]"`
}

// constrain adds to a field's shape what its options say. Options that nobody
// describes say nothing.
func (w *former) constrain(ctx context.Context, s *probes.Shape, fd protoreflect.FieldDescriptor) {
	options := fd.Options().ProtoReflect()
	if !options.IsValid() || len(options.GetUnknown()) == 0 && !hasExtensions(options) {
		return
	}
	t := types{ctx: ctx, link: w.link}
	raw, err := proto.MarshalOptions{AllowPartial: true}.Marshal(options.Interface())
	if err != nil {
		return
	}
	m := options.New() // once more, now with the extensions' types
	if err := unmarshal(raw, m.Interface(), t); err != nil {
		return
	}
	var c constraints
	if err := json.Unmarshal(render(m.Interface(), t), &c); err != nil {
		return
	}
	s.Required = s.Required || slices.Contains(c.Behaviour, "REQUIRED")
	if json.Valid([]byte(c.OpenAPI.Example)) {
		s.Example = c.OpenAPI.Example
	}
	for _, rule := range []string{rulesText(c.Rules), rulesText(c.NextRules)} {
		if rule != "" {
			s.Rule = rule
		}
	}
	if slices.Contains(c.Behaviour, "OUTPUT_ONLY") {
		s.Rule = strings.TrimPrefix(s.Rule+"; set by the server", "; ")
	}
}

func hasExtensions(m protoreflect.Message) bool { return len(extensionsOf(m)) > 0 }

// rulesText writes rules as people read them: `pattern ^[a-z]+$, maxLen 64`. The
// name of the type they are for ("string") is left out.
func rulesText(rules json.RawMessage) string {
	var parts []string
	flatten("", rules, &parts)
	return strings.Join(parts, ", ")
}

func flatten(name string, value json.RawMessage, parts *[]string) {
	var members map[string]json.RawMessage
	if json.Unmarshal(value, &members) == nil {
		for _, key := range slices.Sorted(maps.Keys(members)) {
			path := key
			if name != "" && !typeRules[name] {
				path = name + "." + key
			}
			flatten(path, members[key], parts)
		}
		return
	}
	if len(value) == 0 {
		return
	}
	text := string(value)
	var s string
	if json.Unmarshal(value, &s) == nil {
		text = s
	}
	if text == "true" {
		*parts = append(*parts, name)
		return
	}
	*parts = append(*parts, name+" "+text)
}

// typeRules are the members of a rule that only name the field's type.
var typeRules = map[string]bool{
	"string": true, "bytes": true, "bool": true, "enum": true, "repeated": true, "map": true, "message": true, "any": true,
	"float": true, "double": true, "int32": true, "int64": true, "uint32": true, "uint64": true, "sint32": true, "sint64": true,
	"fixed32": true, "fixed64": true, "sfixed32": true, "sfixed64": true, "duration": true, "timestamp": true,
}
