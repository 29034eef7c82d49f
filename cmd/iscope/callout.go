package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"iscope/inspectors/hint"
	"iscope/probes"
	"iscope/probes/tap"
)

// callSink prints a call: all records for programs, for people the answers and
// what is worth knowing of how they came. done is called once, after the last
// record, with what cut the call off.
func (a *app) callSink(o invokeOpts) (sink tap.Sink, done func(error) error) {
	switch {
	case o.body:
		return tap.SinkFunc(a.bodyOnly), func(error) error { return nil }
	case a.json():
		s := newJSONSink(a.out, a.tty())
		return s, func(error) error { return s.Flush() }
	}
	t := &callText{a: a, include: o.include}
	return tap.SinkFunc(t.write), t.done
}

// bodyOnly prints what was answered: the bytes themselves for programs.
func (a *app) bodyOnly(_ context.Context, r probes.Record) error {
	switch {
	case r.Kind == probes.End && r.Err != "":
		fmt.Fprintln(a.err, line(r.Err))
		return nil
	case r.Kind != probes.Response || len(r.Body) == 0:
		return nil
	case a.tty():
		return writeBody(a.out, r.Body)
	}
	_, err := a.out.Write(r.Body)
	if err == nil && !bytes.HasSuffix(r.Body, []byte("\n")) {
		_, err = a.out.Write([]byte("\n"))
	}
	return err
}

// callText prints a call for people: bodies to standard output, the rest beside.
type callText struct {
	a       *app
	include bool

	seen     []probes.Record // for the hints, without large bodies
	held     *probes.Record  // a redirect, until it is known whether it was followed
	requests int
	answers  int
	sent     volume
	got      volume
	ended    bool
}

// volume is how much went one way.
type volume struct {
	decoded, wire int64
	packed        bool // the two differ, and are both known
}

func (v *volume) add(r *probes.Record) {
	n := int64(len(r.Body)) + r.Cut
	v.decoded += n
	text, ok := r.Attr(probes.AttrWireSize)
	wire, err := strconv.ParseInt(text, 10, 64)
	if !ok || err != nil {
		wire = n
	}
	v.wire += wire
	v.packed = v.packed || ok && wire != n
}

// String is "" where nothing went.
func (v *volume) String() string {
	if v.packed {
		return fmt.Sprintf("%s (%s on the wire)", size(v.decoded), size(v.wire))
	}
	return size(v.decoded)
}

