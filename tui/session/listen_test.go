package session

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// table prints sockets as the kernel of this machine would.
func table(sockets ...string) string {
	var b strings.Builder
	b.WriteString("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n")
	for i, s := range sockets {
		addr, state, _ := strings.Cut(s, " ")
		a := netip.MustParseAddrPort(addr)
		var text string
		raw := a.Addr().AsSlice()
		for ; len(raw) > 0; raw = raw[4:] {
			text += fmt.Sprintf("%08X", binary.NativeEndian.Uint32(raw))
		}
		fmt.Fprintf(&b, "%4d: %s:%04X 00000000:0000 %s 00000000:00000000 00:00000000 00000000     0        0 %d 1 0 100 0 0 10 0\n", i, text, a.Port(), state, 1000+i)
	}
	return b.String()
}

func TestTableOfSockets(t *testing.T) {
	bound, err := readTable(strings.NewReader(table("0.0.0.0:8080 0A", "127.0.0.1:9092 0A", "127.0.0.1:9092 01", "10.1.2.3:7777 0A",
		"[::1]:8500 0A", "[::]:6379 0A", "[::1]:9092 0A", "127.0.0.1:40000 06")))
	if err != nil {
		t.Fatal(err)
	}
	want := []Listener{{"127.0.0.1:8080", "http"}, {"[::1]:8500", "consul"}, {"127.0.0.1:9092", "kafka"},
		{"127.0.0.1:6379", ""}, {"10.1.2.3:7777", ""}}
	if got := listeners(bound); !slices.Equal(got, want) {
		t.Fatalf("got  %v\nwant %v", got, want)
	}
}

func TestDamagedTableIsAnError(t *testing.T) {
	for _, line := range []string{"0: 0100007F 0:0 0A", "0: 0100007F:XX 0:0 0A", "0: ZZ00007F:0050 0:0 0A", "0: 0100:0050 0:0 0A"} {
		if got, err := readTable(strings.NewReader(line + "\n")); err == nil {
			t.Errorf("%q is read as %v", line, got)
		}
	}
}

func TestListenersFindsOurOwn(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the table is read on Linux only")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	found, err := Listeners()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(found, func(x Listener) bool { return x.Addr == l.Addr().String() }) {
		t.Fatalf("%s is not among %v", l.Addr(), found)
	}
}
