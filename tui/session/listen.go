package session

import "fmt"

// Listener is a socket that listens on this machine.
type Listener struct {
	Addr   string // host:port, reachable from here
	Scheme string // what its port usually means: "kafka"; "" if nothing we read
}

// ports are the usual ones of what iscope reads.
var ports = map[int]string{9092: "kafka", 19092: "kafka", 8500: "consul", 50051: "grpc", 9090: "http", 80: "http",
	3000: "http", 5000: "http", 8000: "http", 8080: "http", 8081: "http", 8888: "http"}

func listener(port int) Listener {
	return Listener{Addr: fmt.Sprintf("127.0.0.1:%d", port), Scheme: ports[port]}
}
