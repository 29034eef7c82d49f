package inspectors

import (
	"context"
	"encoding/base64"
	"strings"
	"testing"

	"iscope/probes"
)

func TestCloudEventsInStructuredMode(t *testing.T) {
	const head = `{"specversion":"1.0","id":"A-1","source":"/orders","type":"shop.order.created"`
	for _, tc := range []struct{ name, contentType, body, inspector, wants string }{
		{"json data", "application/cloudevents+json; charset=UTF-8", head + `,"data":{"id":1}}`, "cloudevents+json", `"data": {` + "\n" + `    "id": 1`},
		{"without a header", "", head + `,"data":{"id":1}}`, "cloudevents+json", `"id": 1`},
		{"base64", "", head + `,"datacontenttype":"application/cbor","data_base64":"` + base64.StdEncoding.EncodeToString([]byte("\xa1\x62id\x01")) + `"}`,
			"cloudevents+json", "data: cbor\n{\n  \"id\": 1\n}"},
		{"text in a string", "", head + `,"datacontenttype":"text/xml","data":"<a><b/></a>"}`, "cloudevents+json", "data: xml\n<a>\n  <b/>\n</a>"},
		{"not one", "application/cloudevents+json", `{"specversion":"1.0"}`, "json", "! not a CloudEvent: specversion, id, source and type are required @-1"},
		{"only alike", "", `{"specversion":"1.0","id":5}`, "json", `"id": 5`},
	} {
		v := Default().Inspect(context.Background(), record(tc.contentType, tc.body), Env{})
		if got := shown(v); v.Inspector != tc.inspector || !strings.Contains(got, tc.wants) {
			t.Errorf("%s: got %s", tc.name, got)
		}
		text, kind, err := Decode(context.Background(), record(tc.contentType, tc.body), Env{})
		if kind != "json" || string(text) != tc.body || err != nil {
			t.Errorf("%s: %s %s, %v", tc.name, kind, text, err)
		}
	}
}

func TestCloudEventsInBinaryMode(t *testing.T) {
	for _, prefix := range []string{"ce_", "ce-", "Ce-", "cloudEvents:", "cloudEvents_"} {
		r := record("application/msgpack", "\x81\xa2id\x01")
		for _, h := range []struct{ name, value string }{{"specversion", "1.0"}, {"id", "A-1"}, {"type", "shop.order\x1b[31m"}, {"Partitionkey", "7"}} {
			r.Header = append(r.Header, probes.Field{Name: prefix + h.name, Value: []byte(h.value)})
		}
		got := shown(Default().Inspect(context.Background(), r, Env{}))
		want := "cloudevents+msgpack\n{\n  \"specversion\": \"1.0\",\n  \"id\": \"A-1\",\n  \"type\": \"shop.order\\u001b[31m\",\n  \"partitionkey\": \"7\"\n}\ndata: msgpack\n{\n  \"id\": 1\n}\n"
		if got != want {
			t.Errorf("%s\ngot  %s\nwant %s", prefix, got, want)
		}
		if text, kind, err := Decode(context.Background(), r, Env{}); kind != "msgpack" || string(text) != `{"id":1}` || err != nil {
			t.Errorf("%s: %s %s, %v", prefix, kind, text, err)
		}
	}
}

func TestACloudEventWithASchema(t *testing.T) {
	env := files(t, "orders=order.avsc")
	r := record("", "\x02\x04hi")
	r.Source.Subject = "orders"
	r.Header = []probes.Field{{Name: "ce_specversion", Value: []byte("1.0")}}
	if v := Default().Inspect(context.Background(), r, env); v.Inspector != "cloudevents+avro" || !strings.HasPrefix(v.Schema, "avro shop.Order") || len(v.Problems) > 0 {
		t.Errorf("%s by %s: %v", v.Inspector, v.Schema, v.Problems)
	}
}
