package httpapi

import (
	"encoding/json"
	"strconv"
	"strings"

	"iscope/probes/internal/httplink"
)

// body is a request's or answer's body, in one of its content types.
type body struct {
	doc         *parsed
	contentType string
	media       part
	ref         string // of its schema
	response    bool
}

// requestBody is the declared body in the content type given, or in the one we
// would send; nil if the operation takes none.
func (o *operation) requestBody(contentType string) *body {
	spec := o.doc.deref(o.spec["requestBody"])
	if spec == nil {
		return nil
	}
	pointer := o.pointer + "/requestBody"
	if ref := refOf(o.spec["requestBody"]); ref != "" {
		pointer = strings.TrimPrefix(ref, "#")
	}
	return o.doc.bodyOf(objectIn(spec, "content"), contentType, pointer, false)
}

// bodyOf picks the content type: the one that matches what is given, or JSON,
// else something like JSON, else a form, else the first by name.
func (d *parsed) bodyOf(content part, given, pointer string, response bool) *body {
	var best string
	for _, ct := range sortedKeys(content) {
		if _, ok := content[ct].(part); !ok {
			continue
		}
		if given != "" && !matches(ct, given) {
			continue
		}
		if best == "" || rank(ct) < rank(best) {
			best = ct
		}
	}
	if best == "" {
		return nil
	}
	b := &body{doc: d, contentType: best, media: objectIn(content, best), response: response}
	if schema, ok := b.media["schema"]; ok {
		b.ref = refOf(schema)
		if b.ref == "" {
			b.ref = "#" + pointer + "/content/" + escapePointer(best) + "/schema"
		}
	}
	return b
}

// matches tells whether a content type is the declared one or in its range:
// "application/*".
func matches(declared, given string) bool {
	have, want := httplink.MediaType(given), httplink.MediaType(declared)
	if have == want || want == "*/*" {
		return true
	}
	prefix, ok := strings.CutSuffix(want, "*")
	return ok && strings.HasPrefix(have, prefix)
}

func rank(contentType string) int {
	switch t := httplink.MediaType(contentType); {
	case t == "application/json":
		return 0
	case isJSON(t):
		return 1
	case t == formType:
		return 2
	case t == multipartType:
		return 3
	case strings.Contains(t, "*"):
		return 5
	}
	return 4
}

const (
	formType      = "application/x-www-form-urlencoded"
	multipartType = "multipart/form-data"
)

// isJSON recognises JSON and the types built on it (RFC 6839 "+json").
func isJSON(mediaType string) bool {
	return mediaType == "application/json" || mediaType == "text/json" || strings.HasSuffix(mediaType, "+json")
}

// isBinary recognises what stands for bytes rather than a text.
func isBinary(s part) bool {
	return textOf(s, "format") == "binary" || s["contentMediaType"] != nil && s["contentEncoding"] == nil
}

// sendable is the content type to send: the document's, unless it is a range.
func (b *body) sendable() string {
	if b == nil || strings.Contains(b.contentType, "*") {
		return "application/json"
	}
	return b.contentType
}

// written tells whether the body is written as a JSON document, whatever is sent
// then.
func (b *body) written() bool {
	t := httplink.MediaType(b.sendable())
	return isJSON(t) || t == formType || t == multipartType
}

// template is an example document to edit; nil for bodies that are not written
// as JSON.
func (b *body) template() json.RawMessage {
	if !b.written() {
		return nil
	}
	example := b.media["example"]
	if example == nil {
		example = b.doc.firstExample(b.media)
	}
	if example == nil {
		example = b.doc.exampleOf(b.media["schema"], b.response, httplink.MediaType(b.sendable()) == multipartType)
	}
	text, err := json.Marshal(example)
	if err != nil {
		return json.RawMessage("{}")
	}
	return text
}

// outputRef is the schema of the first successful answer, or of the default.
func (o *operation) outputRef() string {
	responses := objectIn(o.spec, "responses")
	for _, code := range sortedKeys(responses) {
		if strings.HasPrefix(code, "2") {
			if b := o.answer(code, ""); b != nil {
				return b.ref
			}
		}
	}
	if b := o.answer("default", ""); b != nil {
		return b.ref
	}
	return ""
}

// answerFor finds what the document says about a status: the code itself, its
// class ("4XX"), or the default.
func (o *operation) answerFor(status int) (key string, found bool) {
	code := strconv.Itoa(status)
	responses := objectIn(o.spec, "responses")
	for _, key := range []string{code, code[:1] + "XX", code[:1] + "xx", "default"} {
		if o.doc.deref(responses[key]) != nil {
			return key, true
		}
	}
	return "", false
}

// answer is a declared answer in the content type given, or in the likeliest.
func (o *operation) answer(key, contentType string) *body {
	v := objectIn(o.spec, "responses")[key]
	pointer := o.pointer + "/responses/" + escapePointer(key)
	if ref := refOf(v); ref != "" {
		pointer = strings.TrimPrefix(ref, "#")
	}
	return o.doc.bodyOf(objectIn(o.doc.deref(v), "content"), contentType, pointer, true)
}