func size(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1000_000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

// Bounds of what is kept of a call for its hints.
const (
	seenRecords = 64
	seenBody    = 64 << 10
)

func (t *callText) write(_ context.Context, r probes.Record) error {
	t.keep(r)
	if h := t.held; h != nil {
		t.held = nil
		if r.Kind == probes.Request {
			t.redirect(h)
		} else if err := t.answer(h); err != nil {
			return err
		}
	}
	switch r.Kind {
	case probes.Request:
		t.requests++
		t.sent.add(&r)
		t.request(&r)
	case probes.Response:
		if status, _ := r.Attr(probes.AttrHTTPStatus); strings.HasPrefix(status, "3") {
			t.held = &r
			return nil
		}
		return t.answer(&r)
	case probes.End:
		t.end(&r)
	case probes.Notice, probes.Gap:
		t.say("%s", line(r.Err))
	}
	return nil
}

// keep keeps a record for the hints. Of many, the last stands for those between.
func (t *callText) keep(r probes.Record) {
	if len(r.Body) > seenBody {
		r.Body = nil
	}
	if len(t.seen) == seenRecords {
		t.seen = t.seen[:seenRecords-1]
	}
	t.seen = append(t.seen, r)
}

func (t *callText) say(format string, args ...any) { fmt.Fprintf(t.a.err, format+"\n", args...) }

func (t *callText) request(r *probes.Record) {
	if t.include {
		t.say("> %s", line(requestLine(r)))
		t.headers(">", r)
	}
	t.violations("the request", r)
}

func requestLine(r *probes.Record) string {
	if url, ok := r.Attr(probes.AttrURL); ok {
		verb, _ := r.Attr(probes.AttrHTTPMethod)
		return verb + " " + url
	}
	return r.Source.Subject
}

func (t *callText) headers(mark string, r *probes.Record) {
	for _, h := range r.Header {
		t.say("%s %s: %s", mark, line(h.Name), line(string(h.Value)))
	}
	if len(r.Header) > 0 {
		t.say("%s", mark)
	}
}

func (t *callText) violations(of string, r *probes.Record) {
	for _, at := range r.Attrs {
		if at.Name == probes.AttrViolation {
			t.say("! %s breaks its contract: %s", of, line(at.Value))
		}
	}
}

func (t *callText) redirect(r *probes.Record) {
	status, _ := r.Attr(probes.AttrStatus)
	to, _ := r.HeaderValue("Location")
	t.got.add(r)
	t.say("%s → %s", line(status), line(string(to)))
	if t.include {
		t.headers("<", r)
	}
}

func (t *callText) answer(r *probes.Record) error {
	t.answers++
	t.got.add(r)
	if t.include {
		if status, ok := r.Attr(probes.AttrStatus); ok {
			t.say("< %s", line(status))
		}
		t.headers("<", r)
	}
	t.violations("the answer", r)
	if len(r.Body) == 0 && r.Err == "" {
		return nil
	}
	if r.Err != "" {
		t.say("! %s", line(r.Err))
	}
	return writeBody(t.a.out, r.Body)
}

func (t *callText) end(r *probes.Record) {
	t.ended = true
	if t.include {
		t.headers("<", r)
	}
	if len(r.Body) > 0 {
		writeBody(t.a.err, r.Body) // as with all that goes to stderr
	}
	t.violations("the end", r)
	for _, at := range r.Attrs {
		if at.Name == probes.AttrPath {
			t.say("! %s", line(at.Value))
		}
	}
	t.say("%s", line(strings.Join(t.status(r), " · ")))
	if s := timingLine(r); s != "" {
		t.say("  %s", line(s))
	}
	for _, h := range hint.Explain(t.seen) {
		if h.Topic == hint.Contract {
			continue // each has been said
		}
		mark := "hint"
		if h.Calm {
			mark = "note"
		}
		t.say("  %s: %s (%s)", mark, line(h.Text), line(h.Source))
	}
}

// status is the end in one line: name and number, how long, how much, where.
func (t *callText) status(r *probes.Record) []string {
	status, _ := r.Attr(probes.AttrStatus)
	parts := []string{status}
	if r.Err != "" {
		parts[0] = r.Err
	}
	if code, ok := r.Attr("rpc.grpc.status_code"); ok && !strings.Contains(parts[0], "("+code+")") {
		parts = append(parts, "code "+code)
	}
	if total, ok := r.Attr(probes.TimingTotal); ok {
		parts = append(parts, "total "+total+" ms")
	}
	if n, ok := r.Attr(probes.AttrAttempt); ok && n != "1" {
		parts = append(parts, n+" attempts")
	}
	if t.requests > 1 || t.sent.decoded > 0 {
		parts = append(parts, counted(t.requests, "sent", &t.sent))
	}
	parts = append(parts, counted(t.answers, "received", &t.got))
	if peer, ok := r.Attr(probes.AttrPeer); ok {
		parts = append(parts, peer)
	}
	if v, ok := r.Attr(probes.AttrTLSVersion); ok {
		parts = append(parts, "TLS "+v)
	}
	if id, ok := r.Attr(probes.AttrTraceID); ok {
		parts = append(parts, "trace "+id)
	}
	return parts
}

func counted(n int, verb string, v *volume) string {
	if n == 1 || n == 0 {
		return verb + " " + v.String()
	}
	return fmt.Sprintf("%s %d, %s", verb, n, v)
}

// phases are the parts of a call's time, in their order.
func phases() [][2]string {
	return [][2]string{{"resolve", probes.TimingDNS}, {"connect", probes.TimingConnect}, {"TLS", probes.TimingTLS},
		{"send", probes.TimingSend}, {"wait", probes.TimingFirstByte}, {"receive", probes.TimingReceive}}
}

// timingLine says where the time went, each part with a bar as long as its share.
func timingLine(r *probes.Record) string {
	type part struct {
		word, text string
		ms         float64
	}
	var parts []part
	var sum float64
	for _, p := range phases() {
		text, ok := r.Attr(p[1])
		ms, err := strconv.ParseFloat(text, 64)
		if !ok || err != nil || ms < 0 {
			continue
		}
		parts = append(parts, part{p[0], text, ms})
		sum += ms
	}
	var out []string
	for _, p := range parts {
		const widest = 12
		bar := ""
		if sum > 0 {
			bar = strings.Repeat("█", int(p.ms/sum*widest+0.5))
		}
		out = append(out, strings.TrimSpace(bar+" "+p.word+" "+p.text))
	}
	if len(out) == 0 {
		return ""
	}
	return strings.Join(out, " · ") + " ms"
}

// done says what came before the call was cut off.
func (t *callText) done(cut error) error {
	if h := t.held; h != nil {
		t.held = nil
		if err := t.answer(h); err != nil {
			return err
		}
	}
	if cut == nil || t.ended || t.requests == 0 {
		return nil
	}
	why := "cut off"
	if errors.Is(cut, context.Canceled) {
		why = "cancelled"
	}
	t.say("%s · %s · %s", why, counted(t.requests, "sent", &t.sent), counted(t.answers, "received", &t.got))
	return nil
}
