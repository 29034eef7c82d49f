//go:build unix

package tui

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"iscope/probes"
	"iscope/probes/probetest"
	"iscope/tui/session"
	"iscope/tui/tuitest"
)

// callee is a fake whose methods have a form and a contract, in words that could
// take over a terminal, and one whose answer has 50 MB.
type callee struct{ *probetest.Fake }

func (c callee) driver() probes.Driver {
	d := c.Driver()
	d.Open = func(context.Context, probes.Target) (probes.Probe, error) { return c, nil }
	return d
}

func (c callee) Methods(context.Context) ([]probes.Method, error) {
	return []probes.Method{
		{Name: "fake.Svc/Big", Group: "fake.Svc", Effect: probes.EffectRead},
		{Name: "fake.Svc/Store", Group: "fake.Svc", Doc: hostile[0], Effect: probes.EffectWrite, Input: "in", Output: "out", Template: json.RawMessage(`{"text":""}`)},
	}, nil
}

func (c callee) Schema(context.Context, string) (probes.Schema, error) {
	var b bytes.Buffer
	for _, h := range hostile {
		b.WriteString(h + "\n")
	}
	return probes.Schema{Text: b.String()}, nil
}

func (c callee) Form(_ context.Context, method string) (probes.Form, error) {
	if method != "fake.Svc/Store" {
		return probes.Form{}, nil
	}
	fields := []probes.Shape{{Name: "text", Kind: probes.ShapeString, Type: "string", Doc: hostile[0], Rule: hostile[0]}}
	for _, h := range hostile {
		fields = append(fields,
			probes.Shape{Name: h, Kind: probes.ShapeEnum, Type: h, Doc: h, Choices: []probes.Choice{{Value: string(quoted(h)), Doc: h}}},
			probes.Shape{Name: "in " + h, Kind: probes.ShapeString, Type: h, Group: h, Default: string(quoted(h))})
	}
	return probes.Form{Root: probes.Shape{Kind: probes.ShapeObject, Of: "T"}, Types: map[string][]probes.Shape{"T": fields}}, nil
}

func quoted(s string) []byte {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // strings always encode
	}
	return b
}

func (c callee) Invoke(ctx context.Context, in probes.Invocation) iter.Seq2[probes.Record, error] {
	if in.Method != "fake.Svc/Big" {
		return c.Fake.Invoke(ctx, in)
	}
	return func(yield func(probes.Record, error) bool) {
		r := probes.Record{Call: "1", Kind: probes.Response, Source: probes.Ref{Target: "shop", Subject: in.Method}, Body: big()}
		if yield(r, nil) {
			r.Kind, r.Body, r.Attrs = probes.End, nil, []probes.Attr{{Name: probes.AttrStatus, Value: "OK"}}
			yield(r, nil)
		}
	}
}

// big is 50 MB of JSON.
func big() []byte {
	var b bytes.Buffer
	b.Grow(51 << 20)
	b.WriteString(`{"items":[{"name":"the first thing"}`)
	for i := 0; b.Len() < 50<<20; i++ {
		fmt.Fprintf(&b, `,{"id":%d,"name":"thing number %d","tags":["a","b"]}`, i, i)
	}
	b.WriteString(`,{"name":"the last thing"}]}`)
	return b.Bytes()
}

func calling(t testing.TB) *stage {
	drivers := []probes.Driver{callee{shop("orders")}.driver()}
	return start(t, Options{Config: configured(t, drivers), Session: session.Options{Drivers: drivers, CaptureDir: t.TempDir()}})
}

// Every name, type, choice and word of a contract comes from outside; stage.look
// holds each frame against that.
func TestContractsOnScreen(t *testing.T) {
	s := calling(t)
	s.until("probes 1/1")
	s.press("4")
	s.until("Store")
	s.press("/")
	s.types("store")
	s.press("enter", "enter")
	s.until("[Form]")
	s.press("enter")
	s.types("A-7")
	s.until("A-7")
	s.press("enter")
	for range 2*len(hostile) + 2 {
		s.press("down", "enter", "esc", "l", "l", "h")
	}
	s.press("v")
	s.until("[JSON]")
	s.press("v", "o")
	s.until("changes something")
	s.press("tab", "pgdown", "G", "4", "y")
	s.until("as iscope")
	s.press("esc")
	for _, b := range s.broken {
		t.Error(b)
	}
}

func TestALargeAnswerIsShownAndScrolledToItsEnd(t *testing.T) {
	x := tuitest.Start(t, 120, 40, self(t, "calls"))
	x.WaitFor("probes 1/1")
	x.Press("4")
	x.WaitFor("Big")
	x.Press("s")
	x.WaitFor("the first thing", "50 MiB")
	x.Press("tab", "tab", "]")
	x.WaitFor("[Tree]", `"items"`)
	x.Press("G")
	x.WaitFor("the last thing")
	x.Press("]", "G")
	x.WaitFor("[Raw]", `the last thing"}]}`)
	x.Press("]", "G")
	x.WaitFor("[Hex]")
	foreign(t, x, tuitest.May{})
	x.Press("ctrl+c")
	x.WaitFor("ctrl+c again quits")
	x.Press("ctrl+c")
	if err := x.End(); err != nil {
		t.Error(err)
	}
	restored(t, x)
}

// BenchmarkKeyToPaint50MB is the time from a key press on a 50 MB answer until the
// screen shows what it asked for: another tab, its end, its beginning.
func BenchmarkKeyToPaint50MB(b *testing.B) {
	x := tuitest.Start(b, 120, 40, self(b, "calls"))
	x.WaitFor("probes 1/1")
	x.Press("4")
	x.WaitFor("Big")
	x.Press("s")
	x.WaitFor("the first thing", "50 MiB")
	x.Press("tab", "tab", "]")
	x.WaitFor("[Tree]")
	x.Press("G")
	x.WaitFor("the last thing") // all of it is read
	var took []time.Duration
	press := func(key, shown string) {
		began := time.Now()
		x.Press(key)
		x.WaitFor(shown)
		took = append(took, time.Since(began))
	}
	for b.Loop() {
		press("]", "[Raw]")
		press("]", "[Hex]")
		press("[", "[Raw]")
		press("[", "[Tree]")
		press("[", "[Text]")
		press("]", "[Tree]")
		press("g", "- {}")
		press("G", "the last thing")
	}
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2].Seconds()*1000, "key-p50-ms")
	b.ReportMetric(took[len(took)*99/100].Seconds()*1000, "key-p99-ms")
	x.Press("ctrl+c")
	x.WaitFor("ctrl+c again quits")
	x.Press("ctrl+c")
	if err := x.End(); err != nil {
		b.Error(err)
	}
}
