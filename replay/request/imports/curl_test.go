package imports

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"iscope/probes"
	"iscope/replay/request"
)

func one(t *testing.T, command string) request.Saved {
	t.Helper()
	res, err := Curl(strings.NewReader(command), "-")
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Files) != 1 || len(res.Files[0].Requests) != 1 {
		t.Fatalf("%d files, left out %q", len(res.Files), res.Left)
	}
	return res.Files[0].Requests[0]
}

// TestCurl compares with what curl 8 sends for the same words (curl -v, or
// --libcurl -, against a server that echoes).
func TestCurl(t *testing.T) {
	form := []probes.Attr{{Name: "Content-Type", Value: formType}}
	for name, c := range map[string]struct {
		in   string
		want request.Request
	}{
		"nothing but a URL":  {`curl example.com`, request.Request{Target: "http://example.com", Method: "GET /"}},
		"a query":            {`curl 'https://h:8443/a%20b?x=1&y=2#frag'`, request.Request{Target: "https://h:8443", Method: "GET /a%20b?x=1&y=2"}},
		"joined letters":     {`curl -sSLXDELETE http://h/x`, request.Request{Target: "http://h", Method: "DELETE /x", Redirects: 50}},
		"redirects bounded":  {`curl -L --max-redirs 3 http://h/`, request.Request{Target: "http://h", Method: "GET /", Redirects: 3}},
		"data makes a POST":  {`curl -d a=1 -d 'b=2 3' http://h/`, request.Request{Target: "http://h", Method: "POST /", Header: form, Documents: []string{"a=1&b=2 3"}}},
		"data without lines": {"curl -d 'a\nb' http://h/", request.Request{Target: "http://h", Method: "POST /", Header: form, Documents: []string{"ab"}}},
		"raw data with @":    {`curl --data-raw @x http://h/`, request.Request{Target: "http://h", Method: "POST /", Header: form, Documents: []string{"@x"}}},
		"urlencode": {`curl --data-urlencode 'a=b&c' --data-urlencode '=d e' --data-urlencode 'f g' http://h/`,
			request.Request{Target: "http://h", Method: "POST /", Header: form, Documents: []string{"a=b%26c&d+e&f+g"}}},
		"get with data": {`curl -G -d a=1 --url-query 'b=2 3' 'http://h/?z=0'`, request.Request{Target: "http://h", Method: "GET /?z=0&b=2+3&a=1"}},
		"json": {`curl --json '{"a":1}' http://h/`, request.Request{Target: "http://h", Method: "POST /", Documents: []string{`{"a":1}`},
			Header: []probes.Attr{{Name: "Content-Type", Value: "application/json"}, {Name: "Accept", Value: "application/json"}}}},
		"own content type": {`curl -H 'content-type: text/plain' -d x http://h/`, request.Request{Target: "http://h", Method: "POST /",
			Documents: []string{"x"}, Header: []probes.Attr{{Name: "content-type", Value: "text/plain"}}}},
		"credentials": {`curl -u bob:secret -b 'a=1; b=2' -b c=3 -A me -e http://r http://h/`, request.Request{Target: "http://h", Method: "GET /",
			Header: []probes.Attr{{Name: "User-Agent", Value: "me"}, {Name: "Referer", Value: "http://r"}, {Name: "Authorization", Value: "Basic Ym9iOnNlY3JldA=="}, {Name: "Cookie", Value: "a=1; b=2; c=3"}}}},
		"head": {`curl -I http://h/`, request.Request{Target: "http://h", Method: "HEAD /"}},
		"time": {`curl -m 2.5 http://h/`, request.Request{Target: "http://h", Method: "GET /", Deadline: 2500e6}},
		"quotes of all kinds": {`curl http://h/ -H "A: \"x\" \$y" -H 'B: it'\''s' -H $'C: \u00fc\x41\101\\'`, request.Request{Target: "http://h", Method: "GET /",
			Header: []probes.Attr{{Name: "A", Value: `"x" $y`}, {Name: "B", Value: "it's"}, {Name: "C", Value: `üAA\`}}}},
		"lines joined": {"curl \\\n  -X PUT \\\r\n  'http://h/x' \\\n", request.Request{Target: "http://h", Method: "PUT /x"}},
		"a variable":   {`curl -H "Authorization: Bearer $TOKEN" "http://${HOST}/x"`, request.Request{Target: "{{env.HOST}}", Method: "GET /x", Header: []probes.Attr{{Name: "Authorization", Value: "Bearer {{env.TOKEN}}"}}}},
		"an empty header, and one taken away": {`curl -H 'X-Empty;' -H 'Accept:' http://h/`, request.Request{Target: "http://h", Method: "GET /",
			Header: []probes.Attr{{Name: "X-Empty"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, one(t, c.in).Request); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCurlFormHasItsParts(t *testing.T) {
	s := one(t, `curl -F 'a=b;type=text/plain' -F 'n"ame=c' --form-string 'd=@e' -F f=@file http://h/`)
	want := "--iscope-form\r\nContent-Disposition: form-data; name=\"a\"\r\nContent-Type: text/plain\r\n\r\nb\r\n" +
		"--iscope-form\r\nContent-Disposition: form-data; name=\"n%22ame\"\r\n\r\nc\r\n" +
		"--iscope-form\r\nContent-Disposition: form-data; name=\"d\"\r\n\r\n@e\r\n--iscope-form--\r\n"
	if diff := cmp.Diff([]string{want}, s.Documents); diff != "" {
		t.Error(diff)
	}
	if len(s.Comment) != 1 || !strings.Contains(s.Comment[0], "file") {
		t.Errorf("%q", s.Comment)
	}
}

// TestCurlSaysWhatItLeavesOut: nothing that changes the call is dropped in
// silence.
func TestCurlSaysWhatItLeavesOut(t *testing.T) {
	for _, flag := range []string{"-k", "--proxy http://p", "-d @file", "-T file", "--resolve h:80:1.2.3.4", "--cacert f", "-b jar", "--http2",
		"--connect-timeout 3", "-r 0-99", "--retry 3", "-H 'Accept:'", `-H "X: $(date)"`, "-o out", "http://second", "--digest", "--aws-sigv4 x"} {
		if s := one(t, "curl http://h/ "+flag); len(s.Comment) == 0 {
			t.Errorf("%s: nothing is said", flag)
		}
	}
	if s := one(t, "curl -sSvi --compressed -# -f http://h/"); len(s.Comment) != 0 {
		t.Errorf("%q", s.Comment)
	}
	res, err := Curl(strings.NewReader("TOKEN=x\ncurl http://h/ 2>/dev/null | jq .\nwget x && curl --next http://g/a; curl -d"), "-")
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Files) != 2 || len(res.Left) != 5 {
		t.Errorf("%d files, left out %q", len(res.Files), res.Left)
	}
}

// FuzzCurl looks for panics, for words that are lost, and for requests that
// cannot be written and read again.
func FuzzCurl(f *testing.F) {
	for _, s := range []string{`curl http://h/`, `curl -d @x -F a=b "$X" $'\x41' http://h`, "curl \\\n'", "curl ${", "curl $(", "curl -X", "curl --json {} h/{a}?[b]",
		"curl 'http://h/{{x}}' -H 'a: ${b}'", "curl -u a:b $H/", "curl h -H 'a: \u2028'", "curl `x` h", "curl h -d '{\"a\":\"{{b}}\"}'", "curl h --data-raw $'a: 1\n- b'"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		res, err := Curl(strings.NewReader(s), "-")
		if err != nil {
			return
		}
		for _, file := range res.Files {
			text, _ := request.Emit(file.Name, file.Requests)
			back, err := request.Parse("x.yaml", text)
			if err != nil {
				t.Fatalf("%q becomes what cannot be read:\n%s\n%v", s, text, err)
			}
			if file.Requests[0].Template {
				continue
			}
			st, want := back.Steps[0], file.Requests[0]
			if got := unescape(st.Method.Raw); got != want.Method {
				t.Fatalf("%q: method %q becomes %q", s, want.Method, got)
			}
			for _, h := range st.Header {
				if !hasHeader(want.Header, h.Name, unescape(h.Value.Raw)) {
					t.Fatalf("%q: header %s: %q is none of %q", s, h.Name, h.Value.Raw, want.Header)
				}
			}
		}
	})
}

func unescape(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, `\{{`, "{{"), "$${", "${")
}

func hasHeader(all []probes.Attr, name, value string) bool {
	for _, h := range all {
		if h.Name == name && h.Value == value {
			return true
		}
	}
	return false
}
