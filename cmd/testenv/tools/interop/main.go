// Command interop serves grpc-go's own interoperability test service with
// reflection (v1 and v1alpha), health and channelz, so that iscope's gRPC
// driver is tested against a server that nobody here wrote.
//
// It prints nothing but errors and ends on SIGTERM, SIGINT or when its standard
// input ends, so that it cannot outlive the tests that started it.
package main

import (
	"flag"
	"io"
	"log"
	"net"
	"os"
	"os/signal"
	"syscall"

	"google.golang.org/grpc"
	"google.golang.org/grpc/admin"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/interop"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/reflection"
)

func main() {
	log.SetFlags(0)
	addr := flag.String("addr", "127.0.0.1:0", "host:port to listen on")
	flag.Parse()
	if err := serve(*addr); err != nil {
		log.Fatal("interop: ", err)
	}
}

func serve(addr string) error {
	lis, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	s := grpc.NewServer()
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
	go stopOn(s)
	return s.Serve(lis)
}

// stopOn stops the server on a signal or at the end of standard input.
func stopOn(s *grpc.Server) {
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
	s.Stop()
}
