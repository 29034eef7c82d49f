package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"iscope/inspectors/filter"
	"iscope/probes"
	"iscope/probes/topology"
)

type topologyOpts struct {
	dial   bool
	filter string
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
	filterFlag(cmd, &o.filter, "only nodes that match this `expression` or these words, with their edges and findings", filter.CompleteRows)
	cmd.Flags().BoolVar(&o.dial, "dial", false, "try whether registered instances listen")
	return cmd
}

func (a *app) topology(ctx context.Context, targets []string, o topologyOpts) error {
	match, err := a.rowFilter(o.filter)
	if err != nil {
		return err
	}
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
	names := nodeNames(&graph)
	if match != nil {
		graph = chosenNodes(graph, match, names)
	}
	if err := a.printGraph(graph, names); err != nil {
		return err
	}
	var errs []error
	for _, err := range failed {
		if err != nil {
			errs = append(errs, err)
		}
	}
	err = worst(errs)
	if match != nil {
		err = a.judgedError(match.Stats(), "nodes", err)
	}
	return err
}

// nodeNames are the names of nodes by ID.
func nodeNames(g *topology.Graph) map[string]string {
	names := map[string]string{}
	for i := range g.Nodes {
		names[g.Nodes[i].ID] = g.Nodes[i].Name
	}
	return names
}

// chosenNodes keeps the nodes that match, the edges at them and the findings
// about them. Findings about sources stay: they say what the rest is worth.
func chosenNodes(g topology.Graph, match *filter.RowFilter, names map[string]string) topology.Graph {
	g.Nodes = chosen(match, g.Nodes, func(n *topology.Node) *filter.Row { return nodeRow(n, names) })
	if g.Nodes == nil {
		g.Nodes = []topology.Node{}
	}
	kept := nodeNames(&g)
	is := func(id string) bool { _, ok := kept[id]; return ok }
	g.Edges = slices.DeleteFunc(slices.Clone(g.Edges), func(e topology.Edge) bool { return !is(e.From) && !is(e.To) })
	g.Findings = slices.DeleteFunc(slices.Clone(g.Findings), func(f topology.Finding) bool { return f.Node != "" && !is(f.Node) })
	g.Gone = nil
	return g
}

// nodeRow is a node as filters see it.
func nodeRow(n *topology.Node, names map[string]string) *filter.Row {
	r := &filter.Row{Kind: string(n.Kind), Name: n.Name, Target: sources(n.Claims), Group: names[n.Parent], Address: n.Addr,
		Health: healthWord(n.Health), Reason: n.Reason}
	for _, at := range n.Attrs {
		r.Attrs = append(r.Attrs, at.Attr)
	}
	return r
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

func (a *app) printGraph(g topology.Graph, names map[string]string) error {
	if a.json() {
		return a.printJSON(g)
	}
	var rows [][]string
	for _, n := range g.Nodes {
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
