package kit

import (
	"iscope/inspectors/filter"
	"iscope/probes"
)

// MethodRow is a method as filters of lists see it, in every list of methods.
func MethodRow(target string, m *probes.Method) *filter.Row {
	r := &filter.Row{Kind: "method", Name: m.Name, Target: target, Group: m.Group, Effect: m.Effect.String(), Doc: m.Doc}
	switch {
	case m.ClientStream && m.ServerStream:
		r.Streams = "bidi"
	case m.ClientStream:
		r.Streams = "client"
	case m.ServerStream:
		r.Streams = "server"
	}
	return r
}
