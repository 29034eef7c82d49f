package tui

import (
	"fmt"
	"strings"
	"testing"

	"iscope/probes"
)

// typedOrders is a topic of orders of three types, with two that are no document.
func typedOrders() (s string, bodies []string) {
	for i := range 30 {
		bodies = append(bodies, fmt.Sprintf(`{"id":"A-%d","cents":%d,"type":"%s"}`, i, i*100, []string{"Created", "Paid", "Rejected"}[i%3]))
	}
	return "typed", append(bodies, "no document", "\x00\x01\x02")
}

func withOrders(t *testing.T) Options {
	f := shop("orders")
	subject, bodies := typedOrders()
	for _, b := range bodies {
		f.Append(subject, probes.Record{Body: []byte(b), Key: []byte("k")})
	}
	return options(t, f)
}

func TestATailIsFilteredAsItIsTyped(t *testing.T) {
	s := begin(t, withOrders(t), "tail shop/typed")
	s.until("32 records")
	s.press("f")
	s.types(`body.cents >= 1000`)
	s.until("20 of 32 match, 2 unjudged")
	s.has("typing", "FILTER body.cents >= 1000", "2 records could not be judged, first: body.cents:", "↵ take it", "esc as before", "tab completes")
	s.types(` && body.type == "Paid"`)
	s.until("7 of 32 match")
	s.types(` && tipe == 1`)
	s.until(`no field is called "tipe"`)
	s.has("mistake", "7 of 32 match", "^") // the old result stays
	s.press("enter")
	s.press("ctrl+u")
	s.until("32 records")
	s.types("rejected")
	s.until("10 of 32 match")
	s.press("enter", "esc")
	s.until("no document")
	s.press("f", "up")
	s.until("FILTER rejected")
	s.press("esc")
	s.until("no document")
}

func TestRowsLikeThisAreLeftOut(t *testing.T) {
	s := begin(t, withOrders(t), "tail shop/typed")
	s.until("no document")
	s.press("k", "k") // A-29, Rejected
	s.press("X")
	s.until(`FILTER not (body.type == "Rejected")`)
	s.until("20 of 32 match, 2 unjudged")
	s.press("X") // now on A-28 or what stands in its place
	s.until(`not (body.type == "Rejected") && not (body.type == "Paid")`)
	s.until("10 of 32 match")
	s.press("esc")
	s.until("no document")
}

func TestFindGoesFromHitToHit(t *testing.T) {
	s := begin(t, withOrders(t), "tail shop/typed")
	s.until("no document")
	s.press("/")
	s.types(`body.type == "Paid" and body.cents < 2000`)
	s.press("enter", "enter")
	s.until(`"id": "A-19"`)
	s.press("esc", "N", "enter")
	s.until(`"id": "A-16"`)
	s.press("esc", "n", "enter")
	s.until(`"id": "A-19"`)
	s.press("esc", "n")
	s.until("no further hit behind")
}

// What is said about the stream stays in sight, whatever the filter.
func TestGapsAreNotFilteredAway(t *testing.T) {
	f := shop("orders")
	f.FailAt("orders", 50, probes.ErrUnreachable)
	s := begin(t, options(t, f), "tail shop/orders")
	s.until("connection lost")
	s.press("f")
	s.types("key == \"never\"")
	s.press("enter")
	s.until("connection lost")
	s.until("0 of 50 match")
	s.press("g", "X")
	s.until("what is said about a stream is always shown")
}

func TestListsAreFilteredByTheSameLanguage(t *testing.T) {
	s := start(t, options(t, queues()))
	s.until("probes 1/1")
	s.press("f")
	s.types(`kind == "queue" and name startsWith "w"`)
	s.until("1 of 5 nodes")
	s.types(` and nmae == 1`)
	s.until(`no field is called "nmae"`)
	s.has("mistake", "1 of 5 nodes", "did you mean name")
	s.press("esc")
	s.until("payments")
	s.press("7", "/")
	s.types(`health == "fail"`)
	s.until("0 of 1 targets")
	s.has("diagnostics", "No target matches the filter")
	s.press("enter", "esc")
	s.until("fake")
	s.press("8")
	s.until("14 in 2 places")
	s.press("f")
	s.types(`attrs["count"] > 3`)
	s.until("1 of 2")
	s.press("enter")
	s.until("14 in 1 place")
}

// What is chosen of a capture is what is planned.
func TestACaptureIsReplayedAsFiltered(t *testing.T) {
	s := begin(t, withOrders(t), "tail shop/typed")
	s.until("32 records")
	s.press("b")
	s.until("recording to")
	f := s.r.s
	feed := f.Feeds()[0]
	conn, err := f.Conn(t.Context(), "shop")
	if err != nil {
		t.Fatal(err)
	}
	p, err := conn.Publisher()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 9 {
		rec := probes.Record{Source: probes.Ref{Target: "shop", Subject: "typed"}, Body: fmt.Appendf(nil, `{"n":%d,"type":"late"}`, i)}
		if _, err := p.Publish(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
	}
	for {
		if _, n := feed.Capturing(); n == 9 {
			break
		}
		<-s.drawn
	}
	s.press("b")
	s.until("recorded 9 records")
	s.press("5")
	s.until("CAPTURES 1")
	s.press("enter")
	s.until(`{"n":8,"type":"late"}`)
	s.press("f")
	s.types("body.n >= 4")
	s.until("5 of 9 match")
	s.press("enter")
	s.has("capture", "FILTER body.n >= 4", "5 of 9 match", "[Payload]")
	s.press("r")
	s.until("PLAN")
	s.until("5 of 9 planned")
	s.has("plan", "left out 4 by the filter")
	s.press("f", "ctrl+u")
	s.types("body.x == 1")
	s.press("enter")
	s.until("0 of 9 planned")
	s.has("absent", "none has body.x")
	s.press("esc")
	s.until("planned  9:")
	if strings.Contains(s.now(), "FILTER") {
		t.Errorf("the filter is still there:\n%s", s.now())
	}
}
