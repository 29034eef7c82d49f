package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// loopbackTodo is the LoopBack project's example API with its OpenAPI document.
func loopbackTodo() *server {
	return &server{
		name: "loopback", version: "6.0.0", profile: peers, tool: "loopback",
		needs: []string{"node"}, builds: []string{"npm"}, packages: []string{"nodejs", "npm"},
		build: func(ctx context.Context, b *builder) error {
			for _, f := range []string{"package.json", "package-lock.json", "server.js"} {
				if err := copyFile(filepath.Join(b.tool, f), filepath.Join(b.dir, f)); err != nil {
					return err
				}
			}
			return b.run(ctx, b.dir, nil, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
		},
		start: startLoopback,
		config: func(a map[string]string) string {
			return "todo-api:\n  url: " + a["http"] +
				"\ntodo-api-secured:\n  url: " + a["https"] + "\n  tls: {ca: " + a["ca"] + "}" +
				"\n  auth: {username: " + a["username"] + ", password: " + a["password"] + "}"
		},
	}
}

func startLoopback(_ context.Context, s *site) (plan, error) {
	p, err := s.freePorts(2)
	if err != nil {
		return plan{}, err
	}
	c, err := makeCerts(s.data)
	if err != nil {
		return plan{}, err
	}
	if err := os.WriteFile(filepath.Join(s.data, "user"), []byte(user+":"+password), 0o600); err != nil {
		return plan{}, err
	}
	a := map[string]string{"http": "http://" + loopback(p[0]), "https": "https://" + loopback(p[1]), "username": user, "password": password}
	c.addTo(a)
	return plan{argv: []string{"node", filepath.Join(s.cache, "server.js"), fmt.Sprint(p[0]), fmt.Sprint(p[1]), s.data},
		addresses: a, ready: httpReady(a["http"]+"/openapi.json", nil)}, nil
}
