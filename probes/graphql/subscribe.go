package graphql

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"iscope/probes"
	"iscope/probes/internal/httplink"
)

// The ways to subscribe, as network.protocol.name has them.
const (
	protocolSSE    = "graphql-sse"          // https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md
	protocolWS     = "graphql-transport-ws" // https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
	protocolLegacy = "graphql-ws"           // https://github.com/apollographql/subscriptions-transport-ws/blob/master/PROTOCOL.md
)

// ways is the option subscriptions.
type ways struct {
	mode string // "auto", "ws", "sse"
	path string // of WebSockets, "" for the endpoint's
}

func parseWays(s string) (ways, error) {
	mode, path, _ := strings.Cut(s, ":")
	switch {
	case s == "":
		return ways{mode: "auto"}, nil
	case (s == "auto" || s == "sse" || s == "ws"), mode == "ws" && strings.HasPrefix(path, "/"):
		return ways{mode: mode, path: path}, nil
	}
	return ways{}, fmt.Errorf("option subscriptions is %q; use auto, ws, sse or ws:/PATH", s)
}

// subscribe opens a subscription and records its answers until it ends.
func (x *exchange) subscribe(limited *httplink.Bounded) error {
	w := x.p.ways
	if w.mode != "sse" {
		err := x.socket(limited)
		var refused *noSocket
		switch {
		case !errors.As(err, &refused):
			return err
		case w.mode == "ws":
			return x.p.link.Fail(x.op(), refused.kind(), fmt.Errorf("no subscription over WebSocket: %w", refused), "set the option subscriptions: sse, or ws:/PATH if it has a path of its own")
		}
		x.fallback = "WebSocket: " + refused.Error()
	}
	return x.events(limited)
}

// events subscribes by server-sent events, a connection for each ("distinct
// connections mode"). An answer that is no stream is the answer to the whole.
func (x *exchange) events(limited *httplink.Bounded) error {
	x.protocol = protocolSSE
	if err := x.send(limited, "text/event-stream"); err != nil {
		return err
	}
	if httplink.MediaType(x.resp.Header.Get("Content-Type")) != "text/event-stream" || httplink.NewDecoder(x.resp).Opaque() != "" {
		x.protocol = ""
		if err := x.whole(limited); err != nil {
			return err
		}
		return x.end()
	}
	defer x.resp.Body.Close()
	if x.in.Deadline <= 0 {
		limited.Lift() // the target's timeout bounds requests, not streams
	}
	dec := httplink.NewDecoder(x.resp)
	defer dec.Close()
	in := httplink.NewEventReader(dec, x.in.MaxBody)
	named := false
	for first := true; ; first = false {
		ev, err := in.Next()
		switch {
		case errors.Is(err, io.EOF) && (named || first):
			return x.p.link.Fail(x.op(), probes.ErrUnreachable, fmt.Errorf("the stream ended without saying that it is complete, after %s", counted(x.answers, "answer")), "")
		case errors.Is(err, io.EOF): // servers older than the protocol just end
			x.watch.Ended()
			return x.end()
		case err != nil:
			return x.p.link.Explain(limited, x.op(), x.watch, fmt.Errorf("reading the answer: %w", err))
		}
		named = named || ev.Name != ""
		if ev.Name == "complete" {
			x.watch.Ended()
			return x.end()
		}
		if err := x.part(ev.Data, ev.Cut, len(ev.Data), first, ev.Unsent); err != nil {
			return err
		}
	}
}

// part records one answer of a subscription. The first has the headers of the
// response.
func (x *exchange) part(body []byte, cut int64, wire int, first, unsent bool) error {
	rec := x.response()
	if first {
		rec.Header = httplink.Fields(x.resp.Header)
	}
	rec.Body, rec.Cut = body, cut
	rec.Attrs = append(rec.Attrs, probes.Attr{Name: probes.AttrWireSize, Value: strconv.FormatInt(int64(wire)+cut, 10)})
	if unsent {
		rec.Err = "the stream ended in the middle of this answer"
	} else if cut == 0 {
		before := len(x.errors)
		x.read(&rec, readAnswer("application/json", body))
		if n := len(x.errors) - before; n > 0 {
			rec.Err = counted(n, "error")
			rec.Attrs = append(rec.Attrs, paths(x.errors[before:])...)
		}
		x.errors = x.errors[:min(len(x.errors), before+maxFaults)]
	}
	if !x.emit(rec) {
		return errLeft
	}
	return nil
}
