package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"iscope/probes"
)

func FuzzRecordLineIsJSONAndLosesNothing(f *testing.F) {
	f.Add([]byte("k"), []byte(`{"n":9007199254740993,"f":1.10}`), "orders", []byte{0xff})
	f.Add([]byte(nil), []byte("\x1b]0;title\x07\u2028\u202e"), "a\"b\\c\n\x00\xff", []byte{})
	f.Fuzz(func(t *testing.T, key, body []byte, subject string, header []byte) {
		r := probes.Record{Kind: probes.Message, Source: probes.Ref{Target: "t", Subject: subject}, Key: key, Body: body,
			Header: []probes.Field{{Name: subject, Value: header}, {Name: "null"}}, Time: time.Unix(1, 5)}
		text := appendRecord(nil, &r)
		var got struct {
			Subject       string  `json:"subject"`
			Key           *string `json:"key"`
			KeyEncoding   string  `json:"key_encoding"`
			Value         *string `json:"value"`
			ValueEncoding string  `json:"value_encoding"`
			Headers       []struct {
				Name          string  `json:"name"`
				Value         *string `json:"value"`
				ValueEncoding string  `json:"value_encoding"`
			} `json:"headers"`
		}
		if bytes.ContainsAny(text, "\n\r") || !utf8.Valid(text) {
			t.Fatalf("not one line of UTF-8: %q", text)
		}
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		same(t, "key", key, got.Key, got.KeyEncoding)
		same(t, "value", body, got.Value, got.ValueEncoding)
		same(t, "header", header, got.Headers[0].Value, got.Headers[0].ValueEncoding)
		if got.Headers[1].Value != nil {
			t.Error("a header without a value got one")
		}
		if utf8.ValidString(subject) && got.Subject != subject {
			t.Errorf("subject %q became %q", subject, got.Subject)
		}
	})
}

// TestTextsOfAllLengths puts what has to be escaped at every place around the
// borders of words, strides and pieces.
func TestTextsOfAllLengths(t *testing.T) {
	for _, length := range []int{0, 1, 7, 8, 9, 31, 32, 33, 40, 63, 64, 65, 1020, 1023, 1024, 1025, 1060, 2100} {
		for _, mark := range []string{"", "\"", "\\", "\n", "\x1f", "\x00", " ", "!", "#", "\x7f", "é", "€", "😀", `"\"`, "\u2028", `""""""""`, "\x01\x02\x03\x04\x05\x06\x07\x08"} {
			for at := 0; at+len(mark) <= length; at++ {
				if at > 70 && at < length-70 && at%1024 > 40 && at%1024 < 980 {
					continue
				}
				text := []byte(strings.Repeat("x", at) + mark + strings.Repeat("y", length-at-len(mark)))
				out, valid := appendText([]byte("before"), text)
				var back string
				err := json.Unmarshal(out[len("before"):], &back)
				if err != nil || back != string(text) || !valid || !bytes.HasPrefix(out, []byte("before")) {
					t.Fatalf("%q at %d of %d became %q (valid %v, %v)", mark, at, length, out, valid, err)
				}
				if other := appendString([]byte("before"), string(text)); !bytes.Equal(other, out) {
					t.Fatalf("as a string %q", other)
				}
			}
		}
	}
	for _, broken := range []string{"\xff", "\xc3", "a\xe2\x82", "\xf0\x9f\x98", "\xed\xa0\x80"} {
		for at := range 40 {
			if out, valid := appendText(nil, []byte(strings.Repeat("x", at)+broken+"y")); valid || !json.Valid(out) {
				t.Fatalf("%q at %d became %q (valid %v)", broken, at, out, valid)
			}
		}
	}
}

// TestNothingIsCarriedOver: what lines share is written anew when it changes.
func TestNothingIsCarriedOver(t *testing.T) {
	now := time.Unix(1, 0)
	base := probes.Record{Kind: probes.Message, Source: probes.Ref{Target: "t", Subject: "s"}, Time: now, Seen: now,
		Header: []probes.Field{{Name: "h"}}, Attrs: []probes.Attr{{Name: "a", Value: "1"}}}
	records := []probes.Record{base, base, base, base, base, base, base}
	records[1].Source.Subject = "other"
	records[2].Seen = now.Add(time.Millisecond)
	records[3].Time = time.Time{}
	records[4].Header, records[4].Attrs = nil, nil
	records[5].Header, records[5].Attrs = []probes.Field{{Name: "i"}, {Name: "h"}}, []probes.Attr{{Name: "b"}, {Name: "a"}}
	m := newLineMaker()
	for i := range records {
		if got, want := m.append(nil, &records[i]), appendRecord(nil, &records[i]); !bytes.Equal(got, want) {
			t.Errorf("line %d after others\n%s\nalone\n%s", i, got, want)
		}
	}
}

func same(t *testing.T, what string, want []byte, got *string, encoding string) {
	t.Helper()
	if (want == nil) != (got == nil) {
		t.Fatalf("%s: nil and empty were mixed up", what)
	}
	if want == nil {
		return
	}
	b := []byte(*got)
	if encoding == "base64" {
		var err error
		if b, err = base64.StdEncoding.DecodeString(*got); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(b, want) {
		t.Fatalf("%s %q became %q (%s)", what, want, b, encoding)
	}
}

func BenchmarkJSONLine(b *testing.B) {
	r := probes.Record{Kind: probes.Message, ID: "0/12345678", Source: probes.Ref{Target: "orders-kafka", Subject: "orders.created"},
		Time: time.Now(), Seen: time.Now(), Key: []byte("c-4411"), Header: []probes.Field{{Name: "traceparent", Value: make([]byte, 16)}},
		Body:  fmt.Appendf(nil, `{"order_id":"A-771","note":"%0450d"}`, 7),
		Attrs: []probes.Attr{{Name: probes.AttrPartition, Value: "0"}, {Name: probes.AttrOffset, Value: "12345678"}}}
	sink := newJSONSink(io.Discard, false)
	b.ReportAllocs()
	b.SetBytes(int64(len(r.Body)))
	for b.Loop() {
		sink.Write(b.Context(), r)
	}
}

func TestSeveralValuesAreAList(t *testing.T) {
	r := probes.Record{Kind: probes.Request, Attrs: []probes.Attr{{Name: probes.AttrViolation, Value: "a: x"}, {Name: "b", Value: "1"},
		{Name: probes.AttrViolation, Value: "c: y"}}}
	const want = `"attributes":{"iscope.contract.violation":["a: x","c: y"],"b":"1"}`
	if got := string(appendRecord(nil, &r)); !strings.Contains(got, want) {
		t.Errorf("%s\nhas no %s", got, want)
	}
}
