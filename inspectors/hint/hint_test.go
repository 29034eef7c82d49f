package hint_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"iscope/inspectors/hint"
	"iscope/probes"
)

// seen is when the answers of these tests came, unless their Date says else.
var seen = time.Date(2026, 11, 3, 10, 0, 0, 0, time.UTC)

// answer makes an HTTP exchange of a status, header lines and a body.
func answer(status string, lines, body string) []probes.Record {
	return []probes.Record{
		{Kind: probes.Request, Attrs: []probes.Attr{{Name: probes.AttrURL, Value: "https://api.example.com/v1/orders"}}},
		{Kind: probes.Response, Seen: seen, Header: header(lines), Body: []byte(body), Attrs: []probes.Attr{
			{Name: probes.AttrURL, Value: "https://api.example.com/v1/orders"}, {Name: probes.AttrHTTPStatus, Value: status}, {Name: probes.AttrTLSVersion, Value: "1.3"}}},
		{Kind: probes.End, Seen: seen, Attrs: []probes.Attr{{Name: probes.AttrHTTPStatus, Value: status}}},
	}
}

// ended makes a gRPC call of a status, metadata and an error body.
func ended(name, message, lines, body string) []probes.Record {
	return []probes.Record{
		{Kind: probes.Request},
		{Kind: probes.End, Seen: seen, Err: message, Header: header(lines), Body: []byte(body), Schema: "google.rpc.Status", Attrs: []probes.Attr{
			{Name: probes.AttrRPCStatus, Value: name}, {Name: probes.AttrPeer, Value: "127.0.0.1:50051"}, {Name: probes.TimingTotal, Value: "2004.1"}}},
	}
}

func header(lines string) (out []probes.Field) {
	for _, line := range strings.Split(strings.TrimSpace(lines), "\n") {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			out = append(out, probes.Field{Name: name, Value: []byte(value)})
		}
	}
	return out
}

func TestExplain(t *testing.T) {
	for _, test := range cases() {
		t.Run(test.name, func(t *testing.T) {
			got := hint.Explain(test.records)
			var lines []string
			for _, h := range got {
				lines = append(lines, h.Text+" ["+h.Source+"]")
			}
			all := strings.Join(lines, "\n")
			for _, want := range test.want {
				if !strings.Contains(all, want) {
					t.Errorf("%q is not among\n%s", want, all)
				}
			}
			if len(test.want) == 0 && len(got) > 0 {
				t.Errorf("nothing is worth a hint, but there is\n%s", all)
			}
			var wait time.Duration
			for _, h := range got {
				wait = max(wait, h.Wait)
			}
			if wait != test.wait {
				t.Errorf("asks to wait %v, want %v, in\n%s", wait, test.wait, all)
			}
		})
	}
}

type explained struct {
	name    string
	records []probes.Record
	want    []string
	wait    time.Duration
}

func cases() []explained {
	var all []explained
	for _, group := range [][]explained{retries(), limits(), rpcs(), proxies(), libraries(), answers()} {
		all = append(all, group...)
	}
	return all
}

func retries() []explained {
	return []explained{
		{name: "nothing to say", records: answer("200", "Content-Type: application/json\nDate: Tue, 03 Nov 2026 10:00:00 GMT", `{"a":1}`)},
		{name: "seconds", records: answer("503", "Retry-After: 120", ""), wait: 2 * time.Minute, want: []string{"expects to be back in 2 min [header Retry-After]"}},
		{name: "429", records: answer("429", "Retry-After: 3", ""), wait: 3 * time.Second, want: []string{"too many requests: the server asks to wait 3 s"}},
		{name: "a date by the server's own clock", wait: 90 * time.Second, want: []string{"wait 1 min 30 s (at 2015-10-21 07:28:00 UTC)"},
			records: answer("429", "Date: Wed, 21 Oct 2015 07:26:30 GMT\nRetry-After: Wed, 21 Oct 2015 07:28:00 GMT", "")},
		{name: "a date that has passed", records: answer("503", "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT", ""), want: []string{"has passed by its own clock"}},
		{name: "no number", records: answer("503", "Retry-After: soon", ""), want: []string{"not in a form that RFC 9110 knows: “soon”"}},
		{name: "a redirect that wants patience", records: answer("302", "Retry-After: 5\nLocation: /done", ""), wait: 5 * time.Second, want: []string{"before following the redirect", "not followed: the answer is at “/done”"}},
		{name: "Azure", records: answer("429", "retry-after-ms: 1500", ""), wait: 1500 * time.Millisecond, want: []string{"wait 1.5 s"}},
		{name: "pushback", records: ended("UNAVAILABLE", "UNAVAILABLE (14): busy", "grpc-retry-pushback-ms: 250", ""), wait: 250 * time.Millisecond, want: []string{"wait 250 ms before trying again [trailer grpc-retry-pushback-ms]"}},
		{name: "pushback forbids", records: ended("UNAVAILABLE", "busy", "grpc-retry-pushback-ms: -1", ""), want: []string{"asks not to be tried again"}},
		{name: "previous attempts", records: ended("OK", "", "grpc-previous-rpc-attempts: 2", ""), want: []string{"came after 2 attempts that failed"}},
		{name: "attempts of our own", want: []string{"took 3 attempts: 2 attempts failed"}, records: []probes.Record{
			{Kind: probes.End, Attrs: []probes.Attr{{Name: probes.AttrRPCStatus, Value: "OK"}, {Name: probes.AttrAttempt, Value: "3"}}}}},
	}
}

