package httpapi

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// acceptedCodings is what a request asks for unless its headers say otherwise.
const acceptedCodings = "gzip, deflate, zstd"

// compress codes the body of a request (RFC 9110 §8.4).
func (d *draft) compress(coding string) error {
	d.wire = d.body
	given := strings.ToLower(d.header.Get("Content-Encoding"))
	switch {
	case d.body == nil || d.coded:
		return nil
	case given != "" && coding != "" && given != coding:
		return usagef("leave one of them out", "a Content-Encoding is given, and another compression too")
	case given == "gzip" || given == "deflate" || given == "zstd":
		coding = given // a recorded request: its body is what was decoded
	case given != "" || coding == "" || coding == "identity":
		return nil
	}
	var b bytes.Buffer
	var w io.WriteCloser
	switch coding {
	case "gzip":
		w = gzip.NewWriter(&b)
	case "deflate":
		w = zlib.NewWriter(&b) // HTTP's deflate is the zlib format (§8.4.1.2)
	case "zstd":
		zw, err := zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1))
		if err != nil {
			return err
		}
		w = zw
	default:
		return usagef("use gzip, deflate or zstd", "there is no compression %q for requests", coding)
	}
	if _, err := w.Write(d.body); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	d.wire = b.Bytes()
	d.header.Set("Content-Encoding", coding)
	return nil
}

// isCoded tells whether a text is in a coding already, by its first bytes.
func isCoded(text []byte, coding string) bool {
	switch strings.ToLower(coding) {
	case "", "identity":
		return false
	case "gzip", "x-gzip":
		return bytes.HasPrefix(text, []byte("\x1f\x8b"))
	case "zstd":
		return bytes.HasPrefix(text, []byte("\x28\xb5\x2f\xfd"))
	case "deflate":
		return isZlib(text)
	}
	return true // a coding that we cannot make: it is the caller's
}

// isZlib recognises the header of RFC 1950 §2.2.
func isZlib(head []byte) bool {
	return len(head) > 1 && head[0]&0x0f == 8 && (int(head[0])<<8|int(head[1]))%31 == 0
}

// decoder reads a response body, its codings undone, and counts its bytes on the
// wire.
type decoder struct {
	body   io.Reader
	undo   []string // codings to undo, last applied first
	left   string   // a coding that we cannot undo: the body is in it
	wire   int64
	broken error // of the connection
	out    io.Reader
	closes []func()
}

func newDecoder(resp *http.Response) *decoder {
	d := &decoder{body: resp.Body}
	all := strings.Split(strings.Join(resp.Header.Values("Content-Encoding"), ","), ",")
	for i := len(all) - 1; i >= 0; i-- {
		switch c := strings.ToLower(strings.TrimSpace(all[i])); c {
		case "", "identity":
		case "gzip", "x-gzip", "deflate", "zstd":
			d.undo = append(d.undo, c)
		default:
			d.left = c
			return d
		}
	}
	return d
}

// decoding is a body that does not fit its coding.
type decoding struct{ err error }

func (e *decoding) Error() string { return "decoding the body: " + e.err.Error() }
func (e *decoding) Unwrap() error { return e.err }

// Read implements io.Reader.
func (d *decoder) Read(b []byte) (int, error) {
	if d.out == nil {
		if err := d.open(); err != nil {
			if d.wire == 0 && errors.Is(err, io.EOF) {
				return 0, io.EOF // no body at all: HEAD, 304
			}
			return 0, d.blame(err)
		}
	}
	n, err := d.out.Read(b)
	return n, d.blame(err)
}

// blame tells a body that is broken from a connection that is.
func (d *decoder) blame(err error) error {
	if err == nil || err == io.EOF || len(d.undo) == 0 || d.broken != nil || errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	return &decoding{err}
}

func (d *decoder) open() error {
	d.out = (*wireReader)(d)
	for _, c := range d.undo {
		r, err := d.unwrap(c, d.out)
		if err != nil {
			d.out = nil
			return err
		}
		d.out = r
	}
	return nil
}

func (d *decoder) unwrap(coding string, from io.Reader) (io.Reader, error) {
	switch coding {
	case "zstd":
		r, err := zstd.NewReader(from, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(keepAll))
		if err != nil {
			return nil, err
		}
		d.closes = append(d.closes, r.Close)
		return r, nil
	case "deflate":
		in := bufio.NewReader(from)
		head, err := in.Peek(2)
		if len(head) < 2 {
			return nil, err
		}
		// Some servers leave the zlib header out (§8.4.1.2, note).
		if !isZlib(head) {
			return flate.NewReader(in), nil
		}
		return zlib.NewReader(in)
	}
	return gzip.NewReader(from)
}

// close gives back what the codings hold.
func (d *decoder) close() {
	for _, f := range d.closes {
		f()
	}
}

// wireReader is the compressed side of a decoder.
type wireReader decoder

func (w *wireReader) Read(b []byte) (int, error) {
	n, err := w.body.Read(b)
	w.wire += int64(n)
	if err != nil && err != io.EOF {
		w.broken = err
	}
	return n, err
}

// note says what was left undone.
func (d *decoder) note() string {
	if d.left == "" {
		return ""
	}
	return fmt.Sprintf("the body is as it came: its coding %q is not known", d.left)
}
