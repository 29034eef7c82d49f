package request

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"iscope/probes"
)

// Style is a tool whose command line is written.
type Style string

const (
	IScope  Style = "iscope"
	Curl    Style = "curl"
	GRPCurl Style = "grpcurl"
)

// Styles lists them.
func Styles() []Style { return []Style{IScope, Curl, GRPCurl} }

// Line is a command line for a POSIX shell. It holds no secret: masked values
// and the target's credentials are variables ($TOKEN, $PASSWORD) to be set.
type Line struct {
	Text  string
	Notes []string // what it does not do as the call did, in words
}

// Command writes a request as a command line that makes the same call. m is the
// method as listed (a zero Method if it is not: then only its name counts) and t
// the target it goes to; IScope needs neither. A tool that cannot make the call
// is an ErrUnsupported that names one that can.
//
// The request should have been masked by the caller: what it holds is written
// as it is.
func Command(style Style, r *Request, m *probes.Method, t *probes.Target) (Line, error) {
	if m == nil {
		m = &probes.Method{Name: r.Method}
	}
	if t == nil {
		t = &probes.Target{Name: r.Target}
	}
	switch style {
	case IScope:
		return iscopeLine(r, m, t), nil
	case Curl:
		return curlLine(r, m, t)
	case GRPCurl:
		return grpcurlLine(r, m, t)
	}
	names := make([]string, 0, len(Styles()))
	for _, s := range Styles() {
		names = append(names, string(s))
	}
	return Line{}, &probes.Error{Op: "writing the command", Kind: probes.ErrUsage, Err: fmt.Errorf("%q is no style of commands", style),
		Hint: probes.NearestHint(string(style), names)}
}

func cannot(style Style, why, hint string) error {
	return &probes.Error{Op: "writing a " + string(style) + " command", Kind: probes.ErrUnsupported, Err: fmt.Errorf("%s", why), Hint: hint}
}

func iscopeLine(r *Request, m *probes.Method, t *probes.Target) Line {
	var l line
	l.add("iscope", "invoke")
	if !probes.IsURL(r.Target) {
		l.flag("-e", r.Environment)
	} else if m.Effect != probes.EffectRead && t.Environment.Write {
		l.add("--write") // a target given on the spot is read-only
	}
	l.add(r.Target, r.Method)
	for _, p := range r.Params {
		l.add("-p", p.Name+"="+p.Value)
	}
	for _, h := range r.Header {
		l.add("-H", h.Name+": "+h.Value)
	}
	for _, d := range r.Documents {
		if d == "-" || strings.HasPrefix(d, "@") {
			l.note("a document that begins with - or @ would be read as a file")
		}
		l.add("-d", d)
	}
	for _, o := range r.Options {
		l.add("--option", o.Name+"="+o.Value)
	}
	if s := r.TLS; s != nil {
		l.flag("--cacert", s.CA)
		l.flag("--cert", s.Cert)
		l.flag("--key", s.Key)
		l.flag("--server-name", s.Server)
		if s.Insecure {
			l.add("--insecure")
		}
	}
	l.flag("--compress", r.Compression)
	if r.Redirects > 0 {
		l.add("--redirects", strconv.Itoa(r.Redirects))
	}
	if r.Deadline != 0 {
		l.add("--deadline", r.Deadline.String())
	}
	if r.Force {
		l.add("--force")
	}
	return l.done()
}

// seconds is a duration as other tools take it.
func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) }

// has reports whether a header was given.
func (r *Request) has(name string) bool {
	for _, h := range r.Header {
		if strings.EqualFold(h.Name, name) {
			return true
		}
	}
	return false
}

// secretHeader is the header a target's credentials are sent in, with a
// placeholder for the secret. basic reports user name and password instead.
func secretHeader(r *Request, a *probes.Auth) (name, value string, basic bool) {
	switch {
	case a.IsZero():
		return "", "", false
	case a.Header != "" && !a.Token.IsZero():
		name, value = a.Header, secretToken
	case !a.Token.IsZero():
		name, value = "Authorization", "Bearer "+secretToken
	default:
		name, basic = "Authorization", true
	}
	if r.has(name) { // the call's own comes first
		return "", "", false
	}
	return name, value, basic
}

// Placeholders that Quote turns into $TOKEN and $PASSWORD.
const (
	secretToken    = "«redacted:token#»"
	secretPassword = "«redacted:password#»"
)
