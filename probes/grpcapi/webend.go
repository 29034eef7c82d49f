package grpcapi

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"

	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"iscope/probes"
)

// ending is how the peer ended a call.
type ending struct {
	status  error // nil for OK
	trailer metadata.MD
}

func (*ending) Error() string { return "the call has ended" }

// webEnd reads the trailers that end a gRPC-Web answer.
func webEnd(b []byte) *ending {
	lines := textproto.NewReader(bufio.NewReader(io.MultiReader(bytes.NewReader(b), strings.NewReader("\r\n\r\n"))))
	h, err := lines.ReadMIMEHeader()
	if err != nil {
		return &ending{status: status.Error(codes.Internal, "malformed trailers: "+err.Error())}
	}
	return endOf(http.Header(h))
}

// endOf takes the status out of trailers.
func endOf(h http.Header) *ending {
	e := &ending{trailer: metadataOf(h)}
	code, err := strconv.ParseUint(h.Get("Grpc-Status"), 10, 32)
	if err != nil {
		e.status = status.Errorf(codes.Internal, "the trailers hold no status: grpc-status is %q", h.Get("Grpc-Status"))
		return e
	}
	st := &spb.Status{Code: int32(code), Message: unescape(h.Get("Grpc-Message"))}
	if d, err := decode64(h.Get("Grpc-Status-Details-Bin")); err == nil && len(d) > 0 {
		full := &spb.Status{}
		if proto.Unmarshal(d, full) == nil && full.GetCode() == st.GetCode() {
			st = full
		}
	}
	e.status = status.ErrorProto(st) // nil for OK
	return e
}

// headersOnly is the end of an answer that has its status in the headers.
func (s *webStream) headersOnly() *ending {
	if s.channel.protocol == protoConnect || s.response.Header.Get("Grpc-Status") == "" {
		return nil
	}
	return endOf(s.response.Header)
}

// unescape undoes the percent-encoding of grpc-message.
func unescape(s string) string {
	if out, err := url.PathUnescape(s); err == nil {
		return out
	}
	return s
}

// connectError is the JSON form of a Connect error.
type connectError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Details []struct {
		Type  string `json:"type"`
		Value string `json:"value"`
	} `json:"details"`
}

// connectEnd reads the document that ends a Connect stream.
func connectEnd(b []byte) *ending {
	var doc struct {
		Error    *connectError       `json:"error"`
		Metadata map[string][]string `json:"metadata"`
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		return &ending{status: status.Error(codes.Internal, "malformed end of the stream: "+err.Error())}
	}
	e := &ending{trailer: metadata.MD{}}
	for name, values := range doc.Metadata {
		for _, v := range values {
			addMetadata(e.trailer, name, v)
		}
	}
	if doc.Error != nil {
		e.status = doc.Error.status(codes.Unknown)
	}
	return e
}

// status converts an error; fallback is for one without a code we know.
func (e *connectError) status(fallback codes.Code) error {
	st := &spb.Status{Code: int32(fallback), Message: e.Message}
	for i, name := range codeNames {
		if i > 0 && (strings.EqualFold(name, e.Code) || e.Code == "canceled" && name == "CANCELLED") {
			st.Code = int32(i)
		}
	}
	for _, d := range e.Details {
		value, err := decode64(d.Value)
		if err != nil {
			value = []byte(d.Value)
		}
		st.Details = append(st.Details, &anypb.Any{TypeUrl: "type.googleapis.com/" + d.Type, Value: value})
	}
	return status.ErrorProto(st)
}

// decode64 reads base64 with or without padding.
func decode64(s string) ([]byte, error) {
	return base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "="))
}

// readWhole reads an answer without frames: that of a unary Connect call, or a
// refusal by HTTP status.
func (s *webStream) readWhole() ([]byte, error) {
	limit := s.channel.link.set.maxMessage
	header, trailer := splitHeader(s.response.Header, s.unaryConnect())
	if s.frames != nil { // the message has been read: this is the end
		return nil, &ending{trailer: trailer}
	}
	if end := s.headersOnly(); end != nil {
		return nil, end
	}
	b, err := io.ReadAll(io.LimitReader(s.response.Body, int64(limit)+1))
	if err != nil {
		return nil, err
	}
	if len(b) > limit {
		return nil, tooLargeStatus(len(b), limit)
	}
	size := len(b)
	if s.response.Header.Get("Content-Encoding") == "gzip" {
		if b, err = decompress(b, limit); err != nil {
			return nil, asStatus(err)
		}
	}
	if s.response.StatusCode == http.StatusOK && s.spoken {
		s.frames = &frameReader{}
		s.note(&stats.InPayload{CompressedLength: size})
		return b, nil
	}
	if s.response.StatusCode == http.StatusBadRequest && s.channel.link.set.tls == nil && s.channel.link.speaksTLS(s.ctx) {
		return nil, s.channel.link.set.fail("calling "+s.method, probes.ErrTLS,
			hinted(errors.New("the server speaks TLS"), "use grpcs://"+s.channel.link.where()))
	}
	fallback := codeOfHTTP(s.response.StatusCode)
	var e connectError
	if s.channel.protocol == protoConnect && json.Unmarshal(b, &e) == nil && e.Code != "" {
		s.spoken = true
		return nil, &ending{status: e.status(fallback), trailer: metadata.Join(header, trailer)}
	}
	return nil, &ending{status: status.Error(fallback, s.foreignText()), trailer: header}
}

// foreignText says of an answer that is not of the protocol what it is, in
// grpc-go's words where it is an error (see foreignHTTP). A path that is not
// there is how Connect servers say that they lack a method.
func (s *webStream) foreignText() string {
	code := s.response.StatusCode
	switch code {
	case http.StatusOK:
		return fmt.Sprintf("the answer is no %s: its content type is %q", protocolNames[s.channel.protocol], s.response.Header.Get("Content-Type"))
	case http.StatusNotFound:
		return "the server has no such path (HTTP 404)"
	case http.StatusHTTPVersionNotSupported:
		return "the server takes calls in both directions over HTTP/2 only (HTTP 505)"
	}
	return foreign + strconv.Itoa(code) + " (" + http.StatusText(code) + ")"
}

// codeOfHTTP is the status that both protocols give to an HTTP status
// (https://connectrpc.com/docs/protocol#http-to-error-code).
func codeOfHTTP(code int) codes.Code {
	switch code {
	case 400, 200:
		return codes.Internal
	case 401:
		return codes.Unauthenticated
	case 403:
		return codes.PermissionDenied
	case 404, 505:
		return codes.Unimplemented
	case 429, 502, 503, 504:
		return codes.Unavailable
	}
	return codes.Unknown
}
