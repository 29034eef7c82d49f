package grpcapi

import (
	"context"

	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"iscope/probes"
)

// verdict is what the standard health service says of one service.
type verdict struct {
	verdict probes.Health
	reason  string // the status in its own words, or why there is none
	served  bool   // the health service exists, whatever it says
}

// health asks grpc.health.v1 for a service, "" for the whole server. A health
// service that is not there, or does not know the service, says nothing: the
// verdict is unknown, never ok.
func (l *link) health(ctx context.Context, service string) (verdict, error) {
	const op = "asking for health"
	ctx, cancel := l.set.bounded(ctx)
	defer cancel()
	out, err := l.set.outgoing(ctx, nil)
	if err != nil {
		return verdict{}, l.set.usage(err)
	}
	resp, err := healthpb.NewHealthClient(l.cc).Check(out, &healthpb.HealthCheckRequest{Service: service})
	switch code := status.Code(err); {
	case err == nil:
		return judge(resp.GetStatus()), nil
	case code == codes.NotFound:
		return verdict{reason: "unknown to the health service", served: true}, nil
	case code == codes.Unimplemented && foreignHTTP(status.Convert(err)) == 0:
		return verdict{reason: "no health service"}, nil
	}
	return verdict{}, l.requestError(ctx, op, err)
}

func judge(s healthpb.HealthCheckResponse_ServingStatus) verdict {
	v := verdict{reason: s.String(), served: true}
	switch s {
	case healthpb.HealthCheckResponse_SERVING:
		v.verdict, v.reason = probes.HealthOK, ""
	case healthpb.HealthCheckResponse_NOT_SERVING:
		v.verdict = probes.HealthFail
	}
	return v
}
