package main

import (
	"io"

	"google.golang.org/grpc/grpclog"

	"iscope/probes"
	"iscope/probes/aws"
	"iscope/probes/consul"
	"iscope/probes/graphql"
	"iscope/probes/grpcapi"
	"iscope/probes/httpapi"
	"iscope/probes/kafka"
	"iscope/probes/rabbitmq"
)

// quiet stops grpc-go from writing to stderr, which would corrupt the dashboard
// and repeats what our own errors say.
func quiet() { grpclog.SetLoggerV2(grpclog.NewLoggerV2(io.Discard, io.Discard, io.Discard)) }

// drivers lists every system iscope can read. A new one is a folder below
// probes and a line here.
func drivers() []probes.Driver {
	return []probes.Driver{
		kafka.Driver(),
		rabbitmq.Driver(),
		grpcapi.Driver(),
		httpapi.Driver(),
		consul.Driver(),
		graphql.Driver(),
		aws.SQS(),
		aws.SNS(),
	}
}
