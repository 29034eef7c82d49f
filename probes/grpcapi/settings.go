package grpcapi

import (
	"context"
	"crypto/tls"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/grpc/metadata"

	"iscope/probes"
)

// Names of this driver's options.
const (
	optReflection = "reflection"
	optProtoset   = "protoset"
	optProto      = "proto"
	optImport     = "import"
	optProtocol   = "protocol"
	optAuthority  = "authority"
	optBalance    = "balance"
	optMaxMessage = "max_message_bytes"
)

// defaultMaxMessage replaces grpc-go's 4 MiB, which stops a debugging tool at
// the first real answer.
const defaultMaxMessage = 64 << 20

func options() []probes.Option {
	return []probes.Option{
		{Name: optReflection, Type: "string", Default: "auto",
			Doc: "version of the reflection service: auto (v1, else v1alpha), v1 or v1alpha"},
		{Name: optProtoset, Type: "string",
			Doc: "files with a FileDescriptorSet (buf build -o x.binpb, protoc --include_imports -o x.binpb), comma separated, for what reflection does not tell"},
		{Name: optProto, Type: "string",
			Doc: "`.proto` files or patterns of them, comma separated, for what reflection does not tell; up to edition 2023"},
		{Name: optImport, Type: "string",
			Doc: "folders that the imports of .proto files are relative to, comma separated"},
		{Name: optProtocol, Type: "string", Default: string(protoAuto),
			Doc: "grpc, grpc-web, grpc-web-text, connect or auto (gRPC; where the server speaks only HTTP/1, the one of the others that it answers)"},
		{Name: optAuthority, Type: "string",
			Doc: "name of the server to ask for (:authority); under TLS also the name its certificate must have, unless tls.server_name says another"},
		{Name: optBalance, Type: "string", Default: pickFirst,
			Doc: "which of several addresses (given, or found by DNS) to call: pick_first (the first that answers) or round_robin (in turn)"},
		{Name: optMaxMessage, Type: "int", Default: strconv.Itoa(defaultMaxMessage),
			Doc: "largest message to receive, in bytes"},
	}
}

// settings is what a target says, checked.
type settings struct {
	target     probes.Target
	addr       address   // the first, which names the target in records
	addrs      []address // all
	tls        *tls.Config
	auth       metadata.MD
	versions   []version // of reflection, in the order to try
	sources    *sources  // nil: none
	protocol   protocol
	authority  string // "": the address
	balance    string // "": one address, the first that answers
	maxMessage int
}

func open(ctx context.Context, t probes.Target) (probes.Probe, error) {
	set, err := newSettings(ctx, t)
	if err != nil {
		return nil, err
	}
	return &probe{set: set}, nil
}

func newSettings(ctx context.Context, t probes.Target) (*settings, error) {
	s := &settings{target: t, maxMessage: defaultMaxMessage, protocol: protoAuto}
	var err error
	if s.addrs, err = parseAddresses(t.Address); err != nil {
		return nil, s.usage(err)
	}
	s.addr = s.addrs[0]
	if s.tls, err = t.TLS.Config(); err != nil {
		return nil, s.usage(err)
	}
	if s.auth, err = authMetadata(t.Auth); err != nil {
		return nil, s.usage(err)
	}
	if err := s.readOptions(t.Options); err != nil {
		return nil, s.usage(err)
	}
	o := t.Options
	if s.sources, err = readSources(ctx, list(o[optProtoset]), list(o[optProto]), list(o[optImport])); err != nil {
		return nil, s.usage(err)
	}
	return s, nil
}

func (s *settings) readOptions(given map[string]string) error {
	var known []string
	for _, o := range options() {
		known = append(known, o.Name)
	}
	s.versions = []version{v1, v1alpha}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !slices.Contains(known, name) {
			return hinted(fmt.Errorf("unknown option %q", name), probes.NearestHint(name, known))
		}
		value := given[name]
		if value == "" {
			continue
		}
		if err := s.readOption(name, value); err != nil {
			return err
		}
	}
	return nil
}

func (s *settings) readOption(name, value string) error {
	bad := func(hint string) error { return hinted(fmt.Errorf("option %s is %q", name, value), hint) }
	switch name {
	case optReflection:
		switch value {
		case "auto":
		case string(v1), string(v1alpha):
			s.versions = []version{version(value)}
		default:
			return bad("use auto, v1 or v1alpha")
		}
	case optProtocol:
		if s.protocol = protocol(value); !slices.Contains(protocols, s.protocol) {
			return bad("use auto, grpc, grpc-web, grpc-web-text or connect")
		}
	case optAuthority:
		if strings.ContainsAny(value, "/@ \t\r\n") {
			return bad("give a host name, with a port if need be")
		}
		s.authority = value
	case optBalance:
		if s.balance = value; value != pickFirst && value != roundRobin {
			return bad("use pick_first or round_robin")
		}
	case optMaxMessage:
		n, err := strconv.Atoi(value)
		if err != nil || n <= 0 {
			return bad("give a positive number of bytes, such as 67108864")
		}
		s.maxMessage = n
	}
	return nil
}

// list reads a comma separated option.
func list(s string) []string {
	var out []string
	for _, part := range strings.Split(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// usage reports a target that cannot be opened as configured.
func (s *settings) usage(err error) error {
	return s.fail("opening", probes.ErrUsage, err)
}

// fail builds the error that leaves the driver, with the hint that err carries.
func (s *settings) fail(op string, kind, err error) error {
	return &probes.Error{Target: s.target.Name, Op: op, Kind: kind, Err: err, Hint: hintOf(err)}
}
