package replay

import (
	"strconv"

	"iscope/probes"
)

// outcome is how a call ended, as far as two runs can be compared.
type outcome struct {
	http, rpc, status string
	failed            bool
}

func outcomeOf(end *probes.Record) outcome {
	var o outcome
	o.http, _ = end.Attr(probes.AttrHTTPStatus)
	o.rpc, _ = end.Attr(probes.AttrRPCStatus)
	o.status, _ = end.Attr(probes.AttrStatus)
	o.failed = end.Err != ""
	return o
}

// String is the word for people.
func (o outcome) String() string {
	for _, s := range []string{o.rpc, o.http, o.status} {
		if s != "" {
			return s
		}
	}
	if o.failed {
		return "error"
	}
	return "ok"
}

// differs compares by the most precise fact both have: the capture and the
// replay may have been made by different means, a proxy and a client.
func (o outcome) differs(now outcome) bool {
	switch {
	case o.rpc != "" && now.rpc != "":
		return o.rpc != now.rpc
	case o.http != "" && now.http != "":
		return o.http != now.http
	case o.status != "" && now.status != "":
		return o.status != now.status
	}
	return o.failed != now.failed
}

// serverFaults are the gRPC statuses by which a server says that it is the one
// in trouble (https://grpc.io/docs/guides/status-codes/).
var serverFaults = map[string]bool{"UNAVAILABLE": true, "INTERNAL": true, "UNKNOWN": true, "DEADLINE_EXCEEDED": true,
	"RESOURCE_EXHAUSTED": true, "DATA_LOSS": true}

// faulty reports an outcome that counts against the destination.
func (o outcome) faulty() bool {
	if o.rpc != "" {
		return serverFaults[o.rpc]
	}
	if code, err := strconv.Atoi(o.http); err == nil {
		return code >= 500
	}
	return o.failed
}
