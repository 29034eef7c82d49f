package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// elasticmq is a second, independent SQS. It has what moto lacks: queues and
// messages that survive a restart, message move tasks, DeadLetterQueueSourceArn
// and rising sequence numbers. It has no SNS and no API Gateway.
func elasticmq() *server {
	return &server{
		name: "elasticmq", version: "1.6.14", profile: core, tool: "elasticmq", disk: 80,
		needs: []string{"java"}, builds: []string{"mvn"}, packages: []string{"default-jre-headless", "maven"},
		build: func(ctx context.Context, b *builder) error {
			return b.run(ctx, b.tool, nil, "mvn", "-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime",
				"-DoutputDirectory="+filepath.Join(b.dir, "libs"))
		},
		start: startElasticmq,
	}
}

// The format is Typesafe's HOCON; its quoted strings are those of JSON.
const elasticmqConfig = `include classpath("application.conf")
generate-node-address = false
node-address { protocol = http, host = "127.0.0.1", port = %[1]d, context-path = "" }
rest-sqs { enabled = true, bind-hostname = "127.0.0.1", bind-port = %[1]d, sqs-limits = strict }
rest-stats { enabled = false }
aws { region = %[2]q, accountId = %[3]q }
queues-storage { enabled = true, path = %[4]q }
messages-storage { enabled = true, driver-class-name = "org.h2.Driver", uri = %[5]q, username = "sa", password = "" }
`

func startElasticmq(_ context.Context, s *site) (plan, error) {
	port, err := s.freePort()
	if err != nil {
		return plan{}, err
	}
	addresses := awsAddresses("http://" + loopback(port))
	file := filepath.Join(s.data, "elasticmq.conf")
	// Written at once: by default, what is half a second old is lost in a kill.
	store := "jdbc:h2:" + filepath.Join(s.data, "messages") + ";WRITE_DELAY=0"
	config := fmt.Sprintf(elasticmqConfig, port, addresses["region"], addresses["account"],
		filepath.Join(s.data, "queues.conf"), store)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return plan{}, err
	}
	argv := []string{"java", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dconfig.file=" + file,
		"-cp", filepath.Join(s.cache, "libs", "*"), "org.elasticmq.server.Main"}
	return plan{argv: argv, addresses: addresses, ready: httpReady(addresses["http"]+"/?Action=ListQueues", nil)}, nil
}
