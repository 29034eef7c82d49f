package grpcapi

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"iscope/probes"
)

// Attributes of calls that no convention names, and one that had a name in
// OpenTelemetry's before rpc.response.status_code.
const (
	attrCode     = "rpc.grpc.status_code" // the number
	attrIndex    = "iscope.index"         // of a message within its call and direction, from 1
	attrUnknown  = "iscope.unknown_bytes" // of fields that the schema does not know
	attrSent     = "iscope.sent"          // messages of a call, by direction
	attrReceived = "iscope.received"
)

// finish yields the End of a call that the peer has answered; any other end is
// an error.
func (c *call) finish(ctx context.Context, stream grpc.ClientStream, err error, yield func(probes.Record, error) bool) error {
	ended := time.Now()
	if err != nil && !c.answered(ctx, status.Convert(err)) {
		return c.cut(ctx, err)
	}
	st := status.Convert(err)
	if st.Code() == codes.Unimplemented {
		c.link.reflect.renew(ctx) // the schema was that of another version
	}
	// The headers cannot fail after the status has come.
	header, _ := stream.Header()
	rec := c.end(st, header, stream.Trailer())
	m, attempts := c.times.snapshot()
	f := c.link.facts()
	if m.peer != "" {
		rec.Attrs = append(rec.Attrs, probes.Attr{Name: probes.AttrPeer, Value: m.peer})
	}
	if v := f.tlsName(); v != "" {
		rec.Attrs = append(rec.Attrs, probes.Attr{Name: probes.AttrTLSVersion, Value: v})
	}
	if id := c.trace(); id != "" {
		rec.Attrs = append(rec.Attrs, probes.Attr{Name: probes.AttrTraceID, Value: id})
	}
	if attempts > 1 {
		rec.Attrs = append(rec.Attrs, probes.Attr{Name: probes.AttrAttempt, Value: strconv.Itoa(attempts)})
	}
	rec.Attrs = append(rec.Attrs, timing(m, f, c.invoked, c.began, ended)...)
	yield(rec, nil)
	return nil
}

// trace is the trace that the call's traceparent names, "" for none.
func (c *call) trace() string {
	for _, f := range c.in.Header {
		if strings.EqualFold(f.Name, probes.HeaderTraceparent) {
			return probes.TraceID(string(f.Value))
		}
	}
	return ""
}

// end describes how the peer ended the call.
func (c *call) end(st *status.Status, header, trailer metadata.MD) probes.Record {
	r := c.record(probes.End, "end")
	name := codeName(st.Code())
	r.Attrs = append(r.Attrs,
		probes.Attr{Name: probes.AttrRPCStatus, Value: name},
		probes.Attr{Name: attrCode, Value: strconv.FormatUint(uint64(st.Code()), 10)},
		probes.Attr{Name: probes.AttrStatus, Value: name},
		probes.Attr{Name: attrSent, Value: strconv.Itoa(c.sent)},
		probes.Attr{Name: attrReceived, Value: strconv.Itoa(c.received)},
		probes.Attr{Name: probes.AttrServerAddress, Value: c.set.addr.host},
		protocolAttr(c.link.protocol),
	)
	if c.set.addr.port != "" {
		r.Attrs = append(r.Attrs, probes.Attr{Name: probes.AttrServerPort, Value: c.set.addr.port})
	}
	h, t := fields(header), fields(trailer)
	r.Header = append(h, t...)
	r.Native = native(nativeEnd{Code: uint32(st.Code()), Message: st.Message(), Headers: len(h), Trailers: len(t)})
	if st.Code() == codes.OK {
		return r
	}
	r.Err = statusText(st)
	if st.Code() == codes.DeadlineExceeded {
		r.Err += " (the server's deadline, not ours)"
	}
	r.Schema = "google.rpc.Status"
	// A context of its own: the call's may be over.
	ctx, cancel := c.set.bounded(context.Background())
	defer cancel()
	r.Body = render(st.Proto(), types{ctx: ctx, link: c.link})
	return r
}

// answered tells a status that the peer has sent from one that grpc-go made up
// because the call was cut off.
func (c *call) answered(ctx context.Context, st *status.Status) bool {
	m, _ := c.times.snapshot()
	if !m.trailer || c.tooLarge(st, m) {
		return false
	}
	settle(ctx)
	// When our deadline has passed, the server may have noticed as well.
	ours := st.Code() == codes.DeadlineExceeded || st.Code() == codes.Canceled
	return ctx.Err() == nil || !ours
}

// tooLarge recognises the refusal of a message by our own limit. grpc-go words
// a server's refusal of a request alike; that one comes instead of response
// headers.
func (c *call) tooLarge(st *status.Status, m moments) bool {
	return st.Code() == codes.ResourceExhausted && m.headers && strings.Contains(st.Message(), "larger than max") &&
		strings.Contains(st.Message(), strconv.Itoa(c.set.maxMessage))
}

// cut reports a call that did not come to an end of its own.
func (c *call) cut(ctx context.Context, err error) error {
	m, _ := c.times.snapshot()
	if ended := c.set.ended(ctx, c.op, c.progress(m)); ended != nil {
		return ended
	}
	st := status.Convert(err)
	if c.tooLarge(st, m) {
		return c.set.fail(c.op, probes.ErrLimit, hinted(errors.New(strings.TrimPrefix(st.Message(), "grpc: ")),
			"raise the option "+optMaxMessage))
	}
	e := c.link.requestError(ctx, c.op, err)
	var pe *probes.Error
	if c.received > 0 && errors.As(e, &pe) && pe.Err != nil {
		pe.Err = fmt.Errorf("after %d messages: %w", c.received, pe.Err)
	}
	return e
}

// progress tells, for a timeout, how far the call had come.
func (c *call) progress(m moments) string {
	switch {
	case m.sent.IsZero():
		return "nothing had been sent"
	case c.received > 0:
		return fmt.Sprintf("%d messages had come", c.received)
	case m.headers:
		return "the server had answered with headers only"
	default:
		return "the request had been sent, no answer had come"
	}
}
