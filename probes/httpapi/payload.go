package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// setBody reads the one document to send and gives it a content type: the
// caller's, else the document's, else JSON.
func (d *draft) setBody(ctx context.Context, next func(context.Context) ([]byte, error)) error {
	text, err := oneDocument(ctx, next)
	if err != nil || text == nil {
		return err
	}
	var declared *body
	if d.op != nil {
		declared = d.op.requestBody()
	}
	given := d.header.Get("Content-Type")
	switch d.call.method {
	case "GET", "HEAD", "TRACE":
		// Most servers ignore such a body and some break on it, so it has to be
		// meant.
		if declared == nil && given == "" {
			return usagef("leave the document out, or give a Content-Type header to send it all the same",
				"%s takes no body", d.call.method)
		}
	}
	contentType := given
	if given == "" {
		contentType = declared.sendable()
	}
	switch t := mediaType(contentType); {
	case !validHeaderValue([]byte(contentType)):
		err = usagef("give a Content-Type header", "the document's content type %q cannot be sent", contentType)
	case isJSON(t):
		err = checkJSON(text)
	case given != "": // the caller's bytes in the caller's type
	case t == formType:
		text, err = formOf(text)
	case strings.HasPrefix(t, "multipart/"):
		err = usagef("give a Content-Type header with the boundary, and the parts as the document",
			"%s takes %s, which cannot be made from JSON", d.call.name(), t)
	}
	if err != nil {
		return err
	}
	d.header.Set("Content-Type", contentType)
	d.body = text
	return nil
}

// oneDocument reads the request document and sees to it that it is the only
// one; nil if there is none.
func oneDocument(ctx context.Context, next func(context.Context) ([]byte, error)) ([]byte, error) {
	if next == nil {
		return nil, nil
	}
	text, err := next(ctx)
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if _, err := next(ctx); !errors.Is(err, io.EOF) {
		if err == nil {
			err = usagef("", "an HTTP request has one body, got more than one document")
		}
		return nil, err
	}
	if text == nil {
		text = []byte{}
	}
	return text, nil
}

// checkJSON reports where a text is no JSON.
func checkJSON(text []byte) error {
	if json.Valid(text) {
		return nil
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return usagef("give {} to send an empty object, or no document at all", "the document is empty")
	}
	var v any
	err := json.Unmarshal(text, &v)
	at := int64(len(text))
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) && !strings.Contains(syntax.Error(), "unexpected end") {
		at = syntax.Offset - 1
	}
	line, col := lineCol(text, at)
	return usagef("nothing was sent", "the document is no JSON: line %d:%d: %v", line, col, err)
}

// formOf turns a JSON object into a form: lists repeat the name, other values
// that are no text are written as JSON.
func formOf(text []byte) ([]byte, error) {
	if err := checkJSON(text); err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var fields map[string]any
	if err := dec.Decode(&fields); err != nil {
		return nil, usagef("", "a form is made from a JSON object: %v", err)
	}
	form := url.Values{}
	for name, v := range fields {
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		for _, item := range list {
			if item != nil {
				form.Add(name, plain(item))
			}
		}
	}
	return []byte(form.Encode()), nil
}

// setBody makes a request send a text, again if the transport has to repeat it.
func setBody(req *http.Request, text []byte) {
	req.ContentLength = int64(len(text))
	req.GetBody = func() (io.ReadCloser, error) {
		if len(text) == 0 {
			return http.NoBody, nil
		}
		return io.NopCloser(bytes.NewReader(text)), nil
	}
	req.Body, _ = req.GetBody()
}
