package main

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"

	"github.com/spf13/cobra"

	"iscope/inspectors"
	"iscope/inspectors/filter"
	"iscope/probes"
	"iscope/probes/tap"
)

// filterCmd is a page of help, not a verb.
func filterCmd() *cobra.Command {
	return &cobra.Command{Use: "filter", Short: "the language of --filter", Long: strings.TrimSpace(filter.Help())}
}

// filterFlag adds --filter to a verb. What it completes to depends on whether
// the verb prints records or rows.
func filterFlag(cmd *cobra.Command, to *string, usage string, complete func(string) []filter.Candidate) {
	cmd.Flags().StringVarP(to, "filter", "q", "", usage+"; see iscope help filter")
	// The only error is a flag that does not exist.
	_ = cmd.RegisterFlagCompletionFunc("filter", func(_ *cobra.Command, _ []string, begun string) (out []string, _ cobra.ShellCompDirective) {
		for _, c := range complete(begun) {
			out = append(out, cobra.CompletionWithDesc(c.Text, c.Doc))
		}
		return out, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
	})
}

// filterError makes an error of the command line of a filter that does not
// compile.
func filterError(err error) error {
	hint := ""
	var e *filter.Error
	if errors.As(err, &e) {
		hint = e.Hint
	}
	return &probes.Error{Op: "reading --filter", Kind: probes.ErrUsage, Err: err, Hint: hint}
}

// recordFilter compiles --filter for records; nil lets everything through.
func (a *app) recordFilter(source string) (*filter.Filter, error) {
	if source == "" {
		return nil, nil
	}
	f, err := filter.Compile(source)
	if err != nil {
		return nil, filterError(err)
	}
	return reading(f, inspectors.Env{}), nil
}

// reading makes a filter decode with what the environment offers. nil stays nil.
func reading(f *filter.Filter, env inspectors.Env) *filter.Filter {
	if f == nil {
		return nil
	}
	return f.Decoding(func(ctx context.Context, r *probes.Record) ([]byte, error) {
		text, _, err := inspectors.Decode(ctx, r, env)
		return text, err
	})
}

// readingAs makes a filter decode as the target's configuration says. Call done
// when it is no longer used.
func (a *app) readingAs(ctx context.Context, conn *probes.Conn, f *filter.Filter) (_ *filter.Filter, done func(), err error) {
	if f == nil {
		return nil, func() {}, nil
	}
	dec, done, err := a.decoding(ctx, conn, &schemaOpts{})
	if err != nil {
		return nil, nil, err
	}
	return reading(f, dec.env), done, nil
}

// rowFilter compiles --filter for rows; nil lets everything through.
func (a *app) rowFilter(source string) (*filter.RowFilter, error) {
	if source == "" {
		return nil, nil
	}
	f, err := filter.CompileRows(source)
	if err != nil {
		return nil, filterError(err)
	}
	return f, nil
}

// judgedError joins to a verb's error that some records or rows could not be
// judged: they are missing from what it printed. What ends for another reason
// keeps that, and says it beside.
func (a *app) judgedError(s filter.Stats, noun string, err error) error {
	if s.Matched == 0 && len(s.Absent) > 0 {
		a.warn("filter: nothing matched, and of the %s looked into, none has %s", noun, strings.Join(s.Absent, ", "))
	}
	line := s.Unjudged(noun)
	switch {
	case line == "":
		return err
	case err == nil || errors.Is(err, probes.ErrIncomplete):
		return errors.Join(err, unjudged(line))
	}
	a.warn("%v", unjudged(line))
	return err
}

// unjudged is how many records or rows could not be judged, and why.
type unjudged string

func (e unjudged) Error() string { return "filter: " + string(e) }

func (unjudged) Unwrap() error { return probes.ErrIncomplete }

// filterSink passes on what matches. Gaps and notices pass: they are about the
// stream, not in it.
type filterSink struct {
	next    tap.Sink
	f       *filter.Filter // nil lets everything through
	limit   int64          // of matching records, 0: none
	passed  atomic.Int64
	maxBody int // bytes of each body that are passed on, 0: all
}

// Write passes a record on if it matches. After the last that the limit allows
// it returns errLimitReached.
func (s *filterSink) Write(ctx context.Context, r probes.Record) error {
	if r.Kind == probes.Gap || r.Kind == probes.Notice {
		return s.next.Write(ctx, r)
	}
	if s.f != nil {
		if ok, _ := s.f.Match(ctx, &r); !ok { // what cannot be judged is counted
			return nil
		}
	}
	if left := len(r.Body) - s.maxBody; s.maxBody > 0 && left > 0 {
		r.Body, r.Cut = r.Body[:s.maxBody], r.Cut+int64(left)
	}
	if err := s.next.Write(ctx, r); err != nil {
		return err
	}
	if n := s.passed.Add(1); n == s.limit {
		return errLimitReached
	}
	return nil
}

// filtered puts a filter before a sink. The limit and the cutting of bodies are
// then the sink's business: the one counts what matches, the other must not
// hide from the filter what it asks for.
func (o *tailOpts) filtered(f *filter.Filter, q *probes.TailQuery, sink tap.Sink) tap.Sink {
	if f == nil {
		return sink
	}
	s := &filterSink{next: sink, f: f, limit: int64(o.limit), maxBody: q.MaxBody}
	o.limit, q.MaxBody = 0, 0
	return s
}

// filteredError is judgedError for a filter that may be nil.
func (a *app) filteredError(f *filter.Filter, err error) error {
	if f == nil {
		return err
	}
	return a.judgedError(f.Stats(), "records", err)
}

// row is an entry of list as filters see it.
func (e *entry) row() *filter.Row {
	return &filter.Row{Kind: e.Kind, Name: e.Name, Target: e.Target, Group: e.Parent, Address: e.Address, Health: e.Health,
		Reason: e.Reason, Effect: e.Effect, Streams: e.Streams, Doc: e.Doc, Attrs: e.Attributes}
}

// chosen keeps the rows that match.
func chosen[T any](f *filter.RowFilter, all []T, row func(*T) *filter.Row) (out []T) {
	for i := range all {
		if ok, _ := f.Match(row(&all[i])); ok { // what cannot be judged is counted
			out = append(out, all[i])
		}
	}
	return out
}
