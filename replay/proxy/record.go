package proxy

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"iscope/probes"
)

// pass records a piece of a body, as far as it completes messages.
func (x *exchange) pass(h *half, kind probes.Kind, p []byte) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !h.ended && !x.done {
		h.split.write(p, func(m message) { x.emit(h, kind, m) })
	}
}

// end ends a body.
func (x *exchange) end(h *half, kind probes.Kind, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if h.ended || x.done {
		return
	}
	h.err, h.ended = err, true
	if h == &x.in && x.upgrade && x.res == nil {
		return // whether there is anything to record, the answer decides
	}
	h.split.close(err == nil, func(m message) { x.emit(h, kind, m) })
}

// settle records a request whose recording waited for the answer.
func (x *exchange) settle() {
	if x.upgrade && x.in.ended {
		x.in.split.close(x.in.err == nil, func(m message) { x.emit(&x.in, probes.Request, m) })
	}
}

// emit writes one message of a direction.
func (x *exchange) emit(h *half, kind probes.Kind, m message) {
	letter := "q"
	rec := probes.Record{Kind: kind, Header: h.header, Body: m.body, Cut: m.cut, Err: m.err, Attrs: x.attrs, Seen: time.Now()}
	if kind == probes.Response {
		letter = "r"
		rec.Attrs = nil
		if !x.rpc {
			rec.Attrs = []probes.Attr{{Name: probes.AttrHTTPStatus, Value: strconv.Itoa(x.code)}}
		}
	}
	if kind == probes.Request && !x.rpc {
		rec.Seen = x.began // when it began is its place in the traffic, not when its body was through
	}
	if x.rpc {
		rec.Native = wireNative
	}
	rec.ID = fmt.Sprintf("%s/%s%d", x.call, letter, h.n)
	h.n++
	h.header = nil
	x.write(rec)
}

func (x *exchange) write(rec probes.Record) {
	rec.Source = x.src
	if rec.Kind != probes.Notice {
		rec.Call = x.call
	}
	if rec.Seen.IsZero() {
		rec.Seen = time.Now()
	}
	x.s.write(rec)
}

// finish ends the call: whatever happened, there is an End.
func (x *exchange) finish() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.upgraded || x.done {
		return
	}
	if x.res == nil {
		x.settle()
	}
	if !x.in.ended {
		x.in.ended, x.in.err = true, errUnread
		x.in.split.close(x.r.ContentLength >= 0 && x.whole(), func(m message) { x.emit(&x.in, probes.Request, m) })
	}
	x.done = true
	end := probes.Record{Kind: probes.End, ID: x.call + "/end"}
	if x.res != nil {
		end.Header = fields(x.res.Trailer, x.res.ProtoMajor, x.rpc)
		if x.rpc && x.out.n == 0 { // no message to carry them
			end.Header = append(x.out.header, end.Header...)
		}
		x.judgeBody()
	}
	if x.rpc {
		x.endRPC(&end)
	} else {
		x.endHTTP(&end)
	}
	if x.errorType != "" {
		end.Attrs = append(end.Attrs, probes.Attr{Name: probes.AttrErrorType, Value: x.errorType})
	}
	end.Attrs = append(end.Attrs, x.times.attrs(x.began)...)
	x.write(end)
}

// whole reports whether all of an announced body has been seen, though its end
// was not read.
func (x *exchange) whole() bool {
	w, ok := x.in.split.(*whole)
	return ok && int64(len(w.buf))+w.cut == x.r.ContentLength
}

// judgeBody finds out why a response's body ended before its end.
func (x *exchange) judgeBody() {
	if x.failure != "" || x.out.ended && x.out.err == nil {
		return
	}
	if why := x.gone(); why != "" {
		x.failure = why
		return
	}
	if x.out.err == nil || errors.Is(x.out.err, errUnread) {
		x.failure = "the client went away"
		return
	}
	x.failure = "the upstream broke off: " + x.out.err.Error()
	if k := probes.KindOf(x.out.err); k != nil {
		x.errorType = k.Error()
	}
}

func (x *exchange) endHTTP(end *probes.Record) {
	if x.code != 0 {
		end.Attrs = []probes.Attr{{Name: probes.AttrStatus, Value: statusLine(x.code)}, {Name: probes.AttrHTTPStatus, Value: strconv.Itoa(x.code)}}
	}
	switch {
	case x.failure != "":
		end.Err = x.failure
	case x.code >= 400:
		end.Err = statusLine(x.code)
	}
}

func statusLine(code int) string {
	return strings.TrimSpace(strconv.Itoa(code) + " " + http.StatusText(code))
}

func (x *exchange) endRPC(end *probes.Record) {
	name, text, ok := "", "", false
	if x.res != nil {
		if name, text, ok = rpcStatus(x.res.Trailer); !ok {
			name, text, ok = rpcStatus(x.res.Header)
		}
	}
	switch {
	case ok:
	case x.r.Context().Err() != nil:
		name = "CANCELLED"
	case x.res != nil && x.code == http.StatusOK:
		name, text = "INTERNAL", "INTERNAL (13): the stream ended without a status"
	default:
		name = rpcStatusOfHTTP(x.code)
		text = fmt.Sprintf("%s: HTTP status %d", name, x.code)
	}
	end.Err = text
	if x.failure != "" {
		end.Err = x.failure
	}
	end.Attrs = []probes.Attr{{Name: probes.AttrStatus, Value: name}, {Name: probes.AttrRPCStatus, Value: name}}
}
