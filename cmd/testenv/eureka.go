package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
)

// eureka is Netflix Eureka as Spring Cloud packs it: the registry that Java shops
// run. Changes are seen at once, and an instance is gone soon after its lease.
func eureka() *server {
	return &server{
		name: "eureka", version: "2.0.4", profile: core, tool: "eureka", disk: 120,
		needs: []string{"java"}, builds: []string{"javac", "mvn"}, packages: []string{"default-jdk-headless", "maven"},
		build: func(ctx context.Context, b *builder) error {
			return b.run(ctx, b.tool, nil, "mvn", "-q", "-B", "-Dout="+b.dir, "compile", "dependency:copy-dependencies",
				"-DincludeScope=runtime", "-DoutputDirectory="+filepath.Join(b.dir, "libs"))
		},
		start: startEureka,
	}
}

func startEureka(_ context.Context, s *site) (plan, error) {
	port, err := s.freePort()
	if err != nil {
		return plan{}, err
	}
	url := "http://" + loopback(port)
	settings := []string{
		"server.address=127.0.0.1", fmt.Sprintf("server.port=%d", port),
		"spring.main.banner-mode=off", "logging.level.root=warn",
		"server.tomcat.basedir=" + filepath.Join(s.data, "tomcat"),
		// Its only peer is itself: the default is another server on a fixed port.
		"eureka.instance.hostname=127.0.0.1", "eureka.client.service-url.defaultZone=" + url + "/eureka/",
		"eureka.client.register-with-eureka=false", "eureka.client.fetch-registry=false",
		"eureka.server.wait-time-in-ms-when-sync-empty=0",
		"eureka.server.use-read-only-response-cache=false", "eureka.server.response-cache-update-interval-ms=500",
		// On, it would keep instances whose leases are over while many are.
		"eureka.server.enable-self-preservation=false", "eureka.server.eviction-interval-timer-in-ms=1000",
	}
	classpath := strings.Join([]string{filepath.Join(s.cache, "classes"), filepath.Join(s.cache, "libs", "*")}, ":")
	argv := []string{"java", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-Djava.io.tmpdir=" + s.data, "-cp", classpath, "Eureka"}
	for _, setting := range settings {
		argv = append(argv, "--"+setting)
	}
	return plan{argv: argv, addresses: map[string]string{"http": url}, ready: httpReady(url+"/eureka/apps", nil)}, nil
}
