package main

import (
	"context"
	"fmt"
	"path/filepath"
)

// loopbackTodo is the LoopBack project's example API with its OpenAPI document.
func loopbackTodo() *server {
	return &server{
		name: "loopback", version: "6.0.0", profile: peers, tool: "loopback",
		needs: []string{"node", "npm"}, packages: []string{"nodejs", "npm"},
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
