package httplink

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// KeepAll is what "keep the whole body" means at most: an endless body must not
// take all memory. What is beyond it is counted as cut.
const KeepAll = 256 << 20

// Codings is the Accept-Encoding of what Decoder undoes.
const Codings = "gzip, deflate, zstd"

// Decoder reads a response body, its content coding undone, and counts its bytes
// on the wire. A coding it does not know is left as it is.
type Decoder struct {
	body   io.Reader
	coding string
	plain  io.Reader
	close  func()
	Wire   int64
}

// NewDecoder reads a response.
func NewDecoder(resp *http.Response) *Decoder {
	return &Decoder{body: resp.Body, coding: strings.ToLower(strings.TrimSpace(resp.Header.Get("Content-Encoding")))}
}

// Close frees what decoding took; the response's body is its owner's.
func (d *Decoder) Close() {
	if d.close != nil {
		d.close()
	}
}

// Read implements io.Reader.
func (d *Decoder) Read(b []byte) (int, error) {
	if d.plain == nil {
		if err := d.open(); err != nil {
			if d.Wire == 0 && errors.Is(err, io.EOF) {
				return 0, io.EOF // no body at all
			}
			return 0, &DecodeError{d.coding, err}
		}
	}
	n, err := d.plain.Read(b)
	if err != nil && err != io.EOF && d.coding != "" && !isTransport(err) {
		err = &DecodeError{d.coding, err}
	}
	return n, err
}

func (d *Decoder) open() error {
	wire := bufio.NewReader((*wireReader)(d))
	switch d.coding {
	case "gzip", "x-gzip":
		zr, err := gzip.NewReader(wire)
		if err != nil {
			return err
		}
		d.plain = zr
	case "deflate":
		// RFC 9110 §8.4.1.2 means zlib's format; some servers send bare deflate.
		head, err := wire.Peek(2)
		if len(head) == 0 {
			return err
		}
		if err == nil && head[0]&0x0f == 8 && (int(head[0])<<8|int(head[1]))%31 == 0 {
			if d.plain, err = zlib.NewReader(wire); err != nil {
				return err
			}
			return nil
		}
		d.plain = flate.NewReader(wire)
	case "zstd":
		zr, err := zstd.NewReader(wire, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(KeepAll))
		if err != nil {
			return err
		}
		d.plain, d.close = zr, zr.Close
	default:
		d.plain, d.coding = (*wireReader)(d), ""
	}
	return nil
}

// wireReader is the compressed side of a Decoder.
type wireReader Decoder

func (w *wireReader) Read(b []byte) (int, error) {
	n, err := w.body.Read(b)
	w.Wire += int64(n)
	if err != nil && err != io.EOF {
		err = &transportError{err}
	}
	return n, err
}

// transportError marks what went wrong below the decoding.
type transportError struct{ err error }

func (t *transportError) Error() string { return t.err.Error() }
func (t *transportError) Unwrap() error { return t.err }

func isTransport(err error) bool {
	var t *transportError
	return errors.As(err, &t)
}

// DecodeError is a body that is not in the coding it claims.
type DecodeError struct {
	Coding string
	Err    error
}

func (d *DecodeError) Error() string {
	return fmt.Sprintf("decoding the body as %s: %v", d.Coding, d.Err)
}

// Unwrap returns the cause.
func (d *DecodeError) Unwrap() error { return d.Err }

// ReadBody keeps up to limit bytes (0: KeepAll) and counts the rest, which is
// drained without being kept. With an error it returns what came before it.
func ReadBody(r io.Reader, limit int) (kept []byte, cut int64, err error) {
	if limit <= 0 || limit > KeepAll {
		limit = KeepAll
	}
	var buf bytes.Buffer
	_, err = io.CopyN(&buf, r, int64(limit))
	kept = buf.Bytes()
	if kept == nil {
		kept = []byte{}
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
		return nil, fmt.Errorf("unknown coding %q; use gzip, deflate or zstd", coding)
	}
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}
