package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// servers lists all there are. A new one is an entry here and a folder below
// tools/.
func servers() []*server {
	return []*server{kafka(), consul(), interop(), loopbackTodo()}
}

// kafka is Apache Kafka itself: one node in KRaft mode, from the project's own
// Java artifacts.
func kafka() *server {
	return &server{
		name: "kafka", version: "4.1.0", tool: "kafka",
		needs: []string{"java", "mvn"}, hint: "apt-get install default-jre-headless maven",
		build: func(ctx context.Context, b *builder) error {
			return b.run(ctx, b.tool, nil, "mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory="+filepath.Join(b.dir, "libs"))
		},
		start: startKafka,
		config: func(a map[string]string) string {
			return "kafka:\n  url: kafka://" + a["bootstrap"]
		},
	}
}

func startKafka(ctx context.Context, s *site) (plan, error) {
	ports, err := freePorts(2)
	if err != nil {
		return plan{}, err
	}
	broker, controller := loopback(ports[0]), loopback(ports[1])
	properties := strings.Join([]string{
		"process.roles=broker,controller", "node.id=1",
		"controller.quorum.bootstrap.servers=" + controller,
		"listeners=PLAINTEXT://" + broker + ",CONTROLLER://" + controller,
		"advertised.listeners=PLAINTEXT://" + broker,
		"controller.listener.names=CONTROLLER",
		"listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
		"log.dirs=" + filepath.Join(s.data, "log"),
		"offsets.topic.replication.factor=1", "offsets.topic.num.partitions=4",
		"transaction.state.log.replication.factor=1", "transaction.state.log.min.isr=1", "transaction.state.log.num.partitions=4",
		"group.initial.rebalance.delay.ms=0",
		"share.coordinator.state.topic.replication.factor=1", "share.coordinator.state.topic.min.isr=1",
		"share.coordinator.state.topic.num.partitions=1",
		"message.max.bytes=20971520", "replica.fetch.max.bytes=20971520",
		"log.cleaner.dedupe.buffer.size=4194304", "log.cleaner.threads=1", "num.network.threads=2", "num.io.threads=2",
		// On, so that the tests can prove that iscope creates no topic all the same.
		"auto.create.topics.enable=true",
	}, "\n")
	file := filepath.Join(s.data, "server.properties")
	if err := os.WriteFile(file, []byte(properties), 0o600); err != nil {
		return plan{}, err
	}
	java := []string{"java", "-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", filepath.Join(s.cache, "libs", "*")}
	format := append(java[:len(java):len(java)], "kafka.tools.StorageTool", "format", "--standalone", "-t", "aXNjb3BlLXRlc3RlbnYtMQ", "-c", file)
	if err := quiet(ctx, s.data, nil, format...); err != nil {
		return plan{}, fmt.Errorf("formatting the log folder: %w", err)
	}
	return plan{argv: append(java, "kafka.Kafka", file),
		addresses: map[string]string{"bootstrap": broker}, ready: tcpReady(broker)}, nil
}

// consul is the real agent. Its licence (BUSL) allows it as a test peer; it is
// never imported.
func consul() *server {
	return &server{
		name: "consul", version: "1.22.5", tool: "consul", needs: []string{"go"},
		build: func(ctx context.Context, b *builder) error {
			return b.run(ctx, b.tool, nil, "go", "build", "-mod=readonly", "-trimpath", "-ldflags", "-s -w",
				"-o", filepath.Join(b.dir, "consul"), "tool")
		},
		start: func(_ context.Context, s *site) (plan, error) {
			p, err := freePorts(4)
			if err != nil {
				return plan{}, err
			}
			bin := filepath.Join(s.cache, "consul")
			argv := []string{bin, "agent", "-dev", "-bind", "127.0.0.1", "-client", "127.0.0.1", "-node", "iscope",
				"-http-port", fmt.Sprint(p[0]), "-server-port", fmt.Sprint(p[1]), "-serf-lan-port", fmt.Sprint(p[2]),
				"-serf-wan-port", fmt.Sprint(p[3]), "-grpc-port", "-1", "-grpc-tls-port", "-1", "-dns-port", "-1",
				"-log-level", "warn", "-disable-host-node-id"}
			return plan{argv: argv, addresses: map[string]string{"http": loopback(p[0]), "binary": bin},
				ready: httpReady("http://"+loopback(p[0])+"/v1/status/leader", func(b string) bool { return strings.Contains(b, ":") })}, nil
		},
		config: func(a map[string]string) string { return "consul:\n  url: consul://" + a["http"] },
	}
}

// interop is the gRPC project's own test service, with its own reflection and
// health services.
func interop() *server {
	return &server{
		name: "interop", version: "grpc-go 1.85.0", tool: "interop", needs: []string{"go"},
		build: func(ctx context.Context, b *builder) error {
			return b.run(ctx, b.tool, nil, "go", "build", "-mod=readonly", "-trimpath", "-o", filepath.Join(b.dir, "interop"), ".")
		},
		start: func(_ context.Context, s *site) (plan, error) {
			port, err := freePort()
			addr := loopback(port)
			return plan{argv: []string{filepath.Join(s.cache, "interop"), "-addr", addr},
				addresses: map[string]string{"grpc": addr}, ready: tcpReady(addr)}, err
		},
		config: func(a map[string]string) string { return "grpc-interop:\n  url: grpc://" + a["grpc"] },
	}
}

// loopbackTodo is the LoopBack project's example API with its OpenAPI document.
func loopbackTodo() *server {
	return &server{
		name: "loopback", version: "6.0.0", tool: "loopback",
		needs: []string{"node", "npm"}, hint: "apt-get install nodejs npm",
		build: func(ctx context.Context, b *builder) error {
			for _, f := range []string{"package.json", "package-lock.json", "server.js"} {
				if err := copyFile(filepath.Join(b.tool, f), filepath.Join(b.dir, f)); err != nil {
					return err
				}
			}
			return b.run(ctx, b.dir, nil, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
		},
		start: func(_ context.Context, s *site) (plan, error) {
			port, err := freePort()
			url := "http://" + loopback(port)
			return plan{argv: []string{"node", filepath.Join(s.cache, "server.js"), fmt.Sprint(port), s.data},
				addresses: map[string]string{"http": url}, ready: httpReady(url+"/openapi.json", nil)}, err
		},
		config: func(a map[string]string) string { return "todo-api:\n  url: " + a["http"] },
	}
}
