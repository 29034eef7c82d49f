package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"iscope/probes/probetest"
)

// restart proves that a second instance runs beside the shared one, and again
// on the same data and ports after a crash.
func restart(t *testing.T, name string) {
	t.Helper()
	own := probetest.Own(t, name)
	own.Kill()
	own.Start()
}

func TestOpenFGARestart(t *testing.T)    { restart(t, "openfga") }
func TestYogaRestart(t *testing.T)       { restart(t, "yoga") }
func TestJaegerRestart(t *testing.T)     { restart(t, "jaeger") }
func TestOtelcolRestart(t *testing.T)    { restart(t, "otelcol") }
func TestPrometheusRestart(t *testing.T) { restart(t, "prometheus") }

func TestOpenFGAGateway(t *testing.T) {
	fga := probetest.Need(t, "openfga")
	status, body, err := fetch(t.Context(), http.DefaultClient, http.MethodPost, fga.Addresses["http"]+"/stores", "", []byte(`{"name":"shop"}`))
	if err != nil || status != http.StatusCreated || !bytes.Contains(body, []byte(`"name":"shop"`)) {
		t.Errorf("creating a store: %d %s %v", status, body, err)
	}
}

// ask sends a query and returns the whole answer.
func ask(t *testing.T, url, query string) string {
	t.Helper()
	resp := post(t, url, query, "application/json")
	defer resp.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func post(t *testing.T, url, query, accept string) *http.Response {
	t.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", accept)
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func TestYogaAnswers(t *testing.T) {
	yoga := probetest.Need(t, "yoga").Addresses
	for _, c := range []struct{ name, url, query, want string }{
		{"data and a partial error", yoga["http"], `{order(id:"o1"){id invoice}}`, `"path":["order","invoice"],"extensions":{"code":"NOT_SHIPPED"}}],"data":{"order":{"id":"o1","invoice":null}}`},
		{"a masked error", yoga["http"], `{order(id:"o1"){margin}}`, `"message":"Unexpected error."`},
		{"interface and union", yoga["http"], `{node(id:"c1"){__typename} search(text:"tea"){__typename}}`, `{"node":{"__typename":"Customer"},"search":[{"__typename":"Order"}`},
		{"an invalid query", yoga["http"], `{nothing}`, `GRAPHQL_VALIDATION_FAILED`},
		{"introspection", yoga["http"], `{__type(name:"Status"){enumValues{name}}}`, `[{"name":"OPEN"},{"name":"SHIPPED"},{"name":"CANCELLED"}]`},
		{"no introspection", yoga["closed"], `{__type(name:"Status"){name}}`, `introspection has been disabled`},
		{"queries without introspection", yoga["closed"], `{order(id:"o1"){id}}`, `{"order":{"id":"o1"}}`},
	} {
		if got := ask(t, c.url, c.query); !strings.Contains(got, c.want) {
			t.Errorf("%s: %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestYogaServerSentEvents(t *testing.T) {
	yoga := probetest.Need(t, "yoga").Addresses
	resp := post(t, yoga["http"], `subscription{orderPlaced(customer:"c2"){note}}`, "text/event-stream")
	defer resp.Body.Close()
	note := fmt.Sprint("sse ", time.Now().UnixNano())
	events := bufio.NewScanner(resp.Body)
	// It writes a line before the subscription stands and others until then, so an
	// order that came too early is placed again.
	for events.Scan() {
		if strings.Contains(events.Text(), note) {
			return
		}
		ask(t, yoga["http"], fmt.Sprintf(`mutation{placeOrder(order:{customer:"c2",lines:[],note:%q}){id}}`, note))
	}
	t.Fatal("the stream ended without the order:", events.Err())
}

func TestOtelcolPassesSpansToJaeger(t *testing.T) {
	collector, jaeger := probetest.Need(t, "otelcol").Addresses, probetest.Need(t, "jaeger").Addresses
	trace := fmt.Sprintf("%032x", time.Now().UnixNano())
	caller, callee := "web-"+trace[24:], "orders-"+trace[24:]
	span := func(service, id, parent string, kind int) string {
		return fmt.Sprintf(`{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":%q}}]},"scopeSpans":[{"spans":[
		{"traceId":%q,"spanId":%q,"parentSpanId":%q,"name":"GET /","kind":%d,"startTimeUnixNano":"%d","endTimeUnixNano":"%d"}]}]}`,
			service, trace, id, parent, kind, time.Now().UnixNano(), time.Now().UnixNano()+1000)
	}
	body := `{"resourceSpans":[` + span(caller, "1111111111111111", "", 3) + "," + span(callee, "2222222222222222", "1111111111111111", 2) + `]}`
	resp, err := http.Post(collector["otlp_http"]+"/v1/traces", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status)
	}
	wait(t, func(ctx context.Context) error {
		var edges struct {
			Data []struct{ Parent, Child string }
		}
		err := fetchJSON(ctx, fmt.Sprintf("%s/api/dependencies?endTs=%d&lookback=3600000", jaeger["http"], time.Now().Add(time.Minute).UnixMilli()), &edges)
		for _, e := range edges.Data {
			if e.Parent == caller && e.Child == callee {
				return nil
			}
		}
		return fmt.Errorf("no edge from %s to %s among %d: %v", caller, callee, len(edges.Data), err)
	})
}

func TestPrometheusScrapesWhatATestNames(t *testing.T) {
	prometheus := probetest.Need(t, "prometheus").Addresses
	exporter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "orders_total 42")
	}))
	defer exporter.Close()
	address := exporter.Listener.Addr().String()
	file := filepath.Join(prometheus["targets"], strings.ReplaceAll(address, ":", "-")+".json")
	if err := os.WriteFile(file, fmt.Appendf(nil, `[{"targets":[%q]}]`, address), 0o600); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(file)
	query := prometheus["http"] + "/api/v1/query?query=" + url.QueryEscape(fmt.Sprintf("orders_total{instance=%q}", address))
	wait(t, func(ctx context.Context) error {
		var answer struct {
			Data struct{ Result []struct{ Value [2]any } }
		}
		if err := fetchJSON(ctx, query, &answer); err != nil {
			return err
		}
		if r := answer.Data.Result; len(r) != 1 || r[0].Value[1] != "42" {
			return fmt.Errorf("%s: %v", query, r)
		}
		return nil
	})
}

