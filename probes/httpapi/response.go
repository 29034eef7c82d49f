package httpapi

import (
	"bytes"
	"compress/gzip"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"iscope/probes"
)

// keepAll is what "keep the whole body" means at most: an endless body must not
// take all memory. What is beyond it is counted as cut.
const keepAll = 256 << 20

// decoder reads a response body, gzip undone, and counts its bytes on the wire.
type decoder struct {
	body io.Reader
	gzip bool
	zr   *gzip.Reader
	wire int64
}

func newDecoder(resp *http.Response) *decoder {
	d := &decoder{body: resp.Body}
	switch strings.ToLower(strings.TrimSpace(resp.Header.Get("Content-Encoding"))) {
	case "gzip", "x-gzip":
		d.gzip = true
	}
	return d
}

// Read implements io.Reader.
func (d *decoder) Read(b []byte) (int, error) {
	if !d.gzip {
		n, err := d.body.Read(b)
		d.wire += int64(n)
		return n, err
	}
	if d.zr == nil {
		zr, err := gzip.NewReader((*wireReader)(d))
		if err != nil {
			if d.wire == 0 && err == io.EOF {
				return 0, io.EOF // no body at all: HEAD, 304
			}
			return 0, err
		}
		d.zr = zr
	}
	return d.zr.Read(b)
}

// wireReader is the compressed side of a decoder.
type wireReader decoder

func (w *wireReader) Read(b []byte) (int, error) {
	n, err := w.body.Read(b)
	w.wire += int64(n)
	return n, err
}

// readBody keeps up to limit bytes and counts the rest, which is drained
// without being kept. With an error it returns what came before it.
func readBody(r io.Reader, limit int) (kept []byte, cut int64, err error) {
	if limit <= 0 || limit > keepAll {
		limit = keepAll
	}
	var buf bytes.Buffer
	_, err = io.CopyN(&buf, r, int64(limit))
	kept = buf.Bytes()
	switch err {
	case io.EOF:
		return orEmpty(kept), 0, nil
	case nil:
		cut, err = io.Copy(io.Discard, r)
	}
	return orEmpty(kept), cut, err
}

// orEmpty tells an empty body from an absent one.
func orEmpty(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// hasBody tells whether a response to that method can have one (RFC 9112 §6.3).
func hasBody(method string, status int) bool {
	return method != "HEAD" && status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// headerFields lists headers by name; net/http does not keep the order between
// names, only that of repeated values.
func headerFields(h http.Header) []probes.Field {
	if len(h) == 0 {
		return nil
	}
	var out []probes.Field
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, v := range h[name] {
			out = append(out, probes.Field{Name: name, Value: []byte(v)})
		}
	}
	return out
}
