package httpapi

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"slices"

	"iscope/probes"
)

// keepAll is what "keep the whole body" means at most: an endless body must not
// take all memory. What is beyond it is counted as cut.
const keepAll = 256 << 20

// grantAtOnce is how much memory a response gets for saying that it is so long.
const grantAtOnce = 64 << 20

// readBody keeps up to limit bytes and counts the rest, which is drained
// without being kept. expected is how many will come, if known: a body that is
// read into room of its size is copied once. With an error it returns what came
// before it.
func readBody(r io.Reader, expected int64, limit int) (kept []byte, cut int64, err error) {
	if limit <= 0 || limit > keepAll {
		limit = keepAll
	}
	var buf bytes.Buffer
	if expected = min(expected, int64(limit), grantAtOnce); expected > 0 {
		buf.Grow(int(expected) + bytes.MinRead)
	}
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
