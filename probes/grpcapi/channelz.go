package grpcapi

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"

	"iscope/probes"
)

const (
	channelzService = "grpc.channelz.v1.Channelz"
	// socketsAtMost bounds the questions asked about one server.
	socketsAtMost = 32
)

// Attributes of a server as its channelz service tells them. Our own questions
// are among what they count.
const (
	attrCallsStarted   = "iscope.grpc.calls_started"
	attrCallsSucceeded = "iscope.grpc.calls_succeeded"
	attrCallsFailed    = "iscope.grpc.calls_failed"
	attrLastCall       = "iscope.grpc.last_call_started"
	attrSockets        = "iscope.grpc.sockets"
	attrSocket         = "iscope.grpc.socket"
)

// What is read of channelz's answers. Its descriptors come from the server, so
// that they need not be linked in.
type (
	channelzServers struct {
		Server []struct {
			Ref struct {
				ServerID int64 `json:",string"`
			}
			Data struct {
				CallsStarted             int64 `json:",string"`
				CallsSucceeded           int64 `json:",string"`
				CallsFailed              int64 `json:",string"`
				LastCallStartedTimestamp string
			}
		}
	}
	channelzSockets struct {
		SocketRef []struct {
			SocketID int64 `json:",string"`
		}
		End bool
	}
	channelzSocket struct {
		Socket struct {
			Data struct {
				StreamsStarted, StreamsSucceeded, StreamsFailed int64 `json:",string"`
				MessagesSent, MessagesReceived                  int64 `json:",string"`
			}
			Remote struct {
				TCPIPAddress *struct {
					IPAddress string
					Port      int
				} `json:"tcpipAddress"`
				UDSAddress *struct{ Filename string } `json:"udsAddress"`
			}
		}
	}
)

// channelz adds what the server's channelz service says of calls and sockets to
// the target's node. It is a supplement: failing, it is noted as missing.
func (s *surveyor) channelz(ctx context.Context, n *probes.Node, internal []protoreflect.FullName) {
	if !s.query.Detail || !slices.Contains(internal, channelzService) {
		return
	}
	var servers channelzServers
	if err := s.link.question(ctx, channelzService+"/GetServers", `{}`, &servers); err != nil {
		s.miss("channelz: " + cause(err))
		return
	}
	add := func(name string, n2 int64) {
		n.Attrs = append(n.Attrs, probes.Attr{Name: name, Value: strconv.FormatInt(n2, 10)})
	}
	for _, server := range servers.Server {
		add(attrCallsStarted, server.Data.CallsStarted)
		add(attrCallsSucceeded, server.Data.CallsSucceeded)
		add(attrCallsFailed, server.Data.CallsFailed)
		if at := server.Data.LastCallStartedTimestamp; at != "" {
			n.Attrs = append(n.Attrs, probes.Attr{Name: attrLastCall, Value: at})
		}
		if err := s.sockets(ctx, n, server.Ref.ServerID); err != nil {
			s.miss("channelz: " + cause(err))
			return
		}
	}
}

// sockets adds a server's connections.
func (s *surveyor) sockets(ctx context.Context, n *probes.Node, server int64) error {
	var refs channelzSockets
	err := s.link.question(ctx, channelzService+"/GetServerSockets", fmt.Sprintf(`{"serverId":%d,"maxResults":%d}`, server, socketsAtMost), &refs)
	if err != nil {
		return err
	}
	count := strconv.Itoa(len(refs.SocketRef))
	if !refs.End {
		count += " and more"
	}
	n.Attrs = append(n.Attrs, probes.Attr{Name: attrSockets, Value: count})
	for _, ref := range refs.SocketRef[:min(len(refs.SocketRef), socketsAtMost)] {
		var one channelzSocket
		if err := s.link.question(ctx, channelzService+"/GetSocket", fmt.Sprintf(`{"socketId":%d}`, ref.SocketID), &one); err != nil {
			continue // closed meanwhile
		}
		d := one.Socket.Data
		n.Attrs = append(n.Attrs, probes.Attr{Name: attrSocket, Value: fmt.Sprintf(
			"from %s: calls %d, succeeded %d, failed %d; messages received %d, sent %d",
			one.remote(), d.StreamsStarted, d.StreamsSucceeded, d.StreamsFailed, d.MessagesReceived, d.MessagesSent)})
	}
	return nil
}

func (s *channelzSocket) remote() string {
	switch r := s.Socket.Remote; {
	case r.TCPIPAddress != nil:
		b, err := base64.StdEncoding.DecodeString(r.TCPIPAddress.IPAddress)
		ip, ok := netip.AddrFromSlice(b)
		if err != nil || !ok {
			return "an unreadable address"
		}
		return net.JoinHostPort(ip.Unmap().String(), strconv.Itoa(r.TCPIPAddress.Port))
	case r.UDSAddress != nil:
		return "unix:" + r.UDSAddress.Filename
	}
	return "an unknown address"
}

// question makes a unary call of our own, described by the server, and reads the
// answer's JSON into answer.
func (l *link) question(ctx context.Context, method, doc string, answer any) error {
	op := "asking " + method
	ctx, cancel := l.set.bounded(ctx)
	defer cancel()
	md, err := l.method(ctx, method)
	if err != nil {
		return err
	}
	t := types{ctx: ctx, link: l}
	m, err := parseMessage([]byte(doc), md.Input(), t)
	if err != nil {
		return l.set.fail(op, probes.ErrProtocol, err)
	}
	b, err := encodeMessage(m)
	if err != nil {
		return l.set.fail(op, probes.ErrProtocol, err)
	}
	out, err := l.set.outgoing(ctx, nil)
	if err != nil {
		return l.set.usage(err)
	}
	var reply wire
	if err := l.cc.Invoke(out, path(md), &wire{b}, &reply, grpc.ForceCodecV2(rawCodec{})); err != nil {
		return l.requestError(ctx, op, err)
	}
	got, err := decodeMessage(reply.bytes, md.Output(), t)
	if err != nil {
		return l.set.fail(op, probes.ErrProtocol, err)
	}
	if err := json.Unmarshal(render(got.Interface(), t), answer); err != nil {
		return l.set.fail(op, probes.ErrProtocol, err)
	}
	return nil
}
