package httpapi

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"iscope/probes"
)

func redirects(n int) func(*probes.Invocation) {
	return func(in *probes.Invocation) { in.Redirects = n }
}

// lines sums up a call's records: kind, status, subject and what is said of it.
func lines(recs []probes.Record) []string {
	var out []string
	for _, r := range recs {
		out = append(out, strings.Join(strings.Fields(fmt.Sprint(r.Kind, " ", attr(r, probes.AttrHTTPStatus), " ", r.Source.Subject, " ", attr(r, probes.AttrReason))), " "))
	}
	return out
}

func TestRedirectsAreFollowedAndShown(t *testing.T) {
	var mu sync.Mutex
	var got []string
	note := func(where string, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s %s%s%s%s", where, r.Method, r.URL, r.Header.Get("Authorization"), r.Header.Get("Cookie"), r.Header.Get("Content-Type"), b)))
	}
	other := serve(t, "", func(w http.ResponseWriter, r *http.Request) { note("other", r) })
	srv := serve(t, "", func(w http.ResponseWriter, r *http.Request) {
		note("own", r)
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, other.URL+"/there?x=1", http.StatusTemporaryRedirect)
		case "/303":
			http.Redirect(w, r, "/end", http.StatusSeeOther)
		case "/308":
			http.Redirect(w, r, "/303", http.StatusPermanentRedirect)
		case "/circle":
			http.Redirect(w, r, "/circle", http.StatusFound)
		case "/mail":
			w.Header().Set("Location", "mailto:a@b.example")
			w.WriteHeader(http.StatusFound)
		}
	})
	tg := noDoc(srv.URL)
	tg.Auth.Token = probes.NewSecret("hunter2")
	p := openTarget(t, tg)
	for _, c := range []struct {
		method string
		n      int
		want   []string
		server []string
	}{
		{"GET /303", 0, []string{"request GET /303", "response 303 GET /303", "end 303 GET /303 the redirect was not followed: --redirects N follows at most N"},
			[]string{"own GET /303 Bearer hunter2"}},
		{"POST /308", 5, []string{"request POST /308", "response 308 POST /308", "request POST /303 redirect 1", "response 303 POST /303",
			"request GET /end redirect 2, POST became GET", "response 200 GET /end", "end 200 GET /end"},
			[]string{"own POST /308 Bearer hunter2application/json{}", "own POST /303 Bearer hunter2application/json{}", "own GET /end Bearer hunter2"}},
		{"POST /away", 1, []string{"request POST /away", "response 307 POST /away",
			"request POST " + other.URL + "/there?x=1 redirect 1, to another host: without credentials", "response 200 POST " + other.URL + "/there?x=1",
			"end 200 POST " + other.URL + "/there?x=1"},
			[]string{"own POST /away Bearer hunter2application/json{}", "other POST /there?x=1 application/json{}"}},
		{"GET /circle", 2, []string{"request GET /circle", "response 302 GET /circle", "request GET /circle redirect 1", "response 302 GET /circle",
			"request GET /circle redirect 2", "response 302 GET /circle", "end 302 GET /circle the redirect was not followed: 2 were, which is the limit"},
			[]string{"own GET /circle Bearer hunter2", "own GET /circle Bearer hunter2", "own GET /circle Bearer hunter2"}},
		{"GET /mail", 3, []string{"request GET /mail", "response 302 GET /mail", "end 302 GET /mail the redirect leads to another protocol, mailto, and was not followed"},
			[]string{"own GET /mail Bearer hunter2"}},
	} {
		t.Run(c.method, func(t *testing.T) {
			got = nil
			doc := ""
			if strings.HasPrefix(c.method, "POST") {
				doc = "{}"
			}
			recs, err := invoke(t, p, c.method, doc, redirects(c.n))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, lines(recs)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(c.server, got); diff != "" {
				t.Error(diff)
			}
			for _, r := range recs {
				if r.Call != recs[0].Call {
					t.Errorf("call %q and %q", r.Call, recs[0].Call)
				}
			}
		})
	}
	// What the caller says of itself stays at home too.
	got = nil
	if _, err := invoke(t, p, "GET /away", "", redirects(1), header("Cookie", "sid=mine", "Authorization", "Bearer mine")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"own GET /away Bearer minesid=mine", "other GET /there?x=1"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestRedirectToNowhere(t *testing.T) {
	srv := serve(t, "", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://127.0.0.1:1/elsewhere", http.StatusFound)
	})
	recs, err := invoke(t, openTarget(t, noDoc(srv.URL)), "GET /a", "", redirects(1))
	wantError(t, err, probes.ErrUnreachable, "nothing listens on 127.0.0.1:1")
	if len(recs) != 3 || recs[2].Kind != probes.Request {
		t.Errorf("records %q", lines(recs))
	}
}
