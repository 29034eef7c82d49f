package main

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/spf13/cobra"

	"iscope/inspectors"
	"iscope/inspectors/registry"
	"iscope/inspectors/schema"
	"iscope/probes"
)

// schemaOpts are the flags that say where schemas are. What they give replaces
// what the target's configuration says.
type schemaOpts struct {
	decode bool
	from   probes.Schemas
}

func (o *schemaOpts) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&o.decode, "decode", false, "add the decoded value to JSON output (default where the target has schemas)")
	f.StringVar(&o.from.Registry, "schema-registry", "", "`URL` of a schema registry with Confluent's API")
	f.StringVar(&o.from.Strategy, "subject-strategy", "", "find schemas of values that name none by TopicName, RecordName or TopicRecordName")
	f.StringArrayVar(&o.from.Records, "record-type", nil, "the type of a topic's values, `TOPIC=NAME`, for strategies with a record's name; may repeat")
	f.StringArrayVar(&o.from.Files, "schema", nil, "a schema `[TOPIC[:key]=]FILE[#MESSAGE]`: .avsc, .proto, .protoset or .json; may repeat")
	f.StringArrayVar(&o.from.Imports, "proto-path", nil, "`folder` that imports of .proto files are relative to; may repeat")
}

// decoding is how a verb reads values.
type decoding struct {
	env  inspectors.Env
	json bool // add what was decoded to JSON lines
}

// decoding opens the schemas of a target. Call close when done. A target that
// has none costs nothing.
func (a *app) decoding(ctx context.Context, conn *probes.Conn, o *schemaOpts) (d *decoding, done func(), err error) {
	return a.decodingFrom(ctx, o.merged(conn.Target.Schemas), o.decode)
}

// decodingFrom opens schemas wherever they are. Call close when done.
func (a *app) decodingFrom(ctx context.Context, from probes.Schemas, always bool) (d *decoding, done func(), err error) {
	d = &decoding{json: always || !from.IsZero()}
	if from.IsZero() {
		return d, func() {}, nil
	}
	setup, err := a.setup(from)
	if err != nil {
		return nil, nil, err
	}
	s, err := inspectors.OpenSchemas(ctx, setup)
	if err != nil {
		return nil, nil, err
	}
	d.env.Schemas = s
	return d, func() { s.Close() }, nil
}

// merged is the configuration with the flags that were given.
func (o *schemaOpts) merged(c probes.Schemas) probes.Schemas {
	if f := o.from; f.Registry != "" {
		c.Registry, c.Auth, c.TLS = f.Registry, probes.Auth{}, probes.TLS{} // those were for another one
	}
	if o.from.Strategy != "" {
		c.Strategy = o.from.Strategy
	}
	for _, part := range []struct{ given, into *[]string }{{&o.from.Records, &c.Records}, {&o.from.Files, &c.Files}, {&o.from.Imports, &c.Imports}} {
		if len(*part.given) > 0 {
			*part.into = *part.given
		}
	}
	return c
}

func (a *app) setup(from probes.Schemas) (s inspectors.Setup, err error) {
	s = inspectors.Setup{Imports: from.Imports, Registry: registry.Options{URL: from.Registry, Auth: from.Auth, TLS: from.TLS,
		Report: func(err error) {
			if err == nil {
				a.note("the schema registry answers again")
				return
			}
			a.warn("%v; values are shown undecoded meanwhile", err)
		}}}
	if s.Registry.Strategy, err = registry.ParseStrategy(from.Strategy); err != nil {
		return s, err
	}
	for _, text := range from.Records {
		r, err := registry.ParseRecord(text)
		if err != nil {
			return s, err
		}
		s.Registry.Records = append(s.Registry.Records, r)
	}
	for _, text := range from.Files {
		f, err := schema.ParseAssignment(text)
		if err != nil {
			return s, err
		}
		s.Files = append(s.Files, f)
	}
	return s, nil
}

// append adds what a value says to its JSON line: decoded and decoded_as, or
// decode_error.
func (d *decoding) append(ctx context.Context, b []byte, r *probes.Record) []byte {
	if len(r.Body) == 0 {
		return b
	}
	text, kind, err := inspectors.Decode(ctx, r, d.env)
	if err == nil && json.Valid(text) {
		b = append(b, `,"decoded":`...)
		b = append(b, text...)
		return appendMember(b, "decoded_as", kind)
	}
	if err == nil {
		return appendMember(b, "decode_error", "not JSON, though it begins and ends like it")
	}
	return appendMember(b, "decode_error", strings.ToValidUTF8(err.Error(), "\ufffd"))
}
