package httpapi

import (
	"bytes"
	"encoding/json"
	"mime"
	"mime/multipart"
	"net/textproto"
	"path/filepath"
	"strings"

	"iscope/probes/internal/httplink"
)

// fields reads a JSON object in the order it is written in.
func (d *draft) fields(text []byte) (object, error) {
	v, err := checkJSON(text)
	if err != nil {
		return nil, err
	}
	if _, ok := v.(part); !ok {
		return nil, usagef("nothing was sent", "a form is made from a JSON object")
	}
	d.value = v
	var out object
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	dec.Token() // the text is sound: it has just been checked
	for dec.More() {
		name, _ := dec.Token()
		var value any
		if err := dec.Decode(&value); err != nil {
			return nil, err
		}
		out = append(out, member{name.(string), value})
	}
	return out, nil
}

// property is the schema and the encoding (OpenAPI 3.1 §4.8.15) that the
// document gives a field.
func (d *draft) property(name string) (schema, encoding part) {
	if d.declared == nil {
		return nil, nil
	}
	doc := d.declared.doc
	properties := doc.propertiesOf(d.declared.media["schema"], 0)
	return doc.deref(properties[name]), objectIn(objectIn(d.declared.media, "encoding"), name)
}

// propertiesOf are the properties of a schema and of what allOf adds to it.
func (d *parsed) propertiesOf(schema any, depth int) part {
	s := d.deref(schema)
	if depth > maxHops || len(listOf(s, "allOf")) == 0 {
		return objectIn(s, "properties")
	}
	out := part{}
	for _, v := range listOf(s, "allOf") {
		for name, p := range d.propertiesOf(v, depth+1) {
			out[name] = p
		}
	}
	for name, p := range objectIn(s, "properties") {
		out[name] = p
	}
	return out
}

// form turns a JSON object into a form: lists repeat the name, other values
// that are no text are written as JSON, unless the document says otherwise.
func (d *draft) form(text []byte) ([]byte, error) {
	fields, err := d.fields(text)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, f := range fields {
		_, encoding := d.property(f.name)
		p := &parameter{name: f.name, style: textOf(encoding, "style"), explode: true, reserved: flagOf(encoding, "allowReserved")}
		styled := encoding["style"] != nil || encoding["explode"] != nil
		if v, ok := encoding["explode"].(bool); ok {
			p.explode = v
		}
		value := f.value
		if _, isObject := value.(part); isObject && !styled {
			value = plain(value)
		}
		if list, ok := value.([]any); ok && !styled {
			kept := []any{}
			for _, v := range list {
				if v != nil {
					kept = append(kept, v)
				}
			}
			value = kept
		}
		if value == nil {
			continue
		}
		for _, kv := range p.pairs(value, p.queryEscaper()) {
			out = append(out, kv.name+"="+kv.value)
		}
	}
	return []byte(strings.Join(out, "&")), nil
}

// multipart turns a JSON object into multipart/form-data (RFC 7578): "@path" is
// a file, a list repeats the name, an object is a part of JSON.
func (d *draft) multipart(text []byte) (body []byte, contentType string, err error) {
	fields, err := d.fields(text)
	if err != nil {
		return nil, "", err
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, f := range fields {
		list, ok := f.value.([]any)
		if !ok {
			list = []any{f.value}
		}
		for _, v := range list {
			if v == nil {
				continue
			}
			if err := d.addPart(w, f.name, v); err != nil {
				return nil, "", err
			}
		}
	}
	if err := w.Close(); err != nil {
		return nil, "", err
	}
	return b.Bytes(), w.FormDataContentType(), nil
}

func (d *draft) addPart(w *multipart.Writer, name string, v any) error {
	schema, encoding := d.property(name)
	if items := schema["items"]; items != nil {
		schema = d.declared.doc.deref(items)
	}
	disposition := map[string]string{"name": name}
	contentType, _, _ := strings.Cut(textOf(encoding, "contentType"), ",")
	content := []byte(plain(v))
	if file, ok := d.fileOf(v, schema); ok {
		var err error
		if content, err = d.file(file); err != nil {
			return err
		}
		disposition["filename"] = filepath.Base(file)
		if contentType == "" || strings.Contains(contentType, "*") {
			contentType = mime.TypeByExtension(filepath.Ext(file))
		}
		if contentType == "" {
			contentType = "application/octet-stream"
		}
	} else if kindOf(v)&(anObject|aList) != 0 && contentType == "" {
		contentType = "application/json"
	}
	h := textproto.MIMEHeader{"Content-Disposition": {mime.FormatMediaType("form-data", disposition)}}
	if contentType = strings.TrimSpace(contentType); contentType != "" && httplink.ValidHeaderValue([]byte(contentType)) {
		h.Set("Content-Type", contentType)
	}
	to, err := w.CreatePart(h)
	if err != nil {
		return err
	}
	_, err = to.Write(content)
	return err
}

// fileOf tells whether a value names a file: it starts with @ where the document
// expects bytes or says nothing.
func (d *draft) fileOf(v any, schema part) (string, bool) {
	s, ok := v.(string)
	name, at := strings.CutPrefix(s, "@")
	return name, ok && at && name != "" && (schema == nil || isBinary(schema) || textOf(schema, "format") == "byte")
}
