package grpcapi

import (
	"context"
	"errors"
	"slices"

	"iscope/probes"
)

// protocol is how calls are put on the wire.
type protocol string

const (
	protoAuto    protocol = "auto"
	protoGRPC    protocol = "grpc"
	protoWeb     protocol = "grpc-web"
	protoWebText protocol = "grpc-web-text" // in base64, for old proxies
	protoConnect protocol = "connect"
)

var protocols = []protocol{protoAuto, protoGRPC, protoWeb, protoWebText, protoConnect}

// text reports whether frames travel in base64.
func (p protocol) text() bool { return p == protoWebText }

// httpOnly is the fault of a peer that speaks HTTP but not gRPC's HTTP/2: it may
// still answer gRPC-Web or Connect.
type httpOnly struct{ error }

func (e httpOnly) Unwrap() error { return e.error }

// askedFor is the protocol of the next link.
func (p *probe) askedFor() protocol {
	switch {
	case p.set.protocol != protoAuto:
		return p.set.protocol
	case p.found != "":
		return p.found
	}
	return protoGRPC
}

// otherProtocol looks for a protocol that the server does answer, after err has
// shown that it is not gRPC. "" is none. It asks for the server's health, which
// has no effect.
func (p *probe) otherProtocol(ctx context.Context, err error) protocol {
	var only httpOnly
	if p.set.protocol != protoAuto || !errors.As(err, &only) {
		return ""
	}
	ctx, cancel := p.set.bounded(ctx)
	defer cancel()
	for _, proto := range []protocol{protoWeb, protoConnect} {
		l, err := newLink(p.set, proto)
		if err != nil {
			continue
		}
		speaks := l.cc.(*webChannel).speaks(ctx)
		l.close()
		if speaks {
			return proto
		}
	}
	return ""
}

// useOther is use by another protocol, found after gRPC has failed.
func (p *probe) useOther(ctx context.Context, op string, failure error) (*link, func(), error) {
	found := p.otherProtocol(ctx, failure)
	if found == "" {
		return nil, nil, failure
	}
	p.mu.Lock()
	p.found = found
	p.mu.Unlock()
	return p.useOnce(ctx, op)
}

// protocolNames are what people call the protocols, for AttrProtocol.
var protocolNames = map[protocol]string{protoGRPC: "grpc", protoWeb: "grpc-web", protoWebText: "grpc-web", protoConnect: "connect"}

func protocolAttr(p protocol) probes.Attr {
	return probes.Attr{Name: probes.AttrProtocol, Value: protocolNames[p]}
}

// compressions are the codings of messages that can be sent.
var compressions = []string{"gzip"}

func knownCompression(name string) bool { return name == "" || slices.Contains(compressions, name) }
