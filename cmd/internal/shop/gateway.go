package shop

import (
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync/atomic"
)

const gatewayName = "shop-gateway/1.4"

// gateway is the shop's front door: a reverse proxy to the API that marks what
// passes and turns some of the customers away.
type gateway struct {
	seed    int64
	proxy   *httputil.ReverseProxy
	counter atomic.Int64
}

func newGateway(seed int64, upstream string, transport http.RoundTripper) *gateway {
	g := &gateway{seed: seed}
	api := &url.URL{Scheme: "http", Host: upstream}
	g.proxy = &httputil.ReverseProxy{
		Transport: transport,
		ErrorLog:  silent(),
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(api)
			r.SetXForwarded()
			r.Out.Header.Set("Via", "1.1 "+gatewayName)
			r.Out.Header.Set("Traceparent", traceFrom(r.In.Context()).header())
		},
		ModifyResponse: func(r *http.Response) error {
			r.Header.Set("Via", "1.1 "+gatewayName)
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			problem(w, http.StatusBadGateway, "Bad gateway", "the API does not answer: "+err.Error())
		},
	}
	return g
}

// ServeHTTP implements http.Handler.
func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	asked := r.Header.Get("X-Request-Id")
	id := asked
	if id == "" {
		id = fmt.Sprintf("gw-%d", g.counter.Add(1))
		r.Header.Set("X-Request-Id", id)
	}
	w.Header().Set("X-Request-Id", id)
	w.Header().Set("X-Trace-Id", traceFrom(r.Context()).id)
	w.Header().Set("X-Ratelimit-Limit", "300")
	// Only storefronts are turned away; they name their requests. Whoever
	// explores the shop by hand gets what was asked for.
	switch status := turnedAway(g.seed, asked); status {
	case 0:
		g.proxy.ServeHTTP(w, r)
	case http.StatusTooManyRequests:
		refuse(w, status, 1, "this storefront sends more than 300 requests a minute")
	default:
		refuse(w, status, 3, "the shop is being updated")
	}
}

func refuse(w http.ResponseWriter, status, seconds int, detail string) {
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	problem(w, status, http.StatusText(status), detail)
}
