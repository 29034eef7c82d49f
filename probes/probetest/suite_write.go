package probetest

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"iscope/probes"
)

// PublishCase writes messages and reads them back with the tailer.
type PublishCase struct {
	Subject string
	Unknown string // a destination that does not exist and must not after
}

func (c *PublishCase) run(t *testing.T, s *Suite) {
	conn := s.open(t, nil)
	pub, err := conn.Publisher()
	if err != nil {
		t.Fatal(err)
	}
	tailer, err := conn.Tailer()
	if err != nil {
		t.Fatal(err)
	}
	for name, rec := range awkward() {
		t.Run(name, func(t *testing.T) {
			rec.Source = probes.Ref{Target: s.Target.Name, Subject: c.Subject}
			stored, err := pub.Publish(limit(t), rec)
			if err != nil {
				t.Fatal(err)
			}
			got := readBack(t, tailer, c.Subject, stored.ID)
			for _, d := range []string{cmp.Diff(rec.Key, got.Key), cmp.Diff(rec.Body, got.Body), cmp.Diff(rec.Header, got.Header)} {
				if d != "" {
					t.Errorf("sent and read differ (-sent +read):\n%s", d)
				}
			}
		})
	}
	if c.Unknown != "" {
		_, err := pub.Publish(limit(t), probes.Record{Source: probes.Ref{Subject: c.Unknown}, Body: []byte("x")})
		wantKind(t, err, probes.ErrNotFound)
	}
}

// awkward are the records that tools lose something of.
func awkward() map[string]probes.Record {
	return map[string]probes.Record{
		"plain":          {Key: []byte("k"), Body: []byte(`{"n":9007199254740993,"f":1.10}`)},
		"null and empty": {Key: nil, Body: []byte{}},
		"tombstone":      {Key: []byte{}, Body: nil},
		"binary":         {Key: []byte{0, 255}, Body: []byte("\x00\x1b]0;title\x07\xff\xfe")},
		"headers repeat": {Key: []byte("k"), Body: []byte("b"), Header: []probes.Field{
			{Name: "a", Value: []byte("1")}, {Name: "a", Value: []byte{0xff}}, {Name: "b", Value: nil}, {Name: "c", Value: []byte{}}}},
	}
}

func readBack(t *testing.T, tailer probes.Tailer, subject, id string) probes.Record {
	t.Helper()
	for rec, err := range tailer.Tail(limit(t), probes.TailQuery{Subject: subject,
		From: probes.Position{Kind: probes.PosEarliest}, Until: probes.Position{Kind: probes.PosLatest}}) {
		if err != nil {
			t.Fatal(err)
		}
		if rec.ID == id {
			return rec
		}
	}
	t.Fatalf("%s, which was just published, is not in %s", id, subject)
	return probes.Record{}
}

// InvokeCase makes one call.
type InvokeCase struct {
	Method  string        // a method that succeeds
	Params  []probes.Attr // for it
	Doc     string        // its request document, "" for none
	Unknown string        // a method that does not exist
	Body    string        // a method that takes a document, to be given malformed JSON; "" for none
}

func (c *InvokeCase) run(t *testing.T, s *Suite) {
	conn := s.open(t, nil)
	methods, err := conn.Methods(limit(t))
	if err != nil || len(methods) == 0 {
		t.Fatalf("%d methods, error %v", len(methods), err)
	}
	invoke := func(t *testing.T, method, doc string, params []probes.Attr) ([]probes.Record, error) {
		return Invoke(limit(t), conn, probes.Invocation{Method: method, Params: params, Next: Docs(doc)})
	}
	t.Run("calls", func(t *testing.T) {
		recs, err := invoke(t, c.Method, c.Doc, c.Params)
		if err != nil {
			t.Fatal(err)
		}
		checkCall(t, recs)
	})
	t.Run("names what it does not find", func(t *testing.T) {
		_, err := invoke(t, c.Unknown, "", nil)
		wantKind(t, err, probes.ErrNotFound)
		if probes.HintOf(err) == "" {
			t.Errorf("%v gives no hint", err)
		}
	})
	if c.Body != "" {
		t.Run("sends no malformed document", func(t *testing.T) {
			recs, err := invoke(t, c.Body, `{"a":`, c.Params)
			wantKind(t, err, probes.ErrUsage)
			if len(recs) > 0 {
				t.Errorf("%d records of a call that was not made", len(recs))
			}
		})
	}
}

func checkCall(t *testing.T, recs []probes.Record) {
	t.Helper()
	var shape strings.Builder
	for _, r := range recs {
		shape.WriteString(r.Kind.String() + " ")
		if r.Call == "" || r.Call != recs[0].Call {
			t.Errorf("%s has call %q, the first has %q", r.Kind, r.Call, recs[0].Call)
		}
	}
	end := recs[len(recs)-1]
	if recs[0].Kind != probes.Request || end.Kind != probes.End || len(recs) < 3 {
		t.Fatalf("a call should be a request, responses and an end, not %s", &shape)
	}
	if _, ok := end.Attr(probes.TimingTotal); !ok || end.Err != "" {
		t.Errorf("end: error %q, attrs %v", end.Err, end.Attrs)
	}
	if _, ok := end.Attr(probes.AttrStatus); !ok {
		t.Errorf("end has no %s: %v", probes.AttrStatus, end.Attrs)
	}
}

// Invoke makes one call on a writable connection and returns all its records.
func Invoke(ctx context.Context, conn *probes.Conn, in probes.Invocation) (recs []probes.Record, err error) {
	for rec, err := range conn.Invoke(ctx, probes.Method{Name: in.Method}, in) {
		if err != nil {
			return recs, err
		}
		recs = append(recs, rec)
	}
	return recs, nil
}

// Docs supplies the given documents, skipping empty ones, as Invocation.Next.
func Docs(docs ...string) func(context.Context) ([]byte, error) {
	return func(context.Context) ([]byte, error) {
		for len(docs) > 0 {
			d := docs[0]
			docs = docs[1:]
			if d != "" {
				return []byte(d), nil
			}
		}
		return nil, io.EOF
	}
}
