package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
)

// sidecar is the Envoy of server envoy, run as istiod's sidecar for the shop's
// pod web-1: all it does comes from istiod. It needs nothing of its own.
func sidecar() *server {
	return &server{
		name: "sidecar", profile: mesh, after: []string{"envoy", "kube", "istiod"},
		start: startSidecar,
	}
}

// startSidecar's addresses hold, beside the admin interface, the listener for the
// shop's calls (http) and the host that answers there (host).
func startSidecar(ctx context.Context, s *site) (plan, error) {
	ports, err := s.freePorts(3)
	if err != nil {
		return plan{}, err
	}
	upstream, err := url.Parse(s.others["istiod"]["http"])
	if err != nil {
		return plan{}, err
	}
	admin, outbound := ports[0], strconv.Itoa(ports[1])
	rules, err := manifests("sidecar.yaml", map[string]string{"port": outbound, "proxy": strconv.Itoa(ports[2]), "upstream": upstream.Port()})
	if err != nil {
		return plan{}, err
	}
	if err := applyAll(ctx, s.others["kube"], rules); err != nil {
		return plan{}, fmt.Errorf("applying the sidecar's objects: %w", err)
	}
	bootstrap, err := sidecarBootstrap(s.others["istiod"]["grpc"], admin, outbound)
	if err != nil {
		return plan{}, err
	}
	file := filepath.Join(s.data, "bootstrap.json")
	if err := os.WriteFile(file, bootstrap, 0o600); err != nil {
		return plan{}, err
	}
	binary := s.others["envoy"]["binary"]
	version, err := envoyVersion(ctx, binary)
	if err != nil {
		return plan{}, err
	}
	a := map[string]string{"admin": "http://" + loopback(admin), "http": "http://" + loopback(ports[1]),
		"host": "warehouse-" + outbound + ".example.com"}
	live := httpReady(a["admin"]+"/ready", nil)
	return plan{argv: []string{binary, "-c", file, "--disable-hot-restart", "--concurrency", "1",
		"--log-level", "warning"},
		addresses: a, version: version,
		ready: func(ctx context.Context) error {
			if err := live(ctx); err != nil {
				return err
			}
			// Its listener is istiod's doing, so it is there only when that has
			// sent all and Envoy took it.
			return tcpReady(loopback(ports[1]))(ctx)
		}}, nil
}

// sidecarBootstrap is what Istio's agent would write for web-1, but for paths,
// statistics tags and tracing: one cluster to istiod, everything else over one
// aggregated stream (https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol).
func sidecarBootstrap(istiod string, admin int, outbound string) ([]byte, error) {
	host, portText, err := net.SplitHostPort(istiod)
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, err
	}
	type m map[string]any
	address := func(host string, port int) m {
		return m{"socket_address": m{"address": host, "port_value": port}}
	}
	ads := m{"ads": m{}, "resource_api_version": "V3"}
	return json.MarshalIndent(m{
		"node": m{
			"id": "sidecar~127.0.0.1~web-1.shop~shop.svc.cluster.local", "cluster": "web.shop",
			"locality": m{"region": "r1", "zone": "r1a"},
			"metadata": m{
				"NAME": "web-1", "NAMESPACE": "shop", "CLUSTER_ID": "Kubernetes", "MESH_ID": "cluster.local",
				"ISTIO_VERSION": "1.31.0", "SERVICE_ACCOUNT": "web", "WORKLOAD_NAME": "web", "NODE_NAME": "n1",
				"LABELS": m{"app": "web", "version": "v1"}, "STATIC_LABELS": m{"testenv": outbound},
				"INTERCEPTION_MODE": "NONE", "INSTANCE_IPS": "127.0.0.1",
			},
		},
		"admin": m{"address": address("127.0.0.1", admin)},
		"dynamic_resources": m{
			"lds_config": ads, "cds_config": ads,
			"ads_config": m{"api_type": "GRPC", "transport_api_version": "V3", "set_node_on_first_message_only": true,
				"grpc_services": []m{{"envoy_grpc": m{"cluster_name": "xds-grpc"}}}},
		},
		"static_resources": m{"clusters": []m{{
			"name": "xds-grpc", "type": "STATIC", "connect_timeout": "1s",
			"typed_extension_protocol_options": m{"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": m{
				"@type":                "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
				"explicit_http_config": m{"http2_protocol_options": m{}}}},
			"load_assignment": m{"cluster_name": "xds-grpc", "endpoints": []m{{
				"lb_endpoints": []m{{"endpoint": m{"address": address(host, port)}}}}}},
		}}},
	}, "", "  ")
}
