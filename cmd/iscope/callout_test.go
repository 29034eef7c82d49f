package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"iscope/probes"
	"iscope/replay/request"
)

// textOf prints records as a person would see them: standard output, and what
// stands beside it.
func textOf(t *testing.T, include bool, cut error, records ...probes.Record) (out, beside string) {
	t.Helper()
	files := [2]*os.File{}
	for i := range files {
		f, err := os.Create(filepath.Join(t.TempDir(), "out"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files[i] = f
	}
	a := newApp(nil, files[0], files[1])
	a.output = "text"
	sink, done := a.callSink(invokeOpts{include: include})
	for _, r := range records {
		if err := sink.Write(context.Background(), r); err != nil {
			t.Fatal(err)
		}
	}
	if err := done(cut); err != nil {
		t.Fatal(err)
	}
	var text [2]string
	for i, f := range files {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		text[i] = string(b)
	}
	return text[0], text[1]
}

func attrs(pairs ...string) (out []probes.Attr) {
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, probes.Attr{Name: pairs[i], Value: pairs[i+1]})
	}
	return out
}

func wants(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, l := range lines {
		if !strings.Contains(text, l) {
			t.Errorf("no %q in\n%s", l, text)
		}
	}
}

func TestCallTextShowsRedirectsAndSizes(t *testing.T) {
	hop := func(n, status, to string, body string) probes.Record {
		r := probes.Record{Kind: probes.Response, Body: []byte(body), Attrs: attrs(probes.AttrHTTPStatus, status, probes.AttrStatus, status+" "+n)}
		if to != "" {
			r.Header = []probes.Field{{Name: "Location", Value: []byte(to)}}
		}
		return r
	}
	request := probes.Record{Kind: probes.Request, Attrs: attrs(probes.AttrHTTPMethod, "GET", probes.AttrURL, "http://h/a", probes.AttrViolation, "/x: must be a number")}
	final := hop("OK", "200", "", `{"a":1}`)
	final.Attrs = append(final.Attrs, attrs(probes.AttrWireSize, "2000", probes.AttrViolation, "/a: \x1b[2Jnot allowed")...)
	final.Cut = 5000
	end := probes.Record{Kind: probes.End, Attrs: attrs(probes.AttrStatus, "200 OK", probes.TimingDNS, "1", probes.TimingTLS, "3", probes.TimingFirstByte, "4", probes.TimingTotal, "8")}

	out, beside := textOf(t, false, nil, request, hop("Found", "302", "/b\x1b[2J", "moved"), request, final, end)
	wants(t, out, `"a": 1`)
	if strings.Contains(out, "moved") || strings.Contains(out+beside, "\x1b") {
		t.Errorf("%q %q", out, beside)
	}
	wants(t, beside, "302 Found → /b", "the request breaks its contract: /x: must be a number", "the answer breaks its contract: /a: ",
		"200 OK · total 8 ms · sent 2, 0 B · received 5.0 kB (2.0 kB on the wire)", "██ resolve 1 · █████ TLS 3 · ██████ wait 4 ms")

	// Not followed, it is the answer.
	out, _ = textOf(t, false, nil, request, hop("Found", "302", "/b", "moved"), end)
	wants(t, out, "moved")
	_, beside = textOf(t, true, nil, request, final, end)
	wants(t, beside, "> GET http://h/a", "< 200 OK")
}

func TestCallTextOfWhatWasCutOff(t *testing.T) {
	request := probes.Record{Kind: probes.Request, Body: []byte("{}")}
	answer := probes.Record{Kind: probes.Response, Body: []byte("{}")}
	out, beside := textOf(t, false, context.Canceled, request, request, answer, answer, answer)
	if strings.Count(out, "{}") != 3 {
		t.Errorf("%q", out)
	}
	wants(t, beside, "cancelled · sent 2, 4 B · received 3, 6 B")
	_, beside = textOf(t, false, errors.New("gone"), request)
	wants(t, beside, "cut off · sent 2 B · received 0 B")
	// Nothing was sent, nothing is said.
	if _, beside = textOf(t, false, errors.New("gone")); beside != "" {
		t.Errorf("%q", beside)
	}
}

func TestTimingNames(t *testing.T) {
	for in, want := range map[string]string{
		`timing.total_ms < 200`:                           `number(attrs["iscope.timing.total_ms"]) < 200`,
		`body.timing.x == 1 and "timing.x" != 'timing.y'`: `body.timing.x == 1 and "timing.x" != 'timing.y'`,
		`!(timing.tls_ms>1)`:                              `!(number(attrs["iscope.timing.tls_ms"])>1)`,
	} {
		if got := request.Condition(in); got != want {
			t.Errorf("%s: %s", in, got)
		}
	}
}

func TestOneTyped(t *testing.T) {
	for text, want := range map[string]struct{ complete, fault bool }{
		"": {}, " \n": {}, `{"a":`: {}, `{"a":1}`: {complete: true}, `{"a":1} `: {complete: true}, "3\n": {complete: true}, "\"x": {fault: false}, "{a": {fault: true}, "[1,\n": {}, "}": {fault: true},
	} {
		doc, complete, fault := oneTyped([]byte(text))
		if complete != want.complete || (fault != nil) != want.fault || complete != (doc != nil) {
			t.Errorf("%q: %q %v %v", text, doc, complete, fault)
		}
	}
}
