package grpcapi

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"

	"iscope/probes"
)

// call is one invocation from the first byte to the last.
type call struct {
	set     *settings
	link    *link
	in      probes.Invocation
	op, id  string
	method  protoreflect.MethodDescriptor
	types   types
	times   *times
	invoked time.Time // when it was asked for
	began   time.Time // when the stream was opened

	// next supplies message index, from 1, until io.EOF. Only send calls it.
	next func(ctx context.Context, index int) (*request, error)

	// pending holds the request being written, at most one, and written says
	// that it is. A response must not overtake the request that caused it, and
	// writing may block for as long as the peer likes, so run takes the request
	// from here whenever anything happens. The sender never waits for run
	// before it asks for the next message: the consumer may be waiting for that.
	pending        chan probes.Record
	written        chan struct{}
	sent, received int // by run only
}

// event is what the sender and the receiver tell run.
type event struct {
	response *probes.Record
	refused  error // the caller's message cannot be sent
	ended    bool
	err      error // with ended: how, nil for OK
}

// run makes the call. It uses one code path for the four kinds of call: they
// differ only in the flags of the stream.
func (c *call) run(ctx context.Context, yield func(probes.Record, error) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	c.began = time.Now()
	stream, err := c.link.cc.NewStream(ctx, &grpc.StreamDesc{
		ClientStreams: c.method.IsStreamingClient(), ServerStreams: c.method.IsStreamingServer(),
	}, path(c.method), c.options()...)
	if err != nil {
		defer cancel()
		return c.cut(ctx, err)
	}
	events, quit := make(chan event), make(chan struct{})
	sending, stopSending := context.WithCancel(ctx)
	var sender, receiver sync.WaitGroup
	defer receiver.Wait()
	defer sender.Wait()
	defer cancel()
	defer stopSending()
	defer close(quit)
	sender.Go(func() {
		if err := c.send(sending, stream); err != nil {
			select {
			case events <- event{refused: err}:
			case <-sending.Done(): // the peer was first
			}
		}
	})
	receiver.Go(func() {
		c.receive(stream, func(e event) {
			select {
			case events <- e:
			case <-quit:
			}
		})
	})
	for {
		var e event
		select {
		case e = <-events:
		case <-c.written:
		}
		if e.ended {
			stopSending()
			sender.Wait() // what it was writing is now written or taken back
		}
		if !c.takePending(yield) {
			return nil
		}
		switch {
		case e.refused != nil:
			return e.refused
		case e.response != nil:
			c.received++
			if !yield(*e.response, nil) {
				return nil
			}
		case e.ended:
			return c.finish(ctx, stream, e.err, yield)
		}
	}
}

// options are the call's own.
func (c *call) options() []grpc.CallOption {
	out := []grpc.CallOption{grpc.ForceCodecV2(rawCodec{})}
	if c.in.Compression != "" {
		out = append(out, grpc.UseCompressor(c.in.Compression))
	}
	return out
}

// takePending yields the request being written, if there is one. It is false
// if the consumer has stopped.
func (c *call) takePending(yield func(probes.Record, error) bool) bool {
	select {
	case r := <-c.pending:
		c.sent++
		return yield(r, nil)
	default:
		return true
	}
}

// send writes the caller's messages until there are no more, the call ends, or
// one cannot be sent, which it returns.
func (c *call) send(ctx context.Context, stream grpc.ClientStream) error {
	for index := 1; ; index++ {
		req, err := c.next(ctx, index)
		switch {
		case err == io.EOF:
			// Its error is always nil; the receiver sees how the call ends.
			_ = stream.CloseSend()
			return nil
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		select {
		case c.pending <- c.request(index, req): // when the one before is taken
		case <-ctx.Done():
			return nil
		}
		if err := stream.SendMsg(&wire{req.wire}); err != nil {
			// The receiver gets the reason. Unless an answer has taken it
			// meanwhile, the message counts as not sent.
			select {
			case <-c.pending:
			default:
			}
			return nil
		}
		select {
		case c.written <- struct{}{}:
		default:
		}
	}
}

// receive reads the peer's messages and then the end of the call.
func (c *call) receive(stream grpc.ClientStream, push func(event)) {
	for index := 1; ; index++ {
		var w wire
		if err := stream.RecvMsg(&w); err != nil {
			if err == io.EOF {
				err = nil
			}
			push(event{ended: true, err: err})
			return
		}
		rec := c.response(index, w.bytes, c.times.received(len(w.bytes)))
		if index == 1 {
			// No error is possible once a message has come.
			header, _ := stream.Header()
			rec.Header = fields(header)
		}
		push(event{response: &rec})
		if !c.method.IsStreamingServer() {
			push(event{ended: true}) // RecvMsg has read the status, too
			return
		}
	}
}

// record starts a record of this call.
func (c *call) record(kind probes.Kind, part string) probes.Record {
	return probes.Record{
		ID: c.id + "/" + part, Call: c.id, Kind: kind, Seen: time.Now(),
		Source: probes.Ref{Target: c.set.target.Name, Subject: methodName(c.method)},
		Attrs:  []probes.Attr{{Name: probes.AttrRPCMethod, Value: methodName(c.method)}},
	}
}

func (c *call) request(index int, req *request) probes.Record {
	r := c.record(probes.Request, fmt.Sprintf("request/%d", index))
	r.Body, r.Schema = req.body, string(c.method.Input().FullName())
	if index == 1 {
		r.Header = c.in.Header
	}
	r.Attrs = append(r.Attrs, sizes(index, c.packed(req.wire))...)
	r.Native = native(nativeMessage{Path: path(c.method), ContentType: contentType, Wire: req.wire})
	return r
}

// packed is the size of a message as it is sent. gRPC tells it only afterwards,
// when the record may be gone, so compressing is done once more to know it.
func (c *call) packed(b []byte) int {
	if c.in.Compression == "" || len(b) == 0 {
		return len(b)
	}
	z, err := compress(b)
	if err != nil { // writing to memory does not fail
		return len(b)
	}
	return len(z)
}
