package imports

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"iscope/probes"
	"iscope/replay/request"
)

// pm imports a collection of one item.
func pm(t *testing.T, item string) (request.Saved, []string) {
	t.Helper()
	res, err := Postman(strings.NewReader(`{"info":{"name":"c"},"variable":[{"key":"base","value":"http://h/v1"},{"key":"a b","value":"{{deep}}"},{"id":"deep","value":7}],"item":[`+item+`]}`), "-")
	if err != nil {
		t.Fatal(err)
	}
	return res.Files[0].Requests[0], res.Left
}

func TestPostman(t *testing.T) {
	at := func(pairs ...string) (out []probes.Attr) {
		for i := 0; i < len(pairs); i += 2 {
			out = append(out, probes.Attr{Name: pairs[i], Value: pairs[i+1]})
		}
		return out
	}
	for name, c := range map[string]struct {
		item string
		want request.Request
		note string // in a comment
	}{
		"a URL alone":  {`{"name":"x","request":"http://h/x?y=1"}`, request.Request{Target: "http://h", Method: "GET /x?y=1"}, ""},
		"a variable":   {`{"request":{"url":"{{base}}/x"}}`, request.Request{Target: "{{base}}", Method: "GET /x"}, ""},
		"host of some": {`{"request":{"url":"https://{{sub}}.example.com:8443/x"}}`, request.Request{Target: "https://{{sub}}.example.com:8443", Method: "GET /x"}, "sub"},
		"assembled": {`{"request":{"method":"put","url":{"protocol":"https","host":["a","b"],"port":"1","path":["x","y"],"query":[{"key":"q","value":"1"},{"key":"off","value":"2","disabled":true}]}}}`,
			request.Request{Target: "https://a.b:1", Method: "PUT /x/y?q=1"}, ""},
		"a disabled query in raw": {`{"request":{"url":{"raw":"http://h/x?off=2&q=1","query":[{"key":"off","value":"2","disabled":true},{"key":"q","value":"1"}]}}}`,
			request.Request{Target: "http://h", Method: "GET /x?q=1"}, ""},
		"path variables": {`{"request":{"url":{"raw":"http://h/o/:id/p/:id2","variable":[{"key":"id","value":"{{a b}}"},{"key":"id2","value":"2"}]}}}`,
			request.Request{Target: "http://h", Method: "GET /o/{id}/p/{id2}", Params: at("id", "{{a_b}}", "id2", "2")}, ""},
		"headers as text": {`{"request":{"url":"http://h/","header":"A: 1\nB: {{$guid}} {{$timestamp}}"}}`,
			request.Request{Target: "http://h", Method: "GET /", Header: at("A", "1", "B", "{{uuid}} {{now.unix}}")}, ""},
		"bearer":       {`{"request":{"url":"http://h/","auth":{"type":"bearer","bearer":[{"key":"token","value":"{{t}}"}]}}}`, request.Request{Target: "http://h", Method: "GET /", Header: at("Authorization", "Bearer {{t}}")}, "t"},
		"basic, v2.0":  {`{"request":{"url":"http://h/","auth":{"type":"basic","basic":{"username":"bob","password":"secret"}}}}`, request.Request{Target: "http://h", Method: "GET /", Header: at("Authorization", "Basic Ym9iOnNlY3JldA==")}, ""},
		"key in query": {`{"auth":{"type":"apikey","apikey":[{"key":"key","value":"k"},{"key":"value","value":"v"},{"key":"in","value":"query"}]},"request":{"url":"http://h/"}}`, request.Request{Target: "http://h", Method: "GET /", Params: at("k", "v")}, ""},
		"no auth":      {`{"auth":{"type":"bearer"},"request":{"url":"http://h/","auth":{"type":"noauth"}}}`, request.Request{Target: "http://h", Method: "GET /"}, ""},
		"oauth":        {`{"request":{"url":"http://h/","auth":{"type":"oauth2"}}}`, request.Request{Target: "http://h", Method: "GET /"}, "oauth2"},
		"a form": {`{"request":{"method":"POST","url":"http://h/","body":{"mode":"urlencoded","urlencoded":[{"key":"a b","value":"{{x}}&"},{"key":"off","value":"1","disabled":true}]}}}`,
			request.Request{Target: "http://h", Method: "POST /", Documents: []string{"a+b={{x}}%26"}, Header: at("Content-Type", formType)}, "x"},
		"graphql": {`{"request":{"method":"POST","url":"http://h/","body":{"mode":"graphql","graphql":{"query":"{ a }","variables":"{\"x\": 1}"}}}}`,
			request.Request{Target: "http://h", Method: "POST /", Documents: []string{`{"query":"{ a }","variables":{"x": 1}}`}, Header: at("Content-Type", "application/json")}, ""},
		"raw without a type": {`{"request":{"method":"POST","url":"http://h/","body":{"mode":"raw","raw":"x"}}}`,
			request.Request{Target: "http://h", Method: "POST /", Documents: []string{"x"}, Header: at("Content-Type", "text/plain")}, ""},
		"a file as body": {`{"request":{"method":"POST","url":"http://h/","body":{"mode":"file","file":{"src":"x"}}}}`, request.Request{Target: "http://h", Method: "POST /"}, "mode file"},
		"a script":       {`{"event":[{"listen":"prerequest","script":{"exec":["x"]}}],"request":{"url":"http://h/"}}`, request.Request{Target: "http://h", Method: "GET /"}, "prerequest script"},
		"a behaviour":    {`{"protocolProfileBehavior":{"followRedirects":false},"request":{"url":"http://h/"}}`, request.Request{Target: "http://h", Method: "GET /"}, "followRedirects"},
		"a dynamic name": {`{"request":{"url":"http://h/{{$randomInt}}"}}`, request.Request{Target: "http://h", Method: "GET /{{$randomInt}}"}, "$randomInt"},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := pm(t, c.item)
			if diff := cmp.Diff(c.want, s.Request); diff != "" {
				t.Error(diff)
			}
			if got := strings.Join(s.Comment, "\n"); (c.note == "") != (got == "") || !strings.Contains(got, c.note) {
				t.Errorf("%q says nothing of %q", got, c.note)
			}
		})
	}
	s, _ := pm(t, `{"request":{"url":"{{base}}/{{a b}}"}}`)
	if diff := cmp.Diff(at("base", "http://h/v1", "a_b", "{{deep}}", "deep", "7"), s.Variables); diff != "" {
		t.Error(diff)
	}
	_, left := pm(t, `{"request":"http://h/","response":[{},{}]},{"name":"bad","request":{"url":"ftp://h/"}},{"name":"folder","item":[],"event":[{"listen":"test","script":{"exec":"x"}}]}`)
	if len(left) != 3 {
		t.Errorf("%q", left)
	}
}

