package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// kafka is Apache Kafka itself: one node in KRaft mode, from the project's own
// Java artifacts.
func kafka() *server {
	return &server{
		name: "kafka", version: "4.1.0", profile: core, tool: "kafka",
		needs: []string{"java", "mvn"}, packages: []string{"default-jre-headless", "maven"},
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
