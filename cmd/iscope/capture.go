package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"iscope/inspectors/filter"
	"iscope/probes"
	"iscope/probes/tap"
	"iscope/replay"
	"iscope/replay/proxy"
)

type captureOpts struct {
	tailOpts
	file   string
	listen string
	to     string
	raw    bool
	sync   bool
}

func captureCmd(a *app) *cobra.Command {
	var o captureOpts
	cmd := &cobra.Command{
		Use:   "capture TARGET/SUBJECT... -w FILE",
		Short: "record streams or proxied calls to a file",
		Long: `capture records to an MCAP file that replay sends again: the streams of the
targets named, or, with --listen and --to, the HTTP/1.1, HTTP/2 and gRPC calls
that pass through a reverse proxy it opens.

Nothing is dropped: a slow disk slows the reading down. Secrets are masked as
records are written. The file is readable by its owner only, is never
overwritten, and is called FILE.part until it is finished.`,
		Example: `  iscope capture orders-kafka/orders.created -w orders.mcap --for 1m
  iscope capture orders-kafka/orders.created -w last.mcap --last 500
  iscope capture --listen 127.0.0.1:9000 --to http://127.0.0.1:8080 -w calls.mcap --limit 100`,
		Args: args(0, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(cmd, args); err != nil {
				return err
			}
			return a.capture(cmd.Context(), args, o)
		},
	}
	filterFlag(cmd, &o.filter, "record only what matches this `expression` or these words", filter.Complete)
	f := cmd.Flags()
	f.StringVarP(&o.file, "write-to", "w", "", "the `FILE` to write")
	f.IntVar(&o.limit, "limit", 0, "end after `N` records")
	f.DurationVar(&o.duration, "for", 0, "end after that `time`")
	f.IntVar(&o.last, "last", 0, "of each stream, the newest `N` records, then end")
	f.BoolVarP(&o.follow, "follow", "f", false, "go on after --last")
	f.StringVar(&o.from, "from", "", "start at beginning, latest, an offset, @TIME or -DURATION")
	f.StringVar(&o.until, "until", "", "end at end (what exists now), an offset or @TIME")
	f.StringVar(&o.listen, "listen", "", "record as a reverse proxy on this `address`")
	f.StringVar(&o.to, "to", "", "where the proxy sends calls on: a `URL` or a configured target")
	f.BoolVar(&o.raw, "unredacted", false, "keep secrets in the file; it says so in its metadata")
	f.BoolVar(&o.sync, "sync", false, "ask the system to write every chunk to the disk")
	return cmd
}

func (o *captureOpts) check(cmd *cobra.Command, args []string) error {
	switch {
	case o.file == "":
		return usageError(cmd, errors.New("-w FILE is needed"))
	case (o.listen == "") != (o.to == ""):
		return usageError(cmd, errors.New("--listen and --to belong together"))
	case o.listen == "" && len(args) == 0:
		return usageError(cmd, errors.New("nothing to capture: name a target, or use --listen and --to"))
	case o.listen != "" && o.filter != "":
		return usageError(cmd, errors.New("--filter would take calls apart: choose when they are replayed"))
	case o.listen != "" && len(args) > 0:
		return usageError(cmd, errors.New("either streams or a proxy, not both in one file"))
	}
	return nil
}

func (a *app) capture(ctx context.Context, args []string, o captureOpts) error {
	opts := replay.WriterOptions{Version: version, Redact: a.policy.Record, Redaction: a.policy.String(), Filter: a.policy.Text(o.filter), Sync: o.sync}
	if o.raw {
		opts.Redact, opts.Redaction = nil, "none: --unredacted was given"
	}
	match, err := a.recordFilter(o.filter)
	if err != nil {
		return err
	}
	record := func(w *replay.Writer) error { return a.captureStreams(ctx, args, o, w, match) }
	if o.listen != "" {
		record = func(w *replay.Writer) error { return a.captureProxy(ctx, o, w) }
	}
	w, err := replay.Create(o.file, opts)
	if err != nil {
		return err
	}
	err = record(w)
	sum, closeErr := w.Close()
	switch {
	case closeErr != nil:
	case err == nil, errors.Is(err, probes.ErrIncomplete), errors.Is(err, context.Canceled):
		closeErr = a.printSummary(sum)
	case sum.Records == 0 && sum.Gaps == 0: // it never began; an empty file would refuse the next attempt
		closeErr = os.Remove(sum.Path)
	}
	return errors.Join(err, closeErr)
}

func (a *app) printSummary(s replay.Summary) error {
	if a.json() {
		return a.printJSON(s)
	}
	_, err := fmt.Fprintf(a.out, "%s: %d records, %d gaps, %d bytes\n", line(s.Path), s.Records, s.Gaps, s.Bytes)
	return err
}

