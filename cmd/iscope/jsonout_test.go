package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
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
