package httpapi

import (
	"fmt"
	"net/http"
	"strings"

	"iscope/probes/internal/httplink"
)

// violations says what of a response the document does not allow, and why its
// body was not looked into if it should have been. note is why it cannot be.
func (o *operation) violations(resp *http.Response, body []byte, cut int64, note string) (found []string, unchecked string) {
	if len(objectIn(o.spec, "responses")) == 0 || resp.StatusCode/100 == 3 {
		return nil, ""
	}
	key, ok := o.answerFor(resp.StatusCode)
	if !ok {
		return []string{fmt.Sprintf("status: %d is not in the document", resp.StatusCode)}, ""
	}
	declared := o.doc.deref(objectIn(o.spec, "responses")[key])
	found = o.headerViolations(key, objectIn(declared, "headers"), resp.Header)
	content := objectIn(declared, "content")
	if len(content) == 0 || !hasBody(o.method, resp.StatusCode) {
		return found, ""
	}
	given := resp.Header.Get("Content-Type")
	b := o.answer(key, given)
	if b == nil || given == "" {
		return append(found, fmt.Sprintf("header/Content-Type: %q is not in the document for status %s", given, key)), ""
	}
	if b.media["schema"] == nil || !isJSON(httplink.MediaType(given)) {
		return found, ""
	}
	inBody, unchecked := o.bodyViolations(b, body, cut, note)
	return append(found, inBody...), unchecked
}

// headerViolations checks the declared headers (OpenAPI 3.1 §4.8.21).
func (o *operation) headerViolations(key string, declared part, have http.Header) []string {
	var out []string
	for _, name := range sortedKeys(declared) {
		h := o.doc.deref(declared[name])
		if strings.EqualFold(name, "Content-Type") || h == nil {
			continue
		}
		values := have.Values(name)
		if len(values) == 0 {
			if flagOf(h, "required") {
				out = append(out, "header/"+name+": it is required, and did not come")
			}
			continue
		}
		p := &parameter{name: name, in: "header", style: "simple", schema: h["schema"], spec: h}
		if s := o.doc.deref(p.schema); typeOf(s) == "array" && len(values) == 1 {
			values = strings.Split(values[0], ",")
			for i := range values {
				values[i] = strings.TrimSpace(values[i])
			}
		}
		found, err := o.doc.check(o.pointer+" "+key+" header "+name, p.schema, o.doc.value(p, values), asResponse)
		if err != nil {
			continue
		}
		for _, f := range found {
			out = append(out, "header/"+name+f.At+": "+f.Text)
		}
	}
	return out
}

func (o *operation) bodyViolations(b *body, body []byte, cut int64, note string) (out []string, unchecked string) {
	const not = "the body was not held against the contract: "
	switch {
	case note != "":
		return nil, not + note
	case cut > 0:
		return nil, not + "it was cut"
	case len(body) > maxChecked:
		return nil, not + fmt.Sprintf("it is larger than %d KiB", maxChecked>>10)
	}
	value, ok := decodeJSON(string(body))
	if !ok {
		_, err := checkJSON(body)
		if err == nil {
			err = fmt.Errorf("more follows its end")
		}
		return []string{"body: it is no JSON: " + err.Error()}, ""
	}
	found, err := o.doc.check(b.ref, b.media["schema"], value, asResponse)
	if err != nil {
		return nil, not + firstLine(err.Error())
	}
	for _, f := range found {
		if len(out) == maxViolations {
			return append(out, fmt.Sprintf("body: and %d more", len(found)-maxViolations)), ""
		}
		out = append(out, "body"+f.At+": "+f.Text)
	}
	return out, ""
}
