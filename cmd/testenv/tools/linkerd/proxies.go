package main

import (
	"fmt"
	"io"
	"net/http"
	"time"
)

// route is traffic between two deployments of the depot, as their proxies would
// count it.
type route struct {
	from, to, name string
	rps, failing   float64 // requests and failed ones, per second
}

// proxies answers a scrape like all proxies of the depot together: the names and
// labels are those that Linkerd's queries ask for, the traffic is steady and made
// up.
type proxies struct {
	started time.Time
	routes  []route
}

func newProxies(started time.Time) *proxies {
	return &proxies{started, []route{
		{"gateway", "stock", "POST /reserve", 10, 1},
		{"stock", "ledger", "POST /entries", 4, 0},
	}}
}

const depot = "depot"

func (p *proxies) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	seconds := time.Since(p.started).Seconds()
	for _, d := range []string{"gateway", "stock", "ledger"} {
		fmt.Fprintf(w, "process_start_time_seconds{namespace=%q,deployment=%q,pod=%q} %d\n", depot, d, d+"-1", p.started.Unix())
	}
	for _, r := range p.routes {
		in := fmt.Sprintf(`direction="inbound",peer="src",namespace=%q,deployment=%q,pod=%q,tls="true",client_id=%q,authority=%q`,
			depot, r.to, r.to+"-1", identity(r.from), host(r.to))
		out := fmt.Sprintf(`direction="outbound",peer="dst",namespace=%q,deployment=%q,pod=%q,tls="true",server_id=%q,authority=%q,dst_namespace=%q,dst_deployment=%q,dst_pod=%q,dst_service=%q`,
			depot, r.from, r.from+"-1", identity(r.to), host(r.to), depot, r.to, r.to+"-1", r.to)
		for _, labels := range []string{in, out} {
			r.write(w, labels, seconds)
		}
	}
}

func host(service string) string { return service + "." + depot + ".svc.cluster.local:8080" }

func identity(account string) string {
	return account + "." + depot + ".serviceaccount.identity.linkerd.cluster.local"
}

func (r route) write(w io.Writer, labels string, seconds float64) {
	count := func(name, more string, perSecond float64) {
		fmt.Fprintf(w, "%s{%s%s} %d\n", name, labels, more, int64(perSecond*seconds))
	}
	for _, metric := range []string{"response_total", "route_response_total", "route_actual_response_total"} {
		more := ""
		if metric != "response_total" {
			more = fmt.Sprintf(`,dst=%q,rt_route=%q`, host(r.to), r.name)
		}
		count(metric, more+`,classification="success",status_code="200"`, r.rps-r.failing)
		if r.failing > 0 {
			count(metric, more+`,classification="failure",status_code="503"`, r.failing)
		}
	}
	count("request_total", "", r.rps)
	count("tcp_read_bytes_total", "", r.rps*120)
	count("tcp_write_bytes_total", "", r.rps*480)
	fmt.Fprintf(w, "tcp_open_connections{%s} 2\ntcp_open_total{%s} 2\n", labels, labels)
	r.latencies(w, labels, seconds)
}

// latencies writes the cumulative buckets of a histogram: half of the calls take
// up to 5 ms, one in ten more than 50.
func (r route) latencies(w io.Writer, labels string, seconds float64) {
	for _, b := range []struct {
		le    string
		share float64
	}{{"1", 0}, {"5", 0.5}, {"10", 0.8}, {"50", 0.9}, {"100", 0.99}, {"1000", 1}, {"+Inf", 1}} {
		fmt.Fprintf(w, "response_latency_ms_bucket{%s,le=%q} %d\n", labels, b.le, int64(r.rps*seconds*b.share))
	}
}
