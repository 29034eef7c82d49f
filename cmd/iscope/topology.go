package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"iscope/probes"
	"iscope/probes/topology"
)

type topologyOpts struct {
	dial bool
}

func topologyCmd(a *app) *cobra.Command {
	var o topologyOpts
	cmd := &cobra.Command{
		Use:   "topology [TARGET...]",
		Short: "who talks to whom, and what is wrong",
		Long: `topology asks every target (or those named) what it knows, joins the answers
into one graph and prints it with what follows from it: ghosts, unhealthy and
contradicting instances, lagging groups, sources that did not answer in full.

With --dial (or dial: true in the environment) it also tries whether registered
instances listen: one TCP connection each, closed at once.`,
		Example: "  iscope topology\n  iscope topology -o json | jq .findings",
		Args:    args(0, -1),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.topology(cmd.Context(), args, o) },
	}
	cmd.Flags().BoolVar(&o.dial, "dial", false, "try whether registered instances listen")
	return cmd
}

func (a *app) topology(ctx context.Context, targets []string, o topologyOpts) error {
	conns, err := a.some(ctx, targets)
	if err != nil {
		return err
	}
	defer closeAll(conns)
	store := topology.NewStore(time.Now)
	build := topology.BuildOptions{Aliases: map[string][]string{}}
	failed := make([]error, len(conns))
	var wait sync.WaitGroup
	for i, conn := range conns {
		build.Aliases[conn.Target.Name] = conn.Target.Aliases
		o.dial = o.dial || conn.Target.Environment.Dial
		wait.Go(func() { failed[i] = ask(ctx, conn, store) })
	}
	wait.Wait()
	graph := store.Graph(build)
	if o.dial {
		store.Put(topology.ByDial, probes.Snapshot{Claims: topology.Dial(ctx, graph, topology.DialOptions{}), Complete: true})
		graph = store.Graph(build)
	}
	if err := a.printGraph(graph); err != nil {
		return err
	}
	var errs []error
	for _, err := range failed {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return worst(errs)
}

func ask(ctx context.Context, conn *probes.Conn, store *topology.Store) error {
	if !conn.Can("discover") {
		return nil
	}
	ctx, stop := context.WithTimeout(ctx, 2*conn.Target.RequestTimeout())
	defer stop()
	snap, err := discover(ctx, conn, probes.DiscoverQuery{})
	if err != nil {
		store.Fail(conn.Target.Name, err)
		return err
	}
	store.Put(conn.Target.Name, snap)
	return nil
}

func (a *app) printGraph(g topology.Graph) error {
	if a.json() {
		return a.printJSON(g)
	}
	names := map[string]string{}
	var rows [][]string
	for _, n := range g.Nodes {
		names[n.ID] = n.Name
		if n.Parent != "" {
			continue
		}
		rows = append(rows, []string{n.Health.String(), string(n.Kind), n.Name, n.Addr, fmt.Sprint(len(n.Parts)), sources(n.Claims), n.Reason})
	}
	if err := a.table([]string{"STATE", "KIND", "NAME", "ADDRESS", "PARTS", "SAID BY", "REASON"}, rows); err != nil {
		return err
	}
	rows = nil
	for _, e := range g.Edges {
		rows = append(rows, []string{names[e.From], "→", names[e.To], string(e.Kind), e.Protocol, e.Class.String(), metrics(e.Metrics)})
	}
	fmt.Fprintln(a.out)
	if err := a.table([]string{"FROM", "", "TO", "KIND", "PROTOCOL", "EVIDENCE", "NUMBERS"}, rows); err != nil {
		return err
	}
	for _, f := range g.Findings {
		fmt.Fprintf(a.out, "\n%s: %s: %s", f.Severity, f.Kind, line(f.Text))
	}
	fmt.Fprintln(a.out)
	return nil
}

// sources are the targets that name a node.
func sources(claims []topology.Basis) string {
	var by []string
	for _, c := range claims {
		if !slices.Contains(by, c.By) {
			by = append(by, c.By)
		}
	}
	return strings.Join(by, ", ")
}

func metrics(ms []topology.Metric) string {
	var parts []string
	for _, m := range ms {
		name := m.Name[strings.LastIndexByte(m.Name, '.')+1:]
		parts = append(parts, fmt.Sprintf("%s %g %s", name, m.Value, strings.Trim(m.Unit, "{}")))
	}
	return strings.Join(parts, ", ")
}
