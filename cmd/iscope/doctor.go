package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"iscope/probes"
)

func doctorCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor [TARGET...]",
		Short: "check each target step by step",
		Long: `doctor checks each target (all of the environment, if none is named): resolve,
connect, and the driver's own check with TLS and credentials. It says which
step failed, why, and what to do next. It ends with the exit code of the
failure if one target failed, or 7 if several did in different ways.`,
		Args: args(0, -1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.doctor(cmd.Context(), args) },
	}
}

// checkup is one line of doctor. Its JSON fields are documented in README.md.
type checkup struct {
	Target string   `json:"target"`
	Driver string   `json:"driver"`
	Class  string   `json:"class"`
	Write  bool     `json:"write"`
	OK     bool     `json:"ok"`
	Steps  []step   `json:"steps"`
	Can    []string `json:"can,omitempty"`
	Hint   string   `json:"hint,omitempty"`

	err error
}

// step is one thing that was tried.
type step struct {
	Name   string  `json:"step"` // resolve, connect, check
	Detail string  `json:"detail,omitempty"`
	OK     bool    `json:"ok"`
	Millis float64 `json:"ms"`
	Error  string  `json:"error,omitempty"`
}

func (a *app) doctor(ctx context.Context, targets []string) error {
	conns, err := a.some(ctx, targets)
	if err != nil {
		return err
	}
	defer closeAll(conns)
	results := make([]checkup, len(conns))
	var wait sync.WaitGroup
	for i, conn := range conns {
		wait.Go(func() { results[i] = a.checkup(ctx, conn) })
	}
	wait.Wait()
	var failed []error
	for i := range results {
		if err := a.printCheckup(&results[i]); err != nil {
			return err
		}
		if results[i].err != nil {
			failed = append(failed, results[i].err)
		}
	}
	return verdict(failed)
}

// verdict keeps the kind of the failures if they share one.
func verdict(failed []error) error {
	if len(failed) <= 1 {
		return errors.Join(failed...)
	}
	kind := probes.KindOf(failed[0])
	for _, err := range failed[1:] {
		if probes.KindOf(err) != kind {
			kind = probes.ErrIncomplete
		}
	}
	return &probes.Error{Op: "checking", Kind: kind, Err: fmt.Errorf("%d targets failed", len(failed))}
}

func (a *app) checkup(ctx context.Context, conn *probes.Conn) checkup {
	t := conn.Target
	c := checkup{Target: t.Name, Driver: conn.Driver.Name, Class: string(t.Environment.Class), Write: t.Environment.Write}
	ctx, stop := context.WithTimeout(ctx, t.RequestTimeout())
	defer stop()
	addrs, _ := conn.Addresses(ctx) // the check says what is wrong with the configuration
	for _, addr := range addrs {
		if path, unix := strings.CutPrefix(addr, "unix:"); unix {
			c.try("connect", addr, func() error { return dial(ctx, "unix", path) })
		} else if c.try("resolve", addr, func() error { return resolve(ctx, addr) }) {
			c.try("connect", addr, func() error { return dial(ctx, "tcp", addr) })
		}
	}
	// The verdict is the driver's: a system of several brokers is well although
	// one address of it is not.
	c.OK = c.try("check", t.Driver, func() error {
		c.err = conn.Check(ctx)
		return c.err
	})
	if c.err != nil {
		c.Hint = a.policy.Text(probes.HintOf(c.err))
	}
	for i := range c.Steps {
		c.Steps[i].Error = a.policy.Text(c.Steps[i].Error)
	}
	c.Can = describeDriver(conn).Can
	return c
}

func (c *checkup) try(name, detail string, f func() error) bool {
	began := time.Now()
	err := f()
	s := step{Name: name, Detail: detail, OK: err == nil, Millis: float64(time.Since(began).Microseconds()) / 1000}
	if err != nil {
		s.Error = err.Error()
	}
	c.Steps = append(c.Steps, s)
	return err == nil
}

func resolve(ctx context.Context, addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	_, err = net.DefaultResolver.LookupHost(ctx, host)
	return err
}

func dial(ctx context.Context, network, addr string) error {
	var d net.Dialer
	c, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return err
	}
	return c.Close()
}

func (a *app) printCheckup(c *checkup) error {
	if a.json() {
		return a.printJSON(c)
	}
	mark := map[bool]string{true: "ok  ", false: "FAIL"}
	mode := "read-only"
	if c.Write {
		mode = "read-write"
	}
	fmt.Fprintf(a.out, "%s %s (%s, class %s, %s; can %s)\n", mark[c.OK], line(c.Target), c.Driver, c.Class, mode, strings.Join(c.Can, ", "))
	for _, s := range c.Steps {
		fmt.Fprintf(a.out, "  %s %-8s %s  %.1f ms  %s\n", mark[s.OK], s.Name, line(s.Detail), s.Millis, line(s.Error))
	}
	if c.Hint != "" {
		fmt.Fprintf(a.out, "  hint: %s\n", line(c.Hint))
	}
	return nil
}
