package hint

import (
	"regexp"
	"strconv"
	"strings"
	"sync"

	"iscope/probes"
)

// httpStatus is the status of the last answer, 0 if it is not HTTP.
func (c *call) httpStatus() int {
	for _, r := range []*probes.Record{c.last, c.end} {
		if r == nil {
			continue
		}
		if v, ok := r.Attr(probes.AttrHTTPStatus); ok {
			n, err := strconv.Atoi(v)
			if err == nil {
				return n
			}
		}
	}
	return 0
}

// explainStatus says what a status means, where its name alone does not.
func explainStatus(c *call) {
	if name := c.attr(probes.AttrRPCStatus); name != "" && name != "OK" {
		c.grpcStatus(name)
		return
	}
	text, topic := httpMeaning(c.httpStatus())
	if text != "" {
		c.add(Hint{Topic: topic, Source: "status " + strconv.Itoa(c.httpStatus()), Text: text})
	}
}

// httpMeaning covers the statuses whose cause is often elsewhere than people
// look (RFC 9110 §15, RFC 6585, RFC 8470).
func httpMeaning(code int) (string, Topic) {
	switch code {
	case 403:
		return "the server knows who is asking, or does not care, and does not allow it: other credentials may, repeating will not", Auth
	case 408:
		return "the server waited too long for the request itself: it may be sent again", Status
	case 413:
		return "the request is larger than the server, or a proxy before it, accepts", Status
	case 415:
		return "the server does not read this Content-Type (or Content-Encoding)", Status
	case 421:
		return "the request came to a server that does not answer for this host name: look at the authority and at reused connections", Status
	case 425:
		return "the server will not risk a request that came as TLS early data: sent again after the handshake it should pass", Status
	case 429:
		return "too many requests: the server limits how often this caller may ask", Limit
	case 431:
		return "the headers are too large: often cookies or a token that grew", Status
	case 502:
		return "a gateway answered, not the service: the service refused the connection, broke it off, or sent what is not HTTP", Proxy
	case 503:
		return "whoever answered cannot serve now: overloaded, in maintenance, or a proxy that knows no healthy instance", Status
	case 504:
		return "a gateway answered, not the service: the service did not answer the gateway in time, but may have done the work", Proxy
	case 511:
		return "the network, not the server, asks to log in first (captive portal)", Auth
	}
	return "", Status
}

// grpcStatus follows https://grpc.io/docs/guides/status-codes/.
func (c *call) grpcStatus(name string) {
	text := grpcMeaning(name)
	if name == "DEADLINE_EXCEEDED" {
		text = c.whoseDeadline()
	}
	if text != "" {
		c.add(Hint{Topic: Status, Source: "grpc-status " + name, Text: text})
	}
	if c.end == nil {
		return
	}
	if m := foreignHTTP().FindStringSubmatch(c.end.Err); m != nil {
		c.add(Hint{Topic: Proxy, Source: "grpc-message", Text: "the answer was not gRPC but plain HTTP with status " + m[1] +
			": a proxy or another server answered; the library made this status of it"})
	}
}

// foreignHTTP is how grpc-go words an answer that is no gRPC.
var foreignHTTP = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`unexpected HTTP status code received from server: (\d{3})`)
})

func grpcMeaning(name string) string {
	switch name {
	case "CANCELLED":
		return "the call was given up by its caller, or by a proxy on the way"
	case "UNKNOWN":
		return "the handler failed without naming a status: usually an exception nobody caught, or a status from another system"
	case "INVALID_ARGUMENT":
		return "the request itself is wrong, whatever the state of the server: the same request will fail again"
	case "PERMISSION_DENIED":
		return "the caller is known and may not do this: repeating does not help, other credentials may"
	case "RESOURCE_EXHAUSTED":
		return "a quota or limit is used up, of this caller or of the server; a message larger than a limit gives this status too"
	case "FAILED_PRECONDITION":
		return "the state of the system must change first: repeating the call alone will fail again"
	case "ABORTED":
		return "a conflict with another operation: repeat from where the data was read, not only this call"
	case "OUT_OF_RANGE":
		return "the request is past the end of what exists now"
	case "UNIMPLEMENTED":
		return "this server does not know the method: an older version, another service at this address, or a proxy that routed elsewhere"
	case "INTERNAL":
		return "an invariant of the server or of the transport is broken: a bug, or something on the way that is not gRPC"
	case "UNAVAILABLE":
		return "the service cannot be reached or does not take calls now: trying again with backoff is safe if the method may be repeated"
	case "DATA_LOSS":
		return "data is lost or damaged beyond repair"
	case "UNAUTHENTICATED":
		return "the call carried no credentials that the server accepts: missing, expired, or of another kind"
	}
	return ""
}

// whoseDeadline tells our own deadline from one behind the server. A call that
// our deadline has cut off has no End, so an End with this status is somebody
// else's.
func (c *call) whoseDeadline() string {
	text := "not our deadline: the server, a service behind it or a proxy ran out of time"
	if v, ok := c.sent("grpc-timeout"); ok {
		text = "the time allowed with grpc-timeout " + quote(v) + " ran out on the server or behind it"
	}
	if v := c.attr(probes.TimingTotal); v != "" {
		text += " after " + clip(v, 20) + " ms"
	}
	return text + "; the work may have been done all the same"
}

// explainContract counts violations and names the first.
func explainContract(c *call) {
	sent, got := violations(c.records, probes.Request), violations(c.records, probes.Response, probes.End)
	for _, side := range []struct {
		what  string
		found []string
	}{{"the request breaks its contract", sent}, {"the answer breaks its contract", got}} {
		if len(side.found) == 0 {
			continue
		}
		shown := side.found[:min(len(side.found), 3)]
		for i := range shown {
			shown[i] = quote(shown[i])
		}
		text := side.what + " in " + count(len(side.found), "place") + ": " + strings.Join(shown, ", ")
		if len(side.found) > len(shown) {
			text += " and " + strconv.Itoa(len(side.found)-len(shown)) + " more"
		}
		c.add(Hint{Topic: Contract, Source: probes.AttrViolation, Text: text})
	}
}

func violations(records []probes.Record, kinds ...probes.Kind) (out []string) {
	for i := range records {
		for _, k := range kinds {
			if records[i].Kind != k {
				continue
			}
			for _, a := range records[i].Attrs {
				if a.Name == probes.AttrViolation {
					out = append(out, a.Value)
				}
			}
		}
	}
	return out
}
