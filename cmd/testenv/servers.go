package main

// Profiles. Core is required in CI; the others run where they are built.
const (
	core  = "core"
	peers = "peers"
	mesh  = "mesh"
)

// servers lists all there are. A new one is a file here, a folder below tools/
// and a line in this list.
func servers() []*server {
	return []*server{
		kafka(), rabbitmq(), zookeeper(), etcd(), consul(),
		eureka(), aws(), elasticmq(), envoy(), registry(),
		interop(), loopbackTodo(), openfga(), yoga(), jaeger(), otelcol(), prometheus(),
		kcat(), grpcurl(), rabtap(), mitmproxy(), vegeta(),
		kube(), istiod(), linkerd(), sidecar(),
	}
}
