package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// kube is the API server of Kubernetes with a small shop in it. It keeps its
// objects in the testbed's etcd, each instance below a prefix of its own. No
// controller, scheduler or kubelet runs: what they would write is in
// manifests/shop.yaml.
func kube() *server {
	const version = "1.37.2"
	return &server{
		name: "kube", version: version, profile: mesh, tool: "kube", builds: []string{"go"}, disk: 2800,
		after: []string{"etcd"},
		build: func(ctx context.Context, b *builder) error {
			const stamp = "-X k8s.io/component-base/version.git"
			return b.run(ctx, b.tool, nil, "go", "build", "-mod=readonly", "-trimpath",
				"-ldflags", "-s -w "+stamp+"Version=v"+version+" "+stamp+"Major=1 "+stamp+"Minor=37",
				"-o", filepath.Join(b.dir, "kube-apiserver"), "tool")
		},
		start: startKube,
		config: func(a map[string]string) string {
			return "kube-api:\n  url: " + a["https"] + "\n  tls: {ca: " + a["ca"] + "}" +
				"\n  auth: {token: " + a["token"] + "}\n  options: {openapi: /openapi/v2}"
		},
	}
}

// startKube's addresses hold two identities: the token may do everything, the
// client certificate may read all but secrets.
func startKube(_ context.Context, s *site) (plan, error) {
	port, err := s.freePort()
	if err != nil {
		return plan{}, err
	}
	c, err := makeCerts(s.data)
	if err != nil {
		return plan{}, err
	}
	token := rand.Text()
	tokens := filepath.Join(s.data, "tokens.csv")
	if err := os.WriteFile(tokens, []byte(token+`,admin,admin,"system:masters"`+"\n"), 0o600); err != nil {
		return plan{}, err
	}
	a := map[string]string{"https": "https://" + loopback(port), "token": token,
		"kubeconfig": filepath.Join(s.data, "kubeconfig")}
	c.addTo(a)
	if err := writeKubeconfig(a); err != nil {
		return plan{}, err
	}
	shop, err := manifests("shop.yaml", nil)
	if err != nil {
		return plan{}, err
	}
	apply, err := newApplier(a, shop)
	if err != nil {
		return plan{}, err
	}
	return plan{argv: []string{filepath.Join(s.cache, "kube-apiserver"),
		"--etcd-servers", s.others["etcd"]["http"], "--etcd-prefix", "/kube-" + strings.ToLower(rand.Text()),
		"--bind-address", "127.0.0.1", "--secure-port", fmt.Sprint(port), "--cert-dir", s.data,
		"--tls-cert-file", c.serverCert, "--tls-private-key-file", c.serverKey, "--client-ca-file", c.ca,
		"--service-account-key-file", c.serverCert, "--service-account-signing-key-file", c.serverKey,
		"--service-account-issuer", "https://kubernetes.default.svc",
		"--authorization-mode", "RBAC", "--token-auth-file", tokens, "--service-cluster-ip-range", "10.0.0.0/24",
		// Nobody makes the accounts' tokens, and the server must advertise an
		// address that is not loopback: one that is routed nowhere (RFC 5737).
		"--disable-admission-plugins", "ServiceAccount", "--endpoint-reconciler-type", "none",
		"--advertise-address", "192.0.2.2"},
		addresses: a,
		ready: func(ctx context.Context) error {
			if _, err := apply.get(ctx, "readyz"); err != nil {
				return err
			}
			return apply.run(ctx)
		}}, nil
}

// writeKubeconfig writes JSON, which is YAML too.
func writeKubeconfig(a map[string]string) error {
	type named map[string]any
	content, err := json.MarshalIndent(named{
		"apiVersion": "v1", "kind": "Config", "current-context": "testenv",
		"clusters": []named{{"name": "testenv", "cluster": named{"server": a["https"], "certificate-authority": a["ca"]}}},
		"users":    []named{{"name": "admin", "user": named{"token": a["token"]}}},
		"contexts": []named{{"name": "testenv", "context": named{"cluster": "testenv", "user": "admin"}}},
	}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(a["kubeconfig"], content, 0o600)
}
