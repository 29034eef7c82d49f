package inspectors

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/snappy/xerial"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"google.golang.org/protobuf/encoding/protowire"

	"iscope/inspectors/registry"
	"iscope/inspectors/schema"
	"iscope/probes"
)

func mustCBOR(t testing.TB, v any) string {
	t.Helper()
	b, err := cbor.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// protoBody is {1: 150, 2: "hello world"}.
func protoBody() string {
	b := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 150)
	return string(protowire.AppendString(protowire.AppendTag(b, 2, protowire.BytesType), "hello world"))
}

func TestDecode(t *testing.T) {
	for _, tc := range []struct{ name, contentType, body, kind, want, err string }{
		{"json", "", ` {"a":1}` + "\n", "json", ` {"a":1}` + "\n", ""},
		{"json array", "", `[1,{"a":2}]`, "json", `[1,{"a":2}]`, ""},
		{"json scalar", "", `"text"`, "json", `"text"`, ""},
		{"json number", "", `12345678901234567890`, "json", `12345678901234567890`, ""},
		{"a log line is no array", "", `[2024-01-01] started [ok]`, "text", `"[2024-01-01] started [ok]"`, ""},
		{"text", "", "two\nlines", "text", `"two\nlines"`, ""},
		{"xml", "", `<a><b/></a>`, "xml", `"<a><b/></a>"`, ""},
		{"empty", "", "", "empty", "", ""},
		{"cbor", "", mustCBOR(t, map[string]any{"id": 1}), "cbor", `{"id":1}`, ""},
		{"cbor by its header", "application/cbor", "\x05", "cbor", `5`, ""},
		{"cbor by its suffix", "application/senml+cbor", "\x81\x05", "cbor", `[5]`, ""},
		{"msgpack", "", "\x81\xa2id\x01", "msgpack", `{"id":1}`, ""},
		{"msgpack by its header", "application/x-msgpack", "\x93\x01\x02\x03", "msgpack", `[1,2,3]`, ""},
		{"protobuf", "", protoBody(), "protobuf", `{"1":150,"2":"hello world"}`, ""},
		{"protobuf by its header", "application/x-protobuf; messageType=x", "\x08\x01", "protobuf", `{"1":1}`, ""},
		{"binary", "", "\x00\xff\x01", "binary", "", "binary, and of no kind that is recognised"},
		{"not what its header says", "application/cbor", "\x1c", "binary", "", "not cbor: reserved length 28"},
		{"gzip", "", packedBody(t, `{"a":1}`), "json", `{"a":1}`, ""},
		{"gzip of cbor", "", packedBody(t, mustCBOR(t, map[string]any{"id": 1})), "cbor", `{"id":1}`, ""},
		{"a frame without a registry", "", "\x00\x00\x00\x00\x1f{\"a\":1}", "json", `{"a":1}`, ""},
		{"a frame of something without a registry", "", "\x00\x00\x00\x00\x1f\x06abc", "binary", "", "schema id 31, no registry configured"},
	} {
		r := record(tc.contentType, tc.body)
		text, kind, err := Decode(context.Background(), r, Env{})
		if kind != tc.kind || string(text) != tc.want || (err == nil) != (tc.err == "") || err != nil && err.Error() != tc.err {
			t.Errorf("%s: %s %q, %v; want %s %q, %s", tc.name, kind, text, err, tc.kind, tc.want, tc.err)
		}
	}
}

func TestJSONIsNotCopied(t *testing.T) {
	r := record("application/json", `{"a":[1,2,3]}`)
	text, _, err := Decode(context.Background(), r, Env{})
	if err != nil || &text[0] != &r.Body[0] || len(text) != len(r.Body) {
		t.Fatal("copied")
	}
	for contentType, want := range map[string]float64{"": 0, "application/json": 1} {
		r := record(contentType, `{"a":[1,2,3]}`)
		if n := testing.AllocsPerRun(100, func() { _, _, _ = Decode(context.Background(), r, Env{}) }); n > want {
			t.Errorf("content type %q: %v allocations", contentType, n)
		}
	}
}

