package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// prometheus is Debian's Prometheus. It scrapes itself, and what tests name in
// files of the folder given as "targets", in the form that file_sd_config takes.
func prometheus() *server {
	return &server{
		name: "prometheus", profile: peers, needs: []string{"prometheus"}, packages: []string{"prometheus"}, disk: 340,
		start: startPrometheus,
	}
}

const prometheusConfig = `
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: prometheus
    static_configs: [{targets: [%q]}]
  - job_name: tests
    file_sd_configs: [{files: [%q], refresh_interval: 1s}]
`

func startPrometheus(ctx context.Context, s *site) (plan, error) {
	binary, version, err := debianTool(ctx, "prometheus", "--version")
	if err != nil {
		return plan{}, err
	}
	port, err := s.freePort()
	if err != nil {
		return plan{}, err
	}
	addr, targets, file := loopback(port), filepath.Join(s.data, "targets"), filepath.Join(s.data, "prometheus.yml")
	if err := os.Mkdir(targets, 0o700); err != nil {
		return plan{}, err
	}
	if err := os.WriteFile(file, fmt.Appendf(nil, prometheusConfig, addr, filepath.Join(targets, "*.json")), 0o600); err != nil {
		return plan{}, err
	}
	url := "http://" + addr
	return plan{argv: []string{binary, "--config.file=" + file, "--storage.tsdb.path=" + filepath.Join(s.data, "tsdb"),
		"--web.listen-address=" + addr, "--log.level=warn"},
		version: version, addresses: map[string]string{"http": url, "targets": targets},
		ready: httpReady(url+"/-/ready", nil)}, nil
}
