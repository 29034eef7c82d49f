package inspectors

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"iscope/probes"
)

// packed unpacks bodies that are compressed, as their header says
// (RFC 9110 §8.4.1) or their first bytes, and hands what is inside to the rest
// of the chain.
type packed struct{}

func (packed) Name() string { return "packed" }

func (packed) Inspect(ctx context.Context, r *probes.Record, env Env) (View, error) {
	name := packing(r)
	if name == "" {
		return View{}, ErrNotMine
	}
	inner, err := unpack(r, name, env.limit())
	if inner == nil {
		return View{}, err
	}
	// Offsets of problems below are those of the unpacked body.
	v := inside().Inspect(ctx, inner, env)
	v.Inspector = name + "+" + v.Inspector
	if err != nil {
		v.Truncated = true
		v.Problems = append(v.Problems, Problem{Message: "unpacking stopped: " + err.Error(), Offset: -1})
	}
	return v, nil
}

// magics are the first bytes of compressed data (RFC 1952, RFC 8878, the
// framing formats of snappy and LZ4, snappy-java's stream).
var magics = [...]struct{ name, start string }{
	{"gzip", "\x1f\x8b\x08"}, {"zstd", "\x28\xb5\x2f\xfd"}, {"snappy", "\xff\x06\x00\x00sNaPpY"},
	{"lz4", "\x04\x22\x4d\x18"}, {"snappy-java", xerialMagic},
}

const xerialMagic = "\x82SNAPPY\x00"

// packing names how a body is compressed, "" if it is not. Bytes are believed
// before headers, which proxies forget to adapt.
func packing(r *probes.Record) string {
	for _, m := range magics {
		if len(r.Body) > len(m.start) && string(r.Body[:len(m.start)]) == m.start {
			return m.name
		}
	}
	if len(r.Header) == 0 {
		return ""
	}
	v, _ := r.HeaderValue("content-encoding")
	switch name := strings.ToLower(strings.TrimSpace(string(v[:min(len(v), 64)]))); name {
	case "x-gzip":
		return "gzip"
	case "identity", "utf-8", "aws-chunked": // AMQP publishers put character sets here
		return ""
	default:
		return name
	}
}

// unpack returns the record with its body unpacked, up to one byte more than
// limit, which tells whether there is more; a bomb is never unpacked beyond. An
// error beside a record says why the body is not complete.
func unpack(r *probes.Record, name string, limit int) (*probes.Record, error) {
	var body []byte
	src, err := unpacker(name, r.Body, limit)
	if err == nil {
		body, err = io.ReadAll(io.LimitReader(src, int64(limit)+1))
		if c, ok := src.(io.Closer); ok {
			_ = c.Close() // nothing is behind it but memory
		}
	}
	if err != nil && len(body) == 0 {
		return nil, &malformed{kind: name, reason: err.Error()}
	}
	inner := *r
	inner.Body, inner.Cut = body, 0
	return &inner, err
}

// maxWindow is the memory a frame of zstd may ask for: what zstd's own tool
// accepts by default is 128 MiB, what it writes at its normal levels 8 MiB.
const maxWindow = 32 << 20

func unpacker(name string, body []byte, limit int) (io.Reader, error) {
	src := bytes.NewReader(body)
	switch name {
	case "gzip":
		return gzip.NewReader(src)
	case "deflate": // zlib by its definition, bare in practice too
		if z, err := zlib.NewReader(src); err == nil {
			return z, nil
		}
		return flate.NewReader(bytes.NewReader(body)), nil
	case "zstd":
		z, err := zstd.NewReader(src, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	case "lz4":
		return lz4.NewReader(src), nil
	case "snappy-java":
		return blocks(body, limit)
	case "snappy":
		if bytes.HasPrefix(body, []byte("\xff\x06\x00\x00")) {
			return s2.NewReader(src, s2.ReaderAllocBlock(4<<10)), nil
		}
		return block(body, limit)
	}
	return nil, fmt.Errorf("content-encoding %q is not supported", name)
}

// block unpacks one block of snappy, which says how large it will be.
func block(b []byte, limit int) (io.Reader, error) {
	n, err := s2.DecodedLen(b)
	if err != nil {
		return nil, err
	}
	if n > max(limit, MaxDecoded) {
		return nil, fmt.Errorf("a block of %d bytes, more than %d", n, max(limit, MaxDecoded))
	}
	out, err := s2.Decode(nil, b)
	return bytes.NewReader(out), err
}

// blocks unpacks the stream of snappy-java: a header of 16 bytes, then blocks
// with their length in front.
func blocks(b []byte, limit int) (io.Reader, error) {
	const head = 16
	var out []byte
	for b = b[min(head, len(b)):]; len(b) > 0 && len(out) <= limit; {
		if len(b) < 4 {
			return stopped(out, io.ErrUnexpectedEOF)
		}
		n := binary.BigEndian.Uint32(b)
		if uint64(n) > uint64(len(b)-4) {
			return stopped(out, io.ErrUnexpectedEOF)
		}
		r, err := block(b[4:4+n], limit)
		if err != nil {
			return stopped(out, err)
		}
		part, err := io.ReadAll(r)
		if err != nil {
			return stopped(out, err)
		}
		out = append(out, part...)
		b = b[4+n:]
	}
	return bytes.NewReader(out), nil
}

// stopped reads what there is and then fails.
func stopped(out []byte, err error) (io.Reader, error) {
	if len(out) == 0 {
		return nil, err
	}
	return io.MultiReader(bytes.NewReader(out), broken{err}), nil
}

type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }
