package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"iscope/probes"
	"iscope/replay/request"
)

type invokeOpts struct {
	data     []string
	headers  []string
	params   []string
	deadline time.Duration
	compress string
	redirect int
	force    bool
	noTrace  bool

	body, include bool   // what of the answer is printed
	template      bool   // print a document
	edit          bool   // edit the document first
	print         string // print a command line
	save          string // write a saved request
	noHistory     bool

	load loadOpts
}

func invokeCmd(a *app) *cobra.Command {
	var o invokeOpts
	cmd := &cobra.Command{
		Use:   "invoke TARGET METHOD",
		Short: "call a method found by reflection",
		Long: `invoke calls a gRPC method, an HTTP operation or a GraphQL query that the target
itself describes. An operation may be named by its operationId, and of a gRPC
method, package and service may be left out where the rest means no other.

The request is a JSON document; several (given with several -d, or one after the
other on standard input) make a stream. With -d - on a terminal each document is
sent as it is typed: ctrl-d ends the sending, ctrl-c the call.

Every message sent and received is a record, and an end record carries status
and timing. A call that was answered with an error status ends with exit
code 1. Where writing is not allowed, only methods known to read are called.

Each call carries a fresh W3C traceparent, whose trace id is in the end record,
and is kept in the history (iscope history) without its secrets. --repeat, --rate
and --for make many calls and print percentiles.`,
		Example: `  iscope invoke orders shop.orders.v1.Orders/GetOrder -d '{"id":"A-7"}'
  iscope invoke shop-api 'GET /orders/{id}' -p id=A-7
  iscope invoke grpc://127.0.0.1:50051/grpc.health.v1.Health/Check
  iscope invoke orders shop.orders.v1.Orders/Negotiate -d - < offers.json
  iscope invoke shop-api 'POST /orders' --edit --save requests/order.yaml
  iscope invoke shop-api 'GET /orders/{id}' -p id=A-7 --print curl
  iscope invoke orders shop.orders.v1.Orders/GetOrder -d '{}' --rate 20 --for 30s`,
		Args: args(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error { return a.invoke(cmd.Context(), cmd, args, o) },
	}
	o.flags(cmd)
	o.load.flags(cmd)
	return cmd
}

func (o *invokeOpts) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVarP(&o.data, "data", "d", nil, "request document: JSON, @FILE, or - for standard input")
	f.StringArrayVarP(&o.headers, "header", "H", nil, "header or metadata, as `name: value`")
	f.StringArrayVarP(&o.params, "param", "p", nil, "path, query or header parameter, as `name=value`")
	f.DurationVar(&o.deadline, "deadline", 0, "give up after that `time`")
	f.StringVar(&o.compress, "compress", "", "`coding` of what is sent: gzip, deflate, zstd")
	f.IntVar(&o.redirect, "redirects", 0, "follow at most `N` redirects; each is shown")
	f.BoolVar(&o.force, "force", false, "send what violates the contract all the same")
	f.BoolVar(&o.noTrace, "no-trace", false, "send no traceparent")
	f.BoolVar(&o.body, "body", false, "print the bodies of the answers only")
	f.BoolVarP(&o.include, "include", "i", false, "show the headers sent and received as well")
	f.BoolVar(&o.template, "template", false, "print a request document to fill in, and call nothing")
	f.BoolVar(&o.edit, "edit", false, "edit the document in $VISUAL or $EDITOR first, with its schema as comments")
	f.StringVar(&o.print, "print", "", "print the call as a command line of `TOOL` (iscope, curl, grpcurl), and call nothing")
	f.StringVar(&o.save, "save", "", "write the call to a `FILE` that iscope run reads, and call nothing")
	f.BoolVar(&o.noHistory, "no-history", false, "keep this call out of the history (also: ISCOPE_HISTORY=off)")
	_ = cmd.RegisterFlagCompletionFunc("print", cobra.FixedCompletions([]string{"iscope", "curl", "grpcurl"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("compress", cobra.FixedCompletions([]string{"gzip", "deflate", "zstd"}, cobra.ShellCompDirectiveNoFileComp))
}

func (a *app) invoke(ctx context.Context, cmd *cobra.Command, args []string, o invokeOpts) error {
	if err := o.check(cmd); err != nil {
		return err
	}
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
		if o.template && !o.edit {
			return a.printTemplate(method)
		}
		if o.edit {
			if o.data, err = a.edit(ctx, conn, method, o.data); err != nil {
				return err
			}
		}
		if o.template {
			return a.printDocument([]byte(o.data[0]))
		}
		in, err := a.invocation(method, o)
		if err != nil {
			return err
		}
		c := newCall(a, conn, targetName(args[0]), method, in, o)
		switch {
		case o.print != "":
			return c.print(ctx, request.Style(o.print))
		case o.save != "":
			return c.save(ctx, o.save)
		case o.load.asked(cmd):
			return c.load(ctx, o.load)
		}
		return c.run(ctx)
	})
}

// check refuses flags that contradict each other.
func (o *invokeOpts) check(cmd *cobra.Command) error {
	switch {
	case o.redirect < 0:
		return usageError(cmd, fmt.Errorf("--redirects %d is negative", o.redirect))
	case o.print != "" && o.save != "":
		return usageError(cmd, errors.New("--print and --save contradict each other"))
	case o.edit && len(o.data) > 1:
		return usageError(cmd, errors.New("--edit takes one document"))
	case o.body && o.include:
		return usageError(cmd, errors.New("--body and --include contradict each other"))
	}
	return o.load.check(cmd)
}

// targetName is a target as it stands on the command line, without a subject.
func targetName(arg string) string {
	if probes.IsURL(arg) {
		return arg
	}
	return probes.ParseRef(arg).Target
}

// findMethod looks a method up so that Conn knows its effect. A name that is not
// listed goes to the driver as it is, which may know more forms of it than we
// do, or says what is near.
func findMethod(ctx context.Context, conn *probes.Conn, name string) (probes.Method, error) {
	m, err := conn.Method(ctx, name)
	if err == nil {
		return m, nil
	}
	verb, path, _ := strings.Cut(name, " ")
	if !errors.Is(err, probes.ErrNotFound) || m.Name == "" && !strings.HasPrefix(strings.TrimSpace(path), "/") {
		return probes.Method{}, err
	}
	switch strings.ToUpper(verb) {
	case "GET", "HEAD", "OPTIONS": // RFC 9110 §9.2.1: safe methods
		return probes.Method{Name: name, Effect: probes.EffectRead}, nil
	}
	return probes.Method{Name: name}, nil
}

func (a *app) invocation(m probes.Method, o invokeOpts) (in probes.Invocation, err error) {
	in = probes.Invocation{Method: m.Name, Deadline: o.deadline, Compression: o.compress, Redirects: o.redirect, Force: o.force}
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
