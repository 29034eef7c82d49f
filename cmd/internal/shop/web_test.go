package shop

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestOpenAPIDocumentsAreValid(t *testing.T) {
	s := open(t, Options{})
	for _, url := range []string{
		s.Addresses()["shop-api"] + "/openapi.json", s.Addresses()["shop-gateway"] + "/openapi.json",
		s.Addresses()["shop-graphql"] + "/openapi.json", s.Addresses()["shop-graphql"] + "/graphql/openapi.json",
		s.Addresses()["staging-api"] + "/openapi.json",
	} {
		_, text := get(t, "GET", "http://"+url, "")
		doc, err := openapi3.NewLoader().LoadFromData([]byte(text))
		if err != nil {
			t.Fatalf("%s: %v", url, err)
		}
		if err := doc.Validate(within(t)); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestEveryDocumentedOperationIsServed(t *testing.T) {
	s := open(t, Options{})
	base := "http://" + s.Addresses()["shop-api"]
	doc, err := openapi3.NewLoader().LoadFromData(openAPI)
	if err != nil {
		t.Fatal(err)
	}
	served := 0
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			for _, p := range op.Parameters {
				path = strings.ReplaceAll(path, "{"+p.Value.Name+"}", fmt.Sprint(p.Value.Example))
			}
			body := ""
			if op.RequestBody != nil {
				text, err := json.Marshal(op.RequestBody.Value.Content["application/json"].Example)
				if err != nil {
					t.Fatal(err)
				}
				body = string(text)
			}
			res, text := get(t, method, base+path, body)
			if op.Responses.Value(fmt.Sprint(res.StatusCode)) == nil || res.StatusCode >= 300 {
				t.Errorf("%s %s gives %s %s", method, path, res.Status, text)
			}
			served++
		}
	}
	if served != 5 {
		t.Errorf("there are %d operations", served)
	}
}

func TestTheAPISaysWhatIsWrong(t *testing.T) {
	s := open(t, Options{})
	base := "http://" + s.Addresses()["shop-api"]
	for _, tt := range []struct {
		method, path, body string
		code               int
		says               string
	}{
		{"GET", "/orders/ord-0", "", 404, "there is no order"},
		{"GET", "/stock/NONE", "", 404, "there is no article"},
		{"GET", "/orders?limit=many", "", 400, "limit"},
		{"GET", "/orders?status=lost", "", 400, "status"},
		{"POST", "/orders", "{", 400, "not an order"},
		{"POST", "/orders", "{}", 400, "cannot be taken"},
		{"POST", "/orders", `{"note":"` + strings.Repeat("x", 1<<20) + `"}`, 413, "1 MiB"},
		{"POST", "/orders", `{"lines":[{"sku":"PEN-03","quantity":1}],"card":"tok_declined"}`, 402, "declined"},
		{"POST", "/orders", `{"lines":[{"sku":"PEN-03","quantity":1}],"card":"tok_flaky"}`, 503, "does not answer"},
		{"GET", "/nothing", "", 404, "/openapi.json"},
	} {
		res, text := get(t, tt.method, base+tt.path, tt.body)
		if res.StatusCode != tt.code || !strings.Contains(text, tt.says) || res.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %s gives %s %s", tt.method, tt.path, res.Status, text)
		}
	}
}

func TestTheGatewayMarksWhatPasses(t *testing.T) {
	s := open(t, Options{})
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	res, _ := get(t, "GET", "http://"+s.Addresses()["shop-gateway"]+"/healthz", "", "Traceparent", "00-"+trace+"-00f067aa0ba902b7-01")
	if res.StatusCode != 200 || res.Header.Get("Via") == "" || res.Header.Get("X-Request-Id") == "" || res.Header.Get("X-Trace-Id") != trace {
		t.Errorf("it answers %s %v", res.Status, res.Header)
	}
}

