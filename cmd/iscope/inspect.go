package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"iscope/inspectors/evolve"
	"iscope/probes"
)

func inspectCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "inspect",
		Short: "contracts: show one, compare two",
		Long: `inspect looks at contracts: Protobuf, OpenAPI, GraphQL, Avro and JSON Schema,
of a target or in a file.`,
		Args: args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usageError(cmd, errors.New("say what: diff or show"))
		},
	}
	cmd.AddCommand(inspectDiffCmd(a), inspectShowCmd(a))
	return cmd
}

type inspectOpts struct {
	options evolve.Options
	failOn  string
	imports []string
}

func inspectDiffCmd(a *app) *cobra.Command {
	var o inspectOpts
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "what a new contract does to those who rely on the old one",
		Long: `diff compares two contracts of the same kind. Each is a target (a name, a URL,
TARGET/SERVICE, TARGET/'GET /path') or a file: .proto (or a folder of them),
.binpb or .protoset, OpenAPI as .json or .yaml, .graphql or an introspection
result, .avsc, JSON Schema; or a version in a schema registry by its address,
http://HOST:8081/subjects/SUBJECT/versions/N (or latest).

Changes carry the rule names of the field's own tools: buf for Protobuf,
oasdiff for OpenAPI, graphql-js for GraphQL, Avro's SchemaCompatibility,
Confluent's registry for JSON Schema. Breaking changes fail somebody who relies
on the old contract; dangerous ones depend on what they do, or break at a
stricter level; compatible ones break nobody.

Exit codes: 0 nothing breaks; 1 something does (--fail-on); 7 nothing that was
read breaks, but not all could be read.`,
		Example: `  iscope inspect diff orders orders-staging
  iscope inspect diff ./old.proto ./orders.proto --level wire
  iscope inspect diff https://api.example.com ./openapi.yaml -o json
  iscope inspect diff ./v1.avsc ./v2.avsc --compatibility full
  iscope inspect diff http://127.0.0.1:8081/subjects/orders-value/versions/latest ./order.avsc`,
		Args: args(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.inspectDiff(cmd.Context(), cmd, args, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.options.Level, "level", "", "Protobuf: what must not break: file (generated code; the default), package, wire-json, wire")
	f.StringVar(&o.options.Compatibility, "compatibility", "", "Avro and JSON Schema: backward (the new reads the old; the default), forward, full")
	f.StringSliceVar(&o.options.Ignore, "ignore", nil, "leave out changes of these `rules`, comma separated")
	f.StringVar(&o.failOn, "fail-on", "breaking", "exit 1 from this `severity` on: breaking, dangerous, compatible")
	o.importFlag(cmd)
	return cmd
}

func (o *inspectOpts) importFlag(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&o.imports, "proto-path", nil, "`folder` that imports of .proto files are relative to; may repeat")
}

func inspectShowCmd(a *app) *cobra.Command {
	var o inspectOpts
	cmd := &cobra.Command{
		Use:     "show TARGET|FILE",
		Aliases: []string{"schema"},
		Short:   "print a contract",
		Long: `show prints the whole contract of a target as a person would write it, or says
what a file is and prints it. With -o json, the name, the kind and the text.`,
		Example: "  iscope inspect show orders -o text > orders.proto\n  iscope inspect show http://127.0.0.1:4000/graphql",
		Args:    args(1, 1),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.inspectShow(cmd.Context(), args[0], o) },
	}
	o.importFlag(cmd)
	return cmd
}

func (a *app) inspectDiff(ctx context.Context, cmd *cobra.Command, argv []string, o inspectOpts) error {
	limit, err := evolve.ParseSeverity(o.failOn)
	if err == nil {
		err = o.options.Check()
	}
	if err != nil {
		return usageError(cmd, err)
	}
	old, err := a.contract(ctx, argv[0], o.imports)
	if err != nil {
		return err
	}
	now, err := a.contract(ctx, argv[1], o.imports)
	if err != nil {
		return err
	}
	report, err := evolve.Compare(ctx, old, now, o.options)
	if err != nil {
		return &probes.Error{Op: "comparing the contracts", Kind: probes.ErrUsage, Err: err}
	}
	if err := a.printComparison(old, now, &report); err != nil {
		return err
	}
	switch {
	case report.Worst() >= limit:
		return errDifferent
	case len(report.Notes) > 0:
		return &probes.Error{Op: "comparing the contracts", Kind: probes.ErrIncomplete, Err: errors.New("not all of them could be read: " + report.Notes[0])}
	}
	return nil
}

// contract reads what stands on the command line: a file, a version in a schema
// registry, or a target.
func (a *app) contract(ctx context.Context, arg string, imports []string) (*evolve.Contract, error) {
	if isFile(arg) {
		c, err := evolve.FromFile(ctx, arg, imports)
		switch {
		case errors.Is(err, os.ErrNotExist):
			return nil, &probes.Error{Target: arg, Op: "reading the contract", Kind: probes.ErrNotFound, Err: err}
		case err != nil:
			return nil, &probes.Error{Target: arg, Op: "reading the contract", Kind: probes.ErrUsage, Err: err}
		}
		return c, nil
	}
	if c, ok, err := registered(ctx, arg); ok {
		return c, err
	}
	var c *evolve.Contract
	err := a.withTarget(ctx, arg, func(conn *probes.Conn, subject string) (err error) {
		c, err = contractOf(ctx, conn, subject)
		return err
	})
	return c, err
}

// isFile tells a path from a target: by how it begins or ends. A name in the
// configuration has neither.
func isFile(arg string) bool {
	if probes.IsURL(arg) {
		return false
	}
	for _, prefix := range []string{"./", "../", "/", "~/"} {
		if strings.HasPrefix(arg, prefix) {
			return true
		}
	}
	switch strings.ToLower(filepath.Ext(arg)) {
	case ".proto", ".binpb", ".protoset", ".pb", ".fds", ".desc", ".json", ".yaml", ".yml", ".avsc", ".graphql", ".graphqls", ".gql", ".sdl":
		return true
	}
	return arg == "." || arg == ".."
}

// contractOf asks a target for its contract, or for the part of it that a
// subject names.
func contractOf(ctx context.Context, conn *probes.Conn, subject string) (*evolve.Contract, error) {
	contracter, err := conn.Contracter()
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithTimeout(ctx, 4*conn.Target.RequestTimeout())
	defer stop()
	s, partial := contracter.Contract(ctx)
	if partial != nil && (!errors.Is(partial, probes.ErrIncomplete) || s.Type == "") {
		return nil, partial
	}
	c, err := evolve.FromSchema(conn.Target.Name, s)
	if err != nil {
		return nil, &probes.Error{Target: conn.Target.Name, Op: "reading the contract", Kind: probes.ErrProtocol, Err: err}
	}
	if partial != nil {
		c.Incomplete(partial.Error())
	}
	if subject == "" {
		return c, nil
	}
	part, names := c.Only(subject)
	switch {
	case part != nil:
		part.Name = conn.Target.Name + "/" + subject
		return part, nil
	case len(names) == 0:
		return nil, &probes.Error{Target: conn.Target.Name, Op: "reading the contract of " + subject, Kind: probes.ErrUnsupported,
			Err: errors.New("this kind of contract is compared whole"), Hint: "leave the subject out"}
	}
	return nil, &probes.Error{Target: conn.Target.Name, Op: "reading the contract of " + subject, Kind: probes.ErrNotFound,
		Err: fmt.Errorf("there is no %s in it", subject), Hint: probes.NearestHint(subject, names)}
}