func TestHAR(t *testing.T) {
	res, err := HAR(strings.NewReader(`{"log":{"entries":[
	 {"request":{"method":"POST","url":"https://h/a?b=c","headers":[{"name":"Host","value":"h"},{"name":"X-A","value":"1"}],"postData":{"mimeType":"application/json","text":"eyJhIjoxfQ==","encoding":"base64"}},"response":{"status":201}},
	 {"request":{"method":"POST","url":"https://h/f","postData":{"mimeType":"application/x-www-form-urlencoded","params":[{"name":"a","value":"1+2"},{"name":"b","value":"%26"}]}},"response":{"status":0}},
	 {"request":{"method":"POST","url":"https://h/m","postData":{"mimeType":"multipart/form-data","params":[{"name":"a","fileName":"x"}]}}},
	 {"request":{"method":"GET","url":"wss://h/socket"}},
	 {"_resourceType":"font","request":{"method":"GET","url":"https://h/x.woff"}}]}}`), "a/My session.har")
	if err != nil {
		t.Fatal(err)
	}
	f := res.Files[0]
	if f.Path != "my-session" || len(f.Requests) != 3 || len(res.Left) != 2 {
		t.Fatalf("%s: %d requests, left out %q", f.Path, len(f.Requests), res.Left)
	}
	want := []request.Request{
		{Target: "https://h", Method: "POST /a?b=c", Documents: []string{`{"a":1}`}, Header: []probes.Attr{{Name: "X-A", Value: "1"}, {Name: "Content-Type", Value: "application/json"}}},
		{Target: "https://h", Method: "POST /f", Documents: []string{"a=1+2&b=%26"}, Header: []probes.Attr{{Name: "Content-Type", Value: formType}}},
		{Target: "https://h", Method: "POST /m"},
	}
	for i := range want {
		if diff := cmp.Diff(want[i], f.Requests[i].Request); diff != "" {
			t.Error(diff)
		}
	}
	if diff := cmp.Diff([]string{"status == 201"}, f.Requests[0].Expect); diff != "" || f.Requests[1].Expect != nil || len(f.Requests[2].Comment) != 1 {
		t.Error(diff, f.Requests[1].Expect, f.Requests[2].Comment)
	}
}
