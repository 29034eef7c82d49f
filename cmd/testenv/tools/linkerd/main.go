// Command linkerd serves the metrics API of Linkerd's viz extension, the
// project's own code, on a real Kubernetes API and a real Prometheus, which it
// starts. Only the proxies are not real (proxies.go): Linkerd's is in no
// package registry.
//
// Like the project's command it answers protobuf over HTTP. It ends on SIGTERM,
// SIGINT or when its standard input ends, so that it cannot outlive the tests
// that started it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	metricsapi "github.com/linkerd/linkerd2/viz/metrics-api"
	promapi "github.com/prometheus/client_golang/api"
)

type options struct{ addr, prometheus, kubeconfig, data string }

func main() {
	log.SetFlags(0)
	var o options
	flag.StringVar(&o.addr, "addr", "", "host:port to listen on")
	flag.StringVar(&o.prometheus, "prometheus", "", "host:port for Prometheus to listen on")
	flag.StringVar(&o.kubeconfig, "kubeconfig", "", "file that says how to reach Kubernetes")
	flag.StringVar(&o.data, "data", "", "folder to write to")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	if err := serve(ctx, o); err != nil && ctx.Err() == nil {
		log.Fatal("linkerd: ", err)
	}
}

// serve returns when ctx ends, or when a part of the whole has failed.
func serve(ctx context.Context, o options) error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	failed := make(chan error, 3)
	proxies := &http.Server{Handler: newProxies(time.Now())}
	go func() { failed <- proxies.Serve(ln) }()
	defer proxies.Close()

	prometheus, err := startPrometheus(ctx, o, ln.Addr().String())
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		failed <- fmt.Errorf("prometheus: %w", orEnded(prometheus.Wait()))
		close(ended)
	}()
	defer func() {
		_ = prometheus.Process.Kill()
		<-ended
	}()

	kube, err := connect(o.kubeconfig)
	if err != nil {
		return err
	}
	client, err := promapi.NewClient(promapi.Config{Address: "http://" + o.prometheus})
	if err != nil {
		return err
	}
	api := metricsapi.NewServer(o.addr, client, kube, "linkerd", "cluster.local", []string{"kube-system"})
	kube.Sync(ctx.Done())
	go func() { failed <- api.ListenAndServe() }()
	defer api.Close()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return nil
	}
}

func orEnded(err error) error {
	if err == nil {
		return errors.New("it ended")
	}
	return err
}

// startPrometheus starts one that asks the proxies each second, and keeps the
// labels that they give.
func startPrometheus(ctx context.Context, o options, proxies string) (*exec.Cmd, error) {
	config := filepath.Join(o.data, "prometheus.yml")
	content := "global: {scrape_interval: 1s}\nscrape_configs:\n- job_name: linkerd-proxy\n  honor_labels: true\n  static_configs: [{targets: [\"" + proxies + "\"]}]\n"
	if err := os.WriteFile(config, []byte(content), 0o600); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "prometheus", "--config.file="+config, "--storage.tsdb.path="+filepath.Join(o.data, "prometheus"),
		"--web.listen-address="+o.prometheus, "--log.level=warn")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = endsWithParent()
	return cmd, cmd.Start()
}
