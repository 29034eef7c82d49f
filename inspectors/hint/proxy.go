package hint

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

// explainEnvoy reads the headers of Envoy's router and of meshes built on it
// (https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter).
func explainEnvoy(c *call) {
	if v, ok := c.first("x-envoy-attempt-count"); ok {
		if n, err := strconv.Atoi(v); err == nil && n > 1 {
			c.add(Hint{Topic: Retry, Source: "header x-envoy-attempt-count", Text: "the proxy tried " + strconv.Itoa(n) +
				" times until it had this answer: some instance fails, and the time is that of all attempts"})
		}
	}
	for _, h := range []Hint{
		{Source: "x-envoy-overloaded", Topic: Breaker, Text: "the proxy refused the call to protect the service: a circuit breaker is open or the cluster is in maintenance"},
		{Source: "x-envoy-local-overloaded", Topic: Breaker, Text: "the proxy itself is overloaded and sheds load"},
		{Source: "x-envoy-ratelimited", Topic: Limit, Text: "a rate limit service refused this call through the proxy: the service has not seen it"},
		{Source: "x-envoy-immediate-health-check-fail", Topic: Proxy, Text: "the instance asks to be taken out of rotation at once: it is shutting down or was told to fail its health checks"},
		{Source: "x-envoy-degraded", Topic: Proxy, Text: "the instance calls itself degraded: proxies use it only when too few others are left"},
	} {
		if v, ok := c.first(h.Source); ok && !strings.EqualFold(v, "false") {
			h.Source = "header " + h.Source
			c.add(h)
		}
	}
	if v, ok := c.first("x-envoy-upstream-service-time"); ok {
		if ms, err := strconv.ParseUint(v, 10, 40); err == nil {
			c.add(Hint{Topic: Timing, Source: "header x-envoy-upstream-service-time", Calm: true,
				Text: "behind the proxy the service took " + span(time.Duration(ms)*time.Millisecond)})
		}
	}
	c.responseFlags()
}

// responseFlags reads a header that operators fill from the access log's
// %RESPONSE_FLAGS% or %RESPONSE_CODE_DETAILS%. It has no fixed name.
func (c *call) responseFlags() {
	for _, r := range c.heads {
		for _, f := range r.Header {
			name, value := strings.ToLower(f.Name), string(f.Value)
			switch {
			case strings.HasSuffix(name, "response-flags"):
				for _, flag := range strings.Split(value, ",")[:min(8, strings.Count(value, ",")+1)] {
					if means := flagMeaning(strings.TrimSpace(flag)); means != "" {
						c.add(Hint{Topic: Proxy, Source: "header " + f.Name, Text: "Envoy's response flag " + strings.TrimSpace(flag) + ": " + means})
					}
				}
			case strings.HasSuffix(name, "response-code-details") && value != "" && value != "via_upstream":
				c.add(Hint{Topic: Proxy, Source: "header " + f.Name, Text: "the proxy answered by itself; its reason is " + quote(value)})
			}
		}
	}
}

// flagMeaning is Envoy's access log documentation (%RESPONSE_FLAGS%), shortened.
func flagMeaning(flag string) string {
	switch flag {
	case "UO":
		return "a circuit breaker is open"
	case "UH":
		return "no healthy instance"
	case "UF":
		return "connecting to the service failed"
	case "UC":
		return "the service closed the connection"
	case "UT":
		return "the service did not answer in time"
	case "UR":
		return "the service reset the call"
	case "URX":
		return "all retries are used up"
	case "UMSDR":
		return "the call lasted longer than allowed"
	case "UPE":
		return "the service does not speak the expected protocol"
	case "NR":
		return "no route matches"
	case "NC":
		return "the route names a cluster that does not exist"
	case "LR":
		return "the proxy reset the call"
	case "LH":
		return "the instance fails its own health check"
	case "DC":
		return "the caller went away"
	case "DI":
		return "a delay was injected"
	case "FI":
		return "a fault was injected"
	case "RL":
		return "the proxy's own rate limit"
	case "RLSE":
		return "the rate limit service failed"
	case "UAEX":
		return "the authorization service denied it"
	case "DT":
		return "the connection or call lasted too long"
	case "SI":
		return "nothing moved for too long"
	case "OM":
		return "the proxy is overloaded"
	}
	return ""
}

// explainProxyStatus reads Proxy-Status (RFC 9209), which says what a proxy on
// the way could not do.
func explainProxyStatus(c *call) {
	for _, v := range c.header("Proxy-Status") {
		for _, it := range items(v) {
			kind, ok := it.param("error")
			if !ok {
				continue
			}
			text := "the proxy " + quote(it.value) + " answered instead of the service: " + proxyError(kind)
			if d, ok := it.param("details"); ok {
				text += ", " + quote(d)
			}
			if hop, ok := it.param("next-hop"); ok {
				text += ", next hop " + quote(hop)
			}
			c.add(Hint{Topic: Proxy, Source: "header Proxy-Status", Text: text})
		}
	}
}

