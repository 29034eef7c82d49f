package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"iscope/probes"
	"iscope/replay/request"
)

// history is the user's; it keeps nothing where it is switched off.
func (a *app) history() *request.History { return request.OpenHistory(os.Getenv) }

func historyCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "history",
		Short: "the calls you have made, without their secrets",
		Long: `history lists the calls that invoke, run and the dashboard have made, shows one,
and makes it again. Values that are secrets are not in it: they have to be given
again with -H, -p or -d. It holds the newest 500, in a file that only you can
read; ISCOPE_HISTORY names another file, or is off.`,
		Example: "  iscope history\n  iscope history show\n  iscope history run 42 -H 'authorization: Bearer …'\n  iscope history clear",
		Args:    args(0, 0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.listHistory(20) },
	}
	n := 20
	ls := &cobra.Command{Use: "ls", Short: "list the newest calls", Args: args(0, 0),
		RunE: func(*cobra.Command, []string) error { return a.listHistory(n) }}
	ls.Flags().IntVarP(&n, "last", "n", 20, "the newest `N`; 0 lists all")
	show := &cobra.Command{Use: "show [N]", Short: "show a call, the newest without a number", Args: args(0, 1),
		RunE: func(_ *cobra.Command, args []string) error { return a.showHistory(args) }}
	clear := &cobra.Command{Use: "clear", Short: "forget all calls", Args: args(0, 0),
		RunE: func(*cobra.Command, []string) error {
			n, err := a.history().Clear()
			if err == nil {
				a.note("%d calls forgotten", n)
			}
			return err
		}}
	run := a.historyRunCmd()
	show.ValidArgsFunction, run.ValidArgsFunction = a.completeCalls, a.completeCalls
	cmd.AddCommand(ls, show, run, clear)
	return cmd
}

// completeCalls offers the numbers of the newest calls.
func (a *app) completeCalls(_ *cobra.Command, args []string, _ string) (out []string, _ cobra.ShellCompDirective) {
	all, err := a.history().List()
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	for i := len(all) - 1; i >= max(0, len(all)-30); i-- {
		out = append(out, cobra.CompletionWithDesc(strconv.Itoa(all[i].N), line(all[i].Target+" "+all[i].Method)))
	}
	return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

func (a *app) historyRunCmd() *cobra.Command {
	var o invokeOpts
	cmd := &cobra.Command{Use: "run [N]", Short: "make a call again, the newest without a number; -H, -p and -d replace what it had", Args: args(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.runHistory(cmd.Context(), cmd, args, o) }}
	o.flags(cmd)
	targetFlags(a, cmd)
	return cmd
}

// entry is the call that was named, or the newest.
func (a *app) entry(args []string) (request.Entry, error) {
	arg := "-1"
	if len(args) > 0 {
		arg = args[0]
	}
	n, err := strconv.Atoi(arg)
	if err != nil || n == 0 {
		return request.Entry{}, &probes.Error{Op: "looking into the history", Kind: probes.ErrUsage,
			Err: fmt.Errorf("%q is no number of a call", arg), Hint: "list them with: iscope history"}
	}
	return a.history().Get(n)
}

// entryText is the JSON of an entry.
type entryText struct {
	Kind string `json:"kind"` // "call"
	request.Entry
	Missing []string `json:"missing,omitempty"`
}

func (a *app) listHistory(n int) error {
	all, err := a.history().List()
	if err != nil {
		return err
	}
	if n > 0 && len(all) > n {
		all = all[len(all)-n:]
	}
	if a.json() {
		for i := range all {
			if err := a.printJSON(entryText{"call", all[i], all[i].Missing()}); err != nil {
				return err
			}
		}
		return nil
	}
	if len(all) == 0 {
		a.note("there are no calls in the history")
		return nil
	}
	rows := make([][]string, len(all))
	for i := range all {
		e := &all[i]
		status := e.Status
		if status == "" {
			status = "—"
		}
		rows[i] = []string{strconv.Itoa(e.N), e.Time.Local().Format("01-02 15:04:05"), status,
			fmt.Sprintf("%.1f ms", float64(e.Took)/1000), e.Environment, e.Target, e.Method + briefly(e, max(20, a.width()-100))}
	}
	return a.table([]string{"N", "TIME", "STATUS", "TOOK", "ENVIRONMENT", "TARGET", "METHOD"}, rows)
}

// briefly tells calls of one method apart.
func briefly(e *request.Entry, widest int) string {
	var b strings.Builder
	for _, p := range e.Params {
		b.WriteString("  " + p.Name + "=" + p.Value)
	}
	for _, d := range e.Documents {
		var flat bytes.Buffer
		if json.Compact(&flat, []byte(d)) == nil {
			d = flat.String()
		}
		b.WriteString("  " + d)
	}
	if r := []rune(b.String()); len(r) > widest {
		return string(r[:widest-1]) + "…"
	}
	return b.String()
}

func (a *app) showHistory(args []string) error {
	e, err := a.entry(args)
	if err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(entryText{"call", e, e.Missing()})
	}
	fmt.Fprintf(a.out, "call %d  %s  %s  %.1f ms\n", e.N, e.Time.Local().Format(time.DateTime), line(e.Status), float64(e.Took)/1000)
	if e.Err != "" {
		fmt.Fprintf(a.out, "  %s\n", line(e.Err))
	}
	if e.Trace != "" {
		fmt.Fprintf(a.out, "  trace %s\n", line(e.Trace))
	}
	text, err := request.Command(request.IScope, &e.Request, nil, nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "\n%s\n", block(text.Text))
	if e.Cut {
		fmt.Fprintln(a.out, "\nits documents were too large to be kept")
	}
	if missing := e.Missing(); len(missing) > 0 {
		fmt.Fprintf(a.out, "\nnot kept: %s\n", line(strings.Join(missing, ", ")))
	}
	return nil
}

