package httpapi

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"iscope/probes"
)

func TestRequestsAreSpread(t *testing.T) {
	var hosts []string
	for _, name := range []string{"one", "two", "three"} {
		srv := serve(t, "", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, name+" "+r.Host) })
		hosts = append(hosts, strings.TrimPrefix(srv.URL, "http://"))
	}
	p := openTarget(t, target("http://"+strings.Join(hosts, ", ")+"/base", optOpenAPI, "testdata/shop30.yaml", optBalance, roundRobin))
	count := map[string]int{}
	for range 9 {
		_, resp, end := mustInvoke(t, p, "GET /x", "")
		if !strings.HasSuffix(string(resp.Body), hosts[0]) {
			t.Errorf("host %s, want the first of the target", resp.Body)
		}
		count[attr(end, probes.AttrPeer)]++
	}
	if diff := cmp.Diff(map[string]int{hosts[0]: 3, hosts[1]: 3, hosts[2]: 3}, count); diff != "" {
		t.Error(diff)
	}
	// An instance that is down fails its share, and says where it is.
	p = openTarget(t, target(hosts[0]+",127.0.0.1:1", optOpenAPI, "testdata/shop30.yaml", optBalance, roundRobin))
	mustInvoke(t, p, "GET /x", "")
	_, err := invoke(t, p, "GET /x", "")
	wantError(t, err, probes.ErrUnreachable, hosts[0]+" at 127.0.0.1:1")
	for _, c := range []struct{ address, balance, want string }{
		{hosts[0] + "," + hosts[1], "", "balance: round_robin"},
		{hosts[0], "random", "use round_robin"},
		{hosts[0] + ",x y", roundRobin, "no host:port"},
	} {
		tg := target(c.address)
		if c.balance != "" {
			tg.Options[optBalance] = c.balance
		}
		_, err := newProbe(tg)
		wantError(t, err, probes.ErrUsage, c.want)
	}
}

func TestInstancesOfAName(t *testing.T) {
	srv := serve(t, "", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Host) })
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	p := openTarget(t, target("shop.test:"+u.Port(), optOpenAPI, "testdata/shop30.yaml", optBalance, roundRobin))
	found, failed := []string{"127.0.0.1", "127.0.0.1"}, error(nil)
	p.pool.lookup = func(_ context.Context, host string) ([]string, error) { return found, failed }
	_, resp, end := mustInvoke(t, p, "GET /x", "")
	if string(resp.Body) != "shop.test:"+u.Port() || attr(end, probes.AttrPeer) != net.JoinHostPort("127.0.0.1", u.Port()) {
		t.Errorf("host %s at %s", resp.Body, attr(end, probes.AttrPeer))
	}
	// A lookup that fails later keeps what was known; the first is an error.
	p.pool.at, found, failed = p.pool.at.Add(-2*lookAgain), nil, &net.DNSError{Err: "no such host", Name: "shop.test", IsNotFound: true}
	mustInvoke(t, p, "GET /x", "")
	p = openTarget(t, target("shop.test:1", optOpenAPI, "testdata/shop30.yaml", optBalance, roundRobin))
	p.pool.lookup = func(context.Context, string) ([]string, error) { return nil, failed }
	_, err = invoke(t, p, "GET /x", "")
	wantError(t, err, probes.ErrUnreachable, `no such host "shop.test"`)
	if errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
