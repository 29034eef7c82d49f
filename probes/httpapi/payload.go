package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"iscope/probes"
	"iscope/probes/internal/httplink"
)

// setBody reads the one document to send and gives it a content type: the
// caller's, else the document's, else JSON.
func (d *draft) setBody(ctx context.Context, next func(context.Context) ([]byte, error)) error {
	text, err := oneDocument(ctx, next)
	if err != nil || text == nil {
		return err
	}
	given := d.header.Get("Content-Type")
	var declared *body
	if d.op != nil {
		declared = d.op.requestBody(given)
	}
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
	if !httplink.ValidHeaderValue([]byte(contentType)) {
		return usagef("give a Content-Type header", "the document's content type %q cannot be sent", contentType)
	}
	d.declared = declared
	coding := d.header.Get("Content-Encoding")
	if len(text) > 0 && text[0] == probes.WireDocument {
		d.body, d.coded = text[1:], isCoded(text[1:], coding)
	} else if isCoded(text, coding) {
		d.body, d.coded = text, true
	} else if contentType, err = d.encode(text, contentType, given); err != nil {
		return err
	}
	d.header.Set("Content-Type", contentType)
	return nil
}

// encode puts the document into the form that its content type has on the wire.
func (d *draft) encode(text []byte, contentType, given string) (string, error) {
	t := httplink.MediaType(contentType)
	var err error
	switch {
	case isJSON(t):
		d.value, err = checkJSON(text)
		d.body = text
	case given != "" && (t != multipartType || strings.Contains(given, "boundary=")) && (d.declared == nil || !isFileName(text)):
		d.body = text // the caller's bytes in the caller's type
	case t == formType:
		d.body, err = d.form(text)
	case t == multipartType:
		d.body, contentType, err = d.multipart(text)
	case strings.HasPrefix(t, "multipart/"):
		err = usagef("give a Content-Type header with the boundary, and the parts as the document",
			"%s takes %s, which cannot be made from JSON", d.call.name(), t)
	default:
		d.body, err = d.raw(text)
	}
	return contentType, err
}

// raw is a body that is no JSON: a text as it is or as a JSON string, or the
// file that @path names.
func (d *draft) raw(text []byte) ([]byte, error) {
	var s string
	if (d.declared != nil || isFileName(text)) && json.Unmarshal(text, &s) == nil {
		text = []byte(s)
	}
	if !isFileName(text) {
		return text, nil
	}
	return d.file(string(text[1:]))
}

// isFileName recognises "@path", alone on its line.
func isFileName(text []byte) bool {
	text = bytes.Trim(text, "\"")
	return len(text) > 1 && text[0] == '@' && !bytes.ContainsAny(text, "\r\n")
}

// maxFile bounds what the files of a request take in memory together.
const maxFile = 256 << 20

// file reads a local file that is to be sent.
func (d *draft) file(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file", name)
	}
	if err != nil {
		return nil, usagef("nothing was sent", "reading the file to send: %v", err)
	}
	if d.files += info.Size(); d.files > maxFile {
		return nil, usagef("nothing was sent", "the files to send are larger than %d MiB", maxFile>>20)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, usagef("nothing was sent", "reading the file to send: %v", err)
	}
	return b, nil
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

// checkJSON decodes a text, numbers as they are written, or reports where it is
// no JSON.
func checkJSON(text []byte) (any, error) {
	if json.Valid(text) {
		v, _ := decodeJSON(string(text))
		return v, nil
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, usagef("give {} to send an empty object, or no document at all", "the document is empty")
	}
	var v any
	err := json.Unmarshal(text, &v)
	at := int64(len(text))
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) && !strings.Contains(syntax.Error(), "unexpected end") {
		at = syntax.Offset - 1
	}
	line, col := lineCol(text, at)
	return nil, usagef("nothing was sent", "the document is no JSON: line %d:%d: %v", line, col, err)
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
