package httpapi

import (
	"encoding/json"
	"maps"
	"mime"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// body is the request body that an operation takes, in the content type we
// would send.
type body struct {
	contentType string
	media       *openapi3.MediaType
	ref         string // of its schema
	response    bool
}

// requestBody is nil if the operation takes none.
func (o *operation) requestBody() *body {
	if o.spec.RequestBody == nil || o.spec.RequestBody.Value == nil {
		return nil
	}
	pointer := o.pointer + "/requestBody"
	if ref := o.spec.RequestBody.Ref; ref != "" {
		pointer = strings.TrimPrefix(ref, "#")
	}
	return bodyOf(o.spec.RequestBody.Value.Content, pointer, false)
}

// bodyOf picks the content type: JSON, else something like JSON, else a form,
// else the first by name.
func bodyOf(content openapi3.Content, pointer string, response bool) *body {
	var best string
	for _, ct := range slices.Sorted(maps.Keys(content)) {
		if best == "" || rank(ct) < rank(best) {
			best = ct
		}
	}
	if best == "" || content[best] == nil {
		return nil
	}
	b := &body{contentType: best, media: content[best], response: response}
	if b.media.Schema != nil {
		b.ref = b.media.Schema.Ref
		if b.ref == "" {
			b.ref = "#" + pointer + "/content/" + escapePointer(best) + "/schema"
		}
	}
	return b
}

func rank(contentType string) int {
	switch t := mediaType(contentType); {
	case t == "application/json":
		return 0
	case isJSON(t):
		return 1
	case t == formType:
		return 2
	case strings.Contains(t, "*"):
		return 4
	}
	return 3
}

const formType = "application/x-www-form-urlencoded"

// mediaType is a content type without its parameters, in lower case.
func mediaType(contentType string) string {
	if t, _, err := mime.ParseMediaType(contentType); err == nil {
		return t
	}
	t, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(t))
}

// isJSON recognises JSON and the types built on it (RFC 6839 "+json").
func isJSON(mediaType string) bool {
	return mediaType == "application/json" || mediaType == "text/json" || strings.HasSuffix(mediaType, "+json")
}

// sendable is the content type to send: the document's, unless it is a range.
func (b *body) sendable() string {
	if b == nil || strings.Contains(b.contentType, "*") {
		return "application/json"
	}
	return b.contentType
}

// template is an example document to edit; nil for bodies that are not written
// as JSON.
func (b *body) template() json.RawMessage {
	if t := mediaType(b.sendable()); !isJSON(t) && t != formType {
		return nil
	}
	example := b.media.Example
	for _, name := range slices.Sorted(maps.Keys(b.media.Examples)) {
		if ref := b.media.Examples[name]; example == nil && ref != nil && ref.Value != nil {
			example = ref.Value.Value
		}
	}
	if example == nil {
		example = exampleOf(b.media.Schema, b.response)
	}
	text, err := json.Marshal(example)
	if err != nil {
		return json.RawMessage("{}")
	}
	return text
}

// outputRef is the schema of the first successful answer, or of the default.
func (o *operation) outputRef() string {
	codes := o.spec.Responses.Map()
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		if strings.HasPrefix(code, "2") {
			if b := o.answer(code, codes[code]); b != nil {
				return b.ref
			}
		}
	}
	if b := o.answer("default", codes["default"]); b != nil {
		return b.ref
	}
	return ""
}

// answerFor finds what the document says about a status: the code itself, its
// class ("4XX"), or the default.
func (o *operation) answerFor(status int) (key string, ref *openapi3.ResponseRef) {
	code := strconv.Itoa(status)
	for _, key := range []string{code, code[:1] + "XX", code[:1] + "xx", "default"} {
		if ref := o.spec.Responses.Value(key); ref != nil {
			return key, ref
		}
	}
	return "", nil
}

func (o *operation) answer(key string, ref *openapi3.ResponseRef) *body {
	if ref == nil || ref.Value == nil {
		return nil
	}
	return bodyOf(ref.Value.Content, o.answerPointer(key, ref), true)
}

func (o *operation) answerPointer(key string, ref *openapi3.ResponseRef) string {
	if ref.Ref != "" {
		return strings.TrimPrefix(ref.Ref, "#")
	}
	return o.pointer + "/responses/" + escapePointer(key)
}
