package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"iscope/inspectors/filter"
	"iscope/probes"
)

func listCmd(a *app) *cobra.Command {
	var choose string
	cmd := &cobra.Command{
		Use:   "list [TARGET...]",
		Short: "what targets have: topics, groups, services, methods",
		Long: `list prints what each target has, an entry a line. Without a target it lists
all of the environment. An answer that is known to be partial (hidden by
permissions, reflection off) is printed and ends with exit code 7.`,
		Example: "  iscope list\n  iscope list orders-kafka -o json\n  iscope list -q 'kind == \"method\" and effect == \"read\"'",
		Args:    args(0, -1),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.list(cmd.Context(), args, choose) },
	}
	filterFlag(cmd, &choose, "print only entries that match this `expression` or these words", filter.CompleteRows)
	return cmd
}

// entry is one line of list. The names of its JSON fields are documented in
// README.md and do not change.
type entry struct {
	Target     string         `json:"target"`
	Kind       string         `json:"kind"` // a node's kind, or "method"
	Name       string         `json:"name"`
	Parent     string         `json:"parent,omitempty"`
	Address    string         `json:"address,omitempty"`
	Health     string         `json:"health,omitempty"`
	Reason     string         `json:"reason,omitempty"`
	Effect     string         `json:"effect,omitempty"` // of methods: read, write, unknown
	Streams    string         `json:"streams,omitempty"`
	Doc        string         `json:"doc,omitempty"`
	Attributes []probes.Attr  `json:"attributes,omitempty"`
	Params     []probes.Param `json:"params,omitempty"`
}

func (a *app) list(ctx context.Context, targets []string, choose string) error {
	match, err := a.rowFilter(choose)
	if err != nil {
		return err
	}
	conns, err := a.some(ctx, targets)
	if err != nil {
		return err
	}
	defer closeAll(conns)
	var all []entry
	var failed []error
	for _, conn := range conns {
		entries, err := a.entries(ctx, conn)
		all = append(all, entries...)
		if err != nil {
			failed = append(failed, err)
		}
	}
	if match != nil {
		all = chosen(match, all, (*entry).row)
	}
	if err := a.printEntries(all); err != nil {
		return err
	}
	err = worst(failed)
	if match != nil {
		err = a.judgedError(match.Stats(), "entries", err)
	}
	return err
}

// worst returns the one error, or one that stands for several: what was listed
// is then incomplete.
func worst(errs []error) error {
	if len(errs) <= 1 {
		return errors.Join(errs...)
	}
	return &probes.Error{Op: fmt.Sprintf("asking %d targets", len(errs)), Kind: probes.ErrIncomplete, Err: errors.Join(errs...)}
}

// entries asks one target for everything it has.
func (a *app) entries(ctx context.Context, conn *probes.Conn) (out []entry, err error) {
	ctx, stop := context.WithTimeout(ctx, 2*conn.Target.RequestTimeout())
	defer stop()
	snap, err := discover(ctx, conn, probes.DiscoverQuery{})
	if err != nil && !errors.Is(err, probes.ErrUnsupported) {
		return nil, err
	}
	names := map[string]string{}
	for _, c := range snap.Claims {
		if c.Node != nil {
			names[c.Node.ID] = c.Node.Name
		}
	}
	for _, c := range snap.Claims {
		if n := c.Node; n != nil && n.Kind != probes.NodePartition && n.Kind != probes.NodeMember {
			out = append(out, entry{Target: conn.Target.Name, Kind: string(n.Kind), Name: n.Name, Parent: names[n.Parent],
				Address: n.Addr, Health: healthWord(n.Health), Reason: n.Reason, Attributes: n.Attrs})
		}
	}
	slices.SortStableFunc(out, func(x, y entry) int { return strings.Compare(x.Kind+x.Name, y.Kind+y.Name) })
	if conn.Can("invoke") {
		methods, err := conn.Methods(ctx)
		if err != nil && !errors.Is(err, probes.ErrNotFound) {
			return out, err
		}
		for _, m := range methods {
			out = append(out, entry{Target: conn.Target.Name, Kind: "method", Name: m.Name, Parent: m.Group, Effect: m.Effect.String(),
				Streams: streams(m), Doc: m.Doc, Params: m.Params})
		}
	}
	return out, missing(conn, "listing", snap)
}

// discover asks once and merges what comes.
func discover(ctx context.Context, conn *probes.Conn, q probes.DiscoverQuery) (all probes.Snapshot, err error) {
	d, err := conn.Discoverer()
	if err != nil {
		return all, err
	}
	all.Complete = true
	for snap, err := range d.Discover(ctx, q) {
		if err != nil {
			return all, err
		}
		all.Claims = append(all.Claims, snap.Claims...)
		all.Missing = append(all.Missing, snap.Missing...)
		all.Complete = all.Complete && snap.Complete
	}
	return all, ctx.Err()
}

// missing turns what an answer left out into exit code 7.
func missing(conn *probes.Conn, op string, snap probes.Snapshot) error {
	if snap.Complete || len(snap.Claims) == 0 && len(snap.Missing) == 0 {
		return nil
	}
	return &probes.Error{Target: conn.Target.Name, Op: op, Kind: probes.ErrIncomplete,
		Err: errors.New(strings.Join(snap.Missing, "; "))}
}

func healthWord(h probes.Health) string {
	if h == probes.HealthUnknown {
		return ""
	}
	return h.String()
}

// streams names the kind of a gRPC call as its documentation does.
func streams(m probes.Method) string {
	switch {
	case m.ClientStream && m.ServerStream:
		return "bidi"
	case m.ClientStream:
		return "client"
	case m.ServerStream:
		return "server"
	}
	return ""
}

func (a *app) printEntries(entries []entry) error {
	if a.json() {
		for _, e := range entries {
			if err := a.printJSON(e); err != nil {
				return err
			}
		}
		return nil
	}
	var rows [][]string
	for _, e := range entries {
		rows = append(rows, []string{e.Target, e.Kind, e.Name, e.Address, e.Health + e.Streams, e.note()})
	}
	return a.table([]string{"TARGET", "KIND", "NAME", "ADDRESS", "STATE", "NOTE"}, rows)
}

// note is what a person has to know of an entry first: why it is ill, what is wrong
// with its contract, what it is for.
func (e *entry) note() string {
	if e.Reason != "" {
		return e.Reason
	}
	var warnings []string
	for _, at := range e.Attributes {
		if strings.HasSuffix(at.Name, ".warning") {
			warnings = append(warnings, at.Value)
		}
	}
	if len(warnings) > 0 {
		return "contract: " + strings.Join(warnings, "; ")
	}
	return e.Doc
}
