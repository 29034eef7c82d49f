package main

import (
	"context"
	"path/filepath"
)

// registry is franz-go's in-memory schema registry: no real one that answers like
// Confluent's is in a package registry that this program may use. Confluent's own
// and Apicurio's server are not on Maven Central, Karapace is not on PyPI, AxonOps'
// is not in the Go module proxy, Krabka's was withdrawn from crates.io; Rivven's is
// there, but drops schema references and takes five CPU minutes to build.
//
// What it does as the real one: ids, versions, subjects, references and
// referencedby for Avro, Protobuf and JSON Schema, soft and hard deletes, contexts,
// configuration, the error codes for what is not found.
//
// What it does not, so never test it here: it answers every compatibility check
// with true, takes every schema that is well-formed JSON or any text as Protobuf,
// names the modes without obeying them, normalizes nothing, and forgets everything
// when it ends. The two paths that end in /schema answer JSON around the schema
// instead of the schema; deleting what is referenced is 409 with code 42201 instead
// of 422 with 42206; / and /schemas/types are missing.
func registry() *server {
	return &server{
		name: "registry", version: "srfake 1.8.0", profile: core, tool: "registry", builds: []string{"go"}, disk: 100,
		build: func(ctx context.Context, b *builder) error {
			return b.run(ctx, b.tool, nil, "go", "build", "-mod=readonly", "-trimpath", "-o", filepath.Join(b.dir, "registry"), ".")
		},
		start: startRegistry,
	}
}

func startRegistry(_ context.Context, s *site) (plan, error) {
	p, err := s.freePorts(2)
	if err != nil {
		return plan{}, err
	}
	c, err := makeCerts(s.data)
	if err != nil {
		return plan{}, err
	}
	plain, secured := loopback(p[0]), loopback(p[1])
	a := map[string]string{"http": "http://" + plain, "https": "https://" + secured, "username": user, "password": password}
	c.addTo(a)
	argv := []string{filepath.Join(s.cache, "registry"), "-addr", plain, "-tls-addr", secured,
		"-cert", c.serverCert, "-key", c.serverKey, "-user", user, "-password", password}
	return plan{argv: argv, addresses: a, ready: httpReady(a["http"]+"/subjects", nil)}, nil
}
