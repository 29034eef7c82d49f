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
		name: "kafka", version: "4.1.0", profile: core, tool: "kafka", disk: 300,
		needs: []string{"java"}, builds: []string{"mvn"}, packages: []string{"default-jre-headless", "maven"},
		build: copyJars,
		start: startKafka,
		config: func(a map[string]string) string {
			return "kafka:\n  url: kafka://" + a["bootstrap"] +
				"\nkafka-secured:\n  url: kafka+tls://" + a["sasl_tls"] + "\n  tls: {ca: " + a["ca"] + "}" +
				"\n  auth: {mechanism: scram-sha-512, username: " + a["username"] + ", password: " + a["password"] + "}"
		},
	}
}

// copyJars brings what a POM names, and what that needs, into libs.
func copyJars(ctx context.Context, b *builder) error {
	return b.run(ctx, b.tool, nil, "mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory="+filepath.Join(b.dir, "libs"))
}

// java starts a command line for what copyJars brought, with this much heap and
// made for a quick start rather than a long run.
func java(s *site, heap string) []string {
	return []string{"java", "-Xms32m", "-Xmx" + heap, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", filepath.Join(s.cache, "libs", "*")}
}

// The two users of the servers that ask for one. The reader has no more rights
// than everyone, so that a test can take some away.
const (
	user, password             = "iscope", "iscope-secret"
	readerName, readerPassword = "reader", "reader-secret"
)

func startKafka(ctx context.Context, s *site) (plan, error) {
	p, err := s.freePorts(7)
	if err != nil {
		return plan{}, err
	}
	c, err := makeCerts(s.data)
	if err != nil {
		return plan{}, err
	}
	secured, err := securedListeners(s.data, c)
	if err != nil {
		return plan{}, err
	}
	listeners := "PLAINTEXT://" + loopback(p[0]) + ",SASL_PLAINTEXT://" + loopback(p[2]) +
		",SSL://" + loopback(p[3]) + ",SASL_SSL://" + loopback(p[4])
	controller := loopback(p[1])
	// One more listener gives another address for its own: where a test may put a
	// relay that it can cut.
	behind, relay := ",RELAY://"+loopback(p[5]), ",RELAY://"+loopback(p[6])
	properties := strings.Join(append([]string{
		"process.roles=broker,controller", "node.id=1",
		"controller.quorum.bootstrap.servers=" + controller,
		"listeners=" + listeners + behind + ",CONTROLLER://" + controller,
		"advertised.listeners=" + listeners + relay,
		"controller.listener.names=CONTROLLER",
		"listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL,RELAY:PLAINTEXT,CONTROLLER:PLAINTEXT",
		"log.dirs=" + filepath.Join(s.data, "log"),
		"offsets.topic.replication.factor=1", "offsets.topic.num.partitions=4",
		"transaction.state.log.replication.factor=1", "transaction.state.log.min.isr=1", "transaction.state.log.num.partitions=4",
		"group.initial.rebalance.delay.ms=0",
		"share.coordinator.state.topic.replication.factor=1", "share.coordinator.state.topic.min.isr=1",
		"share.coordinator.state.topic.num.partitions=1",
		"message.max.bytes=20971520", "replica.fetch.max.bytes=20971520",
		// A killed broker may come back only when its last session has ended, after
		// nine seconds unless said.
		"broker.session.timeout.ms=4000", "broker.heartbeat.interval.ms=1000",
		"log.cleaner.dedupe.buffer.size=4194304", "log.cleaner.threads=1", "num.network.threads=2", "num.io.threads=2",
		// On, so that the tests can prove that iscope creates no topic all the same.
		"auto.create.topics.enable=true",
	}, secured...), "\n")
	file := filepath.Join(s.data, "server.properties")
	if err := os.WriteFile(file, []byte(properties), 0o600); err != nil {
		return plan{}, err
	}
	format := append(java(s, "256m"), "kafka.tools.StorageTool", "format", "--standalone", "-t", "aXNjb3BlLXRlc3RlbnYtMQ", "-c", file)
	for _, mechanism := range []string{"SCRAM-SHA-256", "SCRAM-SHA-512"} {
		for name, secret := range map[string]string{user: password, readerName: readerPassword} {
			format = append(format, "--add-scram", fmt.Sprintf("%s=[name=%s,password=%s]", mechanism, name, secret))
		}
	}
	if err := quiet(ctx, s.data, nil, format...); err != nil {
		return plan{}, fmt.Errorf("formatting the log folder: %w", err)
	}
	a := map[string]string{"bootstrap": loopback(p[0]), "sasl": loopback(p[2]), "tls": loopback(p[3]), "sasl_tls": loopback(p[4]),
		"relay": loopback(p[6]), "behind_relay": loopback(p[5]),
		"username": user, "password": password, "reader_username": readerName, "reader_password": readerPassword}
	c.addTo(a)
	return plan{argv: append(java(s, "256m"), "kafka.Kafka", file), addresses: a, ready: tcpReady(loopback(p[0]))}, nil
}

// securedListeners are the settings for TLS, where a client certificate is
// verified if one is sent, for all SASL mechanisms but Kerberos, and for access
// lists. OAUTHBEARER takes unsigned tokens: https://kafka.apache.org/documentation/#security_sasl_oauthbearer.
func securedListeners(dir string, c certs) ([]string, error) {
	keystore := filepath.Join(dir, "keystore.pem") // Kafka wants both in one file
	var both []byte
	for _, file := range []string{c.serverKey, c.serverCert} {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		both = append(both, content...)
	}
	if err := os.WriteFile(keystore, both, 0o600); err != nil {
		return nil, err
	}
	const (
		common = "org.apache.kafka.common.security."
		plain  = common + `plain.PlainLoginModule required user_` + user + `="` + password + `" user_` + readerName + `="` + readerPassword + `";`
		scram  = common + `scram.ScramLoginModule required;`
		oauth  = common + `oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`
	)
	settings := []string{
		"ssl.keystore.type=PEM", "ssl.keystore.location=" + keystore,
		"ssl.truststore.type=PEM", "ssl.truststore.location=" + c.ca,
		"ssl.client.auth=requested",
		"sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
		"authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
		"allow.everyone.if.no.acl.found=true",
		"super.users=User:ANONYMOUS;User:" + user,
	}
	for _, listener := range []string{"sasl_plaintext", "sasl_ssl"} {
		for mechanism, module := range map[string]string{"plain": plain, "scram-sha-256": scram, "scram-sha-512": scram, "oauthbearer": oauth} {
			settings = append(settings, fmt.Sprintf("listener.name.%s.%s.sasl.jaas.config=%s", listener, mechanism, module))
		}
	}
	return settings, nil
}
