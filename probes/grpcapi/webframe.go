package grpcapi

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
)

// Flags of a frame: both protocols put five bytes before each message, flags
// and length.
const (
	frameHeader     = 5
	flagCompressed  = 0x01
	flagConnectEnd  = 0x02 // a JSON document: how the call ended
	flagWebTrailers = 0x80 // trailers as HTTP/1 header lines
)

// pack makes a message ready for the request's body.
func (s *webStream) pack(b []byte) ([]byte, error) {
	flags := byte(0)
	if s.compression != "" && len(b) > 0 {
		var err error
		if b, err = compress(b); err != nil {
			return nil, err
		}
		flags = flagCompressed
	}
	if s.unaryConnect() {
		return b, nil // said by Content-Encoding
	}
	out := make([]byte, frameHeader, frameHeader+len(b))
	out[0] = flags
	binary.BigEndian.PutUint32(out[1:], uint32(len(b)))
	out = append(out, b...)
	if s.channel.protocol.text() {
		return base64.StdEncoding.AppendEncode(nil, out), nil
	}
	return out, nil
}

func compress(b []byte) ([]byte, error) {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(b); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// decompress unpacks at most limit bytes.
func decompress(b []byte, limit int) ([]byte, error) {
	if len(b) == 0 {
		return b, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("gzip: %w", err)
	}
	out, err := io.ReadAll(io.LimitReader(z, int64(limit)+1))
	if err != nil {
		return nil, fmt.Errorf("gzip: %w", err)
	}
	if len(out) > limit {
		return nil, tooLargeStatus(len(out), limit)
	}
	return out, nil
}

// tooLargeStatus is worded as by grpc-go, where our own limit is recognised.
func tooLargeStatus(size, limit int) error {
	return status.Errorf(codes.ResourceExhausted, "grpc: received message larger than max (%d vs. %d)", size, limit)
}

// read returns the next message; the end of the call is an *ending.
func (s *webStream) read() ([]byte, error) {
	if s.unaryConnect() || s.response.StatusCode != 200 || !s.spoken {
		return s.readWhole()
	}
	if s.frames == nil {
		if end := s.headersOnly(); end != nil {
			return nil, end
		}
		var body io.Reader = s.response.Body
		if strings.HasPrefix(s.response.Header.Get("Content-Type"), webTextType) {
			body = &quads{from: body}
		}
		s.frames = &frameReader{from: body, limit: s.channel.link.set.maxMessage}
	}
	flags, b, err := s.frames.next()
	if err == io.EOF {
		return nil, status.Error(codes.Unavailable, "the answer ended without a status")
	}
	if err != nil {
		return nil, err
	}
	size := len(b)
	if flags&flagCompressed != 0 {
		if b, err = decompress(b, s.channel.link.set.maxMessage); err != nil {
			return nil, asStatus(err)
		}
	}
	switch {
	case s.channel.protocol == protoConnect && flags&flagConnectEnd != 0:
		return nil, connectEnd(b)
	case s.channel.protocol != protoConnect && flags&flagWebTrailers != 0:
		return nil, webEnd(b)
	}
	s.note(&stats.InPayload{CompressedLength: size})
	return b, nil
}

func asStatus(err error) error {
	if _, ok := status.FromError(err); ok {
		return err
	}
	return status.Error(codes.Internal, err.Error())
}

// frameReader cuts a body into frames.
type frameReader struct {
	from  io.Reader
	limit int
}

func (r *frameReader) next() (flags byte, b []byte, err error) {
	var head [frameHeader]byte
	if _, err := io.ReadFull(r.from, head[:]); err != nil {
		return 0, nil, err
	}
	size := int64(binary.BigEndian.Uint32(head[1:]))
	if size > int64(r.limit) {
		return 0, nil, tooLargeStatus(int(size), r.limit)
	}
	var out bytes.Buffer // grows with what comes, not with what is announced
	if _, err := io.CopyN(&out, r.from, size); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return 0, nil, err
	}
	return head[0], out.Bytes(), nil
}

// quads decodes base64 of which parts were padded separately, as servers that
// encode frame by frame write it.
type quads struct {
	from io.Reader
	rest []byte // decoded, not yet read
}

func (q *quads) Read(p []byte) (int, error) {
	if len(q.rest) == 0 {
		buf := make([]byte, 4<<10)
		n, err := io.ReadAtLeast(q.from, buf, 4)
		if err != nil {
			return 0, err
		}
		if extra := n % 4; extra > 0 {
			if _, err := io.ReadFull(q.from, buf[n:n+4-extra]); err != nil {
				return 0, err
			}
			n += 4 - extra
		}
		for i := 0; i < n; i += 4 {
			if q.rest, err = base64.StdEncoding.AppendDecode(q.rest, buf[i:i+4]); err != nil {
				return 0, err
			}
		}
	}
	n := copy(p, q.rest)
	q.rest = q.rest[n:]
	return n, nil
}
