package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"iscope/probes/probetest"
)

// wait asks until ask returns nil. The limit only ends a test that has failed.
func wait(t *testing.T, ask func(context.Context) error) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	for {
		err := ask(ctx)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatal(err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// fetch makes a call without keeping its connection.
func fetch(ctx context.Context, client *http.Client, method, url, host string, body []byte) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Close, req.Host = true, host
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

func fetchJSON(ctx context.Context, url string, into any) error {
	status, body, err := fetch(ctx, http.DefaultClient, http.MethodGet, url, "", nil)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%s answers %d: %.200s", url, status, body)
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(body, into)
}

func TestKubernetesHasTheShop(t *testing.T) {
	kube := probetest.Need(t, "kube")
	a, err := newApplier(kube.Addresses, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer a.client.CloseIdleConnections()
	body, err := a.get(t.Context(), "api/v1/services")
	if err != nil {
		t.Fatal(err)
	}
	var list struct {
		Items []struct {
			Metadata struct{ Namespace, Name string }
		}
	}
	if err := json.Unmarshal(body, &list); err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, i := range list.Items {
		there[i.Metadata.Namespace+"/"+i.Metadata.Name] = true
	}
	for _, want := range []string{"shop/web", "shop/orders", "billing/payments"} {
		if !there[want] {
			t.Errorf("no service %s in %v", want, there)
		}
	}
}

func TestKubernetesClientCertificateReadsAllButSecrets(t *testing.T) {
	a := probetest.Need(t, "kube").Addresses
	pem, err := os.ReadFile(a["ca"])
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(a["client_cert"], a["client_key"])
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}}}}
	for path, want := range map[string]int{
		"api/v1/pods": http.StatusOK, "apis/discovery.k8s.io/v1/endpointslices": http.StatusOK, "api/v1/secrets": http.StatusForbidden,
	} {
		status, body, err := fetch(t.Context(), client, http.MethodGet, a["https"]+"/"+path, "", nil)
		if err != nil || status != want {
			t.Errorf("%s: %d, %v, want %d: %.200s", path, status, err, want, body)
		}
	}
}

func TestIstiodSeesItsSidecarSynced(t *testing.T) {
	istiod := probetest.Need(t, "istiod").Addresses["http"]
	probetest.Need(t, "sidecar")
	wait(t, func(ctx context.Context) error {
		var proxies []map[string]any
		if err := fetchJSON(ctx, istiod+"/debug/syncz", &proxies); err != nil {
			return err
		}
		for _, p := range proxies {
			if p["proxy"] == "web-1.shop" && acked(p, "cluster") && acked(p, "listener") && acked(p, "route") && acked(p, "endpoint") {
				return nil
			}
		}
		return fmt.Errorf("web-1.shop is not synced: %v", proxies)
	})
}

func acked(proxy map[string]any, kind string) bool {
	sent, _ := proxy[kind+"_sent"].(string)
	return sent != "" && sent == proxy[kind+"_acked"]
}

func TestIstiodHasTheRules(t *testing.T) {
	istiod := probetest.Need(t, "istiod").Addresses["http"]
	wait(t, func(ctx context.Context) error {
		var rules []struct {
			Kind     string
			Metadata struct{ Namespace, Name string }
			Spec     json.RawMessage
		}
		if err := fetchJSON(ctx, istiod+"/debug/configz", &rules); err != nil {
			return err
		}
		wanted := map[string]string{
			"VirtualService shop/orders": `"attempts":2`, "DestinationRule shop/orders": "outlierDetection",
			"PeerAuthentication billing/default": "STRICT", "Gateway shop/shop": "shop.example.com",
		}
		for _, r := range rules {
			name := r.Kind + " " + r.Metadata.Namespace + "/" + r.Metadata.Name
			var tight bytes.Buffer
			if json.Compact(&tight, r.Spec) == nil && wanted[name] != "" && strings.Contains(tight.String(), wanted[name]) {
				delete(wanted, name)
			}
		}
		if len(wanted) > 0 {
			return fmt.Errorf("istiod has no %v", wanted)
		}
		return nil
	})
}

func TestSidecarHasTheShopsClusters(t *testing.T) {
	admin := probetest.Need(t, "sidecar").Addresses["admin"]
	wait(t, func(ctx context.Context) error {
		var dump struct {
			Configs []struct {
				Active []struct{ Cluster struct{ Name string } } `json:"dynamic_active_clusters"`
			}
		}
		if err := fetchJSON(ctx, admin+"/config_dump", &dump); err != nil {
			return err
		}
		there := map[string]bool{}
		for _, c := range dump.Configs {
			for _, a := range c.Active {
				there[a.Cluster.Name] = true
			}
		}
		for _, want := range []string{"outbound|8080|v1|orders.shop.svc.cluster.local", "outbound|9000||payments.billing.svc.cluster.local"} {
			if !there[want] {
				return fmt.Errorf("no cluster %s in %v", want, there)
			}
		}
		return nil
	})
}

func TestSidecarCarriesTraffic(t *testing.T) {
	a := probetest.Need(t, "sidecar").Addresses
	wait(t, func(ctx context.Context) error {
		status, body, err := fetch(ctx, http.DefaultClient, http.MethodGet, a["http"]+"/ready", a["host"], nil)
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("%d: %.200s", status, body)
		}
		return err
	})
	status, body, err := fetch(t.Context(), http.DefaultClient, http.MethodGet, a["admin"]+"/stats?usedonly&filter=upstream_rq_200", "", nil)
	if err != nil || status != http.StatusOK || !strings.Contains(string(body), a["host"]) {
		t.Errorf("no call to %s is counted: %d %v %s", a["host"], status, err, body)
	}
}

