package inspectors

import (
	"context"
	"strings"
	"testing"

	"iscope/inspectors/schema"
)

// known is a finder that always has the schema.
type known struct{ found schema.Found }

func (k known) Find(context.Context, schema.Query) (schema.Found, error) { return k.found, nil }

func BenchmarkDecode(b *testing.B) {
	order := `{"orderId":"A-771","status":"REJECTED","amount":120.50,"customer":{"id":5531,"tier":"gold"},"reason":"limit"}`
	avro, err := schema.Compile(context.Background(), schema.Source{Type: schema.Avro,
		Text: `{"type":"record","name":"Order","fields":[{"name":"id","type":"long"},{"name":"name","type":"string"}]}`})
	if err != nil {
		b.Fatal(err)
	}
	env := Env{Schemas: known{schema.Found{Schema: avro, From: "id 31"}}}
	packs := packers(b)
	for _, bc := range []struct {
		name, body string
		env        Env
	}{
		{"json", order, Env{}}, {"json12MB", `{"a":"` + strings.Repeat("x", 12<<20) + `"}`, Env{}}, {"text", "some text " + strings.Repeat("x", 200), Env{}},
		{"msgpack", "\x82\xa2id\x01\xa4name\xa5hello", Env{}}, {"cbor", mustCBOR(b, map[string]any{"id": 1, "name": "hello"}), Env{}},
		{"protobuf", protoBody(), Env{}}, {"binary", "\x00\xff\x01\x02\x03\x04", Env{}}, {"avro", "\x00\x00\x00\x00\x1f\x02\x0ahello", env},
		{"gzip", packs["gzip"](order), Env{}}, {"zstd", packs["zstd"](order), Env{}}, {"lz4", packs["lz4"](order), Env{}}, {"snappy", packs["snappy"](order), Env{}},
	} {
		r := record("", bc.body)
		b.Run(bc.name, func(b *testing.B) {
			b.SetBytes(int64(len(bc.body)))
			b.ReportAllocs()
			for b.Loop() {
				_, _, _ = Decode(context.Background(), r, bc.env)
			}
		})
	}
	r := record("", "\x00\x00\x00\x00\x1f\x02\x0ahello")
	b.Run("view of avro", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Default().Inspect(context.Background(), r, env)
		}
	})
	b.Run("brief of avro", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			sink = Default().Brief(context.Background(), r, env, 100)
		}
	})
}