func TestCutBodies(t *testing.T) {
	body := mustCBOR(t, []any{map[string]any{"id": 1}, "a longer text"})
	for _, tc := range []struct{ contentType, body, kind, want string }{
		{"", `{"a":1,"b":"x`, "json", `{"a":1,"b":"x`},
		{"application/cbor", body[:len(body)-4], "cbor", `[{"id":1}]`},
		{"", "some te", "text", `"some te"`},
	} {
		r := record(tc.contentType, tc.body)
		r.Cut = 100
		text, kind, err := Decode(context.Background(), r, Env{})
		if kind != tc.kind || string(text) != tc.want || err == nil || err.Error() != "100 bytes left out when it was read" {
			t.Errorf("%s %q, %v; want %s %q", kind, text, err, tc.kind, tc.want)
		}
	}
}

// packers make what our unpackers read, by the libraries' own writers.
func packers(t testing.TB) map[string]func(string) string {
	return map[string]func(string) string{
		"gzip": func(s string) string { return packedBody(t, s) },
		"zstd": func(s string) string {
			w, err := zstd.NewWriter(nil)
			if err != nil {
				t.Fatal(err)
			}
			return string(w.EncodeAll([]byte(s), nil))
		},
		"lz4": func(s string) string {
			var b bytes.Buffer
			w := lz4.NewWriter(&b)
			if _, err := w.Write([]byte(s)); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			return b.String()
		},
		"snappy": func(s string) string {
			var b bytes.Buffer
			w := s2.NewWriter(&b, s2.WriterSnappyCompat())
			if _, err := w.Write([]byte(s)); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			return b.String()
		},
		"snappy-java": func(s string) string { return string(xerial.Encode(nil, []byte(s))) },
	}
}

func TestUnpacking(t *testing.T) {
	doc := `{"orderId":"A-771","text":"` + strings.Repeat("some text ", 100) + `"}`
	for name, pack := range packers(t) {
		body := pack(doc)
		if v := Default().Inspect(context.Background(), record("", body), Env{}); v.Inspector != name+"+json" || len(v.Problems) > 0 {
			t.Errorf("%s: %s, %v", name, v.Inspector, v.Problems)
		}
		if text, kind, err := Decode(context.Background(), record("", body), Env{}); string(text) != doc || kind != "json" || err != nil {
			t.Errorf("%s: %s %.40q, %v", name, kind, text, err)
		}
		if got := Default().Brief(context.Background(), record("", body), Env{}, 30); got != doc[:30] {
			t.Errorf("%s: brief %q", name, got)
		}
		for i := range len(body) {
			v := Default().Inspect(context.Background(), record("", body[:i]), Env{})
			if i > 20 && len(v.Problems) == 0 {
				t.Fatalf("%s cut to %d of %d bytes: no problem", name, i, len(body))
			}
		}
	}
}

func TestWhatADriverHasDecoded(t *testing.T) {
	for _, body := range []string{`{"order":"A-790","note":"` + "\x1b" + `"}`, `123456789`, `"text"`, `{}`} {
		r := record("application/grpc", body)
		r.Schema = "shop.Order"
		v := Default().Inspect(context.Background(), r, files(t, "*=order.proto"))
		for _, p := range v.Problems {
			if strings.Contains(p.Message, "protobuf") {
				t.Errorf("%s: %s, %v", body, v.Inspector, v.Problems)
			}
		}
		if v.Inspector == "protobuf" {
			t.Errorf("%s is taken for Protobuf", body)
		}
	}
}

func TestBombs(t *testing.T) {
	const most = 1 << 20
	large := strings.Repeat("a", 10*most)
	d := transcoder{max: most}
	for name, pack := range packers(t) {
		body := pack(large)
		text, kind, err := d.body(context.Background(), record("", body))
		if kind != "text" || err == nil || !strings.Contains(err.Error(), "larger than") || len(text) > most+100 {
			t.Errorf("%s: %s, %d bytes, %v", name, kind, len(text), err)
		}
		v := Default().Inspect(context.Background(), record("", body), Env{Limit: 4096})
		if !v.Truncated || len(v.Lines) == 0 || len(v.Lines[0].String()) > 5000 {
			t.Errorf("%s: truncated=%v, %d lines", name, v.Truncated, len(v.Lines))
		}
	}
}

