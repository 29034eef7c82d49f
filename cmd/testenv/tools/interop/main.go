// Command interop serves grpc-go's own interoperability test service with
// reflection (v1 and v1alpha), health and channelz, so that iscope's gRPC
// driver is tested against a server that nobody here wrote. A second listener
// serves the same with TLS, to callers that bring a token.
//
// It prints nothing but errors and ends on SIGTERM, SIGINT or when its standard
// input ends, so that it cannot outlive the tests that started it.
package main

import (
	"context"
	"flag"
	"io"
	"log"
	"net"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"google.golang.org/grpc"
	"google.golang.org/grpc/admin"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/interop"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"
)

func main() {
	log.SetFlags(0)
	addr := flag.String("addr", "127.0.0.1:0", "host:port to listen on")
	tlsAddr := flag.String("tls-addr", "127.0.0.1:0", "host:port for TLS")
	cert := flag.String("cert", "", "certificate for TLS, a PEM file")
	key := flag.String("key", "", "its key")
	token := flag.String("token", "", "what callers of the TLS listener must bring as bearer token")
	flag.Parse()
	creds, err := credentials.NewServerTLSFromFile(*cert, *key)
	if err != nil {
		log.Fatal("interop: ", err)
	}
	guard := bearer("Bearer " + *token)
	plain, secured := grpc.NewServer(), grpc.NewServer(grpc.Creds(creds), grpc.UnaryInterceptor(guard.unary), grpc.StreamInterceptor(guard.stream))
	go stopOn(plain, secured)
	ended := make(chan error, 2)
	go func() { ended <- serve(plain, *addr) }()
	go func() { ended <- serve(secured, *tlsAddr) }()
	for range 2 {
		if err := <-ended; err != nil {
			log.Fatal("interop: ", err)
		}
	}
}

func serve(s *grpc.Server, addr string) error {
	lis, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	testpb.RegisterTestServiceServer(s, interop.NewTestServer())
	h := health.NewServer()
	h.SetServingStatus("grpc.testing.TestService", healthpb.HealthCheckResponse_SERVING)
	healthpb.RegisterHealthServer(s, h)
	reflection.Register(s)
	cleanup, err := admin.Register(s)
	if err != nil {
		return err
	}
	defer cleanup()
	return s.Serve(lis)
}

// bearer is the value of the authorization metadata that is let through.
type bearer string

func (b bearer) check(ctx context.Context) error {
	md, _ := metadata.FromIncomingContext(ctx)
	if slices.Contains(md.Get("authorization"), string(b)) {
		return nil
	}
	return status.Error(codes.Unauthenticated, "no valid token")
}

func (b bearer) unary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if err := b.check(ctx); err != nil {
		return nil, err
	}
	return next(ctx, req)
}

func (b bearer) stream(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	if err := b.check(ss.Context()); err != nil {
		return err
	}
	return next(srv, ss)
}

// stopOn stops the servers on a signal or at the end of standard input.
func stopOn(servers ...*grpc.Server) {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, os.Interrupt)
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	select {
	case <-stop:
	case <-ended:
	}
	for _, s := range servers {
		s.Stop()
	}
}
