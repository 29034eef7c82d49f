package request

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"iscope/probes"
)

// words is what a shell makes of a command line: its arguments.
func words(t testing.TB, shell, command string, env ...string) []string {
	t.Helper()
	path, err := exec.LookPath(shell)
	if err != nil {
		t.Skipf("no %s: %v", shell, err)
	}
	cmd := exec.Command(path, "-c", `f() { printf '%s\0' "$@"; }; f `+command)
	cmd.Env = append(cmd.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s\n%s", err, out, command)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}

// TestQuoteIsUndoneByAShell asks bash itself.
func TestQuoteIsUndoneByAShell(t *testing.T) {
	text := rapid.StringOfN(rapid.OneOf(rapid.RuneFrom([]rune("ab'\"\\$`!*?[]{}()<>|&;#~= \t\n\r\x01\x1b\x7f0é→")), rapid.Rune()), 0, 30, -1)
	rapid.Check(t, func(rt *rapid.T) {
		s := strings.ReplaceAll(text.Draw(rt, "text"), "\x00", "")
		if strings.Contains(s, "«redacted") {
			return
		}
		if got := words(t, "bash", Quote(s)); len(got) != 1 || got[0] != s {
			rt.Fatalf("%q becomes %s, which bash reads as %q", s, Quote(s), got)
		}
	})
	if got := words(t, "bash", Quote("a «redacted:x-api-key#12ab» b"), "X_API_KEY=it's"); got[0] != "a it's b" {
		t.Errorf("%q", got)
	}
}

func TestCommands(t *testing.T) {
	http := &probes.Target{Driver: "http", Address: "h:8080/base", TLS: probes.TLS{Enabled: true, CAFile: "ca.pem"},
		Auth: probes.Auth{Token: probes.NewSecret("hunter2")}}
	grpc := &probes.Target{Driver: "grpc", Address: "h:1,h:2", Options: map[string]string{"protoset": "a.binpb,b.binpb"},
		Auth: probes.Auth{Token: probes.NewSecret("hunter2"), Header: "x-key"}}
	put := &probes.Method{Name: "PUT /o/{id}", Params: []probes.Param{{Name: "id", In: "path"}, {Name: "X-T", In: "header"}, {Name: "c", In: "cookie"}, {Name: "q", In: "query"}}}
	env := []string{"TOKEN=tok", "PASSWORD=pw"}
	for name, c := range map[string]struct {
		style Style
		r     Request
		m     *probes.Method
		t     *probes.Target
		want  string // words with | between
	}{
		"curl": {Curl, Request{Method: "PUT /o/{id}", Params: []probes.Attr{{Name: "id", Value: "a/b"}, {Name: "X-T", Value: "t"}, {Name: "c", Value: "1"}, {Name: "q", Value: "x y"}},
			Documents: []string{`{"a":1}`}, Redirects: 3, Deadline: 1500e6}, put, http,
			"curl|-X|PUT|https://h:8080/base/o/a%2Fb?q=x+y|-H|X-T: t|-b|c=1|-H|Content-Type: application/json|--data-raw|{\"a\":1}|-H|Authorization: Bearer tok|--cacert|ca.pem|-L|--max-redirs|3|--max-time|1.5"},
		"curl with its own credentials": {Curl, Request{Method: "GET /", Header: []probes.Attr{{Name: "authorization", Value: "x"}}}, nil, http,
			"curl|https://h:8080/base/|-H|authorization: x|--cacert|ca.pem"},
		"curl with basic": {Curl, Request{Method: "HEAD /"}, nil, &probes.Target{Address: "h", Auth: probes.Auth{Username: "bob", Password: probes.NewSecret("hunter2")}},
			"curl|--head|http://h/|-u|bob:pw"},
		"curl for GraphQL": {Curl, Request{Method: "query order", Documents: []string{`{"id":"A-7"}`}}, &probes.Method{Name: "query order",
			Template: []byte(`{"query":"query order($id: ID!) { order(id: $id) { id } }","variables":{"id":""}}`)}, &probes.Target{Driver: "graphql", Address: "h/graphql"},
			`curl|http://h/graphql|-H|Content-Type: application/json|--data-raw|{"query":"query order($id: ID!) { order(id: $id) { id } }","variables":{"id":"A-7"}}`},
		"grpcurl": {GRPCurl, Request{Method: "a.B/C", Documents: []string{"{}", `{"x":1}`}, Header: []probes.Attr{{Name: "k", Value: "v w"}}}, nil, grpc,
			"grpcurl|-plaintext|-H|k: v w|-H|x-key: tok|-protoset|a.binpb|-protoset|b.binpb|-d|{}\n{\"x\":1}|h:1|a.B/C"},
		"grpcurl on a socket": {GRPCurl, Request{Method: "a.B/C"}, nil, &probes.Target{Address: "unix:/run/x", TLS: probes.TLS{Enabled: true, InsecureSkipVerify: true}},
			"grpcurl|-insecure|-unix|/run/x|a.B/C"},
		"iscope": {IScope, Request{Target: "t", Environment: "dev", Method: "a.B/C", Documents: []string{"{}"}, Options: []probes.Attr{{Name: "o", Value: "v"}},
			TLS: &TLS{CA: "c", Insecure: true}, Compression: "gzip", Force: true, Deadline: 2e9, Redirects: 1}, nil, nil,
			"iscope|invoke|-e|dev|t|a.B/C|-d|{}|--option|o=v|--cacert|c|--insecure|--compress|gzip|--redirects|1|--deadline|2s|--force"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := Command(c.style, &c.r, c.m, c.t)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(l.Text, "hunter2") {
				t.Errorf("a secret in %s", l.Text)
			}
			if diff := cmp.Diff(strings.Split(c.want, "|"), words(t, "bash", l.Text, env...)); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, c := range []struct {
		style  Style
		method string
	}{{Curl, "a.B/C"}, {GRPCurl, "GET /x"}, {"wget", "GET /x"}} {
		if _, err := Command(c.style, &Request{Method: c.method}, nil, nil); err == nil {
			t.Errorf("%s makes a command of %s", c.style, c.method)
		}
	}
}
