package proxy

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
)

// message is one recorded piece of a body.
type message struct {
	body []byte
	cut  int64  // bytes left out of body
	err  string // why it is not what was meant
}

// splitter cuts a body into messages as it goes by. write keeps no reference to
// p; close ends the body and yields what is left.
type splitter interface {
	write(p []byte, emit func(message))
	close(complete bool, emit func(message))
}

// whole is a body that is one message.
type whole struct {
	max  int
	buf  []byte
	cut  int64
	some bool // emit it even if it is empty
}

func (w *whole) write(p []byte, _ func(message)) {
	keep := min(len(p), w.max-len(w.buf))
	w.buf = append(w.buf, p[:keep]...)
	w.cut += int64(len(p) - keep)
}

func (w *whole) close(complete bool, emit func(message)) {
	m := message{body: w.buf, cut: w.cut}
	if !complete {
		m.err = "the body is not complete"
	}
	if w.some || len(w.buf) > 0 || !complete {
		emit(m)
	}
}

// events are server-sent events, each up to its empty line
// (https://html.spec.whatwg.org/multipage/server-sent-events.html).
type events struct {
	max  int
	buf  []byte
	cut  int64
	line int // bytes of the line so far, carriage return aside
}

func (e *events) write(p []byte, emit func(message)) {
	for _, b := range p {
		if len(e.buf) < e.max {
			e.buf = append(e.buf, b)
		} else {
			e.cut++
		}
		switch {
		case b == '\n' && e.line == 0:
			e.flush("", emit)
		case b == '\n':
			e.line = 0
		case b != '\r':
			e.line++
		}
	}
}

func (e *events) flush(fault string, emit func(message)) {
	if len(bytes.TrimSpace(e.buf)) > 0 {
		emit(message{body: e.buf, cut: e.cut, err: fault})
	}
	e.buf, e.cut, e.line = nil, 0, 0
}

func (e *events) close(complete bool, emit func(message)) {
	fault := ""
	if !complete {
		fault = "the event is not complete"
	}
	e.flush(fault, emit)
}

// frames are gRPC's length-prefixed messages: one byte of flags, four of length
// (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md).
type frames struct {
	max      int
	encoding string // grpc-encoding of the stream

	head [5]byte
	got  int // bytes of head
	left int64
	buf  []byte
	cut  int64
}

func (f *frames) write(p []byte, emit func(message)) {
	for len(p) > 0 {
		if f.got < len(f.head) {
			n := copy(f.head[f.got:], p)
			f.got += n
			p = p[n:]
			if f.got < len(f.head) {
				return
			}
			f.left = int64(binary.BigEndian.Uint32(f.head[1:]))
			f.buf, f.cut = []byte{}, 0
		}
		n := int(min(int64(len(p)), f.left))
		keep := min(n, f.max-len(f.buf))
		f.buf = append(f.buf, p[:keep]...)
		f.cut += int64(n - keep)
		f.left -= int64(n)
		p = p[n:]
		if f.left == 0 {
			emit(f.message())
			f.got = 0
		}
	}
	if f.got == len(f.head) && f.left == 0 { // an empty message ends with its head
		emit(f.message())
		f.got = 0
	}
}

func (f *frames) close(complete bool, emit func(message)) {
	if f.got == 0 {
		return
	}
	fault := "the message is not complete"
	emit(message{body: f.buf, cut: f.cut + f.left, err: fault})
	f.got = 0
}

func (f *frames) message() message {
	m := message{body: f.buf, cut: f.cut}
	f.buf = nil
	switch {
	case f.head[0]&1 == 0:
	case f.encoding == "gzip" && m.cut == 0:
		m = inflate(m.body, f.max)
	default:
		m.err = fmt.Sprintf("compressed with %q and kept so", f.encoding)
	}
	return m
}

// maxRatio bounds how much is decompressed only to be counted.
const maxRatio = 16

// inflate decompresses a message. The client has sent it as it is; only the
// record shows it readable.
func inflate(packed []byte, limit int) message {
	zr, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return message{body: packed, err: "not the gzip it is said to be: " + err.Error()}
	}
	body, err := io.ReadAll(io.LimitReader(zr, int64(limit)))
	if err != nil {
		return message{body: packed, err: "damaged gzip: " + err.Error()}
	}
	rest, err := io.Copy(io.Discard, io.LimitReader(zr, int64(limit)*maxRatio))
	if err != nil {
		return message{body: packed, err: "damaged gzip: " + err.Error()}
	}
	return message{body: body, cut: rest}
}
