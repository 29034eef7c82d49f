package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"iscope/inspectors/evolve"
	"iscope/inspectors/registry"
	"iscope/inspectors/schema"
	"iscope/probes"
)

// registered reads the contract at an address in a schema registry. ok is false if
// it is none.
func registered(ctx context.Context, address string) (c *evolve.Contract, ok bool, err error) {
	at, subject, version, ok := registry.SplitURL(address)
	if !ok {
		return nil, false, nil
	}
	client, err := registry.Open(registry.Options{URL: at})
	if err != nil {
		return nil, true, err
	}
	defer client.Close()
	src, err := client.Version(ctx, subject, version)
	if err != nil {
		return nil, true, err
	}
	name := fmt.Sprintf("%s version %s", subject, version)
	if c, err = contractFrom(ctx, name, src); err != nil {
		return nil, true, &probes.Error{Target: name, Op: "reading the contract", Kind: probes.ErrProtocol, Err: err}
	}
	return c, true, nil
}

func contractFrom(ctx context.Context, name string, src schema.Source) (*evolve.Contract, error) {
	kind := map[schema.Type]evolve.Kind{schema.Avro: evolve.Avro, schema.JSON: evolve.JSONSchema}[src.Type]
	switch {
	case src.Type == schema.Protobuf:
		return protoFrom(ctx, name, src)
	case kind == "":
		return nil, fmt.Errorf("schemas of the type %s cannot be compared", src.Type)
	}
	c, err := evolve.FromSchema(name, probes.Schema{Type: string(kind), Text: src.Text})
	if err == nil && len(src.Refs) > 0 {
		c.Incomplete(fmt.Sprintf("it refers to %d other schemas, which are not compared", len(src.Refs)))
	}
	return c, err
}

// protoFrom lays a .proto file and what it imports out as files, which is what
// compilers read.
func protoFrom(ctx context.Context, name string, src schema.Source) (*evolve.Contract, error) {
	dir, err := os.MkdirTemp("", "iscope-contract-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	const main = "contract.proto"
	for _, f := range append(src.Refs, schema.Ref{Name: main, Text: src.Text}) {
		if !filepath.IsLocal(f.Name) {
			return nil, errors.New("it imports a file outside of its folder")
		}
		path := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, []byte(f.Text), 0o600); err != nil {
			return nil, err
		}
	}
	c, err := evolve.FromFile(ctx, filepath.Join(dir, main), []string{dir})
	if err != nil {
		return nil, err
	}
	c.Name = name
	return c, nil
}
