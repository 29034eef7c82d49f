package grpcapi

import (
	"context"
	"crypto/tls"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/metadata"

	"iscope/probes"
)

// peers counts which instance answered.
func peers(t *testing.T, p *probe, calls int) map[string]int {
	t.Helper()
	out := map[string]int{}
	for range calls {
		recs, err := collect(within(t), p, probes.Invocation{Method: "probe.v1.Lone/Ping"})
		if err != nil {
			t.Fatal(err)
		}
		peer, _ := recs[len(recs)-1].Attr(probes.AttrPeer)
		out[peer]++
	}
	return out
}

func TestBalancing(t *testing.T) {
	a, b := serve(t, serverOptions{reflection: bothVersions}), serve(t, serverOptions{reflection: bothVersions})
	dead := freeAddress(t)
	t.Run("round robin", func(t *testing.T) {
		target := a.target()
		target.Address = a.addr + "," + dead + ", " + b.addr
		target.Options[optBalance] = roundRobin
		p := dial(t, target)
		// The second connection may be ready some calls after the first.
		for got := peers(t, p, 2); got[a.addr] == 0 || got[b.addr] == 0; got = peers(t, p, 2) {
			if within(t).Err() != nil {
				t.Fatal("one instance never answered")
			}
		}
		got := peers(t, p, 20)
		if got[a.addr] != 10 || got[b.addr] != 10 {
			t.Errorf("answers: %v", got)
		}
	})
	t.Run("the first that answers", func(t *testing.T) {
		target := a.target()
		target.Address = dead + "," + b.addr + "," + a.addr
		got := peers(t, dial(t, target), 5)
		if got[b.addr] != 5 {
			t.Errorf("answers: %v", got)
		}
	})
	t.Run("a name", func(t *testing.T) {
		target := a.target()
		_, port, _ := net.SplitHostPort(a.addr)
		target.Address, target.Options[optBalance] = "localhost:"+port, roundRobin
		if got := peers(t, dial(t, target), 3); got[a.addr] != 3 {
			t.Errorf("answers: %v", got)
		}
	})
	t.Run("none", func(t *testing.T) {
		target := a.target()
		target.Address, target.Options[optBalance] = dead+","+freeAddress(t), roundRobin
		_, err := dial(t, target).Methods(within(t))
		wantError(t, err, probes.ErrUnreachable, "nothing listens on 127.0.0.1:", "start the server")
	})
	t.Run("no such name", func(t *testing.T) {
		target := a.target()
		target.Address, target.Options[optBalance] = "no-such-host.invalid:1", roundRobin
		_, err := dial(t, target).Methods(within(t))
		wantError(t, err, probes.ErrUnreachable, `no address found for host "no-such-host.invalid"`, "check the name")
	})
}

func TestURLs(t *testing.T) {
	for _, c := range []struct{ url, address, name, subject string }{
		{"grpc://a:1/shop.Orders/Get", "a:1", "grpc://a:1", "shop.Orders/Get"},
		{"grpc://a:1,b:2", "a:1,b:2", "grpc://a:1,b:2", ""},
		{"grpc://unix:/run/x.sock", "unix:/run/x.sock", "grpc://unix:/run/x.sock", ""},
		{"grpcs://unix:/run/x.sock", "unix:/run/x.sock", "grpcs://unix:/run/x.sock", ""},
	} {
		target, subject, err := probes.ParseURL([]probes.Driver{Driver()}, c.url)
		if err != nil || target.Address != c.address || target.Name != c.name || subject != c.subject {
			t.Errorf("%s: %s, %s, %s, %v", c.url, target.Address, target.Name, subject, err)
		}
	}
}

func TestSockets(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x,y.sock")
	serve(t, serverOptions{reflection: bothVersions, network: "unix", addr: path})
	target := probes.Target{Name: "fixture", Driver: "grpc", Address: "unix:" + path}
	recs, err := collect(within(t), dial(t, target), probes.Invocation{Method: "probe.v1.Lone/Ping"})
	if err != nil || shape(recs) != "request {} | response {} | end OK" {
		t.Errorf("%s, %v", shape(recs), err)
	}
	target.Address += "x"
	_, err = dial(t, target).Methods(within(t))
	wantError(t, err, probes.ErrUnreachable, "no such file", "")
}

