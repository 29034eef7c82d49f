package grpcapi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"

	"iscope/probes"
)

// webStream is one call over gRPC-Web or Connect. As with any
// grpc.ClientStream one goroutine may send while another receives.
type webStream struct {
	channel     *webChannel
	ctx         context.Context
	desc        *grpc.StreamDesc
	method      string
	compression string
	times       *times // nil if nobody is interested

	start    sync.Once
	body     *io.PipeWriter // of a client stream, for what is still to come
	answered chan struct{}  // closed when there is a response or a failure

	// Set before answered is closed.
	response *http.Response
	failure  error // the request could not be made
	spoken   bool  // the answer is in the channel's protocol

	// By the receiver only.
	frames  *frameReader
	ended   bool
	status  error // with ended: how, nil for OK
	trailer metadata.MD
}

var _ grpc.ClientStream = (*webStream)(nil)

func (s *webStream) Context() context.Context { return s.ctx }

// unaryConnect: only there a message travels without a frame around it.
func (s *webStream) unaryConnect() bool {
	return s.channel.protocol == protoConnect && !s.desc.ClientStreams && !s.desc.ServerStreams
}

// SendMsg sends a message. io.EOF says that the call has ended; RecvMsg says
// how.
func (s *webStream) SendMsg(m any) error {
	b, err := marshalAny(m)
	if err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	packed, err := s.pack(b)
	if err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	if !s.desc.ClientStreams {
		s.open(packed)
		s.note(&stats.OutPayload{SentTime: time.Now()})
		return nil
	}
	s.open(nil)
	if _, err := s.body.Write(packed); err != nil {
		return io.EOF
	}
	s.note(&stats.OutPayload{SentTime: time.Now()})
	return nil
}

// CloseSend ends the caller's messages.
func (s *webStream) CloseSend() error {
	s.open(nil)
	if s.body != nil {
		return s.body.Close()
	}
	return nil
}

// open makes the request, once: with its whole body, or for a client stream
// with a pipe.
func (s *webStream) open(whole []byte) {
	s.start.Do(func() {
		var body io.Reader = bytes.NewReader(whole)
		if s.desc.ClientStreams {
			body, s.body = io.Pipe()
		}
		go s.exchange(body) // ends with s.ctx at the latest, closing answered
	})
}

func (s *webStream) exchange(body io.Reader) {
	defer close(s.answered)
	s.failure = s.request(body)
	if s.failure != nil && s.body != nil {
		body.(*io.PipeReader).CloseWithError(io.ErrClosedPipe)
	}
}

func (s *webStream) request(body io.Reader) error {
	ctx := httptrace.WithClientTrace(s.ctx, &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) {
		s.note(&stats.OutHeader{RemoteAddr: i.Conn.RemoteAddr()})
	}})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.channel.url(s.method), body)
	if err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	if name := s.channel.link.set.serverName(); name != "" {
		req.Host = name
	}
	s.setHeaders(req.Header)
	resp, err := s.channel.roundTripper(s.ctx).RoundTrip(req)
	s.channel.failed(err != nil && s.ctx.Err() == nil)
	if err != nil {
		return s.lost(err)
	}
	s.response = resp
	s.note(&stats.InHeader{})
	s.spoken = s.accept()
	return nil
}

// lost words the failure to make the request or to read its answer.
func (s *webStream) lost(err error) error {
	if cause := s.ctx.Err(); cause != nil {
		return status.FromContextError(cause).Err()
	}
	return status.Error(codes.Unavailable, err.Error())
}

func (s *webStream) note(e stats.RPCStats) {
	if s.times != nil {
		s.times.note(e)
	}
}

// Header blocks until the response's headers are there.
func (s *webStream) Header() (metadata.MD, error) {
	if err := s.wait(); err != nil {
		return nil, err
	}
	header, _ := splitHeader(s.response.Header, s.unaryConnect())
	return header, nil
}

// Trailer is what RecvMsg has found at the end.
func (s *webStream) Trailer() metadata.MD { return s.trailer }

func (s *webStream) wait() error {
	if s.desc.ClientStreams {
		s.open(nil) // otherwise the message opens it, which may come later
	}
	select {
	case <-s.answered:
		return s.failure
	case <-s.ctx.Done():
		return status.FromContextError(s.ctx.Err()).Err()
	}
}

// RecvMsg reads the next message, or how the call ended: io.EOF is OK. For a
// call with one answer it reads both.
func (s *webStream) RecvMsg(m any) error {
	b, err := s.receive()
	if err != nil {
		return err
	}
	if err := unmarshalAny(b, m); err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	if s.desc.ServerStreams {
		return nil
	}
	switch _, err := s.receive(); {
	case err == io.EOF:
		return nil
	case err != nil:
		return err
	}
	return status.Error(codes.Internal, "the server sent more than one answer")
}

func (s *webStream) receive() ([]byte, error) {
	if s.ended {
		return nil, s.how()
	}
	if err := s.wait(); err != nil {
		return nil, err
	}
	b, err := s.read()
	if err == nil {
		return b, nil
	}
	var end *ending
	switch {
	case errors.As(err, &end):
		s.finish(end)
		return nil, s.how()
	case s.ctx.Err() != nil:
		return nil, status.FromContextError(s.ctx.Err()).Err()
	}
	var known *probes.Error
	if _, ok := status.FromError(err); ok || errors.As(err, &known) {
		return nil, err
	}
	return nil, s.lost(err)
}

func (s *webStream) how() error {
	if s.status == nil {
		return io.EOF
	}
	return s.status
}

// finish notes that the peer has ended the call itself.
func (s *webStream) finish(end *ending) {
	s.ended, s.status, s.trailer = true, end.status, end.trailer
	s.note(&stats.InTrailer{})
	if s.body != nil {
		s.body.CloseWithError(io.EOF) // nobody reads further messages
	}
	_ = s.response.Body.Close()
}
