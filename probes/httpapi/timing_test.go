package httpapi

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strconv"
	"testing"

	"iscope/probes"
)

func TestEveryPhaseIsTimed(t *testing.T) {
	next := make(chan struct{})
	srv := serve(t, "", func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, "first")
		w.(http.Flusher).Flush()
		<-next
		io.WriteString(w, "last")
	})
	close(next)
	p := openTarget(t, noDoc(srv.URL))
	_, _, end := mustInvoke(t, p, "POST /x", `{}`)
	sum := 0.0
	for _, name := range []string{probes.TimingConnect, probes.TimingSend, probes.TimingFirstByte, probes.TimingReceive} {
		ms, err := strconv.ParseFloat(attr(end, name), 64)
		if err != nil || ms < 0 {
			t.Errorf("%s is %q", name, attr(end, name))
		}
		sum += ms
	}
	total, err := strconv.ParseFloat(attr(end, probes.TimingTotal), 64)
	if err != nil || total < sum-0.01 {
		t.Errorf("total %v, its phases %v", attr(end, probes.TimingTotal), sum)
	}
	if attr(end, probes.AttrTraceID)+attr(end, probes.AttrAttempt) != "" {
		t.Errorf("end %v", end.Attrs)
	}
	in := probes.Invocation{Method: "GET /x"}
	trace := in.WithTrace()
	_, _, end = mustInvoke(t, p, "GET /x", "", func(i *probes.Invocation) { i.Header = in.Header })
	if attr(end, probes.AttrTraceID) != trace {
		t.Errorf("trace %q, want %q", attr(end, probes.AttrTraceID), trace)
	}
}

// TestRepeatsOfTheTransportAreCounted has a server that drops its second request
// on a connection, which net/http repeats on a new one by itself.
func TestRepeatsOfTheTransportAreCounted(t *testing.T) {
	addr := listen(t, func(c net.Conn) {
		r := bufio.NewReader(c)
		if _, err := http.ReadRequest(r); err != nil {
			return
		}
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		http.ReadRequest(r) // and no answer to that one
	})
	p := openTarget(t, noDoc(addr))
	_, _, first := mustInvoke(t, p, "GET /x", "")
	_, _, second := mustInvoke(t, p, "GET /x", "")
	if attr(first, probes.AttrAttempt) != "" || attr(second, probes.AttrAttempt) != "2" {
		t.Errorf("attempts %q, then %q", attr(first, probes.AttrAttempt), attr(second, probes.AttrAttempt))
	}
}