func limits() []explained {
	return []explained{
		{name: "draft 10", records: answer("200", "RateLimit-Policy: \"burst\";q=100;w=60,\"daily\";q=1000;w=86400\nRateLimit: \"burst\";r=50;t=30", ""),
			want: []string{"rate limit “burst”: 50 left of 100 in 1 min; it starts again in 30 s [header RateLimit]"}},
		{name: "draft 07", records: answer("429", "RateLimit-Policy: 100;w=60\nRateLimit: limit=100, remaining=0, reset=50", ""), wait: 50 * time.Second,
			want: []string{"rate limit: used up of 100 in 1 min; it starts again in 50 s"}},
		{name: "draft 03", records: answer("200", "RateLimit-Limit: 100, 100;w=60\nRateLimit-Remaining: 12\nRateLimit-Reset: 41", ""),
			want: []string{"rate limit: 12 left of 100 in 1 min; it starts again in 41 s [headers RateLimit-*]"}},
		{name: "policy without state", records: answer("200", `RateLimit-Policy: "default";q=10;w=1`, ""), want: []string{"the server allows 10 requests in 1 s [header RateLimit-Policy]"}},
		{name: "GitHub", wait: 26 * time.Minute, records: answer("403", "Date: Tue, 03 Nov 2026 10:00:00 GMT\nX-RateLimit-Limit: 60\nX-RateLimit-Remaining: 0\nX-RateLimit-Reset: 1793701560\nX-RateLimit-Used: 60\nX-RateLimit-Resource: core", ""),
			want: []string{"rate limit: used up of 60; it starts again in 26 min (2026-11-03 10:26:00 UTC) [headers X-RateLimit-*]"}},
		{name: "Twitter", records: answer("200", "x-rate-limit-limit: 900\nx-rate-limit-remaining: 899\nx-rate-limit-reset: 1793700900", ""),
			want: []string{"rate limit: 899 left of 900; it starts again in 15 min"}},
		{name: "milliseconds", records: answer("200", "X-RateLimit-Limit: 5\nX-RateLimit-Remaining: 1\nX-RateLimit-Reset: 1793700010000", ""), want: []string{"starts again in 10 s"}},
		{name: "Kong", records: answer("429", "X-RateLimit-Limit-Minute: 5\nX-RateLimit-Remaining-Minute: 0\nRateLimit-Reset: 17\nRateLimit-Remaining: 0\nRateLimit-Limit: 5\nRetry-After: 17", `{"message":"API rate limit exceeded"}`),
			wait: 17 * time.Second, want: []string{"rate limit: used up of 5 in 1 min", "the gateway's rate limit refused this call"}},
		{name: "OpenAI", records: answer("200", "x-ratelimit-limit-requests: 60\nx-ratelimit-limit-tokens: 150000\nx-ratelimit-remaining-requests: 59\nx-ratelimit-remaining-tokens: 149984\nx-ratelimit-reset-requests: 1s\nx-ratelimit-reset-tokens: 6m0s", ""),
			want: []string{"rate limit of requests: 59 left of 60; it starts again in 1 s", "rate limit of tokens: 149984 left of 150000; it starts again in 6 min"}},
		{name: "Anthropic", records: answer("200", "anthropic-ratelimit-requests-limit: 50\nanthropic-ratelimit-requests-remaining: 49\nanthropic-ratelimit-requests-reset: 2026-11-03T10:01:00Z", ""), want: []string{"rate limit of requests: 49 left of 50; it starts again in 1 min"}},
		{name: "Discord", records: answer("429", "X-RateLimit-Limit: 5\nX-RateLimit-Remaining: 0\nX-RateLimit-Reset: 1793700001.470\nX-RateLimit-Reset-After: 1.470\nX-RateLimit-Bucket: abcd", ""), wait: 1470 * time.Millisecond, want: []string{"used up of 5; it starts again in 1.47 s"}},
	}
}