// captureStreams tails every target into one file. The limit counts all of
// them together.
func (a *app) captureStreams(ctx context.Context, args []string, o captureOpts, w *replay.Writer, match *filter.Filter) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	sink := &limitSink{next: w, left: int64(o.limit), limited: o.limit > 0, full: func() { stop(errLimitReached) }}
	o.limit = 0
	var wait sync.WaitGroup
	errs := make([]error, len(args))
	for i, arg := range args {
		wait.Go(func() {
			errs[i] = a.captureStream(ctx, arg, o, w, sink, match)
			if errs[i] != nil && !errors.Is(errs[i], probes.ErrIncomplete) {
				stop(errs[i]) // one stream that cannot be read ends them all
			}
		})
	}
	wait.Wait()
	switch cause := context.Cause(ctx); {
	case cause == errLimitReached || cause == nil:
		return errors.Join(errs...)
	default:
		return cause
	}
}

var errLimitReached = errors.New("the number given with --limit is reached")

func (a *app) captureStream(ctx context.Context, arg string, o captureOpts, w *replay.Writer, sink tap.Sink, match *filter.Filter) error {
	return a.withTarget(ctx, arg, func(conn *probes.Conn, subject string) error {
		q, err := o.query(subject, time.Now())
		if err != nil {
			return err
		}
		info, err := replay.TargetOf(ctx, conn)
		if err != nil {
			return err
		}
		if err := w.AddTarget(info); err != nil {
			return err
		}
		match, done, err := a.readingAs(ctx, conn, match)
		if err != nil {
			return err
		}
		defer done()
		stats, err := a.tap(ctx, conn, q, o.tailOpts, o.filtered(match, &q, sink))
		if context.Cause(ctx) == errLimitReached {
			err = nil
		}
		if err == nil {
			err = lossError(arg, stats)
		}
		return a.filteredError(match, err)
	})
}

// limitSink lets so many records through to the file and then says that it is
// full. Notices and gaps pass uncounted.
type limitSink struct {
	next    *replay.Writer
	limited bool
	left    int64
	full    func()
}

// Write passes a record on unless the limit has been reached.
func (s *limitSink) Write(ctx context.Context, r probes.Record) error {
	if !s.limited || r.Kind == probes.Gap || r.Kind == probes.Notice {
		return s.next.Write(ctx, r)
	}
	left := atomic.AddInt64(&s.left, -1)
	if left < 0 {
		return nil
	}
	err := s.next.Write(ctx, r)
	if left == 0 {
		s.full()
	}
	return err
}

// captureProxy records what passes through until interrupted, the limit (of
// finished calls) or the time is up.
func (a *app) captureProxy(ctx context.Context, o captureOpts, w *replay.Writer) error {
	to, info, secure, err := a.proxyTarget(o.to)
	if err != nil {
		return err
	}
	if err := w.AddTarget(info); err != nil {
		return err
	}
	ctx, end := o.bounded(ctx)
	defer end()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	err = proxy.Serve(ctx, proxy.Options{Listen: o.listen, To: to, TLS: secure, Target: info.Name,
		Sink: &callLimit{next: w, left: int64(o.limit), limited: o.limit > 0, full: func() { stop(errLimitReached) }},
		OnReady: func(addr net.Addr) {
			fmt.Fprintf(a.err, "iscope: recording %s at %s; Ctrl-C ends it\n", line(to.Redacted()), addr)
		}})
	switch cause := context.Cause(ctx); {
	case cause == errLimitReached, cause == errTimeUp:
		return nil
	case err == nil:
		return cause // interrupted, as streams are
	}
	return err
}

// proxyTarget resolves --to: the URL to send on to, and what the file remembers
// of it.
func (a *app) proxyTarget(arg string) (*url.URL, replay.TargetInfo, probes.TLS, error) {
	t, _, err := a.target(arg)
	if err != nil {
		return nil, replay.TargetInfo{}, t.TLS, err
	}
	to := &url.URL{Scheme: "http", Host: t.Address}
	switch {
	case t.Driver == "http":
		if to, err = url.Parse(t.Address); err != nil || to.Host == "" {
			to = &url.URL{Scheme: "http", Host: t.Address}
		}
	case t.Driver != "grpc":
		return nil, replay.TargetInfo{}, t.TLS, &probes.Error{Target: t.Name, Op: "opening the proxy", Kind: probes.ErrUsage,
			Err: fmt.Errorf("a %s target cannot stand behind an HTTP proxy", t.Driver), Hint: "tail it instead: iscope capture " + arg}
	}
	if t.TLS.Enabled {
		to.Scheme = "https"
	}
	return to, replay.TargetInfo{Name: t.Name, Driver: t.Driver, Address: t.Address,
		Environment: t.Environment.Name, Class: t.Environment.Class}, t.TLS, nil
}

// callLimit counts finished calls, so that the last one is recorded whole.
type callLimit struct {
	next    *replay.Writer
	limited bool
	left    int64
	full    func()
}

// Write passes every record on.
func (s *callLimit) Write(ctx context.Context, r probes.Record) error {
	err := s.next.Write(ctx, r)
	if s.limited && r.Kind == probes.End && atomic.AddInt64(&s.left, -1) == 0 {
		s.full()
	}
	return err
}
