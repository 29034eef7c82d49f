package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The bench runs iscope and its peers side by side: on the same server and the
// same data, in one run, taking turns. A figure is written only when what each
// tool delivered, in every round, is what was sent. A new row is an entry in
// benchRows.

// benchOptions are the flags of the verb.
type benchOptions struct {
	out     string
	rounds  int
	records int
	// messages go through a RabbitMQ exchange.
	messages int
	calls    int
	rows     []string // by name, all if empty
}

// benchRow is a piece of work that iscope and other tools can do.
type benchRow struct {
	name   string // to choose it by
	work   func(o benchOptions) string
	server string // it is done on
	// prepare puts the data in place and returns what a tool has to deliver.
	prepare func(ctx context.Context, s *benchSite) (outcome, error)
	sides   []benchSide // iscope first, then its peers
	// live is set where the data come while a tool runs.
	live *liveRow
	// interrupt is set to measure how long each run takes to end when it is told to,
	// once it has written something.
	interrupt bool
}

// benchSide is how one tool does it.
type benchSide struct {
	tool string // "iscope", or a server whose address "binary" is a program
	args func(s *benchSite) []string
	// times is how often the program is run for one measurement, nil for once.
	times func(o benchOptions) int
	read  reader // of what was written to standard output
}

// benchSite is where a row is run.
type benchSite struct {
	opts      benchOptions
	dir       string            // a folder for it alone
	addresses map[string]string // of the row's server
	tools     map[string]benchTool
	topic     string // that prepare has filled, or an exchange
	turn      int    // counts measurements, for names
	// measurer is the command line of this program's measuring part.
	measurer []string
}

type benchTool struct{ path, version string }

// runBench is the verb: args are what follows it.
func runBench(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == measureVerb {
		return measureChild(ctx, args[1:])
	}
	o, err := benchFlags(args)
	if err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	rows, err := chooseRows(o.rows)
	if err != nil {
		return err
	}
	root, err := findRoot()
	if err != nil {
		return err
	}
	b, err := newBed(root, servers(), strings.Join(rowServers(rows), ","), "")
	if err != nil {
		return err
	}
	report, err := b.bench(ctx, o, rows)
	if err != nil {
		return err
	}
	return errors.Join(report.write(o.out), report.problem())
}

func benchFlags(args []string) (o benchOptions, err error) {
	fs := flag.NewFlagSet("testenv bench", flag.ContinueOnError)
	fs.StringVar(&o.out, "out", "", "`file` for the table (default: standard output)")
	fs.IntVar(&o.rounds, "rounds", 5, "how often each tool does each row")
	fs.IntVar(&o.records, "records", 2_000_000, "Kafka records of 500 bytes")
	fs.IntVar(&o.messages, "messages", 200_000, "RabbitMQ messages of 500 bytes")
	fs.IntVar(&o.calls, "calls", 20, "gRPC calls in one measurement, a process each")
	fs.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: go run ./cmd/testenv bench [flags] [ROW ...]\n\nrows:")
		for _, r := range benchRows() {
			fmt.Fprintf(os.Stderr, "  %-16s needs %s\n", r.name, strings.Join(rowServers([]benchRow{r}), ", "))
		}
		fmt.Fprintln(os.Stderr, "\nflags:")
		fs.PrintDefaults()
	}
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if min(o.rounds, o.records, o.messages, o.calls) < 1 {
		return o, errors.New("-rounds, -records, -messages and -calls must be at least 1")
	}
	o.rows = fs.Args()
	return o, nil
}

// chooseRows returns the named rows, or all.
func chooseRows(names []string) (rows []benchRow, err error) {
	all := benchRows()
	for _, name := range names {
		i := slices.IndexFunc(all, func(r benchRow) bool { return r.name == name })
		if i < 0 {
			var known []string
			for _, r := range all {
				known = append(known, r.name)
			}
			return nil, fmt.Errorf("no row %q; there are %s", name, strings.Join(known, ", "))
		}
		rows = append(rows, all[i])
	}
	if len(names) == 0 {
		return all, nil
	}
	return rows, nil
}

// rowServers are the servers and tools that rows need.
func rowServers(rows []benchRow) (names []string) {
	for _, r := range rows {
		names = append(names, r.server)
		for _, side := range r.sides {
			if side.tool != iscope {
				names = append(names, side.tool)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// bench starts what the rows need, runs them and stops it.
func (b *bed) bench(ctx context.Context, o benchOptions, rows []benchRow) (r benchReport, err error) {
	dir, err := os.MkdirTemp("", fmt.Sprint(runs, os.Getpid(), "-bench-")) // swept like that of the servers
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(dir)
	fmt.Fprintln(os.Stderr, "testenv: building iscope …")
	own, err := buildIscope(ctx, b.root, dir)
	if err != nil {
		return r, err
	}
	fmt.Fprintln(os.Stderr, "testenv: starting", strings.Join(nameAll(b.chosen), ", "), "…")
	defer func() { b.stop(err != nil && ctx.Err() == nil) }()
	if err := b.start(ctx); err != nil {
		return r, err
	}
	self, err := os.Executable()
	if err != nil {
		return r, err
	}
	r.begin(o)
	for _, row := range rows {
		s := &benchSite{opts: o, dir: filepath.Join(dir, row.name), tools: map[string]benchTool{iscope: own},
			measurer: []string{self, "bench", measureVerb}}
		result := b.benchRow(ctx, s, row)
		if err := ctx.Err(); err != nil {
			return r, err
		}
		r.rows = append(r.rows, result)
		os.RemoveAll(s.dir)
	}
	return r, b.died()
}

// benchRow runs one row, or says why it cannot be run.
func (b *bed) benchRow(ctx context.Context, s *benchSite, row benchRow) rowResult {
	for _, name := range rowServers([]benchRow{row}) {
		a := b.answers[name]
		if !a.OK {
			return rowResult{work: row.work(s.opts), problem: "not run: " + name + ": " + a.Reason}
		}
		if name == row.server {
			s.addresses = a.Addresses
		} else {
			s.tools[name] = benchTool{a.Addresses["binary"], a.Version}
		}
	}
	result := s.run(ctx, row)
	result.server = row.server + " " + b.answers[row.server].Version
	return result
}

// buildIscope builds the checkout, so that what is measured is what is there.
func buildIscope(ctx context.Context, root, dir string) (benchTool, error) {
	path := filepath.Join(dir, iscope)
	if err := quiet(ctx, root, nil, "go", "build", "-trimpath", "-o", path, "./cmd/iscope"); err != nil {
		return benchTool{}, fmt.Errorf("building iscope: %w", err)
	}
	version, err := iscopeVersion(ctx, path)
	return benchTool{path, version}, err
}
