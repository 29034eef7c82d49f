package hint_test

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"iscope/inspectors/hint"
	"iscope/probes"
	"iscope/probes/probetest"
)

// TestEnvoyItself asks the real proxy for the answers it gives when it cannot
// reach a service, limits, or counts.
func TestEnvoyItself(t *testing.T) {
	server := probetest.Need(t, "envoy")
	base := server.Addresses["http"]
	for path, want := range map[string]string{
		"/dead":   "could not connect to the service (response flag UF)",
		"/direct": "the answer came through Envoy",
		"/a":      "behind the proxy the service took",
	} {
		if got := texts(hint.Explain(get(t, base+path))); !strings.Contains(got, want) {
			t.Errorf("%s: %q is not among\n%s", path, want, got)
		}
	}
	limited := ""
	for range 4 { // two pass in a minute, whoever asks
		limited = texts(hint.Explain(get(t, base+"/limited")))
	}
	if want := "the proxy's own rate limit refused this call"; !strings.Contains(limited, want) {
		t.Errorf("%q is not among\n%s", want, limited)
	}
}

func texts(hints []hint.Hint) string {
	var out []string
	for _, h := range hints {
		out = append(out, h.Text)
	}
	return strings.Join(out, "\n")
}

// get asks as the HTTP driver does, as far as hints read it.
func get(t *testing.T, url string) []probes.Record {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	r := probes.Record{Kind: probes.Response, Seen: time.Now(), Body: body, Attrs: []probes.Attr{
		{Name: probes.AttrURL, Value: url}, {Name: probes.AttrHTTPStatus, Value: strconv.Itoa(resp.StatusCode)}}}
	for name, values := range resp.Header {
		for _, v := range values {
			r.Header = append(r.Header, probes.Field{Name: name, Value: []byte(v)})
		}
	}
	return []probes.Record{r}
}
