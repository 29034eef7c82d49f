package hint

import (
	"regexp"
	"strings"
	"sync"

	"iscope/probes"
)

// phrase is a text that a proxy or a library writes when it answers instead of
// the service.
type phrase struct {
	text  string // lower case
	topic Topic
	who   string
	means string
}

// phrases are matched in lower case against the start of an error's body and the
// message of a gRPC status. The first that matches counts, so that longer ones
// stand before what they contain.
var phrases = [...]phrase{
	{"no healthy upstream", Proxy, "Envoy", "the proxy knows the service but none of its instances is healthy: all failed health checks or were thrown out (response flag UH)"},
	{"upstream request timeout", Proxy, "Envoy", "the service did not answer the proxy within the route's timeout (response flag UT); it may have done the work"},
	{"upstream max stream duration reached", Proxy, "Envoy", "the call lasted longer than the proxy allows (response flag UMSDR)"},
	{"stream timeout", Proxy, "Envoy", "nothing moved on this call for as long as the proxy waits (response flag SI)"},
	{"envoy overloaded", Breaker, "Envoy", "the proxy itself is short of memory or connections and sheds load (overload manager)"},
	{"local_rate_limited", Limit, "Envoy", "the proxy's own rate limit refused this call: the service has not seen it (response flag RL)"},
	{"rbac: access denied", Auth, "Envoy or Istio", "a policy in the proxy denies this call (Istio: AuthorizationPolicy): the service has not seen it"},
	{"jwt is missing", Auth, "Envoy or Istio", "the proxy wants a token (Istio: RequestAuthentication) and found none"},
	{"jwt is expired", Auth, "Envoy or Istio", "the proxy checked the token: it has expired"},
	{"jwt verification fails", Auth, "Envoy or Istio", "the proxy checked the token: its signature is not of a key it knows"},
	{"jwt issuer is not configured", Auth, "Envoy or Istio", "the proxy checked the token: nobody told it of this issuer"},
	{"audiences in jwt are not allowed", Auth, "Envoy or Istio", "the proxy checked the token: it is meant for another service (aud)"},
	{"service in fail-fast", Breaker, "Linkerd", "the proxy has had no instance ready for a while and refuses calls at once until one is (fail-fast)"},
	{"in failfast", Breaker, "Linkerd", "the proxy has had no instance ready for a while and refuses calls at once until one is (fail-fast)"},
	{"failure to get a peer from the ring-balancer", Proxy, "Kong", "the gateway has no healthy target for this upstream"},
	{"no route matched with those values", Proxy, "Kong", "the gateway has no route for this host, path and method: the service has not seen the call"},
	{"an invalid response was received from the upstream server", Proxy, "Kong", "the gateway could not read, or lost, the answer of the service"},
	{"the upstream server is timing out", Proxy, "Kong", "the service did not answer the gateway in time"},
	{"name resolution failed", Proxy, "Kong", "the gateway cannot resolve the service's host name"},
	{"api rate limit exceeded", Limit, "Kong", "the gateway's rate limit refused this call: the service has not seen it"},
	{"no api key found in request", Auth, "Kong", "the gateway wants an API key"},
	{"missing authentication token", Auth, "AWS API Gateway", "there is usually no such route or stage: this gateway answers unknown paths with a missing token"},
	{"limit exceeded exception", Limit, "AWS API Gateway", "the usage plan's quota is used up"},
	{"endpoint request timed out", Proxy, "AWS API Gateway", "the integration did not answer within the gateway's limit (29 s unless raised)"},
	{"fault.name\":\"spikearrestviolation", Limit, "Apigee", "too many calls in a short time (SpikeArrest)"},
	{"no available server", Proxy, "Traefik", "the proxy has no healthy server for this service"},
	{"no server is available to handle this request", Proxy, "HAProxy", "the proxy has no healthy server for this service"},
	{"default backend - 404", Proxy, "Kubernetes ingress", "no ingress rule matches this host and path: the service has not seen the call"},
	{"the circuit is manually held open", Breaker, "Polly", "somebody opened the circuit breaker by hand: no call passes until it is closed by hand"},
	{"the circuit is now open and is not allowing calls", Breaker, "Polly", "the circuit breaker is open: recent calls failed, and this one was refused without being made"},
	{"rejected by the rate limiter", Limit, "Polly", "a rate limit of the calling service refused the call to the next one"},
	{"didn't complete within the allowed timeout", Proxy, "Polly", "the service gave up waiting for another one behind it"},
	{"short-circuited and is open", Breaker, "Hystrix", "the circuit breaker is open: recent calls failed, and this one was refused without being made"},
	{"short-circuited and", Breaker, "Hystrix", "the circuit breaker is open: recent calls failed, and this one was refused without being made"},
	{"could not acquire a semaphore for execution", Breaker, "Hystrix", "as many calls run as the bulkhead allows"},
	{"could not be queued for execution", Breaker, "Hystrix", "the thread pool of the bulkhead is full"},
	{"timed-out and", Proxy, "Hystrix", "the service gave up waiting for another one behind it"},
	{"hystrix: circuit open", Breaker, "hystrix-go", "the circuit breaker is open: recent calls failed, and this one was refused without being made"},
	{"hystrix: max concurrency", Breaker, "hystrix-go", "as many calls run as the bulkhead allows"},
	{"hystrix: timeout", Proxy, "hystrix-go", "the service gave up waiting for another one behind it"},
	{"breaker is open", Breaker, "a circuit breaker (gobreaker, opossum)", "the circuit breaker is open: recent calls failed, and this one was refused without being made"},
	{"circuitbreakeropenexception", Breaker, "a circuit breaker (Failsafe, MicroProfile)", "the circuit breaker is open: recent calls failed, and this one was refused without being made"},
	{"circuit breaker still open", Breaker, "pybreaker", "the circuit breaker is open: recent calls failed, and this one was refused without being made"},
	{"blocked by sentinel", Limit, "Sentinel", "flow control refused this call"},
	{"<center>nginx", Proxy, "nginx", "the page is nginx's own, not the service's"},
}

