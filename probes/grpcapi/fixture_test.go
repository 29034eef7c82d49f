package grpcapi

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/bufbuild/protocompile"
	"github.com/jhump/protoreflect/v2/protoresolve"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	reflectsrv "google.golang.org/grpc/reflection"
	refv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	refv1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"iscope/probes"
)

var fixtureFiles = []string{
	"probe/opts/opts.proto", "probe/legacy/old.proto", "probe/edition/modern.proto",
	"probe/v1/types.proto", "probe/v1/lone.proto", "probe/v1/probe.proto", "probe/v2/probe.proto",
}

// compiled are the fixture's descriptors, with comments and all imports.
var compiled = sync.OnceValues(func() (*descriptorpb.FileDescriptorSet, error) {
	c := protocompile.Compiler{
		Resolver:       protocompile.WithStandardImports(&protocompile.SourceResolver{ImportPaths: []string{"testdata/proto"}}),
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	files, err := c.Compile(context.Background(), fixtureFiles...)
	if err != nil {
		return nil, err
	}
	set := &descriptorpb.FileDescriptorSet{}
	seen := map[string]bool{}
	for _, f := range files {
		for _, p := range fileSet(f).GetFile() {
			if !seen[p.GetName()] {
				seen[p.GetName()] = true
				set.File = append(set.File, p)
			}
		}
	}
	return set, nil
})

// fixtureSet returns the descriptors without the named files.
func fixtureSet(t testing.TB, without ...string) *descriptorpb.FileDescriptorSet {
	t.Helper()
	all, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	set := &descriptorpb.FileDescriptorSet{}
	for _, f := range all.GetFile() {
		keep := true
		for _, w := range without {
			keep = keep && f.GetName() != w
		}
		if keep {
			set.File = append(set.File, f)
		}
	}
	return set
}

// registry resolves the fixture's symbols, then those linked into the test.
type registry struct {
	*protoregistry.Files
	types *protoregistry.Types
}

func newRegistry(t testing.TB, without ...string) *registry {
	t.Helper()
	files, err := protodesc.FileOptions{AllowUnresolvable: true}.NewFiles(fixtureSet(t, without...))
	if err != nil {
		t.Fatal(err)
	}
	r := &registry{files, &protoregistry.Types{}}
	files.RangeFiles(func(fd protoreflect.FileDescriptor) bool {
		err = protoresolve.RegisterTypesInFile(fd, r.types, protoresolve.TypeKindsSerialization)
		return err == nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *registry) FindFileByPath(p string) (protoreflect.FileDescriptor, error) {
	if fd, err := r.Files.FindFileByPath(p); err == nil {
		return fd, nil
	}
	return protoregistry.GlobalFiles.FindFileByPath(p)
}

func (r *registry) FindDescriptorByName(n protoreflect.FullName) (protoreflect.Descriptor, error) {
	if d, err := r.Files.FindDescriptorByName(n); err == nil {
		return d, nil
	}
	return protoregistry.GlobalFiles.FindDescriptorByName(n)
}

func (r *registry) message(t testing.TB, name string) protoreflect.MessageDescriptor {
	t.Helper()
	d, err := r.FindDescriptorByName(protoreflect.FullName(name))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return d.(protoreflect.MessageDescriptor)
}

// serverOptions are the ways in which fixture servers differ.
type serverOptions struct {
	reflection []version
	without    []string // files that reflection does not serve
	services   []string // default: all
	token      string   // demanded of every call
	tls        *tls.Config
	noHealth   bool
	network    string // default: tcp
	addr       string
	watch      func(context.Context) // sees every call
}

var bothVersions = []version{v1, v1alpha}

// fixture is a running server.
type fixture struct {
	addr   string
	health *health.Server
	server *grpc.Server

	mu    sync.Mutex
	calls []string // full method names, in order of arrival
}

// serve starts a server that ends with the test.
func serve(t testing.TB, o serverOptions) *fixture {
	t.Helper()
	if o.addr == "" {
		o.addr = "127.0.0.1:0"
	}
	if o.network == "" {
		o.network = "tcp"
	}
	lis, err := net.Listen(o.network, o.addr)
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{addr: lis.Addr().String(), health: health.NewServer()}
	gate := func(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
		if err := f.admit(ss.Context(), info.FullMethod, o); err != nil {
			return err
		}
		return next(srv, ss)
	}
	unary := func(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		if err := f.admit(ctx, info.FullMethod, o); err != nil {
			return nil, err
		}
		return next(ctx, req)
	}
	options := []grpc.ServerOption{grpc.StreamInterceptor(gate), grpc.UnaryInterceptor(unary), grpc.MaxRecvMsgSize(64 << 20)}
	if o.tls != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(o.tls)))
	}
	f.server = grpc.NewServer(options...)
	r := newRegistry(t, o.without...)
	register(f.server, newRegistry(t), o.services)
	if !o.noHealth {
		healthpb.RegisterHealthServer(f.server, f.health)
	}
	ro := reflectsrv.ServerOptions{Services: f.server, DescriptorResolver: r, ExtensionResolver: r.types}
	for _, v := range o.reflection {
		if v == v1 {
			refv1.RegisterServerReflectionServer(f.server, reflectsrv.NewServerV1(ro))
		} else {
			refv1alpha.RegisterServerReflectionServer(f.server, reflectsrv.NewServer(ro))
		}
	}
	served := make(chan error, 1)
	go func() { served <- f.server.Serve(lis) }()
	t.Cleanup(func() {
		f.server.Stop()
		<-served
	})
	return f
}

func (f *fixture) admit(ctx context.Context, method string, o serverOptions) error {
	f.mu.Lock()
	f.calls = append(f.calls, method)
	f.mu.Unlock()
	if o.watch != nil {
		o.watch(ctx)
	}
	md, _ := metadata.FromIncomingContext(ctx)
	if got := md.Get("authorization"); o.token != "" && (len(got) != 1 || got[0] != "Bearer "+o.token) {
		return status.Error(codes.Unauthenticated, "no token")
	}
	return nil
}

// called counts the calls of a method.
func (f *fixture) called(method string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, c := range f.calls {
		if c == method {
			n++
		}
	}
	return n
}

// target is the server as a configuration would name it.
func (f *fixture) target() probes.Target {
	return probes.Target{
		Name: "fixture", Driver: "grpc", Address: f.addr, Options: map[string]string{}, Timeout: time.Minute,
		Environment: probes.Environment{Name: "test", Class: probes.ClassLocal, Write: true},
	}
}

// dial opens a target with the driver.
func dial(t testing.TB, target probes.Target) *probe {
	t.Helper()
	p, err := Driver().Open(context.Background(), target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p.(*probe)
}

// within is a context for a test's waiting: long enough that only a hang ends it.
func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}
