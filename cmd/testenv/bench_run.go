package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// rowResult is a row of the table: figures of all tools, or a problem and none.
type rowResult struct {
	work    string
	server  string
	problem string
	live    bool // was fed while the tools ran
	sides   []sideResult
}

type sideResult struct {
	tool    string // with its version
	samples []sample
}

// run prepares a row's data and lets the tools take turns, each going first in
// every other round. The first result that is wrong ends it.
func (s *benchSite) run(ctx context.Context, row benchRow) rowResult {
	r := rowResult{work: row.work(s.opts), live: row.live != nil}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return r.fail(err)
	}
	fmt.Fprintln(os.Stderr, "testenv: preparing:", r.work)
	want, err := row.prepare(ctx, s)
	if err != nil {
		return r.fail(fmt.Errorf("not run: preparing: %w", err))
	}
	for _, side := range row.sides {
		tool := s.tools[side.tool]
		r.sides = append(r.sides, sideResult{tool: side.tool + " " + tool.version})
	}
	for round := range s.opts.rounds {
		fmt.Fprintf(os.Stderr, "testenv: round %d of %d\n", round+1, s.opts.rounds)
		for i := range row.sides {
			turn := i
			if round%2 == 1 {
				turn = len(row.sides) - 1 - i
			}
			m, err := s.once(ctx, row, row.sides[turn], want)
			if err != nil {
				return r.fail(fmt.Errorf("%s %w", r.sides[turn].tool, err))
			}
			r.sides[turn].samples = append(r.sides[turn].samples, m)
		}
	}
	return r
}

// fail leaves no figure in the row.
func (r rowResult) fail(err error) rowResult {
	return rowResult{work: r.work, problem: err.Error()}
}

var errDisagrees = errors.New("disagrees")

// once measures one tool and compares what it delivered with what was wanted.
func (s *benchSite) once(ctx context.Context, row benchRow, side benchSide, want outcome) (sample, error) {
	times := 1
	if side.times != nil {
		times = side.times(s.opts)
	}
	file := filepath.Join(s.dir, "output")
	defer os.Remove(file)
	run := func(ctx context.Context) (sample, error) {
		o := measureOptions{times: times, interrupt: row.interrupt, file: file}
		return s.measure(ctx, append([]string{s.tools[side.tool].path}, side.args(s)...), o)
	}
	var m sample
	var err error
	if row.live != nil {
		m, err = s.measureLive(ctx, row.live, run)
	} else {
		m, err = run(ctx)
	}
	if err != nil {
		return m, fmt.Errorf("failed: %w", err)
	}
	output, err := os.Open(file)
	if err != nil {
		return m, err
	}
	defer output.Close()
	got, err := side.read(output)
	if err != nil {
		return m, fmt.Errorf("%w: its output is not what it should be: %w", errDisagrees, err)
	}
	if why := got.differs(want); why != "" {
		return m, fmt.Errorf("%w: %s", errDisagrees, why)
	}
	return m, nil
}
