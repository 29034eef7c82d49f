package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// benchReport is all there is to say of one run of the bench.
type benchReport struct {
	opts benchOptions
	on   string // when and on what kind of machine
	rows []rowResult
}

func (r *benchReport) begin(o benchOptions) {
	r.opts = o
	r.on = fmt.Sprintf("%s, %s/%s with %d CPUs, %s", time.Now().UTC().Format("2006-01-02 15:04 UTC"), runtime.GOOS, runtime.GOARCH,
		runtime.NumCPU(), runtime.Version())
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		one, _, _ := strings.Cut(string(load), " ")
		r.on += ", load " + one + " before"
	}
}

// problem is an error if a row has no figures, for scripts.
func (r *benchReport) problem() error {
	var errs []error
	for _, row := range r.rows {
		if row.problem != "" {
			errs = append(errs, fmt.Errorf("%s: %s", row.work, row.problem))
		}
	}
	return errors.Join(errs...)
}

// write writes the table to a file, or to standard output where there is none or
// it cannot be written: the figures took minutes.
func (r *benchReport) write(file string) error {
	table := r.markdown()
	if file != "" {
		err := os.WriteFile(file, []byte(table), 0o644)
		if err == nil {
			return nil
		}
		defer fmt.Fprintln(os.Stderr, "testenv: the table is on standard output instead:", err)
	}
	_, err := os.Stdout.WriteString(table)
	return err
}

// markdown is the table.
func (r *benchReport) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# iscope beside its peers\n\n%s.\nMedian of %d rounds (lowest to highest), the tools taking turns on the same server and data.\n", r.on, r.opts.rounds)
	b.WriteString("CPU is user and system of the tool alone; backlog is the most that was seen waiting at the broker. What every tool delivered in every round, in number and content, was what had been sent.\n\n")
	b.WriteString("| work | tool | CPU s | wall s | peak RSS MB | output MB | backlog | iscope ÷ peer: CPU | wall | RSS |\n|---|---|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, row := range r.rows {
		if row.problem != "" {
			fmt.Fprintf(&b, "| %s | %s |  |  |  |  |  |  |  |  |\n", cell(row.work), cell(row.problem))
			continue
		}
		for i, side := range row.sides {
			work, ratios := "", " |  | "
			if i == 0 {
				work = cell(row.work + ", on " + row.server)
			} else {
				ratios = row.sides[0].dividedBy(side)
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", work, cell(side.tool), side.spread(cpuSeconds), side.spread(wallSeconds),
				number(side.median(peakMB)), number(side.median(outputMB)), side.backlog(row), ratios)
		}
	}
	return b.String()
}

// cell makes text fit for a cell: problems hold whole logs.
func cell(text string) string {
	text = strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", "\\|")
	if runes := []rune(text); len(runes) > 400 {
		text = string(runes[:400]) + "…"
	}
	return text
}

func cpuSeconds(m sample) float64  { return m.CPU.Seconds() }
func wallSeconds(m sample) float64 { return m.Wall.Seconds() }
func peakMB(m sample) float64      { return float64(m.RSS) / 1e6 }
func outputMB(m sample) float64    { return float64(m.bytes) / 1e6 }

// backlog is the largest of all rounds, if there was any to have.
func (r sideResult) backlog(row rowResult) string {
	if !row.live {
		return ""
	}
	most := 0
	for _, m := range r.samples {
		most = max(most, m.Backlog)
	}
	return fmt.Sprint(most)
}

// sorted are the values of all rounds, the lowest first.
func (r sideResult) sorted(of func(sample) float64) (values []float64) {
	for _, m := range r.samples {
		values = append(values, of(m))
	}
	slices.Sort(values)
	return values
}

func (r sideResult) median(of func(sample) float64) float64 {
	values := r.sorted(of)
	middle := len(values) / 2
	if len(values)%2 == 0 {
		return (values[middle-1] + values[middle]) / 2
	}
	return values[middle]
}

// spread is the median with the extremes.
func (r sideResult) spread(of func(sample) float64) string {
	values := r.sorted(of)
	return fmt.Sprintf("%s (%s–%s)", number(r.median(of)), number(values[0]), number(values[len(values)-1]))
}

// dividedBy are the last three cells of a peer.
func (r sideResult) dividedBy(peer sideResult) string {
	var ratios []string
	for _, of := range []func(sample) float64{cpuSeconds, wallSeconds, peakMB} {
		ratios = append(ratios, fmt.Sprintf("%.2f", r.median(of)/peer.median(of)))
	}
	return strings.Join(ratios, " | ")
}

// number has three digits that mean something.
func number(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3f", v)
}
