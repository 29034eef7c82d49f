package invoke

import (
	"strings"

	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/tui/kit"
	"iscope/tui/theme"
)

// grpcCodes are the numbers of gRPC's statuses by their names
// (https://github.com/grpc/grpc/blob/master/doc/statuscodes.md).
var grpcCodes = [...]string{"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
	"PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL",
	"UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"}

// httpReasons are the names of HTTP's statuses that are met, as servers mostly
// still say them (RFC 7231 §6, RFC 6585, RFC 4918).
var httpReasons = map[string]string{"200": "OK", "201": "Created", "202": "Accepted", "204": "No Content", "206": "Partial Content",
	"207": "Multi-Status", "301": "Moved Permanently", "302": "Found", "303": "See Other", "304": "Not Modified", "307": "Temporary Redirect",
	"308": "Permanent Redirect", "400": "Bad Request", "401": "Unauthorized", "402": "Payment Required", "403": "Forbidden", "404": "Not Found",
	"405": "Method Not Allowed", "406": "Not Acceptable", "408": "Request Timeout", "409": "Conflict", "410": "Gone", "411": "Length Required",
	"412": "Precondition Failed", "413": "Request Entity Too Large", "414": "Request URI Too Long", "415": "Unsupported Media Type", "416": "Requested Range Not Satisfiable",
	"421": "Misdirected Request", "422": "Unprocessable Entity", "425": "Too Early", "426": "Upgrade Required", "428": "Precondition Required",
	"429": "Too Many Requests", "431": "Request Header Fields Too Large", "451": "Unavailable For Legal Reasons", "500": "Internal Server Error",
	"501": "Not Implemented", "502": "Bad Gateway", "503": "Service Unavailable", "504": "Gateway Timeout", "507": "Insufficient Storage",
	"511": "Network Authentication Required"}

// statusText is a call's status by name and number.
func statusText(end *probes.Record) string {
	if name, ok := end.Attr(probes.AttrRPCStatus); ok {
		return grpcStatus(name)
	}
	if code, ok := end.Attr(probes.AttrHTTPStatus); ok {
		return strings.TrimSpace(code + " " + httpReasons[code])
	}
	status, _ := end.Attr(probes.AttrStatus)
	if status == "" {
		return "done"
	}
	return grpcStatus(status)
}

// grpcStatus adds the number to a name that is one of gRPC's.
func grpcStatus(name string) string {
	for n, known := range grpcCodes {
		if known == name {
			return name + " (" + itoa(n) + ")"
		}
	}
	if reason := httpReasons[name]; reason != "" {
		return name + " " + reason
	}
	return name
}

// outcome is how a call stands, in a word or two.
func outcome(th theme.Theme, p *progress) (safe.Text, theme.Style) {
	switch {
	case !p.over:
		return kit.Text(th.Glyph(theme.Follow) + " in flight"), theme.Accent
	case p.cancelled:
		return kit.Text(th.Glyph(theme.Warning) + " cancelled"), theme.Warn
	case p.err != "" && p.received > 0:
		return kit.Text(th.Glyph(theme.Failed) + " cut off"), theme.Bad
	case p.err != "":
		return kit.Text(th.Glyph(theme.Failed) + " failed"), theme.Bad
	case p.end == nil:
		return kit.Text(th.Glyph(theme.Unknown) + " no end"), theme.Warn
	}
	status := statusText(p.end)
	if p.end.Err != "" {
		return safe.Line(th.Glyph(theme.Failed)+" "+status, 40), theme.Bad
	}
	return safe.Line(th.Glyph(theme.OK)+" "+status, 40), theme.Good
}
