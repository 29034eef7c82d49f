package graphql

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"iscope/probes"
	"iscope/probes/probetest"
)

// These tests run against GraphQL Yoga: a server that nobody here wrote.

func yoga(t *testing.T, options ...string) *probe {
	return openTarget(t, target(probetest.Need(t, "yoga").Addresses["http"], options...))
}

func TestYogaIsListed(t *testing.T) {
	p := yoga(t)
	methods, err := p.Methods(patience(t))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range methods {
		names = append(names, m.Name)
	}
	want := []string{"mutation", "mutation placeOrder", "mutation setStatus", "query", "query node", "query order", "query orders", "query search",
		"subscription", "subscription countdown", "subscription orderPlaced"}
	if !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
	sub := methods[slices.Index(names, "subscription countdown")]
	if sub.Group != "subscription" || sub.Effect != probes.EffectRead || !sub.ServerStream || !strings.HasPrefix(sub.Doc, "Counts down") ||
		sub.Input != "Subscription.countdown" || sub.Output != "Int" {
		t.Errorf("%+v", sub)
	}
	place := methods[slices.Index(names, "mutation placeOrder")]
	if place.Effect != probes.EffectWrite || !strings.Contains(string(place.Template), `"variables":{"order":{"customer":"","lines":[{"sku":"","quantity":1}],"status":"OPEN"}}`) {
		t.Errorf("%+v with template %s", place, place.Template)
	}
	s, err := p.Contract(patience(t))
	if err != nil || s.Type != "graphql" || !strings.Contains(s.Text, `ref: String @deprecated(reason: "Use id.")`) || len(s.Data) != len(s.Text) {
		t.Errorf("%s %v", s.Text, err)
	}
}

// The servers of the testbed have no path of their own when none is given.
func TestYogaIsFound(t *testing.T) {
	at := strings.TrimSuffix(probetest.Need(t, "yoga").Addresses["http"], "/graphql")
	p := openTarget(t, target(at))
	if err := p.Check(patience(t)); err != nil {
		t.Fatal(err)
	}
	for snap, err := range p.Discover(patience(t), probes.DiscoverQuery{}) {
		if err != nil || !snap.Complete {
			t.Fatalf("%+v %v", snap, err)
		}
		n := snap.Claims[0].Node
		if v, _ := probes.FindAttr(n.Attrs, probes.AttrURL); v != at+"/graphql" || n.Health != probes.HealthOK {
			t.Errorf("%+v", n)
		}
	}
	_, err := openTarget(t, target(at+"/elsewhere")).Methods(patience(t))
	wantError(t, err, probes.ErrNotFound, "404", "/api/graphql")
}

func TestYogaAnswers(t *testing.T) {
	p := yoga(t)
	_, resp, end := mustInvoke(t, p, "orders", `{"status":"SHIPPED"}`)
	if !strings.Contains(string(resp.Body), `"invoice of o2"`) || attr(end, probes.AttrHTTPStatus) != "200" {
		t.Errorf("%s %+v", resp.Body, end)
	}
	if got := attrs(end, probes.AttrPath); !slices.Contains(got, "orders.0.margin: Unexpected error. (INTERNAL_SERVER_ERROR)") {
		t.Errorf("%q", got)
	}
	_, resp, end = mustInvoke(t, p, `query($text: String!) { search(text: $text) { ... on Customer { name } } }`, `{"text":"Grace"}`)
	if string(resp.Body) != `{"data":{"search":[{"name":"Grace"}]}}` || end.Err != "" {
		t.Errorf("%s %q", resp.Body, end.Err)
	}
	_, resp, end = mustInvoke(t, p, "mutation placeOrder", `{"order":{"customer":"c9 \u001b[31m","lines":[{"sku":"x"}]}}`)
	if end.Err != "1 error" || attr(end, probes.AttrErrorType) != "NO_SUCH_CUSTOMER" || strings.ContainsRune(string(resp.Body), 0x1b) {
		t.Errorf("%s %+v", resp.Body, end)
	}
	// What we would not have sent, the server refuses as well.
	_, _, end = mustInvoke(t, p, "{ orders { idd } }", "", force)
	if !strings.HasSuffix(end.Err, "1 error") || !strings.HasPrefix(attrs(end, probes.AttrPath)[0], "query 1:12: Cannot query field") {
		t.Errorf("%+v", end)
	}
}

// Every query that is made for the server is one that it takes, at every depth.
func TestYogaTakesEverySkeleton(t *testing.T) {
	for _, depth := range []string{"1", "2", "4"} {
		p := yoga(t, optDepth, depth)
		for _, doc := range []struct{ method, vars string }{{"query node", `{"id":"o1"}`}, {"query order", `{"id":"o2"}`}, {"query orders", ""}, {"query search", `{"text":"tea"}`}} {
			_, resp, _ := mustInvoke(t, p, doc.method, doc.vars)
			if a := readAnswer("", resp.Body); !a.hasData || slices.ContainsFunc(a.errors, func(e answerError) bool { return strings.HasPrefix(e.path, "query ") }) {
				t.Errorf("%s at %s: %s", doc.method, depth, resp.Body)
			}
		}
	}
	_, resp, _ := mustInvoke(t, yoga(t), "query order", `{"depth":1,"variables":{"id":"o1"}}`)
	if strings.Contains(string(resp.Body), "customer") {
		t.Errorf("at depth 1 %s", resp.Body)
	}
}