// maxScan is how much of a body is searched for phrases, in bytes.
const maxScan = 4 << 10

var (
	resetReason = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`upstream connect error or disconnect/reset before headers\. (retried and the latest )?reset reason: ([a-z ]{1,60})(?:, transport failure reason: ([^"\n]{1,300}))?`)
	})
	resilience = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(CircuitBreaker|RateLimiter|Bulkhead|TimeLimiter) '([^'\n]{1,100})' (is (?:FORCED_)?(?:HALF_)?OPEN and|is full and|does not|recorded a timeout)`)
	})
)

// explainBodies recognises texts that the service itself has not written.
func explainBodies(c *call) {
	for _, r := range c.records {
		switch {
		case r.Kind == probes.End && r.Err != "":
			c.text(r.Err, "grpc-message")
		case r.Kind == probes.Response && len(r.Body) > 0 && c.failed(&r):
			c.text(string(r.Body[:min(len(r.Body), maxScan)]), "body")
		}
	}
}

// failed reports whether an answer says that something went wrong: only then a
// body is searched, which may speak of circuit breakers for other reasons.
func (c *call) failed(r *probes.Record) bool {
	v, _ := r.Attr(probes.AttrHTTPStatus)
	return v >= "400" && len(v) == 3 || r.Err != ""
}

// text reports whether it knows a text.
func (c *call) text(s, source string) bool {
	if m := resetReason().FindStringSubmatch(s); m != nil {
		c.envoyReset(m[2], m[3], m[1] != "", source)
		return true
	}
	if m := resilience().FindStringSubmatch(s); m != nil {
		c.resilience4j(m[1], m[2], m[3], source)
		return true
	}
	lower := strings.ToLower(s)
	for _, p := range phrases {
		if strings.Contains(lower, p.text) {
			c.add(Hint{Topic: p.topic, Source: source + " (" + p.who + ")", Text: p.means})
			return true
		}
	}
	return false
}

func (c *call) resilience4j(kind, name, rest, source string) {
	h := Hint{Topic: Breaker, Source: source + " (resilience4j)"}
	switch kind {
	case "CircuitBreaker":
		state := "open: recent calls failed"
		switch {
		case strings.Contains(rest, "FORCED"):
			state = "held open by hand"
		case strings.Contains(rest, "HALF"):
			state = "half open: it lets a few calls pass to see whether they succeed"
		}
		h.Text = "the circuit breaker " + quote(name) + " is " + state + ", and this call was refused without being made"
	case "Bulkhead":
		h.Text = "as many calls run as the bulkhead " + quote(name) + " allows"
	case "RateLimiter":
		h.Topic, h.Text = Limit, "the rate limiter "+quote(name)+" of the calling service refused the call to the next one"
	default:
		h.Topic, h.Text = Proxy, "the service gave up waiting for another one behind it (time limiter "+quote(name)+")"
	}
	c.add(h)
}

// envoyReset says what a reset reason means. The reasons are those of Envoy's
// Http::Utility::resetReasonToString.
func (c *call) envoyReset(reason, transport string, retried bool, source string) {
	reason = strings.TrimSpace(reason)
	h := Hint{Topic: Proxy, Source: source + " (Envoy)"}
	switch reason {
	case "overflow":
		h.Topic, h.Text = Breaker, "the proxy's circuit breaker is open: as many connections or requests wait as its limits allow, and this one was refused (response flag UO)"
	case "connection failure", "remote connection failure":
		h.Text = "the proxy could not connect to the service (response flag UF)"
	case "local connection failure":
		h.Text = "the proxy broke off connecting to the service by itself, often at its connect timeout or in TLS (response flag UF)"
	case "connection timeout":
		h.Text = "the service did not accept the proxy's connection in time (response flag UF)"
	case "connection termination":
		h.Text = "the service closed the connection while the call was running (response flag UC): often a kept connection that the service closes sooner than the proxy"
	case "remote reset", "remote refused stream reset":
		h.Text = "the service reset the call (response flag UR)"
	case "local reset", "local refused stream reset":
		h.Text = "the proxy itself reset the call (response flag LR)"
	case "protocol error":
		h.Text = "the service does not speak the protocol the proxy expects of it: HTTP/1 for HTTP/2, or plaintext for TLS (response flag UPE)"
	case "overload manager reset":
		h.Topic, h.Text = Breaker, "the proxy is short of resources and drops calls (overload manager)"
	default:
		h.Text = "the proxy had no answer from the service: " + quote(reason)
	}
	if transport = strings.TrimSpace(transport); transport != "" {
		h.Text += "; the transport says " + quote(transport)
	}
	if retried {
		h.Text += "; it had tried again before"
	}
	c.add(h)
}
