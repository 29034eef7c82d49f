package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// Bounds of holding a response against the document.
const (
	maxChecked    = 256 << 10 // bytes of body
	maxViolations = 5
)

// violations says what of a response the document does not allow. A body that
// is cut, no JSON, or large is not looked into.
func (o *operation) violations(doc *document, resp *http.Response, body []byte, cut int64) []string {
	if o.spec.Responses.Len() == 0 || resp.StatusCode/100 == 3 {
		return nil
	}
	key, ref := o.answerFor(resp.StatusCode)
	if ref == nil || ref.Value == nil {
		return []string{fmt.Sprintf("status %d is not in the document", resp.StatusCode)}
	}
	content := ref.Value.Content
	if len(content) == 0 || !hasBody(o.method, resp.StatusCode) {
		return nil
	}
	given := resp.Header.Get("Content-Type")
	media := content.Get(given)
	if media == nil {
		return []string{fmt.Sprintf("content type %q is not in the document for status %s", given, key)}
	}
	if media.Schema == nil || media.Schema.Value == nil || !isJSON(mediaType(given)) || cut > 0 || len(body) > maxChecked {
		return nil
	}
	return doc.check(o.answerPointer(key, ref), media.Schema, body)
}

// check validates a JSON body against a schema, unless the schema has grown
// beyond what can be checked in passing.
func (d *document) check(pointer string, ref *openapi3.SchemaRef, body []byte) []string {
	part, ok := follow(d.tree, unescapeFragment(pointer))
	if _, _, small := d.closure(part); !ok || !small {
		return nil
	}
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return []string{"the body is no JSON: " + err.Error()}
	}
	opts := []openapi3.SchemaValidationOption{openapi3.VisitAsResponse(), openapi3.MultiErrors()}
	if d.spec.IsOpenAPI31OrLater() {
		opts = append(opts, openapi3.EnableJSONSchema2020())
	}
	return findings(ref.Value.VisitJSON(value, opts...), nil)
}

// findings flattens a validation error into one line for each finding: where in
// the body, and the reason, which never repeats the value.
func findings(err error, out []string) []string {
	if err == nil || len(out) >= maxViolations {
		return out
	}
	switch e := err.(type) {
	case openapi3.MultiError:
		for _, inner := range e {
			out = findings(inner, out)
		}
	case *openapi3.SchemaError:
		// That a part of an allOf failed says nothing; what failed in it does.
		var parts openapi3.MultiError
		if e.SchemaField == "allOf" && errors.As(e.Origin, &parts) {
			return findings(parts, out)
		}
		at := "/" + strings.Join(e.JSONPointer(), "/")
		out = append(out, strings.TrimSpace(at+": "+firstLine(e.Reason)))
	default:
		out = append(out, firstLine(err.Error()))
	}
	return out
}
