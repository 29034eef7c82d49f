package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// istiod is Istio's control plane on the testbed's Kubernetes API. It speaks in
// plain text and signs nothing.
func istiod() *server {
	const commit, module = "eed52ebb66ad", "istio.io/istio"
	return &server{
		name: "istiod", version: "1.31-" + commit, profile: mesh, tool: "istiod", builds: []string{"go"}, disk: 3000,
		after: []string{"kube"},
		build: func(ctx context.Context, b *builder) error {
			stamp := "-X " + module + "/pkg/version.build"
			err := b.run(ctx, b.tool, nil, "go", "build", "-mod=readonly", "-trimpath",
				"-ldflags", "-s -w "+stamp+"Version=1.31-"+commit+" "+stamp+"GitRevision="+commit+" "+stamp+"Status=Clean",
				"-o", filepath.Join(b.dir, "pilot-discovery"), "tool")
			if err != nil {
				return err
			}
			dir, err := moduleDir(ctx, b.tool, module)
			if err != nil {
				return err
			}
			return copyFile(filepath.Join(dir, "manifests", "charts", "base", "files", "crd-all.gen.yaml"), filepath.Join(b.dir, istioCRDs))
		},
		start: startIstiod,
	}
}

// istioCRDs is the cache entry's copy of Istio's custom resource definitions.
const istioCRDs = "crds.yaml"

// moduleDir is where a module of a tool's requirements lies, for the files in it
// that no build copies.
func moduleDir(ctx context.Context, tool, module string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", module)
	cmd.Dir = tool
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("finding %s: %w", module, err)
	}
	return strings.TrimSpace(string(out)), nil
}

func startIstiod(ctx context.Context, s *site) (plan, error) {
	ports, err := s.freePorts(3)
	if err != nil {
		return plan{}, err
	}
	if err := applyIstio(ctx, s); err != nil {
		return plan{}, fmt.Errorf("applying Istio's objects: %w", err)
	}
	file := filepath.Join(s.data, "mesh.yaml")
	// Certificates would come from Istio's agent, which does not run: without
	// this Envoy waits for them, 15 s.
	if err := os.WriteFile(file, []byte("rootNamespace: istio-system\nenableAutoMtls: false\n"), 0o600); err != nil {
		return plan{}, err
	}
	grpc, http, monitoring := loopback(ports[0]), loopback(ports[1]), loopback(ports[2])
	return plan{argv: []string{filepath.Join(s.cache, "pilot-discovery"), "discovery",
		"--kubeconfig", s.others["kube"]["kubeconfig"], "--meshConfig", file,
		"--grpcAddr", grpc, "--httpAddr", http, "--monitoringAddr", monitoring,
		"--httpsAddr", "", "--secureGRPCAddr", "", "--ctrlz_address", "127.0.0.1", "--ctrlz_port", "0",
		"--log_output_level", "default:warn"},
		env: []string{"POD_NAMESPACE=istio-system", "POD_NAME=istiod-" + fmt.Sprint(ports[0]),
			"ENABLE_CA_SERVER=false", "PILOT_CERT_PROVIDER=none",
			"INJECTION_WEBHOOK_CONFIG_NAME=", "VALIDATION_WEBHOOK_CONFIG_NAME=",
			// The testbed's Envoy is the project's own, without the filters that
			// Istio adds to its build.
			"PILOT_ENABLE_METADATA_EXCHANGE=false", "PILOT_ENABLE_ALPN_FILTER=false", "PILOT_DISABLE_MX_ALPN=true"},
		addresses: map[string]string{"http": "http://" + http, "monitoring": "http://" + monitoring, "grpc": grpc},
		ready:     httpReady("http://"+http+"/ready", nil)}, nil
}

// applyIstio brings Istio's definitions and the shop's rules to Kubernetes.
func applyIstio(ctx context.Context, s *site) error {
	definitions, err := os.ReadFile(filepath.Join(s.cache, istioCRDs))
	if err != nil {
		return err
	}
	list, err := crdManifests(string(definitions))
	if err != nil {
		return err
	}
	rules, err := manifests("istio.yaml", nil)
	if err != nil {
		return err
	}
	return applyAll(ctx, s.others["kube"], append(list, rules...))
}
