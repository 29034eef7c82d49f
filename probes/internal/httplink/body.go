package httplink

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

// KeepAll is what "keep the whole body" means at most: an endless body must not
// take all memory. What is beyond it is counted as cut.
const KeepAll = 256 << 20

// Codings is the Accept-Encoding of what Decoder undoes.
const Codings = "gzip, deflate, zstd"

// Decoder reads a response body, its codings undone, and counts its bytes on the
// wire.
type Decoder struct {
	body   io.Reader
	undo   []string // codings to undo, last applied first
	left   string   // a coding that we cannot undo: the body is in it
	Wire   int64    // bytes read so far
	broken error    // of the connection
	out    io.Reader
	closes []func()
}

// NewDecoder reads a response.
func NewDecoder(resp *http.Response) *Decoder {
	d := &Decoder{body: resp.Body}
	all := strings.Split(strings.Join(resp.Header.Values("Content-Encoding"), ","), ",")
	for i := len(all) - 1; i >= 0; i-- {
		switch c := strings.ToLower(strings.TrimSpace(all[i])); c {
		case "", "identity", "none": // GraphQL Yoga's word for it
		case "gzip", "x-gzip", "deflate", "zstd":
			d.undo = append(d.undo, c)
		default:
			d.left = c
			return d
		}
	}
	return d
}

// DecodeError is a body that does not fit its coding.
type DecodeError struct{ Err error }

func (e *DecodeError) Error() string { return "decoding the body: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *DecodeError) Unwrap() error { return e.Err }

// Read implements io.Reader.
func (d *Decoder) Read(b []byte) (int, error) {
	if d.out == nil {
		if err := d.open(); err != nil {
			if d.Wire == 0 && errors.Is(err, io.EOF) {
				return 0, io.EOF // no body at all: HEAD, 304
			}
			return 0, d.blame(err)
		}
	}
	n, err := d.out.Read(b)
	return n, d.blame(err)
}

// blame tells a body that is broken from a connection that is.
func (d *Decoder) blame(err error) error {
	if err == nil || err == io.EOF || len(d.undo) == 0 || d.broken != nil || errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	return &DecodeError{err}
}

func (d *Decoder) open() error {
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

func (d *Decoder) unwrap(coding string, from io.Reader) (io.Reader, error) {
	switch coding {
	case "zstd":
		r, err := zstd.NewReader(from, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(KeepAll))
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
		if !IsZlib(head) {
			return flate.NewReader(in), nil
		}
		return zlib.NewReader(in)
	}
	return gzip.NewReader(from)
}

// Coded tells whether there is a coding that is undone, so that sizes differ.
func (d *Decoder) Coded() bool { return len(d.undo) > 0 }

// Close gives back what the codings hold.
func (d *Decoder) Close() {
	for _, f := range d.closes {
		f()
	}
}

// wireReader is the compressed side of a Decoder.
type wireReader Decoder

func (w *wireReader) Read(b []byte) (int, error) {
	n, err := w.body.Read(b)
	w.Wire += int64(n)
	if err != nil && err != io.EOF {
		w.broken = err
	}
	return n, err
}

// Note says what was left undone, "" if nothing was.
func (d *Decoder) Note() string {
	if d.left == "" || d.Opaque() != "" {
		return d.Opaque()
	}
	return fmt.Sprintf("the body is as it came: %q is no coding", d.left)
}

// Opaque says why the body cannot be read: it is in a registered coding that is
// not undone. Other words, such as "utf-8", come from servers that mean something
// else, and send plain text.
func (d *Decoder) Opaque() string {
	switch d.left { // https://www.iana.org/assignments/http-parameters, "HTTP Content Coding Registry"
	case "aes128gcm", "br", "compress", "x-compress", "dcb", "dcz", "exi", "pack200-gzip":
		return fmt.Sprintf("the body is kept in its coding %q, which is not decoded", d.left)
	}
	return ""
}

// IsZlib recognises the header of RFC 1950 §2.2.
func IsZlib(head []byte) bool {
	return len(head) > 1 && head[0]&0x0f == 8 && (int(head[0])<<8|int(head[1]))%31 == 0
}

// grantAtOnce is how much memory a response gets for saying that it is so long.
const grantAtOnce = 64 << 20

// ReadBody keeps up to limit bytes and counts the rest, which is drained
// without being kept. expected is how many will come, if known: a body that is
// read into room of its size is copied once. With an error it returns what came
// before it.
func ReadBody(r io.Reader, expected int64, limit int) (kept []byte, cut int64, err error) {
	if limit <= 0 || limit > KeepAll {
		limit = KeepAll
	}
	var buf bytes.Buffer
	if expected = min(expected, int64(limit), grantAtOnce); expected > 0 {
		buf.Grow(int(expected) + bytes.MinRead)
	}
	_, err = io.CopyN(&buf, r, int64(limit))
	if kept = buf.Bytes(); kept == nil {
		kept = []byte{} // empty, not absent
	}
	switch err {
	case io.EOF:
		return kept, 0, nil
	case nil:
		cut, err = io.Copy(io.Discard, r)
	}
	return kept, cut, err
}

// Compress encodes a request body. The coding is one of Invocation.Compression.
func Compress(coding string, body []byte) ([]byte, error) {
	var buf bytes.Buffer
	var w io.WriteCloser
	switch coding {
	case "", "identity":
		return body, nil
	case "gzip":
		w = gzip.NewWriter(&buf)
	case "deflate":
		w = zlib.NewWriter(&buf)
	case "zstd":
		zw, err := zstd.NewWriter(&buf, zstd.WithEncoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		w = zw
	default:
		return nil, fmt.Errorf("there is no compression %q for requests: use gzip, deflate or zstd", coding)
	}
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}