func TestTheGatewayTurnsSomeAwayAlwaysTheSame(t *testing.T) {
	s := open(t, Options{Seed: 3})
	base := "http://" + s.Addresses()["shop-gateway"] + "/healthz"
	seen := map[int]bool{}
	for i := 0; len(seen) < 2; i++ {
		id := fmt.Sprintf("req-%d", i)
		want := turnedAway(3, id)
		if want == 0 || seen[want] {
			continue
		}
		seen[want] = true
		for range 2 {
			res, text := get(t, "GET", base, "", "X-Request-Id", id)
			if res.StatusCode != want || res.Header.Get("Retry-After") == "" {
				t.Errorf("%s is answered %s %s, want %d", id, res.Status, text, want)
			}
		}
	}
	if !seen[http.StatusTooManyRequests] || !seen[http.StatusServiceUnavailable] {
		t.Errorf("it turns away with %v", seen)
	}
}

// TestTracesReachKafka follows one trace from the gateway to both topics.
func TestTracesReachKafka(t *testing.T) {
	s := open(t, Options{})
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	res, text := get(t, "POST", "http://"+s.Addresses()["shop-gateway"]+"/orders",
		`{"id":"ord-traced","lines":[{"sku":"PEN-03","quantity":1}]}`, "Traceparent", "00-"+trace+"-00f067aa0ba902b7-01")
	if res.StatusCode != 201 {
		t.Fatalf("it answers %s %s", res.Status, text)
	}
	for _, topic := range []string{topicCreated, topicCaptured} {
		consume(t, s.Addresses()["shop-kafka"], []string{topic}, func(all []*kgo.Record) bool {
			for _, r := range all {
				if string(r.Key) == "ord-traced" {
					if got, _ := parseTrace(headerOf(r, "traceparent")); got.id != trace {
						t.Errorf("the trace on %s is %q", topic, got.id)
					}
					return true
				}
			}
			return false
		})
	}
}

func TestGraphQLAnswers(t *testing.T) {
	s := open(t, Options{})
	url := "http://" + s.Addresses()["shop-graphql"] + "/graphql"
	for name, tt := range map[string]struct{ query, want string }{
		"introspection":    {`{ __schema { queryType { name fields { name } } } }`, `"products"`},
		"all articles":     {`{ products(first: 2) { sku price { cents currency } stock tags } }`, `{"sku":"MUG-02"`},
		"articles by tag":  {`{ products(tag: \"travel\") { sku } }`, `{"products":[{"sku":"BAG-01"}]}`},
		"one article":      {`{ product(sku: \"PEN-03\") { name price { cents } } }`, `{"name":"Fountain pen","price":{"cents":4200}}`},
		"no article":       {`{ product(sku: \"NONE\") { name } }`, `{"product":null}`},
		"an order":         {`{ order(id: \"ord-10002\") { id status total { cents } note createdAt lines { quantity product { name } } } }`, `"id":"ord-10002"`},
		"no order":         {`{ order(id: \"ord-0\") { id } }`, `{"order":null}`},
		"an unknown field": {`{ nothing }`, `"errors"`},
	} {
		t.Run(name, func(t *testing.T) {
			res, text := get(t, "POST", url, `{"query":"`+tt.query+`"}`)
			if res.StatusCode != 200 || !strings.Contains(text, tt.want) {
				t.Errorf("it answers %s %s", res.Status, text)
			}
		})
	}
	if res, text := get(t, "GET", url+"?query=%7Bproduct(sku%3A%22PEN-03%22)%7Bname%7D%7D", ""); !strings.Contains(text, "Fountain pen") {
		t.Errorf("GET answers %s %s", res.Status, text)
	}
	// The documented operation, where a tool finds it.
	if res, text := get(t, "POST", url+"/", `{"query":"{products{sku}}"}`); !strings.Contains(text, "MUG-01") {
		t.Errorf("the documented path answers %s %s", res.Status, text)
	}
	if res, _ := get(t, "POST", url, "no JSON"); res.StatusCode != 400 {
		t.Errorf("a bad body is answered %s", res.Status)
	}
}
