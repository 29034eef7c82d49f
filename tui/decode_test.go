package tui

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"iscope/inspectors"
	"iscope/inspectors/registry"
	"iscope/probes"
	"iscope/probes/probetest"
)

// registries are what a schema registry does in these tests.
type registries struct {
	down    atomic.Bool
	release chan struct{} // answers wait until it is closed
	asked   atomic.Int32
}

func (r *registries) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.asked.Add(1)
	select {
	case <-r.release:
	case <-q.Context().Done():
		return
	}
	switch {
	case r.down.Load():
		w.WriteHeader(http.StatusBadGateway)
	case strings.HasSuffix(q.URL.Path, "/ids/7"):
		fmt.Fprint(w, `{"schema":"{\"type\":\"record\",\"name\":\"shop.Order\",\"fields\":[{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"cents\",\"type\":\"long\"}]}"}`)
	default:
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"error_code":40403,"message":"Schema not found"}`)
	}
}

// framed is an order by schema 7, or by one that nobody knows.
func framed(id uint32, name string, cents int) []byte {
	b := binary.BigEndian.AppendUint32([]byte{0}, id)
	b = append(append(b, byte(2*len(name))), name...)
	return binary.AppendVarint(b, int64(cents))
}

// decoding is a dashboard on a topic of Avro.
func decoding(t *testing.T) (*registries, *probetest.Fake, Options) {
	reg := &registries{release: make(chan struct{})}
	srv := httptest.NewServer(reg)
	t.Cleanup(srv.Close)
	f := shop("orders")
	for i := range 10 {
		f.Append("avro", probes.Record{Key: framed(7, "key", i), Body: framed(7, fmt.Sprintf("A-%d", i), i*100)})
	}
	f.Append("avro", probes.Record{Body: framed(99, "lost", 1)})
	f.Behave("avro", probetest.Manner{Dead: &probes.DeadLetter{Origins: []string{"orders"}, Because: "named like one"}})
	o := options(t, f)
	o.Config = loaded(t, fmt.Sprintf("environments:\n  here: {class: local, targets: {shop: {url: \"fake://shop:1\", schemas: {registry: %q}}}}\n", srv.URL), o.Session.Drivers)
	o.Session.Schemas = func(from probes.Schemas, report func(error)) (inspectors.Setup, error) {
		return inspectors.Setup{Registry: registry.Options{URL: from.Registry, Report: report}}, nil
	}
	return reg, f, o
}

// What needs a schema is drawn at once, says what it waits for, and is decoded when
// that has come, without a key being pressed.
func TestBodiesAreDecodedWhenTheirSchemaHasCome(t *testing.T) {
	reg, _, o := decoding(t)
	s := begin(t, o, "tail shop/avro")
	s.until("the schema is being fetched")
	s.press("f") // nothing is held up by it
	s.types("body.cents >= 500")
	s.until("0 of 11 match, 11 unjudged")
	close(reg.release)
	s.until("5 of 11 match, 1 unjudged")
	s.press("enter", "esc")
	s.until(`{"id":"A-9","cents":900}`)
	s.has("list", `? not found: schema id 99`, `{"id":"key"`)
	s.press("enter")
	s.until("▲ not found: schema id 99")
	s.has("undecodable", "00000000  00 00 00 00 63 08 6c 6f")
	s.press("]", "]", "]")
	s.until("[Schema]")
	s.has("no schema", "registry http://127.0.0.1:", "value not found: schema id 99")
	s.press("esc", "k", "enter")
	s.until(`"cents": 900`)
	s.has("decoded", "avro shop.Order, id 7")
	s.press("c")
	s.until("copied decoded value (24 B)")
	s.press("]", "]", "]")
	s.until(`"name": "shop.Order"`)
	s.has("schema", "value avro shop.Order, id 7", `"type": "record"`)
	s.press("[")
	s.until("[Meta]")
	s.until("schema of the key")
	if n := reg.asked.Load(); n != 2 {
		t.Errorf("%d requests for two schemas", n)
	}
}

func TestARegistryThatIsDownCostsOneLine(t *testing.T) {
	reg, _, o := decoding(t)
	reg.down.Store(true)
	close(reg.release)
	s := begin(t, o, "tail shop/avro")
	s.until("no schemas (7)")
	s.has("tail", "▲ no schemas (7)", "11 records", "? schema id 7,")
	s.press("7")
	s.until("schemas: registry http://127.0.0.1:")
	s.has("diagnostics", "● shop fake ok", "502", "asked again")
	s.press("3")
	reg.down.Store(false)
	s.until(`{"id":"A-9","cents":900}`)
	s.until("reads only  overwritten") // and it is not said to be down any more
}

func TestDeadLettersAreDecodedToo(t *testing.T) {
	reg, f, o := decoding(t)
	close(reg.release)
	s := begin(t, o, "dlq shop/avro")
	s.until("LOOK at")
	s.press("down", "enter")
	s.until("11 read of 11")
	s.until(`{"id":"A-9","cents":900}`)
	s.press("f")
	s.types("body.cents < 300")
	s.until("3 of 11, 1 unjudged")
	s.press("enter", "r")
	s.until("GUARD RAILS")
	s.has("plan", "3 of 11 that were read: those that match body.cents < 300", "1 could not be judged and stay")
	s.press("t")
	s.types("orders")
	s.press("enter", "r")
	s.until("REDRIVE")
	s.press("down", "enter")
	s.until("selected 3 = sent 3 + failed 0")
	if n := len(f.Log("orders")); n != 53 {
		t.Errorf("%d records where 3 were sent", n)
	}
}
