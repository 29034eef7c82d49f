package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// zookeeper is Apache ZooKeeper itself, standalone, from the project's own Java
// artifacts.
func zookeeper() *server {
	return &server{
		name: "zookeeper", version: "3.9.5", profile: core, tool: "zookeeper", disk: 100,
		needs: []string{"java"}, builds: []string{"mvn"}, packages: []string{"default-jre-headless", "maven"},
		build: copyJars,
		start: startZooKeeper,
	}
}

func startZooKeeper(_ context.Context, s *site) (plan, error) {
	p, err := s.freePorts(2)
	if err != nil {
		return plan{}, err
	}
	client, admin := loopback(p[0]), "http://"+loopback(p[1])
	settings := strings.Join([]string{
		"dataDir=" + filepath.Join(s.data, "data"),
		"clientPortAddress=127.0.0.1", fmt.Sprintf("clientPort=%d", p[0]),
		"admin.serverAddress=127.0.0.1", fmt.Sprintf("admin.serverPort=%d", p[1]),
		"4lw.commands.whitelist=*",
		// The shortest session is two ticks: tests that wait for the end of one
		// wait a second.
		"tickTime=500",
		"maxClientCnxns=0",
		// Kilobytes that a log file starts with; 64 MB unless said.
		"preAllocSize=1024",
	}, "\n")
	file := filepath.Join(s.data, "zoo.cfg")
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		return plan{}, err
	}
	argv := append(java(s, "128m"), "org.apache.zookeeper.server.quorum.QuorumPeerMain", file)
	return plan{argv: argv, addresses: map[string]string{"client": client, "admin": admin},
		ready: httpReady(admin+"/commands/ruok", func(body string) bool { return strings.Contains(body, `"error" : null`) })}, nil
}
