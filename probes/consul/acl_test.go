package consul_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"iscope/probes"
	"iscope/probes/consul"
	"iscope/probes/consul/consultest"
	"iscope/probes/probetest"
)

// TestACLs starts an agent of its own that denies by default.
func TestACLs(t *testing.T) {
	binary := probetest.Need(t, "consul").Addresses["binary"]
	if binary == "" {
		t.Skip("the testbed names no consul binary (address \"binary\")")
	}
	a := startACLAgent(t, binary)
	reg := consultest.AgentAs(a.addr, a.master)
	reg.Register(t, consultest.Service{ID: "seen", Name: "seen", Port: 7201})
	reg.Register(t, consultest.Service{ID: "unseen", Name: "unseen", Port: 7202, Upstreams: []string{"seen"}})
	limited := a.token(t, "limited", `service_prefix "seen" { policy = "read" } node_prefix "" { policy = "read" }`)
	nothing := a.token(t, "nothing", `key_prefix "x" { policy = "read" }`)

	t.Run("a full token sees everything", func(t *testing.T) {
		snap := a.discover(t, a.master)
		if names := services(snap); names != "consul seen unseen unseen-sidecar-proxy" || !snap.Complete {
			t.Errorf("services %q, complete %v, missing %q", names, snap.Complete, snap.Missing)
		}
	})
	t.Run("a limited token is told what it misses", func(t *testing.T) {
		snap := a.discover(t, limited)
		if names := services(snap); names != "seen" || snap.Complete {
			t.Errorf("services %q, complete %v", names, snap.Complete)
		}
		if m := strings.Join(snap.Missing, "\n"); !strings.Contains(m, "services hidden") || !strings.Contains(m, "service:read") {
			t.Errorf("missing: %q", m)
		}
	})
	t.Run("a token for nothing sees nothing, and says so", func(t *testing.T) {
		if snap := a.discover(t, nothing); services(snap) != "" || snap.Complete || len(snap.Missing) == 0 {
			t.Errorf("%d claims, complete %v, missing %q", len(snap.Claims), snap.Complete, snap.Missing)
		}
	})
	t.Run("no token sees nothing, and says so", func(t *testing.T) {
		if snap := a.discover(t, ""); services(snap) != "" || snap.Complete || len(snap.Missing) == 0 {
			t.Errorf("%d claims, complete %v, missing %q", len(snap.Claims), snap.Complete, snap.Missing)
		}
	})
	t.Run("a hidden service is not found, with the permission to ask for", func(t *testing.T) {
		err := a.discoverErr(t, limited, "unseen")
		wantKind(t, err, probes.ErrNotFound)
		if h := probes.HintOf(err); !strings.Contains(h, "service:read") {
			t.Errorf("hint %q", h)
		}
	})
	t.Run("an unknown token is refused for good", func(t *testing.T) {
		const bad = "0bad0bad-0bad-0bad-0bad-0bad0bad0bad"
		for _, err := range []error{a.conn(t, bad).Check(t.Context()), a.discoverErr(t, bad, "")} {
			wantKind(t, err, probes.ErrAuth)
			if probes.Transient(err) || strings.Contains(err.Error(), bad) {
				t.Errorf("%v (transient %v)", err, probes.Transient(err))
			}
		}
	})
	t.Run("known tokens pass the check", func(t *testing.T) {
		for _, token := range []string{a.master, limited, nothing} {
			if err := a.conn(t, token).Check(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
}

func wantKind(t *testing.T, err, kind error) {
	t.Helper()
	if probes.KindOf(err) != kind {
		t.Errorf("error %v is %v, want %v", err, probes.KindOf(err), kind)
	}
}

func services(snap probes.Snapshot) string {
	var names []string
	for _, c := range snap.Claims {
		if c.Node != nil && c.Node.Kind == probes.NodeService {
			names = append(names, c.Node.Name)
		}
	}
	return strings.Join(names, " ")
}

type aclAgent struct{ addr, master string }

func startACLAgent(t *testing.T, binary string) aclAgent {
	t.Helper()
	const master = "11111111-2222-3333-4444-555555555555"
	ports := freePorts(t, 4)
	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, binary, "agent", "-dev", "-bind", "127.0.0.1", "-client", "127.0.0.1",
		"-http-port", ports[0], "-server-port", ports[1], "-serf-lan-port", ports[2], "-serf-wan-port", ports[3],
		"-grpc-port", "-1", "-grpc-tls-port", "-1", "-dns-port", "-1", "-log-level", "warn", "-disable-host-node-id",
		"-node", "acl", "-hcl", `acl { enabled = true, default_policy = "deny", tokens { initial_management = "`+master+`", agent = "`+master+`" } }`)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { stop(); <-ended })
	a := aclAgent{addr: "127.0.0.1:" + ports[0], master: master}
	deadline := time.Now().Add(time.Minute)
	for {
		// ACLs are ready when the management token is.
		code, _ := a.send(http.MethodGet, "/v1/acl/token/self", "")
		if code == http.StatusOK {
			return a
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("the agent ended: %v\n%s", err, &out)
		case <-time.After(50 * time.Millisecond): // between two tries
		}
		if time.Now().After(deadline) {
			t.Fatal("the agent with ACLs did not get ready")
		}
	}
}

// freePorts picks ports below those of the testbed's servers and of outgoing
// connections: one of these may be taken before the agent has it.
func freePorts(t *testing.T, n int) (ports []string) {
	t.Helper()
	for range 1000 {
		if len(ports) == n {
			return ports
		}
		port := strconv.Itoa(10_000 + rand.IntN(5000))
		ln, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil {
			continue
		}
		defer ln.Close() // not before all are known to differ
		ports = append(ports, port)
	}
	t.Fatal("no free ports")
	return nil
}

func (a aclAgent) send(method, path, body string) (int, []byte) {
	req, err := http.NewRequest(method, "http://"+a.addr+path, strings.NewReader(body))
	if err != nil {
		return 0, nil
	}
	req.Header.Set("X-Consul-Token", a.master)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, b
}

// token makes a token with one policy.
func (a aclAgent) token(t *testing.T, name, rules string) string {
	t.Helper()
	policy, err := json.Marshal(map[string]string{"Name": name, "Rules": rules})
	if err != nil {
		t.Fatal(err)
	}
	if code, b := a.send(http.MethodPut, "/v1/acl/policy", string(policy)); code != http.StatusOK {
		t.Fatalf("HTTP %d: %s", code, b)
	}
	code, b := a.send(http.MethodPut, "/v1/acl/token", fmt.Sprintf(`{"Policies":[{"Name":%q}]}`, name))
	var made struct{ SecretID string }
	if err := json.Unmarshal(b, &made); err != nil || code != http.StatusOK {
		t.Fatalf("HTTP %d: %s", code, b)
	}
	return made.SecretID
}

func (a aclAgent) conn(t *testing.T, token string) *probes.Conn {
	t.Helper()
	conn, err := probes.Open(t.Context(), []probes.Driver{consul.Driver()}, probes.Target{Name: "registry", Driver: "consul",
		Address: a.addr, Auth: probes.Auth{Token: probes.NewSecret(token)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// discover waits until the agent has told its servers of the services.
func (a aclAgent) discover(t *testing.T, token string) probes.Snapshot {
	t.Helper()
	d, err := a.conn(t, token).Discoverer()
	if err != nil {
		t.Fatal(err)
	}
	for snap, err := range d.Discover(t.Context(), probes.DiscoverQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		return snap
	}
	t.Fatal("no snapshot")
	return probes.Snapshot{}
}

func (a aclAgent) discoverErr(t *testing.T, token, subject string) error {
	t.Helper()
	d, err := a.conn(t, token).Discoverer()
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range d.Discover(t.Context(), probes.DiscoverQuery{Subject: subject}) {
		return err
	}
	return nil
}
