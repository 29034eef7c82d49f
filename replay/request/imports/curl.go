package imports

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"iscope/probes"
	"iscope/replay/request"
)

// Curl reads curl command lines: of a terminal, of a script, or what browsers
// copy "as cURL (bash)". What only says how curl prints (-s, -v, -i) has no
// meaning here and is passed over.
func Curl(r io.Reader, name string) (*Result, error) {
	src, err := read(r, name)
	if err != nil {
		return nil, err
	}
	if strings.Contains(string(src), `^"`) {
		return nil, &probes.Error{Target: name, Op: "importing", Kind: probes.ErrUsage, Err: errors.New("this is a command for the Windows shell"),
			Hint: "copy it as cURL (bash)"}
	}
	all, err := splitWords(string(src))
	if err != nil {
		return nil, bad(name, err)
	}
	res, used := &Result{}, names{}
	for _, cmd := range commands(all) {
		if cmd[0].text != "curl" && path.Base(cmd[0].text) != "curl" {
			res.Left = append(res.Left, "no curl command: "+text(cmd))
			continue
		}
		for _, one := range nexts(cmd[1:]) {
			c := &curl{redirects: -1}
			saved, err := c.request(one)
			if err != nil {
				res.Left = append(res.Left, fmt.Sprintf("%v: curl %s", err, text(one)))
				continue
			}
			res.Files = append(res.Files, File{Path: used.unique(fileName(saved.Name)), Name: saved.Name, Requests: []request.Saved{saved}})
		}
	}
	if len(res.Files) == 0 {
		why := "there is no curl command in it"
		if len(res.Left) > 0 {
			why = res.Left[0]
		}
		return nil, bad(name, errors.New(why))
	}
	return res, nil
}

func text(all []word) string {
	out := make([]string, len(all))
	for i, w := range all {
		out[i] = w.text
	}
	return strings.Join(out, " ")
}

// commands splits words at operators. A redirection takes its file along.
func commands(all []word) (out [][]word) {
	var cmd []word
	end := func() {
		if len(cmd) > 0 {
			out = append(out, cmd)
		}
		cmd = nil
	}
	for i := 0; i < len(all); i++ {
		switch w := all[i]; {
		case !w.op:
			if len(cmd) == 0 && w.plain && w.text == "$" {
				continue // the prompt of a terminal
			}
			cmd = append(cmd, w)
		case w.text == "<" || w.text == ">" || w.text == ">>" || w.text == "<<":
			if n := len(cmd); n > 0 && cmd[n-1].plain && (cmd[n-1].text == "2" || cmd[n-1].text == "1") {
				cmd = cmd[:n-1]
			}
			i++
		default:
			end()
		}
	}
	end()
	return out
}

// nexts splits the words of one curl at --next, which begins another request.
func nexts(all []word) (out [][]word) {
	var one []word
	for _, w := range all {
		if w.text == "--next" || w.text == "-:" {
			out, one = append(out, one), nil
			continue
		}
		one = append(one, w)
	}
	return append(out, one)
}

// curl is one command being read.
type curl struct {
	urls      []string
	method    string
	header    []probes.Attr
	data      []string
	typed     string // content type that the data implies
	form      []string
	query     []string
	user      string
	cookies   []string
	get, head bool
	redirects int
	follow    bool
	literal   bool // no globbing
	deadline  time.Duration
	vars      bool
	notes     []string
}

func (c *curl) note(format string, args ...any) {
	c.notes = append(c.notes, fmt.Sprintf(format, args...))
}

func (c *curl) request(all []word) (request.Saved, error) {
	if err := c.flags(all); err != nil {
		return request.Saved{}, err
	}
	if len(c.urls) == 0 {
		return request.Saved{}, errors.New("it names no URL")
	}
	for _, u := range c.urls[1:] {
		c.note("a second URL is left out: %s", u)
	}
	address := c.urls[0]
	if !c.literal && strings.ContainsAny(strings.ReplaceAll(strings.ReplaceAll(address, "{{", ""), "}}", ""), "[]{}") {
		c.note("curl would take brackets in the URL for a pattern of several; here they are taken as they are")
	}
	body, hasBody := c.body()
	if c.get && hasBody {
		c.query, hasBody = append(c.query, body), false
	}
	if len(c.query) > 0 {
		mark := "?"
		if strings.Contains(address, "?") {
			mark = "&"
		}
		address += mark + strings.Join(c.query, "&")
	}
	target, call, err := place(c.verb(hasBody), address, false)
	if err != nil {
		return request.Saved{}, err
	}
	s := request.Saved{Request: request.Request{Target: target, Method: call, Deadline: c.deadline}, Template: c.vars}
	if c.follow {
		s.Redirects = 50 // curl's default
		if c.redirects >= 0 {
			s.Redirects = c.redirects
		}
	}
	if hasBody {
		s.Documents = []string{body}
		if c.typed != "" && !c.has("Content-Type") {
			c.header = append(c.header, probes.Attr{Name: "Content-Type", Value: c.typed})
		}
	}
	c.credentials()
	s.Header, s.Comment = c.header, c.notes
	_, p, _ := strings.Cut(call, " ")
	p, _, _ = strings.Cut(p, "?")
	s.Name = strings.Fields(call)[0] + " " + p
	return s, nil
}

// verb is the method that curl would use.
func (c *curl) verb(hasBody bool) string {
	switch {
	case c.method != "":
		return c.method
	case c.head:
		return "HEAD"
	case hasBody:
		return "POST"
	}
	return "GET"
}

func (c *curl) has(name string) bool {
	for _, h := range c.header {
		if strings.EqualFold(h.Name, name) {
			return true
		}
	}
	return false
}