func rpcs() []explained {
	const details = `{"code":8,"message":"slow down","details":[
 {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1.500s"},
 {"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"RATE_LIMIT_EXCEEDED","domain":"pubsub.googleapis.com","metadata":{"service":"pubsub","quota_limit":"x"}},
 {"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"subject":"clientip:1.2.3.4","description":"per minute"}]},
 {"@type":"type.googleapis.com/google.rpc.DebugInfo","stackEntries":["a.go:1","b.go:2"],"detail":"boom"},
 {"@type":"type.googleapis.com/google.rpc.Help","links":[{"description":"docs","url":"https://example.com/q"}]},
 {"@type":"type.googleapis.com/shop.Own","x":1}]}`
	return []explained{
		{name: "details", records: ended("RESOURCE_EXHAUSTED", "RESOURCE_EXHAUSTED (8): slow down", "", details), wait: 1500 * time.Millisecond, want: []string{
			"wait 1.5 s before trying again [google.rpc.RetryInfo]", "reason “RATE_LIMIT_EXCEEDED” of “pubsub.googleapis.com” (quota_limit = x, service = pubsub)",
			"a quota is used up: “clientip:1.2.3.4”: “per minute”", "a stack of 2 entries beginning at “a.go:1”", "a quota or limit is used up", "help: “docs” https://example.com/q"}},
		{name: "fields", records: ended("INVALID_ARGUMENT", "bad", "", `{"code":3,"details":[{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"order.id","description":"must not be empty"},{"field":"total"}]}]}`),
			want: []string{"fields the server does not accept: order.id: “must not be empty”; total: “”", "the same request will fail again"}},
		{name: "precondition", records: ended("FAILED_PRECONDITION", "no", "", `{"details":[{"@type":"type.googleapis.com/google.rpc.PreconditionFailure","violations":[{"type":"TOS","subject":"google.com/cloud","description":"Terms of service not accepted"}]}]}`),
			want: []string{"something else has to be true first: TOS “google.com/cloud”: “Terms of service not accepted”"}},
		{name: "Google over HTTP", records: answer("429", "Content-Type: application/json", `{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"20s"}]}}`), wait: 20 * time.Second, want: []string{"wait 20 s"}},
		{name: "whose deadline", records: ended("DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED (4): context deadline exceeded", "", ""), want: []string{"not our deadline: the server, a service behind it or a proxy ran out of time after 2004.1 ms; the work may have been done"}},
		{name: "Envoy in gRPC", records: ended("UNAVAILABLE", "UNAVAILABLE (14): upstream connect error or disconnect/reset before headers. reset reason: overflow", "server: envoy\nx-envoy-overloaded: true", ""),
			want: []string{"the proxy's circuit breaker is open", "[header x-envoy-overloaded]", "the answer came through Envoy"}},
		{name: "plain HTTP", records: ended("UNAVAILABLE", "UNAVAILABLE (14): unexpected HTTP status code received from server: 503 (Service Unavailable)", "", ""), want: []string{"not gRPC but plain HTTP with status 503"}},
		{name: "GraphQL", records: answer("200", "Content-Type: application/json", `{"data":null,"errors":[{"message":"x","extensions":{"code":"THROTTLED"}}]}`), want: []string{"by the cost of the query"}},
		{name: "problem", records: answer("409", "Content-Type: application/problem+json", `{"type":"https://example.com/p/stock","title":"Out of stock","detail":"Item B00027Y5QG is no longer available"}`),
			want: []string{"“Out of stock: Item B00027Y5QG is no longer available”, described at https://example.com/p/stock"}},
	}
}