// command runs a tool and returns what it said.
func command(t *testing.T, input, binary string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(binary), args, err, out)
	}
	return string(out)
}

func TestKcatKnowsKafka(t *testing.T) {
	kcat, kafka := probetest.Need(t, "kcat"), probetest.Need(t, "kafka")
	if out := command(t, "", kcat.Addresses["binary"], "-L", "-b", kafka.Addresses["bootstrap"]); !strings.Contains(out, kafka.Addresses["bootstrap"]) {
		t.Error(out)
	}
}

func TestGrpcurlListsOpenFGA(t *testing.T) { listServices(t, "openfga", "openfga.v1.OpenFGAService") }
func TestGrpcurlListsJaeger(t *testing.T)  { listServices(t, "jaeger", "jaeger.api_v2.QueryService") }

func listServices(t *testing.T, name, service string) {
	t.Helper()
	grpcurl, server := probetest.Need(t, "grpcurl"), probetest.Need(t, name)
	if out := command(t, "", grpcurl.Addresses["binary"], "-plaintext", server.Addresses["grpc"], "list"); !strings.Contains(out, service) {
		t.Errorf("no %s in %s", service, out)
	}
}

func TestVersionIn(t *testing.T) {
	for said, want := range map[string]string{
		"kcat - Apache Kafka tool\nVersion 1.7.1 (JSON, librdkafka 2.0.2)":          "1.7.1",
		"prometheus, version 2.42.0+ds (branch: debian/sid, revision: 2.42.0+ds-5)": "2.42.0+ds",
		"usage: kcat 1.2": "",
	} {
		if got := versionIn(said); got != want {
			t.Errorf("%q in %q, want %q", got, said, want)
		}
	}
}

func TestRabtapReadsRabbitMQ(t *testing.T) {
	rabtap, rabbit := probetest.Need(t, "rabtap"), probetest.Need(t, "rabbitmq").Addresses
	api := strings.Replace(rabbit["management"], "://", "://"+rabbit["username"]+":"+rabbit["password"]+"@", 1) + "/api"
	if out := command(t, "", rabtap.Addresses["binary"], "info", "--api", api, "--no-color"); !strings.Contains(out, "amq.topic") {
		t.Error(out)
	}
}

func TestVegetaSendsRequests(t *testing.T) {
	vegeta, yoga := probetest.Need(t, "vegeta").Addresses["binary"], probetest.Need(t, "yoga").Addresses["http"]
	results := command(t, "GET "+yoga+"?query=%7B__typename%7D\n", vegeta, "attack", "-rate=50", "-duration=100ms")
	var report struct {
		Requests int
		Success  float64
	}
	if err := json.Unmarshal([]byte(command(t, results, vegeta, "report", "-type=json")), &report); err != nil {
		t.Fatal(err)
	}
	if report.Requests != 5 || report.Success != 1 {
		t.Errorf("%+v", report)
	}
}

func TestMitmproxyRecords(t *testing.T) {
	mitmdump, yoga := probetest.Need(t, "mitmproxy").Addresses["binary"], probetest.Need(t, "yoga").Addresses["http"]
	var p ports
	port, err := p.take(1)
	if err != nil {
		t.Fatal(err)
	}
	upstream, path, _ := strings.Cut(strings.TrimPrefix(yoga, "http://"), "/")
	dir := t.TempDir()
	flows := filepath.Join(dir, "flows")
	cmd := exec.CommandContext(t.Context(), mitmdump, "--mode", "reverse:http://"+upstream, "--listen-host", "127.0.0.1",
		"--listen-port", fmt.Sprint(port[0]), "--set", "confdir="+dir, "-w", flows)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	through := "http://" + loopback(port[0]) + "/" + path + "?query=%7B__typename%7D"
	wait(t, func(ctx context.Context) error {
		select {
		case err := <-ended:
			t.Fatal("mitmdump ended: ", err)
		default:
		}
		status, body, err := fetch(ctx, http.DefaultClient, http.MethodGet, through, "", nil)
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("%d %s", status, body)
		}
		return err
	})
	cmd.Process.Signal(os.Interrupt)
	<-ended
	if content, err := os.ReadFile(flows); err != nil || !bytes.Contains(content, []byte("/graphql")) {
		t.Errorf("the flow is not in %d bytes: %v", len(content), err)
	}
}