// proxyError puts the types of RFC 9209 §2.3 into words.
func proxyError(kind string) string {
	switch kind {
	case "dns_timeout", "dns_error":
		return "it could not resolve the service's name"
	case "destination_not_found":
		return "it does not know where to send this"
	case "destination_unavailable":
		return "it considers the service unavailable, or all instances unhealthy"
	case "destination_ip_prohibited":
		return "it may not connect to that address"
	case "destination_ip_unroutable":
		return "there is no way to that address"
	case "connection_refused":
		return "the service refused the connection"
	case "connection_terminated":
		return "the service closed the connection before the answer was complete"
	case "connection_timeout":
		return "the service did not accept the connection in time"
	case "connection_read_timeout", "connection_write_timeout", "http_response_timeout":
		return "the service did not answer in time"
	case "connection_limit_reached":
		return "it holds as many connections to the service as it may"
	case "tls_protocol_error", "tls_alert_received":
		return "TLS to the service failed"
	case "tls_certificate_error":
		return "it does not accept the service's certificate"
	case "http_request_error":
		return "it does not accept the request"
	case "http_request_denied":
		return "it does not allow the request"
	case "http_response_incomplete":
		return "the service's answer broke off"
	case "proxy_internal_error", "proxy_internal_response":
		return "it answered by itself"
	case "proxy_configuration_error":
		return "it is configured wrongly"
	case "proxy_loop_detected":
		return "the request came by twice: proxies send it in a circle"
	}
	return "error " + quote(strings.ReplaceAll(kind, "_", " "))
}

// explainMeshes reads Linkerd's headers (l5d-*), of its current and of its first
// generation, and says that Istio answers.
func explainMeshes(c *call) {
	if v, ok := c.first("l5d-proxy-error"); ok && !c.text(v, "header l5d-proxy-error") {
		c.add(Hint{Topic: Proxy, Source: "header l5d-proxy-error", Text: "Linkerd's proxy answered instead of the service: " + quote(v)})
	}
	if v, ok := c.first("l5d-proxy-connection"); ok && strings.EqualFold(v, "close") {
		c.add(Hint{Topic: Proxy, Source: "header l5d-proxy-connection", Text: "Linkerd's proxy tells its peer to close the connection: the one to the service broke"})
	}
	if v, ok := c.first("l5d-err"); ok {
		if text, err := url.QueryUnescape(v); err == nil {
			v = text
		}
		c.add(Hint{Topic: Proxy, Source: "header l5d-err", Text: "Linkerd 1 answered instead of the service: " + quote(v)})
	}
	v, _ := c.first("Server")
	switch v {
	case "istio-envoy":
		c.add(Hint{Topic: Proxy, Source: "header Server", Calm: true, Text: "the answer came through Istio's Envoy"})
	case "envoy":
		c.add(Hint{Topic: Proxy, Source: "header Server", Calm: true, Text: "the answer came through Envoy"})
	}
}

// explainGateways reads what Kong, AWS and other gateways say of themselves.
func explainGateways(c *call) {
	if v, ok := c.first("X-Kong-Response-Latency"); ok {
		c.add(Hint{Topic: Proxy, Source: "header X-Kong-Response-Latency", Text: "Kong answered by itself in " + clip(v, 20) + " ms: the service has not seen the call"})
	}
	up, okUp := c.first("X-Kong-Upstream-Latency")
	own, okOwn := c.first("X-Kong-Proxy-Latency")
	if okUp && okOwn {
		c.add(Hint{Topic: Timing, Source: "headers X-Kong-*-Latency", Calm: true, Text: "the service took " + clip(up, 20) + " ms and Kong " + clip(own, 20) + " ms"})
	}
	c.aws()
	for _, name := range []string{"X-Request-Id", "X-Amzn-RequestId", "X-Amz-Request-Id", "X-Kong-Request-Id", "CF-Ray", "X-Amz-Cf-Id", "X-Correlation-Id", "X-B3-TraceId"} {
		if v, ok := c.first(name); ok && v != "" && (c.httpStatus() >= 400 || c.attr(grpcStatus) != "" && c.attr(grpcStatus) != "OK") {
			c.add(Hint{Topic: Detail, Source: "header " + name, Calm: true, Text: "the other side knows this request as " + quote(v) + ": name it when asking for help"})
		}
	}
	if v := c.header("Via"); len(v) > 0 {
		c.add(Hint{Topic: Proxy, Source: "header Via", Calm: true, Text: "the answer passed " + quote(strings.Join(v[:min(len(v), 4)], ", "))})
	}
}

func (c *call) aws() {
	if v, ok := c.first("X-Amzn-ErrorType"); ok {
		name, _, _ := strings.Cut(v, ":")
		h := Hint{Topic: Status, Source: "header X-Amzn-ErrorType", Text: "AWS names the error " + quote(name)}
		switch {
		case strings.Contains(name, "Throttl"), strings.Contains(name, "TooManyRequests"), strings.Contains(name, "LimitExceeded"), strings.Contains(name, "SlowDown"):
			h.Topic, h.Text = Limit, h.Text+": calls come faster than the account, the stage or the key may make them; back off and try again"
		case strings.Contains(name, "MissingAuthenticationToken"):
			h.Topic, h.Text = Auth, h.Text+": no signature, or a path and method that API Gateway does not know"
		case strings.Contains(name, "ExpiredToken"):
			h.Topic, h.Text = Auth, h.Text+": the session's credentials have run out"
		case strings.Contains(name, "AccessDenied"), strings.Contains(name, "Forbidden"):
			h.Topic, h.Text = Auth, h.Text+": a policy denies it, or the API key is missing"
		}
		c.add(h)
	}
	if v, ok := c.first("Server"); ok && strings.HasPrefix(v, "awselb/") && c.httpStatus() >= 500 {
		c.add(Hint{Topic: Proxy, Source: "header Server", Text: "the page is the AWS load balancer's own, not the service's"})
	}
}