// linkerdCall is the protocol of that version: protobuf in a POST, the answer
// behind its length in four bytes, errors in a header.
func linkerdCall(ctx context.Context, url string, request []byte) ([]byte, error) {
	status, body, err := fetch(ctx, http.DefaultClient, http.MethodPost, url, "", request)
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK || len(body) < 4 || int(binary.LittleEndian.Uint32(body)) != len(body)-4 {
		return nil, fmt.Errorf("%s answers %d: %q", url, status, body)
	}
	return body[4:], nil
}

// at returns every value at a path of field numbers of nested messages, bytes
// and varints alike.
func at(message []byte, path ...protowire.Number) (found []any, err error) {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return nil, protowire.ParseError(n)
		}
		value := message[n:]
		size := protowire.ConsumeFieldValue(number, kind, value)
		if size < 0 {
			return nil, protowire.ParseError(size)
		}
		message = value[size:]
		if number != path[0] {
			continue
		}
		switch {
		case kind == protowire.VarintType && len(path) == 1:
			v, _ := protowire.ConsumeVarint(value)
			found = append(found, v)
		case kind == protowire.BytesType && len(path) == 1:
			v, _ := protowire.ConsumeBytes(value)
			found = append(found, v)
		case kind == protowire.BytesType:
			v, _ := protowire.ConsumeBytes(value)
			deeper, err := at(v, path[1:]...)
			if err != nil {
				return nil, err
			}
			found = append(found, deeper...)
		}
	}
	return found, nil
}

func nested(number protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), value)
}

// TestLinkerdAnswersStatSummary asks for the deployments of the depot (message
// StatSummaryRequest of viz/metrics-api/proto/viz.proto).
func TestLinkerdAnswersStatSummary(t *testing.T) {
	linkerd := probetest.Need(t, "linkerd").Addresses["http"]
	resource := append(nested(1, []byte("depot")), nested(2, []byte("deployment"))...)
	request := append(nested(1, nested(1, resource)), nested(2, []byte("30s"))...)
	wait(t, func(ctx context.Context) error {
		answer, err := linkerdCall(ctx, linkerd+"/api/v1/StatSummary", request)
		if err != nil {
			return err
		}
		rows, err := at(answer, 1, 1, 1, 1) // ok, stat_tables, pod_group, rows
		if err != nil {
			return err
		}
		for _, row := range rows {
			name, _ := at(row.([]byte), 1, 3)
			good, _ := at(row.([]byte), 5, 1)
			bad, _ := at(row.([]byte), 5, 2)
			meshed, _ := at(row.([]byte), 3)
			if fmt.Sprintf("%s", name) == "[stock]" && len(good) == 1 && len(bad) == 1 && len(meshed) == 1 {
				return nil
			}
		}
		return fmt.Errorf("no traffic to a meshed stock in %q", rows)
	})
}

// TestLinkerdAnswersAll asks for every type at once, cron jobs among them.
func TestLinkerdAnswersAll(t *testing.T) {
	linkerd := probetest.Need(t, "linkerd").Addresses["http"]
	resource := append(nested(1, []byte("depot")), nested(2, []byte("all"))...)
	answer, err := linkerdCall(t.Context(), linkerd+"/api/v1/StatSummary", append(nested(1, nested(1, resource)), nested(2, []byte("30s"))...))
	if err != nil {
		t.Fatal(err)
	}
	types, err := at(answer, 1, 1, 1, 1, 1, 2)
	if text := fmt.Sprintf("%s", types); err != nil || !strings.Contains(text, "pod") || !strings.Contains(text, "deployment") {
		t.Errorf("%s, %v", text, err)
	}
}

// TestLinkerdAnswersEdges wants who calls whom, with both identities (message
// Edge).
func TestLinkerdAnswersEdges(t *testing.T) {
	linkerd := probetest.Need(t, "linkerd").Addresses["http"]
	resource := append(nested(1, []byte("depot")), nested(2, []byte("deployment"))...)
	wait(t, func(ctx context.Context) error {
		answer, err := linkerdCall(ctx, linkerd+"/api/v1/Edges", nested(1, nested(1, resource)))
		if err != nil {
			return err
		}
		edges, err := at(answer, 1, 1)
		if err != nil {
			return err
		}
		for _, e := range edges {
			from, _ := at(e.([]byte), 1, 3)
			to, _ := at(e.([]byte), 2, 3)
			client, _ := at(e.([]byte), 3)
			server, _ := at(e.([]byte), 4)
			if fmt.Sprintf("%s %s", from, to) == "[gateway] [stock]" && len(client) == 1 && len(server) == 1 {
				return nil
			}
		}
		return fmt.Errorf("no edge from gateway to stock in %q", edges)
	})
}

// TestLinkerdReachesWhatItReads: SelfCheck fails for Kubernetes or Prometheus by
// a status that is not zero.
func TestLinkerdReachesWhatItReads(t *testing.T) {
	linkerd := probetest.Need(t, "linkerd").Addresses["http"]
	wait(t, func(ctx context.Context) error {
		answer, err := linkerdCall(ctx, linkerd+"/api/v1/SelfCheck", nil)
		if err != nil {
			return err
		}
		systems, err := at(answer, 1, 1)
		if err != nil {
			return err
		}
		failed, err := at(answer, 1, 3)
		if err == nil && (len(systems) != 2 || len(failed) > 0) {
			err = errors.New(string(bytes.ToValidUTF8(answer, []byte("?"))))
		}
		return err
	})
}
