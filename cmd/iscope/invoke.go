package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"iscope/probes"
)

type invokeOpts struct {
	data     []string
	headers  []string
	params   []string
	deadline time.Duration
	template bool
}

func invokeCmd(a *app) *cobra.Command {
	var o invokeOpts
	cmd := &cobra.Command{
		Use:   "invoke TARGET METHOD",
		Short: "call a method found by reflection",
		Long: `invoke calls a gRPC method or an HTTP operation that the target itself
describes. The request is a JSON document; several (given with several -d, or
one after the other on standard input) make a stream.

Every message sent and received is a record, and an end record carries status
and timing. A call that was answered with an error status ends with exit
code 1. Where writing is not allowed, only methods known to read are called.`,
		Example: `  iscope invoke orders shop.orders.v1.Orders/GetOrder -d '{"order_id":"A-7"}'
  iscope invoke shop-api 'GET /orders/{id}' -p id=A-7
  iscope invoke grpc://127.0.0.1:50051/grpc.health.v1.Health/Check
  iscope invoke orders shop.orders.v1.Orders/Negotiate -d - < offers.json`,
		Args: args(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error { return a.invoke(cmd.Context(), args, o) },
	}
	f := cmd.Flags()
	f.StringArrayVarP(&o.data, "data", "d", nil, "request document: JSON, @FILE, or - for standard input")
	f.StringArrayVarP(&o.headers, "header", "H", nil, "header or metadata, as `name: value`")
	f.StringArrayVarP(&o.params, "param", "p", nil, "path, query or header parameter, as `name=value`")
	f.DurationVar(&o.deadline, "deadline", 0, "give up after that `time`")
	f.BoolVar(&o.template, "template", false, "print a request document to fill in, and call nothing")
	return cmd
}

func (a *app) invoke(ctx context.Context, args []string, o invokeOpts) error {
	return a.withTarget(ctx, args[0], func(conn *probes.Conn, subject string) error {
		name := subject
		if len(args) == 2 {
			name = args[1]
		}
		if name == "" {
			return &probes.Error{Target: conn.Target.Name, Op: "reading the command line", Kind: probes.ErrUsage,
				Err: errors.New("no method was named"), Hint: "list them with: iscope list " + args[0]}
		}
		method, err := findMethod(ctx, conn, name)
		if err != nil {
			return err
		}
		if o.template {
			return a.printTemplate(method)
		}
		in, err := a.invocation(method, o)
		if err != nil {
			return err
		}
		return a.call(ctx, conn, method, in)
	})
}

// findMethod looks a method up so that Conn knows its effect. A name that is not
// listed goes to the driver as it is, which may know more forms of it than we
// do, or says what is near.
func findMethod(ctx context.Context, conn *probes.Conn, name string) (probes.Method, error) {
	m, err := conn.Method(ctx, name)
	if err == nil {
		return m, nil
	}
	verb, _, isHTTP := strings.Cut(name, " ")
	if !errors.Is(err, probes.ErrNotFound) || m.Name == "" && !isHTTP {
		return probes.Method{}, err
	}
	switch strings.ToUpper(verb) {
	case "GET", "HEAD", "OPTIONS": // RFC 9110 §9.2.1: safe methods
		return probes.Method{Name: name, Effect: probes.EffectRead}, nil
	}
	return probes.Method{Name: name}, nil
}

func (a *app) invocation(m probes.Method, o invokeOpts) (in probes.Invocation, err error) {
	in = probes.Invocation{Method: m.Name, Deadline: o.deadline}
	bad := func(format string, args ...any) error {
		return &probes.Error{Op: "reading the command line", Kind: probes.ErrUsage, Err: fmt.Errorf(format, args...)}
	}
	for _, h := range o.headers {
		name, value, ok := strings.Cut(h, ":")
		if !ok || name == "" {
			return in, bad("header %q is not of the form name: value", name)
		}
		in.Header = append(in.Header, probes.Field{Name: name, Value: []byte(strings.TrimSpace(value))})
	}
	for _, p := range o.params {
		name, value, ok := strings.Cut(p, "=")
		if !ok || name == "" {
			return in, bad("parameter %q is not of the form name=value", p)
		}
		in.Params = append(in.Params, probes.Attr{Name: name, Value: value})
	}
	in.Next, err = a.documents(o.data)
	return in, err
}

// documents supplies the request documents: those given, or those on standard
// input one by one as they come.
func (a *app) documents(data []string) (func(context.Context) ([]byte, error), error) {
	if len(data) == 0 {
		return nil, nil
	}
	if len(data) == 1 && (data[0] == "-" || data[0] == "@-") {
		return streamDocuments(a.in), nil
	}
	var docs [][]byte
	for _, d := range data {
		doc, err := a.document(d)
		if err != nil {
			return nil, err
		}
		docs = append(docs, doc)
	}
	return func(context.Context) ([]byte, error) {
		if len(docs) == 0 {
			return nil, io.EOF
		}
		doc := docs[0]
		docs = docs[1:]
		return doc, nil
	}, nil
}

// streamDocuments reads JSON documents one after the other. An input without a
// single one is an error: sending an empty message in its place would hide a
// broken pipeline.
func streamDocuments(r io.Reader) func(context.Context) ([]byte, error) {
	dec := json.NewDecoder(r)
	n := 0
	return func(context.Context) ([]byte, error) {
		var doc json.RawMessage
		err := dec.Decode(&doc)
		switch {
		case err == nil:
			n++
			return bytes.Clone(doc), nil
		case err == io.EOF && n > 0:
			return nil, io.EOF
		case err == io.EOF:
			err = errors.New("standard input is empty")
		}
		return nil, &probes.Error{Op: fmt.Sprintf("reading document %d from standard input", n+1), Kind: probes.ErrUsage,
			Err: err, Hint: "give -d '{}' to send an empty message"}
	}
}

// call makes the call and prints its records; in text mode only what a person
// wants to see of them.
func (a *app) call(ctx context.Context, conn *probes.Conn, m probes.Method, in probes.Invocation) error {
	sink, flush := a.callSink()
	defer flush()
	failed := false
	for rec, err := range conn.Invoke(ctx, m, in) {
		if err != nil {
			return err
		}
		if rec.Kind == probes.End && rec.Err != "" {
			failed = true
		}
		if rec.Seen.IsZero() {
			rec.Seen = time.Now()
		}
		if err := sink.Write(ctx, a.echo(rec)); err != nil {
			return err
		}
	}
	if failed {
		return errDifferent
	}
	return nil
}

// echo keeps credentials given with -H out of what is printed of a request:
// output ends up in logs. They are told by name, as in messages; that most
// headers of a call are masked is for files, which are passed on.
func (a *app) echo(r probes.Record) probes.Record {
	if r.Kind != probes.Request || len(r.Header) == 0 {
		return r
	}
	clean := a.policy.Record(probes.Record{Kind: probes.Message, Header: r.Header, Attrs: r.Attrs})
	r.Header, r.Attrs = clean.Header, clean.Attrs
	return r
}

func (a *app) printTemplate(m probes.Method) error {
	if m.Template == nil {
		a.note("%s takes no document", m.Name)
		return nil
	}
	var out bytes.Buffer
	if err := json.Indent(&out, m.Template, "", "  "); err != nil {
		return err
	}
	out.WriteByte('\n')
	_, err := a.out.Write(out.Bytes())
	return err
}