func proxies() []explained {
	reset := "upstream connect error or disconnect/reset before headers. "
	return []explained{
		{name: "overflow", records: answer("503", "server: envoy\nx-envoy-overloaded: true", reset+"reset reason: overflow"), want: []string{"circuit breaker is open: as many connections", "response flag UO"}},
		{name: "connection refused", records: answer("503", "server: istio-envoy", reset+"retried and the latest reset reason: remote connection failure, transport failure reason: delayed connect error: Connection refused"),
			want: []string{"could not connect to the service (response flag UF); the transport says “delayed connect error: Connection refused”; it had tried again before", "Istio's Envoy"}},
		{name: "old Envoy", records: answer("503", "", reset+"reset reason: connection failure, transport failure reason: TLS error: 268435581"), want: []string{"could not connect", "TLS error: 268435581"}},
		{name: "closed", records: answer("503", "", reset+"reset reason: connection termination"), want: []string{"response flag UC"}},
		{name: "a reason of tomorrow", records: answer("503", "", reset+"reset reason: solar flare"), want: []string{"the proxy had no answer from the service: “solar flare”"}},
		{name: "no instance", records: answer("503", "server: envoy", "no healthy upstream"), want: []string{"none of its instances is healthy"}},
		{name: "slow", records: answer("504", "", "upstream request timeout"), want: []string{"within the route's timeout"}},
		{name: "attempts", records: answer("200", "x-envoy-attempt-count: 3\nx-envoy-upstream-service-time: 1250", ""), want: []string{"the proxy tried 3 times", "the service took 1.25 s"}},
		{name: "one attempt", records: answer("200", "x-envoy-attempt-count: 1", "")},
		{name: "rate limit service", records: answer("429", "x-envoy-ratelimited: true", ""), want: []string{"a rate limit service refused"}},
		{name: "draining", records: answer("200", "x-envoy-immediate-health-check-fail: true", ""), want: []string{"taken out of rotation"}},
		{name: "flags", records: answer("503", "x-response-flags: UF,URX\nx-envoy-response-code-details: upstream_reset_before_response_started", ""), want: []string{"response flag URX: all retries are used up", "its reason is “upstream_reset_before_response_started”"}},
		{name: "Proxy-Status", records: answer("504", `Proxy-Status: edge.example; error=connection_timeout; details="no SYN/ACK"; next-hop="10.0.0.3"`, ""), want: []string{"the proxy “edge.example” answered instead of the service: the service did not accept the connection in time, “no SYN/ACK”, next hop “10.0.0.3”"}},
		{name: "Linkerd", records: answer("503", "l5d-proxy-error: HTTP Balancer service in fail-fast\nl5d-proxy-connection: close", ""), want: []string{"refuses calls at once until one is (fail-fast)", "close the connection"}},
		{name: "Linkerd unknown", records: answer("502", "l5d-proxy-error: endpoint gone", ""), want: []string{"Linkerd's proxy answered instead of the service: “endpoint gone”"}},
		{name: "Linkerd 1", records: answer("502", "l5d-err: Unable+to+establish+connection+to+127.0.0.1%3A4149.", ""), want: []string{"“Unable to establish connection to 127.0.0.1:4149.”"}},
		{name: "Kong", records: answer("200", "X-Kong-Upstream-Latency: 31\nX-Kong-Proxy-Latency: 2\nVia: 1.1 kong/3.9.0", ""), want: []string{"the service took 31 ms and Kong 2 ms", "passed “1.1 kong/3.9.0”"}},
		{name: "Kong alone", records: answer("404", "X-Kong-Response-Latency: 1\nServer: kong/3.9.0", `{"message":"no Route matched with those values"}`), want: []string{"no route for this host", "Kong answered by itself in 1 ms"}},
		{name: "AWS throttles", records: answer("429", "x-amzn-RequestId: 8f2b\nx-amzn-ErrorType: TooManyRequestsException", `{"message":"Too Many Requests"}`), want: []string{"calls come faster", "knows this request as “8f2b”"}},
		{name: "AWS without a route", records: answer("403", "x-amzn-ErrorType: MissingAuthenticationTokenException", `{"message":"Missing Authentication Token"}`), want: []string{"usually no such route", "a path and method that API Gateway does not know"}},
		{name: "load balancer", records: answer("502", "Server: awselb/2.0", "<html>502</html>"), want: []string{"AWS load balancer's own", "a gateway answered, not the service"}},
	}
}

