package grpcapi

import (
	"strings"
	"unicode"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"iscope/probes"
)

// readWords and writeWords are first words of method names (see driverDoc).
var (
	readWords = map[string]bool{
		"get": true, "list": true, "watch": true, "check": true, "read": true, "search": true, "find": true,
		"describe": true, "query": true, "lookup": true, "exists": true, "count": true, "health": true,
	}
	writeWords = map[string]bool{
		"create": true, "update": true, "delete": true, "set": true, "put": true, "add": true, "remove": true,
		"insert": true, "upsert": true, "patch": true, "write": true, "send": true, "publish": true, "cancel": true,
		"import": true, "replace": true, "move": true, "start": true, "stop": true, "reset": true,
	}
)

// effectOf says whether a method may change something. The contract's own word
// counts most; a name is taken for a read only if nothing in it says otherwise.
func effectOf(md protoreflect.MethodDescriptor) probes.Effect {
	if o, ok := md.Options().(*descriptorpb.MethodOptions); ok && o != nil && o.IdempotencyLevel != nil {
		switch o.GetIdempotencyLevel() {
		case descriptorpb.MethodOptions_NO_SIDE_EFFECTS:
			return probes.EffectRead
		case descriptorpb.MethodOptions_IDEMPOTENT:
			return probes.EffectWrite
		}
	}
	if strings.HasPrefix(string(md.Parent().FullName()), "grpc.reflection.") {
		return probes.EffectRead // its one method is named after nothing it does
	}
	parts := words(string(md.Name()))
	switch first := parts[0]; {
	case writeWords[first]:
		return probes.EffectWrite
	case !readWords[first]:
		return probes.EffectUnknown
	case first == "check" && len(parts) > 1 && (parts[1] == "in" || parts[1] == "out"):
		return probes.EffectUnknown
	}
	for _, w := range parts {
		if w == "or" || w == "and" || writeWords[w] {
			return probes.EffectUnknown
		}
	}
	return probes.EffectRead
}

// words splits a CamelCase or snake_case name into lower-case words. It always
// returns at least one.
func words(name string) []string {
	var out []string
	var word []rune
	flush := func() {
		if len(word) > 0 {
			out = append(out, strings.ToLower(string(word)))
			word = nil
		}
	}
	runes := []rune(name)
	for i, r := range runes {
		switch {
		case r == '_':
			flush()
			continue
		case unicode.IsUpper(r) && i > 0 && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])):
			flush()
		}
		word = append(word, r)
	}
	flush()
	if out == nil {
		return []string{""}
	}
	return out
}