func TestYogaSubscribes(t *testing.T) {
	for how, protocol := range map[string]string{"auto": protocolWS, "ws": protocolWS, "sse": protocolSSE} {
		p := yoga(t, optSubscriptions, how)
		recs, err := invoke(t, p, "subscription countdown", `{"from":2}`)
		if err != nil || len(recs) != 5 || attr(recs[1], probes.AttrProtocol) != protocol || string(recs[3].Body) != `{"data":{"countdown":0}}` {
			t.Errorf("%s: %+v %v", how, recs, err)
			continue
		}
		if end := recs[4]; end.Err != "" || attr(end, probes.AttrStatus) != "complete, 3 answers" {
			t.Errorf("%s: %+v", how, end)
		}
		recs, err = invoke(t, p, "countdown", `{"from":-1}`)
		if err != nil || recs[len(recs)-1].Err != "1 error" || attr(recs[len(recs)-1], probes.AttrErrorType) != "BELOW_ZERO" {
			t.Errorf("%s below zero: %+v %v", how, recs, err)
		}
	}
}

// A subscription brings what another call causes.
func TestYogaTellsOfOrders(t *testing.T) {
	for _, how := range []string{"ws", "sse"} {
		p := yoga(t, optSubscriptions, how)
		note := "of the test over " + how
		place := func() {
			mustInvoke(t, p, "placeOrder", fmt.Sprintf(`{"order":{"customer":"c1","lines":[{"sku":"s"}],"note":%q}}`, note))
		}
		ended := make(chan struct{})
		arrived := make(chan string)
		ctx := patience(t)
		go func() {
			defer close(ended)
			for rec, err := range p.Invoke(ctx, probes.Invocation{Method: "orderPlaced", Next: docs(`{"customer":"c1"}`)}) {
				if err != nil {
					t.Error(err)
					return
				}
				if rec.Kind == probes.Response && strings.Contains(string(rec.Body), note) {
					arrived <- string(rec.Body)
					return
				}
			}
		}()
		for done := false; !done; { // until the subscription is there, nobody is told
			place()
			select {
			case body := <-arrived:
				var a struct {
					Data struct{ OrderPlaced struct{ ID string } }
				}
				if err := json.Unmarshal([]byte(body), &a); err != nil || a.Data.OrderPlaced.ID == "" {
					t.Errorf("%s %v", body, err)
				}
				done = true
			case <-ended:
				done = true
			default:
			}
		}
		<-ended
	}
}

func TestYogaClosed(t *testing.T) {
	at := probetest.Need(t, "yoga").Addresses["closed"]
	p := openTarget(t, target(at))
	_, err := p.Contract(patience(t))
	wantError(t, err, probes.ErrNotFound, "the server answers, but introspection is refused: GraphQL introspection has been disabled", "option schema")
	_, resp, end := mustInvoke(t, p, "{ order(id: \"o1\") { id } }", "")
	if string(resp.Body) != `{"data":{"order":{"id":"o1"}}}` || end.Err != "" {
		t.Errorf("%s %q", resp.Body, end.Err)
	}
	recs, err := invoke(t, p, "subscription { countdown(from: 1) }", "")
	if err != nil || len(recs) != 4 || attr(recs[0], attrFallback) != "WebSocket: the server answered 400 Bad Request" {
		t.Errorf("%+v %v", recs, err)
	}
}

func TestYogaPassesTheSuite(t *testing.T) {
	s := probetest.Need(t, "yoga")
	probetest.Run(t, probetest.Suite{
		Driver:   Driver(),
		Target:   target(s.Addresses["http"]),
		Discover: &probetest.DiscoverCase{Kinds: []probes.NodeKind{probes.NodeService}, Subject: "shop", Unknown: "query ordr"},
		Invoke:   &probetest.InvokeCase{Method: "query search", Doc: `{"text":"nothing of the kind"}`, Unknown: "query ordr", Body: "mutation placeOrder"},
	})
}

// TestYogaFails is the suite of faults, on a server of its own.
func TestYogaFails(t *testing.T) {
	probetest.RunFaults(t, probetest.FaultCase{
		Driver: Driver(), Server: "yoga",
		Target: func(i *probetest.Instance) probes.Target { return target(i.Addresses["http"]) },
		Invoke: &probetest.FaultInvoke{Method: "subscription countdown", Doc: `{"from":20000}`, Bytes: 300_000, Kept: true},
		Oversized: func(t *testing.T, _ *probetest.Instance, conn *probes.Conn) {
			big := `{"text":"` + strings.Repeat("x", 4<<20) + `"}`
			recs, err := probetest.Invoke(t.Context(), conn, probes.Invocation{Method: "query search", Next: probetest.Docs(big)})
			if err != nil || recs[len(recs)-1].Kind != probes.End {
				t.Errorf("%d records, error %v", len(recs), err)
			}
			recs, err = probetest.Invoke(t.Context(), conn, probes.Invocation{Method: "query orders"})
			if err != nil || len(recs) != 3 {
				t.Errorf("%d records, error %v", len(recs), err)
			}
		},
	})
}
