package grpcapi

import (
	"context"
	"crypto/tls"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"google.golang.org/grpc/metadata"

	"iscope/probes"
)

// Names of this driver's options.
const (
	optReflection = "reflection"
	optProtoset   = "protoset"
	optMaxMessage = "max_message_bytes"
)

// defaultMaxMessage replaces grpc-go's 4 MiB, which stops a debugging tool at
// the first real answer.
const defaultMaxMessage = 64 << 20

const driverDoc = `Lists, describes and calls the services of one gRPC server, found by
reflection (v1, else v1alpha) or in a FileDescriptorSet. Auth: a bearer token,
or user name and password (basic), or a token in a metadata name of its own
(auth.header); it is sent on reflection calls too. A method counts as a read if
its idempotency_level is NO_SIDE_EFFECTS, or else if its name starts with Get,
List, Watch, Check, Read, Search, Find, Describe, Query, Lookup, Exists, Count or
Health as a whole word, without Or and And in it (GetOrCreate) and not CheckIn or
CheckOut; Create, Update, Delete and the like count as writes, all others as
unknown. A call without a deadline of its own ends after the target's timeout; a
negative deadline means none. Proxies from the environment are not used.`

const driverImpact = "Opens one connection; lists by reflection and health checks; calls only what is invoked."

// Driver is the gRPC driver.
func Driver() probes.Driver {
	return probes.Driver{
		Name:    "grpc",
		Doc:     driverDoc,
		Impact:  driverImpact,
		Schemes: []probes.Scheme{{Name: "grpc"}, {Name: "grpcs", TLS: true}},
		Columns: []probes.Column{
			{Title: "METHOD", Attr: probes.AttrRPCMethod, Width: 36},
			{Title: "STATUS", Attr: probes.AttrStatus, Width: 18},
			{Title: "MS", Attr: probes.TimingTotal, Width: 9, Right: true},
			{Title: "SIZE", Attr: "size", Width: 8, Right: true},
			{Title: "SUMMARY", Attr: "summary", Width: 60},
		},
		Options: []probes.Option{
			{Name: optReflection, Type: "string", Default: "auto",
				Doc: "version of the reflection service: auto (v1, else v1alpha), v1 or v1alpha"},
			{Name: optProtoset, Type: "string",
				Doc: "file with a FileDescriptorSet (buf build -o x.binpb, protoc --include_imports -o x.binpb) for what reflection does not tell"},
			{Name: optMaxMessage, Type: "int", Default: strconv.Itoa(defaultMaxMessage),
				Doc: "largest message to receive, in bytes"},
		},
		Open: open,
	}
}

// settings is what a target says, checked.
type settings struct {
	target     probes.Target
	addr       address
	tls        *tls.Config // nil: plaintext
	auth       metadata.MD
	versions   []version // of reflection, in the order to try
	protoset   *protoset // nil: none
	maxMessage int
}

func open(_ context.Context, t probes.Target) (probes.Probe, error) {
	set, err := newSettings(t)
	if err != nil {
		return nil, err
	}
	return &probe{set: set}, nil
}

func newSettings(t probes.Target) (*settings, error) {
	s := &settings{target: t, maxMessage: defaultMaxMessage}
	var err error
	if s.addr, err = parseAddress(t.Address); err != nil {
		return nil, s.usage(err)
	}
	if s.tls, err = t.TLS.Config(); err != nil {
		return nil, s.usage(err)
	}
	if s.auth, err = authMetadata(t.Auth); err != nil {
		return nil, s.usage(err)
	}
	if err := s.readOptions(t.Options); err != nil {
		return nil, s.usage(err)
	}
	return s, nil
}

func (s *settings) readOptions(options map[string]string) error {
	known := []string{optReflection, optProtoset, optMaxMessage}
	s.versions = []version{v1, v1alpha}
	for _, name := range slices.Sorted(maps.Keys(options)) {
		value := options[name]
		switch name {
		case optReflection:
			switch value {
			case "", "auto":
			case string(v1), string(v1alpha):
				s.versions = []version{version(value)}
			default:
				return hinted(fmt.Errorf("option %s is %q", name, value), "use auto, v1 or v1alpha")
			}
		case optProtoset:
			var err error
			if s.protoset, err = readProtoset(value); err != nil {
				return err
			}
		case optMaxMessage:
			n, err := strconv.Atoi(value)
			if err != nil || n <= 0 {
				return hinted(fmt.Errorf("option %s is %q", name, value), "give a positive number of bytes, such as 67108864")
			}
			s.maxMessage = n
		default:
			return hinted(fmt.Errorf("unknown option %q", name), probes.NearestHint(name, known))
		}
	}
	return nil
}

// usage reports a target that cannot be opened as configured.
func (s *settings) usage(err error) error {
	return s.fail("opening", probes.ErrUsage, err)
}

// fail builds the error that leaves the driver, with the hint that err carries.
func (s *settings) fail(op string, kind, err error) error {
	return &probes.Error{Target: s.target.Name, Op: op, Kind: kind, Err: err, Hint: hintOf(err)}
}