func (c *curl) credentials() {
	if c.user != "" && !c.has("Authorization") {
		if c.vars && strings.Contains(c.user, "{{") {
			c.note("-u %s is left out: what basic authentication sends is base64 of the values", c.user)
		} else {
			c.header = append(c.header, probes.Attr{Name: "Authorization",
				Value: "Basic " + base64.StdEncoding.EncodeToString([]byte(c.user))})
		}
	}
	if len(c.cookies) > 0 {
		c.header = append(c.header, probes.Attr{Name: "Cookie", Value: strings.Join(c.cookies, "; ")})
	}
}

// body is what the data or the form make.
func (c *curl) body() (string, bool) {
	if len(c.form) > 0 {
		text, typed, notes := multipartOf(c.form)
		c.typed = typed
		c.notes = append(c.notes, notes...)
		return text, true
	}
	return strings.Join(c.data, "&"), len(c.data) > 0
}

// apply takes one option in. Its value is "" for those without one.
func (c *curl) apply(name, value string) {
	switch name {
	case "request":
		c.method = strings.ToUpper(value)
	case "header":
		c.addHeader(value)
	case "data", "data-ascii", "data-binary":
		c.typed = formType
		if file, ok := strings.CutPrefix(value, "@"); ok {
			c.note(`the body is the file %s: write document: "${file:%s}", relative to this file`, file, file)
			return
		}
		if name != "data-binary" {
			value = strings.NewReplacer("\r", "", "\n", "").Replace(value)
		}
		c.data = append(c.data, value)
	case "data-raw":
		c.typed = formType
		c.data = append(c.data, value)
	case "data-urlencode":
		c.typed = formType
		c.urlencode(&c.data, value)
	case "url-query":
		if raw, ok := strings.CutPrefix(value, "+"); ok {
			c.query = append(c.query, raw)
			return
		}
		c.urlencode(&c.query, value)
	case "json":
		c.data = append(c.data, value)
		for _, h := range []string{"Content-Type", "Accept"} {
			if !c.has(h) {
				c.header = append(c.header, probes.Attr{Name: h, Value: "application/json"})
			}
		}
	case "form", "form-string":
		if name == "form-string" {
			value = "=" + value
		}
		c.form = append(c.form, value)
	case "user":
		c.user = value
	case "oauth2-bearer":
		c.header = append(c.header, probes.Attr{Name: "Authorization", Value: "Bearer " + value})
	case "cookie":
		if strings.Contains(value, "=") {
			c.cookies = append(c.cookies, strings.TrimSpace(value))
		} else {
			c.note("cookies of the file %s are left out", value)
		}
	case "user-agent":
		c.header = append(c.header, probes.Attr{Name: "User-Agent", Value: value})
	case "referer":
		c.header = append(c.header, probes.Attr{Name: "Referer", Value: strings.TrimSuffix(value, ";auto")})
	case "url":
		c.urls = append(c.urls, value)
	case "get":
		c.get = true
	case "head":
		c.head = true
	case "globoff":
		c.literal = true
	case "location", "location-trusted":
		c.follow = true
	default:
		c.applyRest(name, value)
	}
}

func (c *curl) applyRest(name, value string) {
	switch name {
	case "max-redirs":
		if n, err := strconv.Atoi(value); err == nil {
			c.redirects = max(n, 0)
		}
	case "max-time":
		if s, err := strconv.ParseFloat(value, 64); err == nil && s > 0 && s < 1e6 {
			c.deadline = time.Duration(s * float64(time.Second))
		} else {
			c.note("--max-time %s is left out", value)
		}
	case "insecure":
		c.note("the certificate was not verified (-k): iscope run --insecure, or tls: in the configuration")
	case "cacert", "cert", "key":
		c.note("--%s %s is left out: give it to iscope run, or put it into the configuration", name, value)
	case "upload-file":
		c.note(`the body is the file %s: write document: "${file:%s}", relative to this file`, value, value)
		if c.method == "" {
			c.method = "PUT"
		}
	default:
		if value != "" {
			value = " " + value
		}
		c.note("--%s%s is left out", name, value)
	}
}

func (c *curl) addHeader(h string) {
	name, value, ok := strings.Cut(h, ":")
	if !ok {
		if empty, isEmpty := strings.CutSuffix(h, ";"); isEmpty {
			c.header = append(c.header, probes.Attr{Name: empty})
			return
		}
		c.note("-H %s is left out", h)
		return
	}
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	switch {
	case value == "":
		c.note("-H %s takes a header away, which is left out", h)
	case strings.EqualFold(name, "Host"):
		c.note("the header Host: %s is kept", value)
		c.header = append(c.header, probes.Attr{Name: name, Value: value})
	case !unmade(name):
		c.header = append(c.header, probes.Attr{Name: name, Value: value})
	case !strings.EqualFold(name, "Accept-Encoding") && !strings.EqualFold(name, "Content-Length") && !strings.EqualFold(name, "Connection"):
		c.note("the header %s: %s is left out: each connection and call has its own", name, value)
	}
}

const formType = "application/x-www-form-urlencoded"

// urlencode reads content, =content, name=content, @file and name@file.
func (c *curl) urlencode(to *[]string, value string) {
	escape := func(s string) string {
		if !strings.Contains(s, "{{env.") {
			return url.QueryEscape(s)
		}
		c.note("variables in %s are not escaped", s)
		return s
	}
	name, content, ok := strings.Cut(value, "=")
	switch {
	case ok && name == "":
		*to = append(*to, escape(content))
	case ok:
		*to = append(*to, name+"="+escape(content))
	case strings.Contains(value, "@"):
		c.note("--data-urlencode %s is left out: it reads a file", value)
	default:
		*to = append(*to, escape(value))
	}
}
