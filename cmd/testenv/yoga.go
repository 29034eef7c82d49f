package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
)

// yoga is GraphQL Yoga with a small shop: queries, mutations, and subscriptions
// over server-sent events and graphql-transport-ws. "closed" is the same without
// introspection.
func yoga() *server {
	return &server{
		name: "yoga", version: "5.24.1", profile: peers, tool: "yoga", disk: 40,
		needs: []string{"node"}, builds: []string{"npm"}, packages: []string{"nodejs", "npm"},
		build: func(ctx context.Context, b *builder) error {
			for _, f := range []string{"package.json", "package-lock.json", "server.js", "shop.js"} {
				if err := copyFile(filepath.Join(b.tool, f), filepath.Join(b.dir, f)); err != nil {
					return err
				}
			}
			return b.run(ctx, b.dir, nil, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
		},
		start: startYoga,
		config: func(a map[string]string) string {
			graphql := func(url string) string { return "graphql" + strings.TrimPrefix(url, "http") }
			return "yoga:\n  url: " + graphql(a["http"]) + "\nyoga-closed:\n  url: " + graphql(a["closed"])
		},
	}
}

func startYoga(_ context.Context, s *site) (plan, error) {
	port, err := s.freePort()
	addr := loopback(port)
	return plan{argv: []string{"node", filepath.Join(s.cache, "server.js"), fmt.Sprint(port)},
		addresses: map[string]string{"http": "http://" + addr + "/graphql", "ws": "ws://" + addr + "/graphql", "closed": "http://" + addr + "/closed/graphql"},
		ready:     httpReady("http://"+addr+"/graphql?query=%7B__typename%7D", nil)}, err
}
