package main

import (
	"context"
	"path/filepath"
)

// jaeger is Jaeger's all-in-one: it takes spans, by OTLP too, and answers
// questions about them over HTTP and gRPC with reflection. The spans are in
// memory. 1.62 is the newest whose modules the checksum database knows.
func jaeger() *server {
	return &server{
		name: "jaeger", version: "1.62.0", profile: peers, tool: "jaeger", builds: []string{"go"}, disk: 1400,
		build: goTool("jaeger"), start: startJaeger,
		config: func(a map[string]string) string { return "jaeger:\n  url: grpc://" + a["grpc"] },
	}
}

// jaegerListeners are the flags of everything that would listen on every
// interface. The last three are UDP.
func jaegerListeners() []string {
	return []string{
		"query.grpc-server.host-port", "query.http-server.host-port",
		"collector.otlp.grpc.host-port", "collector.otlp.http.host-port",
		"collector.grpc-server.host-port", "collector.http-server.host-port",
		"admin.http.host-port", "http-server.host-port",
		"processor.jaeger-binary.server-host-port", "processor.jaeger-compact.server-host-port", "processor.zipkin-compact.server-host-port",
	}
}

func startJaeger(_ context.Context, s *site) (plan, error) {
	flags := jaegerListeners()
	p, err := s.freePorts(len(flags))
	if err != nil {
		return plan{}, err
	}
	argv := []string{filepath.Join(s.cache, "jaeger"), "--collector.otlp.enabled=true", "--log-level=warn",
		"--reporter.grpc.host-port=" + loopback(p[4])} // its own collector
	for i, flag := range flags {
		argv = append(argv, "--"+flag+"="+loopback(p[i]))
	}
	a := map[string]string{"grpc": loopback(p[0]), "http": "http://" + loopback(p[1]), "otlp_grpc": loopback(p[2]), "otlp_http": "http://" + loopback(p[3])}
	return plan{argv: argv, env: []string{"SPAN_STORAGE_TYPE=memory"}, addresses: a, ready: jaegerReady(a, "http://"+loopback(p[6])+"/")}, nil
}

// jaegerReady asks the admin port, which answers when all parts run, then each
// port that is given out.
func jaegerReady(a map[string]string, admin string) func(context.Context) error {
	healthy, query, otlp := httpReady(admin, nil), httpReady(a["http"]+"/api/services", nil), tcpReady(a["otlp_grpc"])
	return func(ctx context.Context) error {
		for _, ready := range []func(context.Context) error{healthy, query, otlp} {
			if err := ready(ctx); err != nil {
				return err
			}
		}
		return nil
	}
}