func TestAuthority(t *testing.T) {
	ours := newAuthority(t, "iscope test CA")
	cert, _, _ := ours.issue("orders.example", time.Hour)
	seen := make(chan string, 100)
	watch := func(ctx context.Context) {
		md, _ := metadata.FromIncomingContext(ctx)
		seen <- strings.Join(md.Get(":authority"), ",")
	}
	f := serve(t, serverOptions{reflection: bothVersions, watch: watch, tls: &tls.Config{Certificates: []tls.Certificate{cert}}})
	for _, c := range []struct {
		name, authority, server, want string
	}{
		{"names the certificate", "orders.example", "", "orders.example"},
		{"beside another name of the certificate", "elsewhere.example:77", "orders.example", "elsewhere.example:77"},
		{"from the certificate's name", "", "orders.example", "orders.example"},
	} {
		t.Run(c.name, func(t *testing.T) {
			target := f.target()
			target.TLS = probes.TLS{Enabled: true, CAFile: ours.file, ServerName: c.server}
			target.Options[optAuthority] = c.authority
			if err := dial(t, target).Check(within(t)); err != nil {
				t.Fatal(err)
			}
			if got := <-seen; got != c.want {
				t.Errorf("authority %q", got)
			}
		})
	}
	t.Run("wrong", func(t *testing.T) {
		target := f.target()
		target.TLS = probes.TLS{Enabled: true, CAFile: ours.file}
		target.Options[optAuthority] = "other.example"
		err := dial(t, target).Check(within(t))
		wantError(t, err, probes.ErrTLS, "orders.example", "tls.server_name")
	})
}

func TestCompression(t *testing.T) {
	p := dial(t, serve(t, serverOptions{reflection: bothVersions}).target())
	doc := `{"data":"` + strings.Repeat("QUFB", 5000) + `"}`
	for _, compression := range []string{"", "gzip"} {
		recs, err := collect(within(t), p, probes.Invocation{Method: "probe.v1.Probe/Flood", Next: docs(doc), Compression: compression})
		if err != nil {
			t.Fatal(err)
		}
		v, _ := recs[0].Attr(probes.AttrWireSize)
		n, err := strconv.Atoi(v)
		if err != nil || (n < 1000) != (compression == "gzip") || len(recs[1].Body) != len(doc) {
			t.Errorf("%q: %s on the wire, %d answered", compression, v, len(recs[1].Body))
		}
	}
	recs, err := collect(within(t), p, probes.Invocation{Method: "probe.v1.Probe/GetBig", Next: docs(`{"value":100000}`),
		Header: []probes.Field{{Name: "x-compress", Value: []byte("yes")}}})
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := recs[1].Attr(probes.AttrWireSize); len(v) > 3 || len(recs[1].Body) < 100000 {
		t.Errorf("the answer has %s on the wire, %d decoded", v, len(recs[1].Body))
	}
	_, err = collect(within(t), p, probes.Invocation{Method: "probe.v1.Probe/Flood", Next: docs(doc), Compression: "zstd"})
	wantError(t, err, probes.ErrUsage, `compression "zstd" is not supported`, "gzip")
}

func TestTimesAndTraceOfACall(t *testing.T) {
	ours := newAuthority(t, "iscope test CA")
	cert, _, _ := ours.issue("127.0.0.1", time.Hour)
	f := serve(t, serverOptions{reflection: bothVersions, tls: &tls.Config{Certificates: []tls.Certificate{cert}}})
	target := f.target()
	target.TLS = probes.TLS{Enabled: true, CAFile: ours.file}
	target.Address = strings.Replace(f.addr, "127.0.0.1", "localhost", 1)
	target.TLS.ServerName = "127.0.0.1"
	p := dial(t, target)
	in := probes.Invocation{Method: "probe.v1.Probe/ListNumbers", Next: docs(`{"value":2}`)}
	trace := in.WithTrace()
	if _, err := p.Method(within(t), in.Method); err != nil { // connects, for the call that follows
		t.Fatal(err)
	}
	recs, err := collect(within(t), p, in)
	if err != nil {
		t.Fatal(err)
	}
	end := recs[len(recs)-1]
	if v, _ := end.Attr(probes.AttrTraceID); v != trace || trace == "" {
		t.Errorf("trace %q, want %q", v, trace)
	}
	sum := 0.0
	for _, name := range []string{probes.TimingDNS, probes.TimingConnect, probes.TimingTLS, probes.TimingSend, probes.TimingFirstByte, probes.TimingReceive} {
		v, _ := end.Attr(name)
		ms, err := strconv.ParseFloat(v, 64)
		if err != nil || ms <= 0 {
			t.Errorf("%s is %q", name, v)
		}
		sum += ms
	}
	v, _ := end.Attr(probes.TimingTotal)
	if total, err := strconv.ParseFloat(v, 64); err != nil || sum > total+0.01 {
		t.Errorf("the parts are %v, the total %v", sum, v)
	}
	recs, err = collect(within(t), p, probes.Invocation{Method: "probe.v1.Lone/Ping"})
	if err != nil {
		t.Fatal(err)
	}
	end = recs[len(recs)-1]
	for _, name := range []string{probes.TimingDNS, probes.TimingConnect, probes.TimingTLS, probes.AttrTraceID} {
		if v, ok := end.Attr(name); ok {
			t.Errorf("a call on an open connection has %s %s", name, v)
		}
	}
}
