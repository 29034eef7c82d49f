package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// linkerd is the metrics API of Linkerd's viz extension, of May 2021: the last
// version that can be had as a Go module. It reads the testbed's Kubernetes API
// and a Prometheus that it starts; see tools/linkerd for what is made up.
func linkerd() *server {
	return &server{
		name: "linkerd", version: "5535e9c4 (2021-05-17)", profile: mesh, tool: "linkerd", disk: 1500,
		needs: []string{"prometheus"}, builds: []string{"go"}, packages: []string{"prometheus"}, after: []string{"kube"},
		build: func(ctx context.Context, b *builder) error {
			err := b.run(ctx, b.tool, nil, "go", "build", "-mod=readonly", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(b.dir, "linkerd"), ".")
			if err != nil {
				return err
			}
			dir, err := moduleDir(ctx, b.tool, "github.com/linkerd/linkerd2")
			if err != nil {
				return err
			}
			return linkerdDefinitions(filepath.Join(dir, "charts", "linkerd2", "templates"), filepath.Join(b.dir, linkerdCRDs))
		},
		start: startLinkerd,
	}
}

// linkerdCRDs is the cache entry's copy of Linkerd's custom resource definitions.
const linkerdCRDs = "crds.yaml"

// linkerdDefinitions writes the definitions that are templates of a Helm chart.
func linkerdDefinitions(templates, to string) error {
	var all strings.Builder
	for _, file := range []string{"serviceprofile-crd.yaml", "trafficsplit-crd.yaml"} {
		content, err := os.ReadFile(filepath.Join(templates, file))
		if err != nil {
			return err
		}
		all.WriteString(withoutTemplates(string(content)))
	}
	return os.WriteFile(to, []byte(all.String()), 0o644)
}

// withoutTemplates drops lines with a template action, which in these charts are
// annotations and labels only, and the keys that are left without a value.
func withoutTemplates(chart string) string {
	var kept strings.Builder
	for line := range strings.Lines(chart) {
		key := strings.TrimSpace(line)
		if strings.Contains(line, "{{") || key == "annotations:" || key == "labels:" {
			continue
		}
		kept.WriteString(line)
	}
	return kept.String()
}

func startLinkerd(ctx context.Context, s *site) (plan, error) {
	ports, err := s.freePorts(2)
	if err != nil {
		return plan{}, err
	}
	definitions, err := os.ReadFile(filepath.Join(s.cache, linkerdCRDs))
	if err != nil {
		return plan{}, err
	}
	list, err := crdManifests(string(definitions))
	if err != nil {
		return plan{}, err
	}
	depot, err := manifests("linkerd.yaml", nil)
	if err != nil {
		return plan{}, err
	}
	if err := applyAll(ctx, s.others["kube"], append(list, depot...)); err != nil {
		return plan{}, fmt.Errorf("applying Linkerd's objects: %w", err)
	}
	addr, prometheus := loopback(ports[0]), loopback(ports[1])
	ready := httpReady("http://"+prometheus+"/-/ready", nil)
	return plan{argv: []string{filepath.Join(s.cache, "linkerd"), "-addr", addr, "-prometheus", prometheus,
		"-kubeconfig", s.others["kube"]["kubeconfig"], "-data", s.data},
		addresses: map[string]string{"http": "http://" + addr, "prometheus": "http://" + prometheus},
		ready: func(ctx context.Context) error {
			if err := ready(ctx); err != nil {
				return err
			}
			return tcpReady(addr)(ctx)
		}}, nil
}
