package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// otelcol is an OpenTelemetry collector of the parts that are needed here: it
// takes OTLP, says on its log how much, and passes spans on to Jaeger. 0.162 is
// the newest whose modules can all be had.
func otelcol() *server {
	return &server{
		name: "otelcol", version: "0.162.0", profile: peers, tool: "otelcol", builds: []string{"go"}, disk: 1000,
		after: []string{"jaeger"},
		build: func(ctx context.Context, b *builder) error {
			return b.run(ctx, b.tool, nil, "go", "build", "-mod=readonly", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(b.dir, "otelcol"), ".")
		},
		start: startOtelcol,
	}
}

// otelcolConfig has no batch processor: a span is in Jaeger as soon as it can be.
const otelcolConfig = `
receivers:
  otlp:
    protocols:
      grpc: {endpoint: %q}
      http: {endpoint: %q}
exporters:
  debug: {}
  otlphttp/jaeger: {endpoint: %q, compression: none}
service:
  pipelines:
    traces: {receivers: [otlp], exporters: [debug, otlphttp/jaeger]}
    metrics: {receivers: [otlp], exporters: [debug]}
    logs: {receivers: [otlp], exporters: [debug]}
  telemetry:
    metrics: {level: none}
`

func startOtelcol(_ context.Context, s *site) (plan, error) {
	p, err := s.freePorts(2)
	if err != nil {
		return plan{}, err
	}
	grpc, http := loopback(p[0]), loopback(p[1])
	file := filepath.Join(s.data, "otelcol.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, otelcolConfig, grpc, http, s.others["jaeger"]["otlp_http"]), 0o600); err != nil {
		return plan{}, err
	}
	open := tcpReady(grpc)
	return plan{argv: []string{filepath.Join(s.cache, "otelcol"), "--config", file},
		addresses: map[string]string{"otlp_grpc": grpc, "otlp_http": "http://" + http},
		ready: func(ctx context.Context) error {
			if err := open(ctx); err != nil {
				return err
			}
			return tcpReady(http)(ctx)
		}}, nil
}