func TestContentEncoding(t *testing.T) {
	for _, tc := range []struct{ header, body, inspector, says string }{
		{"gzip", packedBody(t, "text"), "gzip+text", ""},
		{"snappy", string(s2.EncodeSnappy(nil, []byte("a text"))), "snappy+text", ""},
		{"identity", "text", "text", ""},
		{"UTF-8", "text", "text", ""},
		{"br", "\x1b\x07\x00\xf8", "hex", `content-encoding "br" is not supported`},
		{"gzip", "not packed", "text", "not gzip: "},
		{"snappy", "\xff\xff\xff\xff\x0f\x00", "hex", "not snappy: "},
	} {
		r := record("", tc.body)
		r.Header = []probes.Field{{Name: "Content-Encoding", Value: []byte(tc.header)}}
		v := Default().Inspect(context.Background(), r, Env{})
		says := ""
		if len(v.Problems) > 0 {
			says = v.Problems[0].Message
		}
		if v.Inspector != tc.inspector || !strings.Contains(says, tc.says) || tc.says == "" && says != "" {
			t.Errorf("%s: %s, %q", tc.header, v.Inspector, says)
		}
	}
}

func TestViewsOfEncodings(t *testing.T) {
	for _, tc := range []struct{ contentType, body, want string }{
		{"", mustCBOR(t, map[string]any{"at": cbor.Tag{Number: 1, Content: 1363896240}}), "cbor\n{\n  \"at\": 1363896240  // 2013-03-21T20:04:00Z\n}\n"},
		{"application/msgpack", "\x82\xa1a\xc4\x01x\xa1a\x90", "msgpack\n{\n  \"a\": \"eA==\",  // 1 byte: \"x\"\n  \"a\": []\n}\n! key \"a\" occurs more than once @12\n"},
		{"", protoBody(), "protobuf\n{\n  \"1\": 150,\n  \"2\": \"hello world\"\n}\n! no schema: fields by number, their types guessed @-1\n"},
		{"application/cbor", "\x82\x01", "hex\n00000000  82 01                                             ..\n! not cbor: it ends where an item should be @2\n"},
	} {
		if got := shown(Default().Inspect(context.Background(), record(tc.contentType, tc.body), Env{})); got != tc.want {
			t.Errorf("got  %s\nwant %s", got, tc.want)
		}
	}
}

