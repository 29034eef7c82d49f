package shop

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"iscope/cmd/internal/shop/registry"
)

type registered struct {
	Service struct {
		ID, Service, Kind, Address string
		Port                       int
		Proxy                      registry.Proxy
	}
	Checks []struct{ ServiceID, Status, Output string }
}

func instances(t *testing.T, s *Shop) []registered {
	t.Helper()
	base := "http://" + s.Addresses()["shop-registry"] + "/v1/"
	var all []registered
	for name := range getJSON[map[string][]string](t, base+"catalog/services") {
		if name != "consul" {
			all = append(all, getJSON[[]registered](t, base+"health/service/"+name)...)
		}
	}
	return all
}

func TestAllRegisteredInstancesListenButTheGhost(t *testing.T) {
	s := open(t, Options{})
	var ids []string
	for _, in := range instances(t, s) {
		ids = append(ids, in.Service.ID)
		for _, c := range in.Checks {
			if c.Status != "passing" {
				t.Errorf("%s is %s: %s", in.Service.ID, c.Status, c.Output)
			}
		}
		conn, err := net.Dial("tcp", net.JoinHostPort(in.Service.Address, strconv.Itoa(in.Service.Port)))
		if err == nil {
			conn.Close()
		}
		if ghost := in.Service.ID == "shop-payments-2"; ghost != errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("dialing %s gives %v", in.Service.ID, err)
		}
	}
	slices.Sort(ids)
	want := []string{
		"shop-api-1", "shop-api-1-sidecar-proxy", "shop-api-2", "shop-api-2-sidecar-proxy",
		"shop-gateway-1", "shop-gateway-1-sidecar-proxy", "shop-graphql-1", "shop-graphql-1-sidecar-proxy", "shop-kafka-0",
		"shop-orders-1", "shop-orders-1-sidecar-proxy", "shop-payments-1", "shop-payments-1-sidecar-proxy", "shop-payments-2",
	}
	if !slices.Equal(ids, want) {
		t.Errorf("registered are %v", ids)
	}
}

func TestSidecarsDeclareTheShopsCalls(t *testing.T) {
	s := open(t, Options{})
	edges := map[string]bool{}
	for _, in := range instances(t, s) {
		for _, up := range in.Service.Proxy.Upstreams {
			edges[in.Service.Proxy.DestinationServiceName+">"+up.DestinationName] = true
			conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", up.LocalBindPort))
			if err != nil {
				t.Errorf("%s does not listen for %s: %v", in.Service.ID, up.DestinationName, err)
				continue
			}
			conn.Close()
		}
	}
	for _, want := range []string{"shop-gateway>shop-api", "shop-api>shop-orders", "shop-api>shop-graphql", "shop-orders>shop-payments", "shop-graphql>shop-orders"} {
		if !edges[want] {
			t.Errorf("%s is not declared: %v", want, edges)
		}
		delete(edges, want)
	}
	if len(edges) > 0 {
		t.Errorf("also declared: %v", edges)
	}
}

func TestIntentionsAllowTheShopsCalls(t *testing.T) {
	s := open(t, Options{})
	entries := getJSON[[]struct {
		Name    string
		Sources []registry.Source
	}](t, "http://"+s.Addresses()["shop-registry"]+"/v1/config/service-intentions")
	text, err := json.Marshal(entries)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 4 {
		t.Fatalf("there are %s", text)
	}
	pay := entries[slices.IndexFunc(entries, func(e struct {
		Name    string
		Sources []registry.Source
	}) bool {
		return e.Name == "shop-payments"
	})]
	if len(pay.Sources) != 2 || pay.Sources[0].Action != "allow" || pay.Sources[1].Action != "deny" {
		t.Errorf("payments may be called by %v", pay.Sources)
	}
}

func TestTheFlakyInstanceFlaps(t *testing.T) {
	s := open(t, Options{})
	base := "http://" + s.Addresses()["shop-registry"]
	r := &registrar{base: base, client: newClient(s.crew), members: []*member{{id: "shop-api-2"}}}
	r.flaky = r.members[0]
	for beat, want := range map[int]string{0: "passing", 3: "warning"} {
		if err := r.beat(within(t), beat); err != nil {
			t.Fatal(err)
		}
		checks := getJSON[[]struct{ ServiceID, Status string }](t, base+"/v1/health/checks/shop-api")
		for _, c := range checks {
			if c.ServiceID == "shop-api-2" && c.Status != want {
				t.Errorf("in beat %d it is %s", beat, c.Status)
			}
		}
	}
}

func TestABeatReachesTheOthersWhenOneIsDeregistered(t *testing.T) {
	s := open(t, Options{})
	base := "http://" + s.Addresses()["shop-registry"]
	if res, text := get(t, "PUT", base+"/v1/agent/service/deregister/shop-graphql-1", ""); res.StatusCode != 200 {
		t.Fatalf("deregistering: %s %s", res.Status, text)
	}
	r := &registrar{base: base, client: newClient(s.crew), members: []*member{{id: "shop-graphql-1"}, {id: "shop-orders-1"}}}
	r.flaky = r.members[1]
	if err := r.beat(within(t), 3); err == nil {
		t.Error("nobody missed the deregistered one")
	}
	checks := getJSON[[]struct{ Status string }](t, base+"/v1/health/checks/shop-orders")
	if checks[0].Status != "warning" {
		t.Errorf("the other one is %s", checks[0].Status)
	}
	if err := s.crew.ctx.Err(); err != nil {
		t.Errorf("the shop has stopped: %v", err)
	}
}