func libraries() []explained {
	return []explained{
		{name: "resilience4j", records: answer("500", "", `{"status":500,"message":"CircuitBreaker 'inventory' is OPEN and does not permit further calls"}`), want: []string{"the circuit breaker “inventory” is open"}},
		{name: "half open", records: answer("503", "", "CircuitBreaker 'inventory' is HALF_OPEN and does not permit further calls"), want: []string{"half open"}},
		{name: "forced", records: answer("503", "", "CircuitBreaker 'inventory' is FORCED_OPEN and does not permit further calls"), want: []string{"held open by hand"}},
		{name: "bulkhead", records: answer("503", "", "Bulkhead 'db' is full and does not permit further calls"), want: []string{"the bulkhead “db” allows"}},
		{name: "rate limiter", records: answer("503", "", "RateLimiter 'backend' does not permit further calls"), want: []string{"the rate limiter “backend”"}},
		{name: "Polly", records: answer("500", "", "Polly.CircuitBreaker.BrokenCircuitException: The circuit is now open and is not allowing calls."), want: []string{"(Polly)"}},
		{name: "Hystrix", records: answer("500", "", "InventoryCommand short-circuited and fallback failed."), want: []string{"(Hystrix)"}},
		{name: "gobreaker in gRPC", records: ended("UNKNOWN", "UNKNOWN (2): circuit breaker is open", "", ""), want: []string{"this one was refused without being made", "an exception nobody caught"}},
		{name: "a page about breakers", records: answer("200", "Content-Type: text/html", "how a circuit breaker is open")},
	}
}

func answers() []explained {
	plain := []probes.Record{
		{Kind: probes.Request, Header: []probes.Field{{Name: "Authorization", Value: []byte("Bearer s3cret")}}},
		{Kind: probes.Response, Seen: seen, Header: header("A: b"), Attrs: []probes.Attr{{Name: probes.AttrURL, Value: "http://shop.internal:8080/x"}, {Name: probes.AttrHTTPStatus, Value: "200"}, {Name: probes.AttrPeer, Value: "10.1.2.3:8080"}}},
	}
	home := []probes.Record{{Kind: probes.Response, Header: header("A: b"), Attrs: []probes.Attr{{Name: probes.AttrURL, Value: "http://localhost:8080/x"}, {Name: probes.AttrHTTPStatus, Value: "200"}, {Name: probes.AttrPeer, Value: "[::1]:8080"}}}}
	broken := answer("200", "", "{}")
	for _, v := range []string{"/total: missing", "/id: not a string", "/a: x", "/b: y"} {
		broken[1].Attrs = append(broken[1].Attrs, probes.Attr{Name: probes.AttrViolation, Value: v})
	}
	return []explained{
		{name: "who asks for what", records: answer("401", `WWW-Authenticate: Bearer realm="shop", error="invalid_token", error_description="expired; log in, please"`, ""), want: []string{"asks for a token (Bearer) for “shop”: the token is expired, revoked or malformed (“expired; log in, please”)"}},
		{name: "two challenges", records: answer("401", `WWW-Authenticate: Basic realm="a, b", Negotiate, DPoP algs="ES256"`, ""), want: []string{"a user and a password (Basic) for “a, b”", "Kerberos", "DPoP"}},
		{name: "no challenge", records: answer("401", "", ""), want: []string{"does not say which"}},
		{name: "scope", records: answer("403", `WWW-Authenticate: Bearer error="insufficient_scope", scope="orders.write"`, ""), want: []string{"does not allow this, scope “orders.write”"}},
		{name: "deprecated", records: answer("200", "Deprecation: @1688169599\nSunset: Sun, 30 Jun 2030 23:59:59 GMT\nLink: <https://example.com/deprecation>; rel=\"deprecation\"; type=\"text/html\"", ""), want: []string{
			"deprecated since 2023-06-30 23:59:59 UTC; see https://example.com/deprecation", "meant to go away on 2030-06-30 23:59:59 UTC, in 1335 days"}},
		{name: "deprecated by a draft", records: answer("200", "Deprecation: true", ""), want: []string{"this is deprecated [header Deprecation]"}},
		{name: "gone", records: answer("200", "Sunset: Sat, 31 Dec 2022 00:00:00 GMT", ""), want: []string{"meant to be gone since 2022-12-31"}},
		{name: "cached", records: answer("200", "Age: 3600\nX-Cache: Hit from cloudfront", ""), want: []string{"from a cache (“Hit from cloudfront”), 1 h old"}},
		{name: "cache status", records: answer("200", `Cache-Status: "Nginx"; fwd=miss, ExampleCache; hit; ttl=376`, ""), want: []string{"from a cache (“ExampleCache”): the service"}},
		{name: "a miss", records: answer("200", "X-Cache: Miss from cloudfront\nAge: 0", "")},
		{name: "warning", records: answer("200", `Warning: 299 - "policy/v1beta1 PodSecurityPolicy is deprecated in v1.21+"`, ""), want: []string{"the server warns: “policy/v1beta1 PodSecurityPolicy is deprecated in v1.21+”"}},
		{name: "stale", records: answer("200", `Warning: 110 anderson/1.3.37 "Response is stale"`, ""), want: []string{"a cache gave what it had"}},
		{name: "server timing", records: answer("200", `Server-Timing: miss, db;dur=53.2, app;desc="read, parse";dur=47`, ""), want: []string{"its time went to db 53.2 ms, read, parse 47 ms"}},
		{name: "permanent redirect", records: answer("308", "Location: https://new.example.com/", ""), want: []string{"for good; method and body stay the same"}},
		{name: "plain text", records: plain, want: []string{"credentials (Authorization) went over a connection that is not encrypted: everybody on the way to “10.1.2.3:8080”"}},
		{name: "at home", records: home},
		{name: "contract", records: broken, want: []string{"the answer breaks its contract in 4 places: “/total: missing”, “/id: not a string”, “/a: x” and 1 more"}},
		{name: "unix socket", records: []probes.Record{{Kind: probes.End, Attrs: []probes.Attr{{Name: probes.AttrRPCStatus, Value: "OK"}, {Name: probes.AttrPeer, Value: "@"}}}}},
	}
}

