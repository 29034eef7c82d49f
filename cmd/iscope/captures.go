package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"iscope/inspectors/filter"
	"iscope/probes"
	"iscope/replay"
)

func capturesCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "captures [FILE...]",
		Short: "what capture files hold, and their records",
		Long: `captures prints what capture files say about themselves: where and when they
were recorded, how many records of what, what was masked or filtered, and
whether they are whole. Without a FILE it looks into the folder where the
dashboard puts them. captures show prints the records.`,
		Example: "  iscope captures\n  iscope captures orders.mcap -o json",
		Args:    args(0, -1),
		RunE:    func(_ *cobra.Command, args []string) error { return a.captures(args) },
	}
	cmd.AddCommand(capturesShowCmd(a))
	return cmd
}

// captures prints a line for each file. One that cannot be read does not hide
// the others.
func (a *app) captures(files []string) error {
	if len(files) == 0 {
		var err error
		if files, err = capturesIn(captureDir()); err != nil {
			return err
		}
	}
	var infos []replay.Info
	var failed []error
	for _, path := range files {
		r, err := replay.Open(path)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		infos = append(infos, r.Info())
		failed = append(failed, damaged(path, r.Damage()), r.Close())
	}
	if err := a.printCaptures(infos); err != nil {
		return err
	}
	return worst(slices.DeleteFunc(failed, func(err error) bool { return err == nil }))
}

// capturesIn lists the captures of a folder; one that does not exist has none.
func capturesIn(dir string) (files []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, &probes.Error{Op: "listing captures", Kind: probes.ErrUsage, Err: err}
	}
	for _, e := range entries {
		if strings.HasSuffix(strings.TrimSuffix(e.Name(), ".part"), ".mcap") && !e.IsDir() {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	return files, nil
}

func (a *app) printCaptures(infos []replay.Info) error {
	if a.json() {
		for i := range infos {
			if err := a.printJSON(&infos[i]); err != nil {
				return err
			}
		}
		return nil
	}
	var rows [][]string
	for i := range infos {
		f := &infos[i]
		rows = append(rows, []string{f.Path, fmt.Sprint(f.Records), fmt.Sprint(f.Size), captureSpan(f), captureSources(f), captureState(f)})
	}
	if len(rows) == 0 {
		a.note("no captures")
		return nil
	}
	return a.table([]string{"FILE", "RECORDS", "BYTES", "RECORDED", "FROM", "STATE"}, rows)
}

func captureSpan(f *replay.Info) string {
	if f.First.IsZero() {
		return "—"
	}
	return f.First.Local().Format(time.DateTime) + " + " + f.Last.Sub(f.First).Round(time.Second).String()
}

// captureSources are the targets that were recorded, with their environments.
func captureSources(f *replay.Info) string {
	var names []string
	for _, t := range f.Targets {
		name := t.Name
		if t.Environment != "" {
			name += " (" + t.Environment + ")"
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

// captureState is what a reader must know before trusting the file.
func captureState(f *replay.Info) string {
	state := "whole"
	if !f.Complete {
		state = "unfinished"
	}
	if f.Filter != "" {
		state += ", only " + f.Filter
	}
	return state
}

type captureShowOpts struct {
	filter  string
	limit   int
	schemas schemaOpts
}

func capturesShowCmd(a *app) *cobra.Command {
	var o captureShowOpts
	cmd := &cobra.Command{
		Use:   "show FILE",
		Short: "print the records of a capture",
		Long: `show prints the records of a capture in the order they were recorded, as tail
and invoke would have. It touches no system. Damaged parts are skipped,
counted, and end with exit code 7.`,
		Example: "  iscope captures show calls.mcap -q 'kind == \"end\" and err != nil'\n  iscope captures show orders.mcap --schema-registry http://127.0.0.1:8081",
		Args:    args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.limit < 0 {
				return usageError(cmd, errors.New("--limit takes no negative number"))
			}
			return a.showCapture(cmd.Context(), args[0], &o)
		},
	}
	cmd.Flags().IntVarP(&o.limit, "limit", "n", 0, "end after `N` records")
	o.schemas.flags(cmd)
	filterFlag(cmd, &o.filter, "print only what matches this `expression` or these words", filter.Complete)
	return cmd
}

func (a *app) showCapture(ctx context.Context, path string, o *captureShowOpts) error {
	match, err := a.recordFilter(o.filter)
	if err != nil {
		return err
	}
	r, err := replay.Open(path)
	if err != nil {
		return err
	}
	defer r.Close()
	dec, done, err := a.decodingFrom(ctx, o.schemas.merged(probes.Schemas{}), o.schemas.decode)
	if err != nil {
		return err
	}
	defer done()
	sink, flush := a.recordSink(a.captureColumns(r.Info()), dec)
	limit := &filterSink{next: sink, f: reading(match, dec.env), limit: int64(o.limit)}
	err = a.drain(ctx, limit, r.Records(ctx))
	if errors.Is(err, errLimitReached) {
		err = nil
	}
	return a.filteredError(match, errors.Join(err, flush()))
}

// captureColumns are those of the driver that recorded, or, where several did,
// what all records have.
func (a *app) captureColumns(i replay.Info) []probes.Column {
	name := ""
	for _, t := range i.Targets {
		if name != "" && name != t.Driver {
			name = ""
			break
		}
		name = t.Driver
	}
	if d, ok := probes.FindDriver(a.drivers, name); ok {
		return d.Columns
	}
	return []probes.Column{{Title: "SUBJECT", Attr: "subject", Width: 28}, {Title: "STATUS", Attr: probes.AttrStatus, Width: 14},
		{Title: "KEY", Attr: "key", Width: 16}, {Title: "SIZE", Attr: "size", Width: 8, Right: true}, {Title: "SUMMARY", Attr: "summary", Width: 40}}
}
