package session

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Listener is a socket that listens on this machine.
type Listener struct {
	Addr   string // host:port, reachable from here
	Scheme string // what its port usually means: "kafka"; "" if nothing we read
}

// ports are the usual ones of what iscope reads.
var ports = map[uint16]string{9092: "kafka", 19092: "kafka", 29092: "kafka", 8500: "consul", 50051: "grpc",
	80: "http", 3000: "http", 5000: "http", 8000: "http", 8080: "http", 8081: "http", 8888: "http", 9090: "http"}

// listeners makes the list of what is listening: the kinds iscope reads first,
// then by port. A port bound to several addresses is one listener.
func listeners(bound []netip.AddrPort) []Listener {
	best := map[uint16]netip.Addr{}
	for _, b := range bound {
		at := reachable(b.Addr().Unmap())
		if old, ok := best[b.Port()]; !ok || rank(at) < rank(old) {
			best[b.Port()] = at
		}
	}
	var all []netip.AddrPort
	for port, at := range best {
		all = append(all, netip.AddrPortFrom(at, port))
	}
	slices.SortFunc(all, func(a, b netip.AddrPort) int {
		return cmp.Or(cmp.Compare(unknown(a), unknown(b)), cmp.Compare(a.Port(), b.Port()))
	})
	out := make([]Listener, len(all))
	for i, a := range all {
		out[i] = Listener{Addr: a.String(), Scheme: ports[a.Port()]}
	}
	return out
}

func unknown(a netip.AddrPort) int {
	if ports[a.Port()] == "" {
		return 1
	}
	return 0
}

// reachable is the address to dial for what is bound to every address.
func reachable(a netip.Addr) netip.Addr {
	if !a.IsUnspecified() {
		return a
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1}) // a dual-stack [::] takes it too, as by default it does
}

// rank prefers 127.0.0.1, then [::1], then addresses of interfaces.
func rank(a netip.Addr) int {
	switch {
	case a.IsLoopback() && a.Is4():
		return 0
	case a.IsLoopback():
		return 1
	}
	return 2
}

// stateListen is TCP_LISTEN in the kernel's table.
const stateListen = "0A"

// readTable reads /proc/net/tcp or tcp6 (proc(5)): one socket a line, the second
// field is its own address and port in hex, the fourth its state.
func readTable(r io.Reader) (bound []netip.AddrPort, err error) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 || fields[3] != stateListen {
			continue
		}
		at, err := parseBound(fields[1])
		if err != nil {
			return bound, fmt.Errorf("reading the table of sockets: %w", err)
		}
		bound = append(bound, at)
	}
	return bound, lines.Err()
}

// parseBound reads an address as the kernel prints it: words of 32 bits in the
// machine's own byte order.
func parseBound(s string) (netip.AddrPort, error) {
	hexAddr, hexPort, _ := strings.Cut(s, ":")
	port, err := strconv.ParseUint(hexPort, 16, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("address %q: %w", s, err)
	}
	var raw []byte
	for i := 0; i+8 <= len(hexAddr); i += 8 {
		word, err := strconv.ParseUint(hexAddr[i:i+8], 16, 32)
		if err != nil {
			return netip.AddrPort{}, fmt.Errorf("address %q: %w", s, err)
		}
		raw = binary.NativeEndian.AppendUint32(raw, uint32(word))
	}
	addr, ok := netip.AddrFromSlice(raw)
	if !ok {
		return netip.AddrPort{}, fmt.Errorf("address %q has %d bytes", s, len(raw))
	}
	return netip.AddrPortFrom(addr, uint16(port)), nil
}
