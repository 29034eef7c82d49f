// Package imports reads calls that other tools have written down: curl command
// lines, HTTP archives, Postman collections.
//
// Nothing is dropped in silence. What a saved request cannot say stands in the
// request's comments; what could not become a request at all, in Result.Left.
// Secrets are taken over as they are: the caller masks them before it writes.
package imports

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"unicode/utf8"

	"iscope/probes"
	"iscope/replay/request"
)

// Result is what an import has found.
type Result struct {
	Files []File
	Left  []string // what is in no file, each with the reason
}

// File is requests that belong together.
type File struct {
	Path     string // below the folder of the import, with slashes, without extension
	Name     string
	Requests []request.Saved
}

// maxInput bounds what is read.
const maxInput = 256 << 20

func read(r io.Reader, name string) ([]byte, error) {
	src, err := io.ReadAll(io.LimitReader(r, maxInput+1))
	if err == nil && len(src) > maxInput {
		err = errors.New("it is larger than 256 MiB")
	}
	if err == nil && !utf8.Valid(src) {
		err = errors.New("it is no UTF-8 text")
	}
	if err == nil && len(bytes.TrimSpace(src)) == 0 {
		err = errors.New("it is empty")
	}
	if err != nil {
		return nil, bad(name, err)
	}
	return src, nil
}

func bad(name string, err error) error {
	return &probes.Error{Target: name, Op: "importing", Kind: probes.ErrUsage, Err: err}
}

// decode reads a JSON document; mistakes have their line and column.
func decode(name string, src []byte, to any) error {
	err := json.Unmarshal(src, to)
	var syntax *json.SyntaxError
	var typed *json.UnmarshalTypeError
	offset := int64(-1)
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &typed):
		offset = typed.Offset
		err = fmt.Errorf("%s: expected %s, found %s", typed.Field, typed.Type, typed.Value)
	}
	if offset >= 0 {
		before := src[:min(int(offset), len(src))]
		err = fmt.Errorf("line %d:%d: %w", 1+bytes.Count(before, []byte("\n")), len(before)-bytes.LastIndexByte(before, '\n'), err)
	}
	if err != nil {
		return bad(name, err)
	}
	return nil
}

// unmade headers belong to the connection, or are made anew for each call.
func unmade(name string) bool {
	switch strings.ToLower(name) {
	case "connection", "content-length", "host", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
		"accept-encoding", "traceparent", "tracestate":
		return true
	}
	return strings.HasPrefix(name, ":")
}

// place splits a URL into a target and a request line. Where braces have a
// meaning they stay: those of {{variables}}, and of {parameters} in the path.
func place(method, raw string, braces bool) (target, call string, err error) {
	if !strings.Contains(raw, "://") {
		raw = "http://" + raw
	}
	if braces || strings.Contains(raw, "{{") {
		return templated(method, raw)
	}
	u, err := url.Parse(raw)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err
		}
		return "", "", err
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return "", "", fmt.Errorf("scheme %q is not HTTP", u.Scheme)
	}
	if u.Host == "" {
		return "", "", errors.New("the URL has no host")
	}
	p := u.EscapedPath()
	if p == "" {
		p = "/"
	}
	if u.RawQuery != "" {
		p += "?" + u.RawQuery
	}
	return u.Scheme + "://" + u.Host, method + " " + p, nil
}

// templated splits a URL with {{variables}}, which need not be one yet: of
// {{base}}/orders the variable is the target.
func templated(method, raw string) (target, call string, err error) {
	scheme, rest, _ := strings.Cut(raw, "://")
	end := 0
	for end < len(rest) && rest[end] != '/' && rest[end] != '?' && rest[end] != '#' {
		if strings.HasPrefix(rest[end:], "{{") {
			n := strings.Index(rest[end:], "}}")
			if n < 0 {
				return "", "", errors.New("a variable is not closed with }}")
			}
			end += n + 2
			continue
		}
		end++
	}
	host, path := rest[:end], rest[end:]
	path, _, _ = strings.Cut(path, "#")
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	if strings.HasPrefix(host, "{{") && scheme == "http" {
		return host, method + " " + path, nil
	}
	return scheme + "://" + host, method + " " + path, nil
}

// fileName makes a name for a file of any text.
func fileName(s string) string {
	var b strings.Builder
	dash := false
	for _, r := range strings.ToLower(s) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			b.WriteRune(r)
			dash = false
			continue
		}
		if !dash && b.Len() > 0 {
			b.WriteByte('-')
			dash = true
		}
	}
	const longest = 60
	name := b.String()
	if len(name) > longest {
		name = name[:longest]
	}
	if name = strings.Trim(name, "-"); name == "" {
		return "request"
	}
	return name
}

// names keeps file names apart.
type names map[string]int

func (n names) unique(path string) string {
	n[path]++
	if n[path] == 1 {
		return path
	}
	return n.unique(fmt.Sprintf("%s-%d", path, n[path]))
}