// runHistory makes a call again, in the environment it was made in unless
// another is named.
func (a *app) runHistory(ctx context.Context, cmd *cobra.Command, args []string, o invokeOpts) error {
	e, err := a.entry(args)
	if err != nil {
		return err
	}
	given, err := a.invocation(probes.Method{Name: e.Method}, o)
	if err != nil {
		return err
	}
	e.Params = override(e.Params, given.Params)
	var header []probes.Attr
	for _, h := range given.Header {
		header = append(header, probes.Attr{Name: h.Name, Value: string(h.Value)})
	}
	e.Header = override(e.Header, header)
	if given.Next != nil {
		e.Documents, e.Cut = nil, false
	}
	if missing := e.Missing(); len(missing) > 0 || e.Cut {
		if e.Cut {
			missing = append(missing, "the documents, which were too large")
		}
		return &probes.Error{Target: e.Target, Op: fmt.Sprintf("repeating call %d", e.N), Kind: probes.ErrUsage,
			Err: errors.New("not in the history: " + strings.Join(missing, ", ")), Hint: "give it with -H, -p or -d"}
	}
	if a.env == "" && !probes.IsURL(e.Target) {
		a.env = e.Environment
	}
	a.recallSpot(&e.Request, cmd)
	return a.withTarget(ctx, e.Target, func(conn *probes.Conn, _ string) error {
		m, err := findMethod(ctx, conn, e.Method)
		if err != nil {
			return err
		}
		in := e.Invocation()
		in.Method = m.Name
		if given.Next != nil {
			in.Next = given.Next
		}
		if f := cmd.Flags(); f.Changed("deadline") {
			in.Deadline = o.deadline
		}
		c := newCall(a, conn, e.Target, m, in, o)
		switch {
		case o.print != "":
			return c.print(ctx, request.Style(o.print))
		case o.save != "":
			return c.save(ctx, o.save)
		}
		return c.run(ctx)
	})
}

// recallSpot takes over what was said of the target on the spot then, unless it
// is said anew.
func (a *app) recallSpot(r *request.Request, cmd *cobra.Command) {
	if !cmd.Flags().Changed("option") {
		for _, o := range r.Options {
			a.spot.set = append(a.spot.set, o.Name+"="+o.Value)
		}
	}
	if r.TLS != nil && a.spot.tls() == nil {
		a.spot.ca, a.spot.cert, a.spot.key = r.TLS.CA, r.TLS.Cert, r.TLS.Key
		a.spot.server, a.spot.insecure = r.TLS.Server, r.TLS.Insecure
	}
}

// override replaces what is given anew and adds what was not there.
func override(old, given []probes.Attr) []probes.Attr {
	var out []probes.Attr
	for _, o := range old {
		again := false
		for _, g := range given {
			again = again || strings.EqualFold(o.Name, g.Name)
		}
		if !again {
			out = append(out, o)
		}
	}
	return append(out, given...)
}
