package imports

import (
	"encoding/base64"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"iscope/probes"
	"iscope/replay/request"
)

// The part of HAR 1.2 that makes requests
// (http://www.softwareishard.com/blog/har-12-spec/).
type (
	harFile struct {
		Log *struct {
			Entries []harEntry `json:"entries"`
		} `json:"log"`
	}
	harEntry struct {
		Type    string `json:"_resourceType"` // Chrome, Firefox
		Request struct {
			Method  string `json:"method"`
			URL     string `json:"url"`
			Headers []nv   `json:"headers"`
			Cookies []nv   `json:"cookies"`
			Post    *struct {
				Type     string `json:"mimeType"`
				Text     string `json:"text"`
				Encoding string `json:"encoding"`
				Params   []struct {
					Name  string `json:"name"`
					Value string `json:"value"`
					File  string `json:"fileName"`
				} `json:"params"`
			} `json:"postData"`
		} `json:"request"`
		Response struct {
			Status int `json:"status"`
		} `json:"response"`
	}
	nv struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
)

// HAR reads an HTTP archive. Its calls become the steps of one file, in their
// order, each with the recorded status as its condition. What a page loads to
// show itself (images, styles, scripts) is left out.
func HAR(r io.Reader, name string) (*Result, error) {
	src, err := read(r, name)
	if err != nil {
		return nil, err
	}
	var h harFile
	if err := decode(name, src, &h); err != nil {
		return nil, err
	}
	if h.Log == nil {
		return nil, bad(name, fmt.Errorf("it is no HTTP archive: it has no log"))
	}
	res := &Result{}
	title := strings.TrimSuffix(path.Base(strings.ReplaceAll(name, `\`, "/")), ".har")
	if name == "-" {
		title = "session"
	}
	f := File{Path: fileName(title), Name: title}
	parts := map[string]int{}
	for i := range h.Log.Entries {
		e := &h.Log.Entries[i]
		switch e.Type {
		case "image", "font", "stylesheet", "script", "media", "manifest", "texttrack", "ping", "csp-violation-report":
			parts[e.Type]++
			continue
		}
		s, err := e.saved()
		if err != nil {
			res.Left = append(res.Left, fmt.Sprintf("entry %d, %s %s: %v", i+1, e.Request.Method, e.Request.URL, err))
			continue
		}
		f.Requests = append(f.Requests, s)
	}
	kinds := make([]string, 0, len(parts))
	for kind, n := range parts {
		kinds = append(kinds, fmt.Sprintf("%d of type %s", n, kind))
	}
	if len(kinds) > 0 {
		slices.Sort(kinds)
		res.Left = append(res.Left, "what pages load to show themselves: "+strings.Join(kinds, ", "))
	}
	if len(f.Requests) == 0 {
		return nil, bad(name, fmt.Errorf("there is no call in it that could be made (%d entries)", len(h.Log.Entries)))
	}
	res.Files = []File{f}
	return res, nil
}

func (e *harEntry) saved() (request.Saved, error) {
	q := &e.Request
	method := strings.ToUpper(q.Method)
	if method == "" || method == "CONNECT" {
		return request.Saved{}, fmt.Errorf("%q is no method that can be called", q.Method)
	}
	target, call, err := place(method, q.URL, false)
	if err != nil {
		return request.Saved{}, err
	}
	s := request.Saved{Request: request.Request{Target: target, Method: call}}
	p, _, _ := strings.Cut(call, "?")
	s.Name = p
	typed := false
	for _, h := range q.Headers {
		if !unmade(h.Name) {
			s.Header = append(s.Header, probes.Attr{Name: h.Name, Value: h.Value})
			typed = typed || strings.EqualFold(h.Name, "Content-Type")
		}
	}
	if e.Response.Status > 0 {
		s.Expect = []string{fmt.Sprintf("status == %d", e.Response.Status)}
	}
	if q.Post == nil {
		return s, nil
	}
	body := q.Post.Text
	if q.Post.Encoding == "base64" {
		raw, err := base64.StdEncoding.DecodeString(body)
		if err != nil || !utf8.Valid(raw) {
			s.Comment = append(s.Comment, "the body is left out: it is binary")
			return s, nil
		}
		body = string(raw)
	}
	if body == "" && len(q.Post.Params) > 0 {
		if strings.HasPrefix(q.Post.Type, "multipart/") {
			s.Comment = append(s.Comment, "the form is left out: the archive holds its parts, not its text")
			return s, nil
		}
		var pairs []string
		for _, p := range q.Post.Params {
			pairs = append(pairs, p.Name+"="+p.Value) // as they were sent, so escaped
		}
		body = strings.Join(pairs, "&")
	}
	if body != "" {
		s.Documents = []string{body}
		if !typed && q.Post.Type != "" {
			s.Header = append(s.Header, probes.Attr{Name: "Content-Type", Value: q.Post.Type})
		}
	}
	return s, nil
}
