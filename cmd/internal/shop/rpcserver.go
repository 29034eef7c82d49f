package shop

import (
	"context"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	reflectionv1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
)

// serveRPC serves one gRPC service with health and both versions of server
// reflection until the crew stops.
func serveRPC(c *crew, lis net.Listener, files *schema, part string, desc *grpc.ServiceDesc) {
	server := grpc.NewServer(
		grpc.WaitForHandlers(true),
		grpc.UnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			return next(incomingRPC(ctx, part), req)
		}),
		grpc.StreamInterceptor(func(srv any, s grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			return next(srv, tracedStream{s, incomingRPC(s.Context(), part)})
		}),
	)
	server.RegisterService(desc, nil)
	checks := health.NewServer()
	checks.SetServingStatus(desc.ServiceName, healthpb.HealthCheckResponse_SERVING)
	healthpb.RegisterHealthServer(server, checks)
	options := reflection.ServerOptions{Services: server, DescriptorResolver: files}
	reflectionv1.RegisterServerReflectionServer(server, reflection.NewServerV1(options))
	reflectionv1alpha.RegisterServerReflectionServer(server, reflection.NewServer(options))

	c.run(part, func(ctx context.Context) error {
		served := make(chan error, 1)
		go func() { served <- server.Serve(lis) }()
		select {
		case err := <-served:
			return err
		case <-ctx.Done():
			checks.Shutdown() // ends the watchers of the health service
			server.Stop()
			<-served
			return nil
		}
	})
}

type tracedStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s tracedStream) Context() context.Context { return s.ctx }

func incomingRPC(ctx context.Context, part string) context.Context {
	md, _ := metadata.FromIncomingContext(ctx)
	header := ""
	if v := md.Get("traceparent"); len(v) > 0 {
		header = v[0]
	}
	return incoming(ctx, header, part)
}

// dialRPC returns a lazy connection that is closed when the crew has stopped.
func dialRPC(c *crew, address string) (*grpc.ClientConn, error) {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	c.after(func() { conn.Close() })
	return conn, nil
}