// files writes schemas and opens them as the command line would.
func files(t *testing.T, assign ...string) Env {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"order.avsc":  `{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"long"},{"name":"name","type":"string"}]}`,
		"order.proto": `syntax = "proto3"; package shop; message Order { int64 id = 1; string name = 2; }`,
		"order.json":  `{"type":"object","required":["id"]}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var s Setup
	for _, a := range assign {
		topic, file, _ := strings.Cut(a, "=")
		parsed, err := schema.ParseAssignment(topic + "=" + filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		s.Files = append(s.Files, parsed)
	}
	opened, err := OpenSchemas(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.Close() })
	return Env{Schemas: opened}
}

func TestAssignedFiles(t *testing.T) {
	env := files(t, "avro*=order.avsc", "proto=order.proto", "json=order.json")
	for _, tc := range []struct{ topic, body, want string }{
		{"avro.1", "\x02\x04hi", "avro\n{\n  \"id\": 1,\n  \"name\": \"hi\"\n}\n"},
		// A body may start like a frame by chance, or have one although there
		// is no registry to ask.
		{"avro.1", "\x00\x0aabcde", "avro\n{\n  \"id\": 0,\n  \"name\": \"abcde\"\n}\n"},
		{"avro.1", "\x00\x00\x00\x00\x07\x02\x04hi", "avro\n{\n  \"id\": 1,\n  \"name\": \"hi\"\n}\n! schema id 7, no registry configured @-1\n"},
		{"proto", "\x00\x00\x00\x00\x07\x00\x08\x05", "protobuf\n{\n  \"id\": 5,\n  \"name\": \"\"  // not on the wire\n}\n! schema id 7, no registry configured @-1\n"},
		{"proto", "\x08\x05\x12\x02hi", "protobuf\n{\n  \"id\": 5,\n  \"name\": \"hi\"\n}\n"},
		{"proto", "\x0a\x05", "hex\n00000000  0a 05                                             ..\n! not protobuf shop.Order, order.proto: it ends inside field 1 @0\n"},
		{"json", `{"id":1}`, "json\n{\n  \"id\": 1\n}\n"},
		{"json", `{"a":1}`, "json\n{\n  \"a\": 1\n}\n! violates its schema at /: property \"id\" is missing @-1\n"},
		{"json", "text", "text\ntext\n! not json, order.json: the payload is not JSON @0\n"},
		{"avro.1", `{"id":1}`, "json\n{\n  \"id\": 1\n}\n! not avro shop.Order, order.avsc: length 17 for string, but 6 bytes left, field \"name\" @1\n"},
		{"other", "\x02\x04hi", "hex\n00000000  02 04 68 69                                       ..hi\n"},
	} {
		r := record("", tc.body)
		r.Source.Subject = tc.topic
		if got := shown(Default().Inspect(context.Background(), r, env)); got != tc.want {
			t.Errorf("%s %q:\ngot  %s\nwant %s", tc.topic, tc.body, got, tc.want)
		}
	}
	r := record("", `{"id":1}`)
	r.Source.Subject = "avro.1"
	if text, kind, err := Decode(context.Background(), r, env); kind != "json" || string(text) != `{"id":1}` || err != nil {
		t.Errorf("JSON where Avro was expected: %s %s, %v", kind, text, err)
	}
}

func TestARegistryThatDoesNotAnswer(t *testing.T) {
	env := withRegistry(t, registry.Options{URL: "http://127.0.0.1:1", Strategy: registry.TopicName})
	r := record("", "\x00\x00\x00\x00\x1f\x06abc")
	r.Source.Subject = "orders"
	v := Default().Inspect(context.Background(), r, env)
	if v.Inspector != "hex" || len(v.Problems) == 0 || !strings.Contains(v.Problems[0].Message, "schema id 31, registry http://127.0.0.1:1") {
		t.Errorf("%s, %v", v.Inspector, v.Problems)
	}
	// JSON does not need it.
	plain := record("", `{"a":1}`)
	plain.Source.Subject = "orders"
	if text, kind, err := Decode(context.Background(), plain, env); kind != "json" || string(text) != `{"a":1}` || err != nil {
		t.Errorf("%s %s, %v", kind, text, err)
	}
}

type pending struct{}

func (pending) Find(context.Context, schema.Query) (schema.Found, error) {
	return schema.Found{}, schema.ErrPending
}

func TestPending(t *testing.T) {
	v := Default().Inspect(context.Background(), record("", "\x00\x00\x00\x00\x1f\x06abc"), Env{Schemas: pending{}})
	if !v.Pending || v.Inspector != "hex" || v.Problems[0].Message != "schema id 31, the schema is being fetched" {
		t.Errorf("%+v", v)
	}
	if _, _, err := Decode(context.Background(), record("", "\x00\x00\x00\x00\x1f\x06abc"), Env{Schemas: pending{}}); !errors.Is(err, schema.ErrPending) {
		t.Errorf("got %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{"a":1}`, "[1]", "text", "\x00\x00\x00\x00\x1f\x06abc", "\x81\xa2id\x01", "\xa1\x62id\x01", protoBody(), "\x1f\x8b\x08", "\x28\xb5\x2f\xfd\x00", "\x04\x22\x4d\x18", xerialMagic} {
		f.Add([]byte(s), "")
		f.Add([]byte(s), "application/cbor")
		f.Add([]byte(s), "application/x-protobuf")
	}
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		r := record(contentType, string(body))
		text, kind, err := Decode(context.Background(), r, Env{})
		if kind == "" || kind == "binary" && (text != nil || err == nil) || kind != "json" && text != nil && !json.Valid(text) {
			t.Fatalf("%q: %s %q, %v", body, kind, text, err)
		}
		Default().Brief(context.Background(), r, Env{}, 40)
		if v := Default().Inspect(context.Background(), r, Env{Schemas: pending{}}); v.Inspector == "" {
			t.Fatalf("no view of %q", body)
		}
	})
}
