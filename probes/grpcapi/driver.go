package grpcapi

import "iscope/probes"

const driverDoc = `Lists, describes and calls the services of one gRPC server, found by
reflection (v1, else v1alpha), in a FileDescriptorSet or in .proto files; they
add to one another. Where gRPC is not answered, gRPC-Web and Connect are tried.
The address is host:port, several of them with commas between, or unix:/PATH (in
a URL grpc://unix:/PATH). Auth: a bearer token,
or user name and password (basic), or a token in a metadata name of its own
(auth.header); it is sent on reflection calls too. A method counts as a read if
its idempotency_level is NO_SIDE_EFFECTS, or else if its name starts with Get,
List, Watch, Check, Read, Search, Find, Describe, Query, Lookup, Exists, Count or
Health as a whole word, without Or and And in it (GetOrCreate) and not CheckIn or
CheckOut; Create, Update, Delete and the like count as writes, all others as
unknown. A call without a deadline of its own ends after the target's timeout; a
negative deadline means none. Proxies from the environment are not used.`

const driverImpact = "Opens one connection; lists by reflection and health checks; calls only what is invoked."

// Driver is the gRPC driver.
func Driver() probes.Driver {
	return probes.Driver{
		Name:    "grpc",
		Doc:     driverDoc,
		Impact:  driverImpact,
		Schemes: []probes.Scheme{{Name: "grpc"}, {Name: "grpcs", TLS: true}},
		Columns: []probes.Column{
			{Title: "METHOD", Attr: probes.AttrRPCMethod, Width: 36},
			{Title: "STATUS", Attr: probes.AttrStatus, Width: 18},
			{Title: "MS", Attr: probes.TimingTotal, Width: 9, Right: true},
			{Title: "SIZE", Attr: "size", Width: 8, Right: true},
			{Title: "SUMMARY", Attr: "summary", Width: 60},
		},
		Options:    options(),
		Open:       open,
		URLSubject: urlSubject,
	}
}