// TestSecretsStay: hints name credentials, they never repeat them.
func TestSecretsStay(t *testing.T) {
	for _, test := range cases() {
		for _, h := range hint.Explain(test.records) {
			if strings.Contains(h.Text+h.Source, "s3cret") {
				t.Errorf("%s: the hint %q holds the secret", test.name, h.Text)
			}
		}
	}
}

// TestOrder: what is wrong comes before what is good to know.
func TestOrder(t *testing.T) {
	calm := false
	for _, h := range hint.Explain(answer("429", "Via: 1.1 a\nServer-Timing: db;dur=1\nRetry-After: 3\nX-RateLimit-Remaining: 4", "")) {
		if calm && !h.Calm {
			t.Errorf("%q stands after information", h.Text)
		}
		calm = calm || h.Calm
	}
}

func TestBounds(t *testing.T) {
	var lines strings.Builder
	for range 200 {
		lines.WriteString("Warning: 299 - \"" + time.Now().String() + strings.Repeat("x", 3000) + "\"\nProxy-Status: a" + strings.Repeat("y", 500) + "; error=dns_error\n")
	}
	check(t, hint.Explain(answer("503", lines.String(), strings.Repeat("no healthy ", 1e6))))
}

func check(t *testing.T, hints []hint.Hint) {
	if len(hints) > hint.MaxHints {
		t.Errorf("%d hints", len(hints))
	}
	for _, h := range hints {
		if len(h.Text) > hint.MaxText+3 || !utf8.ValidString(h.Text) || !utf8.ValidString(h.Source) || h.Text == "" || h.Source == "" || h.Topic == "" || h.Wait < 0 {
			t.Errorf("%q (%d bytes) from %q, topic %q, wait %v", h.Text, len(h.Text), h.Source, h.Topic, h.Wait)
		}
	}
}

// FuzzExplain hands over what servers could send: any status, header and body.
func FuzzExplain(f *testing.F) {
	for _, test := range cases() {
		for _, r := range test.records {
			if r.Kind == probes.Request {
				continue
			}
			var lines strings.Builder
			for _, h := range r.Header {
				lines.WriteString(h.Name + ": " + string(h.Value) + "\n")
			}
			status, _ := r.Attr(probes.AttrHTTPStatus)
			rpc, _ := r.Attr(probes.AttrRPCStatus)
			f.Add(status, rpc, r.Err, lines.String(), string(r.Body))
		}
	}
	f.Fuzz(func(t *testing.T, status, rpc, message, lines, body string) {
		check(t, hint.Explain(answer(status, lines, body)))
		check(t, hint.Explain(ended(rpc, message, lines, body)))
	})
}

func BenchmarkExplain(b *testing.B) {
	records := answer("503", "Date: Tue, 03 Nov 2026 10:00:00 GMT\nContent-Type: application/json\nserver: envoy\nRetry-After: 5\nx-request-id: 1\nx-envoy-overloaded: true", "upstream connect error or disconnect/reset before headers. reset reason: overflow")
	for b.Loop() {
		hint.Explain(records)
	}
}
