package httpapi

import (
	"fmt"
	"strings"
	"testing"

	"iscope/probes"
)

// schemes has an operation for each kind of security scheme.
const schemes = head + `"components":{"securitySchemes":{
	"basicAuth":{"type":"http","scheme":"basic"},"bearerAuth":{"type":"http","scheme":"Bearer"},"digestAuth":{"type":"http","scheme":"digest"},
	"keyInHeader":{"type":"apiKey","in":"header","name":"X-Key"},"keyInQuery":{"type":"apiKey","in":"query","name":"api_key"},
	"keyInCookie":{"type":"apiKey","in":"cookie","name":"sid"},"login":{"type":"oauth2","flows":{}},"cert":{"type":"mutualTLS"}}},
	"security":[{"bearerAuth":[]}],
	"paths":{"/basic":{"get":{"security":[{"basicAuth":[]}],"responses":{}}},"/bearer":{"get":{"responses":{}}},
	"/digest":{"get":{"security":[{"digestAuth":[]}],"responses":{}}},"/header":{"get":{"security":[{"keyInHeader":[]}],"responses":{}}},
	"/query":{"get":{"security":[{"keyInQuery":[]}],"responses":{}}},"/cookie":{"get":{"security":[{"keyInCookie":[]}],"responses":{}}},
	"/oauth":{"get":{"security":[{"login":["read"]}],"responses":{}}},"/cert":{"get":{"security":[{"cert":[]}],"responses":{}}},
	"/none":{"get":{"security":[],"responses":{}}},"/maybe":{"get":{"security":[{},{"keyInHeader":[]}],"responses":{}}},
	"/both":{"get":{"security":[{"bearerAuth":[],"keyInHeader":[]}],"responses":{}}},
	"/either":{"get":{"security":[{"basicAuth":[]},{"keyInQuery":[]}],"responses":{}}}}}`

func TestSecuritySchemes(t *testing.T) {
	token := probes.Auth{Token: probes.NewSecret("hunter2")}
	keyed := probes.Auth{Token: probes.NewSecret("hunter2"), Header: "x-key"}
	basic := probes.Auth{Username: "ann", Password: probes.NewSecret("hunter2")}
	for _, c := range []struct {
		path  string
		auth  probes.Auth
		edit  func(*probes.Invocation)
		sent  string // the credential as the server saw it
		unmet string // part of the violation on the request
	}{
		{"/basic", basic, param(), "Authorization: Basic YW5uOmh1bnRlcjI=", ""},
		{"/basic", token, param(), "Authorization: Bearer hunter2", "basicAuth (HTTP basic: set auth.username"},
		{"/basic", probes.Auth{}, param(), "", "basicAuth"},
		{"/basic", probes.Auth{}, header("Authorization", "Basic mine"), "Authorization: Basic mine", ""},
		{"/bearer", token, param(), "Authorization: Bearer hunter2", ""},
		{"/bearer", basic, param(), "Authorization: Basic YW5uOmh1bnRlcjI=", "bearerAuth"},
		{"/digest", basic, param(), "Authorization: Basic YW5uOmh1bnRlcjI=", "digestAuth (HTTP authentication digest, which iscope does not do"},
		{"/header", token, param(), "X-Key: hunter2", ""},
		{"/header", keyed, param(), "X-Key: hunter2", ""},
		{"/header", probes.Auth{}, header("X-Key", "hunter2"), "X-Key: hunter2", ""},
		{"/header", probes.Auth{}, param(), "", "keyInHeader (an API key in the header X-Key: set auth.token"},
		{"/query", token, param(), "api_key=hunter2", ""},
		{"/query", probes.Auth{Token: token.Token, Header: "api_key"}, param(), "api_key=hunter2", ""},
		{"/query", keyed, param(), "X-Key: hunter2", "keyInQuery"},
		{"/query?api_key=hunter2", probes.Auth{}, param(), "api_key=hunter2", ""},
		{"/query", probes.Auth{}, param(), "", "keyInQuery"},
		{"/cookie", token, param(), "Cookie: sid=hunter2", ""},
		{"/cookie", probes.Auth{}, header("Cookie", "a=b; sid=hunter2"), "Cookie: a=b; sid=hunter2", ""},
		{"/oauth", token, param(), "Authorization: Bearer hunter2", ""},
		{"/oauth", probes.Auth{}, param(), "", "login (oauth2: set auth.token)"},
		{"/cert", probes.Auth{}, param(), "", "cert (a client certificate"},
		{"/none", probes.Auth{}, param(), "", ""},
		{"/maybe", probes.Auth{}, param(), "", ""},
		{"/both", token, param(), "Authorization: Bearer hunter2|X-Key: hunter2", ""},
		{"/either", token, param(), "api_key=hunter2", ""},
	} {
		t.Run(c.path+" "+c.sent, func(t *testing.T) {
			s := &seen{}
			tg := target(serve(t, schemes, s.handle).URL)
			tg.Auth = c.auth
			recs, err := invoke(t, openTarget(t, tg), "GET "+c.path, "", c.edit)
			if err != nil {
				t.Fatal(err)
			}
			got, _ := s.request()
			var sent []string
			for _, h := range []string{"Authorization", "X-Key", "Cookie"} {
				if v := got.Header.Get(h); v != "" {
					sent = append(sent, h+": "+v)
				}
			}
			if got.URL.RawQuery != "" {
				sent = append(sent, got.URL.RawQuery)
			}
			if strings.Join(sent, "|") != c.sent {
				t.Errorf("the server got %q, want %q", sent, c.sent)
			}
			if v := attr(recs[0], probes.AttrViolation); (v == "") != (c.unmet == "") || !strings.Contains(v, c.unmet) {
				t.Errorf("violation %q, want %q", v, c.unmet)
			}
			all := fmt.Sprintf("%+v", recs)
			for _, r := range recs {
				all += fmt.Sprintf(" %s %s", r.Source, r.Header)
			}
			if strings.Contains(all, "hunter2") || strings.Contains(all, "YW5uOmh1bnRlcjI") {
				t.Errorf("a secret in %s", all)
			}
			if c.sent != "" && c.sent != "Authorization: Basic mine" && attr(recs[0], probes.AttrRedacted) == "" {
				t.Errorf("nothing is said to be redacted: %v", recs[0].Attrs)
			}
		})
	}
}
