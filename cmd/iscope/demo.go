package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"iscope/cmd/internal/shop"
	"iscope/probes"
)

type demoOpts struct {
	serve bool
	seed  int64
	rate  float64
}

func demoCmd(a *app) *cobra.Command {
	var o demoOpts
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "a small shop that speaks the real protocols, to look at",
		Long: `demo starts a small shop in this process, on loopback ports: an HTTP API
behind a gateway, gRPC services, a GraphQL API, a Kafka broker and a registry
that speaks Consul's API, with a steady flow of orders, failures and a few
things that are wrong. Then it opens the dashboard on it.

Where the output is not a terminal, it runs each verb on the shop instead and
shows the command above what it printed. --serve only runs the shop and prints
where it is, until interrupted or standard input ends.`,
		Example: "  iscope demo\n  iscope demo --serve",
		Args:    args(0, 0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.demo(cmd.Context(), o) },
	}
	f := cmd.Flags()
	f.BoolVar(&o.serve, "serve", false, "run the shop only")
	f.Int64Var(&o.seed, "seed", 1, "the same seed gives the same shop")
	f.Float64Var(&o.rate, "rate", 0, "orders per second (default 20)")
	return cmd
}

func (a *app) demo(ctx context.Context, o demoOpts) error {
	s, dir, err := startShop(ctx, o)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	defer s.Close()
	a.configPath = s.ConfigPath()
	switch {
	case o.serve:
		return a.serve(ctx, s)
	case a.tty():
		return a.openDashboard(ctx)
	}
	return a.tour(ctx, dir)
}

func startShop(ctx context.Context, o demoOpts) (s *shop.Shop, dir string, err error) {
	if dir, err = os.MkdirTemp("", "iscope-demo-"); err != nil {
		return nil, "", err
	}
	s, err = shop.Start(ctx, shop.Options{Seed: o.seed, Rate: o.rate, Dir: dir})
	if err != nil {
		os.RemoveAll(dir)
	}
	return s, dir, err
}

// serve runs until interrupted or, for programs that start us, until they close
// our standard input. Being told to stop is success.
func (a *app) serve(ctx context.Context, s *shop.Shop) error {
	place, err := json.Marshal(struct {
		Config    string            `json:"config"`
		Addresses map[string]string `json:"addresses"`
	}{s.ConfigPath(), s.Addresses()})
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(a.out, "%s\n", place); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() { // ends with the process: a read of stdin cannot be cancelled
		io.Copy(io.Discard, a.in)
		close(ended)
	}()
	select {
	case <-ctx.Done():
	case <-ended:
	}
	return nil
}

// stop is one station of the tour: what to say and the command to run.
type stop struct {
	say  string
	args []string
}

func tourStops(dir string) []stop {
	file := filepath.Join(dir, "tour.mcap")
	return []stop{
		{"what is there, and is it well?", []string{"doctor", "-o", "text"}},
		{"who talks to whom, and what is wrong?", []string{"topology", "-o", "text"}},
		{"what does the broker have?", []string{"list", "shop-kafka", "-o", "text"}},
		{"all about one topic", []string{"describe", "shop-kafka/orders.created", "-o", "text"}},
		{"the newest messages, untouched", []string{"tail", "shop-kafka/orders.created", "--last", "5", "-o", "text"}},
		{"the same for a program", []string{"tail", "shop-kafka/payments.captured", "--last", "2", "-o", "json"}},
		{"what can be called?", []string{"list", "shop-orders", "-o", "text"}},
		{"a gRPC call, found by reflection", []string{"invoke", "shop-orders", "shop.orders.v1.Orders/GetOrder", "-d", `{"id":"ord-10001"}`, "-o", "text"}},
		{"two messages into a stream, and its answers", []string{"invoke", "shop-orders", "shop.orders.v1.Orders/Negotiate",
			"-d", `{"sku":"BAG-01","quantity":2}`, "-d", `{"sku":"MUG-01","quantity":1}`, "-o", "json"}},
		{"an HTTP operation from its OpenAPI document", []string{"invoke", "shop-api", "GET /orders/{id}", "-p", "id=ord-10001", "-o", "text"}},
		{"write a message (the demo allows it)", []string{"publish", "shop-kafka/orders.created", "-k", "tour", "-d", `{"order_id":"tour"}`, "-o", "text"}},
		{"record", []string{"capture", "shop-kafka/orders.created", "--last", "20", "-w", file, "-o", "text"}},
		{"plan a replay into staging: nothing is sent", []string{"replay", file, "--to", "staging-kafka", "-o", "text"}},
		{"send it", []string{"replay", file, "--to", "staging-kafka", "--send", "--pace", "asap", "-o", "text"}},
		{"and there it is", []string{"tail", "staging-kafka/orders.created", "--last", "3", "-o", "text"}},
		{"is the configuration right?", []string{"config", "check", "-o", "text"}},
	}
}

// tour runs each verb on the shop as a person would, and shows the command above
// its output.
func (a *app) tour(ctx context.Context, dir string) error {
	fmt.Fprintf(a.out, "A tour of iscope on its demo shop. `iscope demo` on a terminal opens the dashboard;\n"+
		"`iscope demo --serve` keeps the shop running for you to try these yourself.\n")
	for _, s := range tourStops(dir) {
		fmt.Fprintf(a.out, "\n# %s\n$ iscope %s\n", s.say, commandLine(s.args, dir))
		at := newApp(a.in, a.out, a.out)
		at.configPath, at.forgetful = a.configPath, true
		if code := run(ctx, append([]string{"--config", a.configPath}, s.args...), at); code != exitOK {
			return &probes.Error{Op: "running the tour", Kind: probes.ErrIncomplete,
				Err: fmt.Errorf("iscope %s ended with exit code %d", s.args[0], code)}
		}
	}
	return nil
}

// commandLine quotes arguments for a shell and leaves the temporary folder out.
func commandLine(args []string, dir string) string {
	out := make([]string, len(args))
	for i, arg := range args {
		arg = strings.ReplaceAll(arg, dir+string(filepath.Separator), "")
		if strings.ContainsAny(arg, " {}\"'$&|;<>()*?") {
			arg = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
		out[i] = arg
	}
	return strings.Join(out, " ")
}
