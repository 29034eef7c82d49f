package replay

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"iscope/probes"
)

// send performs one step and says what became of it.
func (r *runner) send(ctx context.Context, i int) Result {
	s := &r.p.steps[i]
	rt := &r.p.opt.To[s.route]
	res := Result{N: i, Operation: r.p.names[s.op], Of: s.id, To: rt.Conn.Target.Name, Due: r.due[i]}
	if s.want >= 0 {
		res.Recorded = r.p.ends[s.want].String()
	}
	rec, err := r.p.reader.record(s.parts[0].spot)
	var fields []probes.Field
	if err == nil {
		fields, err = r.mark(&rec, rt.Conn, i)
	}
	began := time.Now()
	res.Late = max(0, began.Sub(r.begun)-res.Due)
	if err != nil {
		res.Err = fmt.Errorf("reading the capture: %w", err)
		return res
	}
	timeout := r.o.Timeout
	if timeout <= 0 {
		timeout = rt.Conn.Target.RequestTimeout()
	}
	timeout += r.stretch(s.parts[len(s.parts)-1].at)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if r.p.Operations[s.op].Publish {
		res.Err = r.publish(ctx, s, rt, &rec, fields)
	} else {
		r.invoke(ctx, s, rt, &rec, fields, timeout, &res)
	}
	res.Took = time.Since(began)
	if res.Err != nil && context.Cause(ctx) == errCutOff {
		res.Err = errCutOff
	}
	return res
}

// mark returns the headers to send, with the mark by which a capture knows a
// replay.
func (r *runner) mark(rec *probes.Record, conn *probes.Conn, i int) ([]probes.Field, error) {
	fields, skip := r.p.headers(rec, conn)
	if skip != "" {
		return nil, errors.New(skip) // what the plan has seen is gone: Provide changed its mind
	}
	return append(slices.Clip(fields), probes.Field{Name: Marker, Value: fmt.Appendf(nil, "%s/%d", r.o.Run, i)}), nil
}

// stretch turns a span of the recording into one of this run.
func (r *runner) stretch(at int64) time.Duration {
	if r.o.Pace != Original && r.o.Pace != Times {
		return 0
	}
	return time.Duration(float64(at) / r.o.Speed)
}

func (r *runner) publish(ctx context.Context, s *step, rt *Route, rec *probes.Record, fields []probes.Field) error {
	pub, err := rt.Conn.Publisher()
	if err != nil {
		return err
	}
	out := *rec
	out.ID, out.Call, out.Seen, out.Header = "", "", time.Time{}, fields
	out.Source.Target = rt.Conn.Target.Name
	if rt.Subject != "" {
		out.Source.Subject = rt.Subject
	}
	out.Attrs = slices.DeleteFunc(slices.Clone(rec.Attrs), func(a probes.Attr) bool {
		return a.Name == probes.AttrOffset || a.Name == probes.AttrDestination || a.Name == probes.AttrClusterID ||
			a.Name == probes.AttrPartition && !r.p.opt.KeepPartition
	})
	stored, err := pub.Publish(ctx, out)
	if err != nil {
		return err
	}
	return r.keep(ctx, s, stored)
}

func (r *runner) invoke(ctx context.Context, s *step, rt *Route, rec *probes.Record, fields []probes.Field, timeout time.Duration, res *Result) {
	in := probes.Invocation{Method: rec.Source.Subject, Header: fields, Deadline: timeout, Next: r.documents(s, rec),
		Force: true} // what was sent once is sent again, whether it kept its contract or not
	ended := false
	for out, err := range rt.Conn.Invoke(ctx, r.p.method[s.op], in) {
		if err != nil {
			res.Err = err
			return
		}
		if out.Kind == probes.End {
			ended = true
			now := outcomeOf(&out)
			res.Now, res.fault = now.String(), now.faulty()
			res.Different = s.want >= 0 && r.p.ends[s.want].differs(now)
		}
		if err := r.keep(ctx, s, out); err != nil {
			res.Err = err
			return
		}
	}
	if !ended && res.Err == nil {
		res.Err = &probes.Error{Target: res.To, Op: "calling " + in.Method, Kind: probes.ErrProtocol, Err: errors.New("the call ended without an end")}
	}
}

// documents supplies the recorded requests, each when it is due within its
// call. It is nil for a request without a body.
func (r *runner) documents(s *step, first *probes.Record) func(context.Context) ([]byte, error) {
	if len(s.parts) == 1 && len(first.Body) == 0 && !isWire(first) {
		return nil
	}
	i, began := 0, time.Now()
	return func(ctx context.Context) ([]byte, error) {
		if i == len(s.parts) {
			return nil, io.EOF
		}
		rec := *first
		if i > 0 {
			if err := sleepUntil(ctx, began.Add(r.stretch(s.parts[i].at))); err != nil {
				return nil, err
			}
			var err error
			if rec, err = r.p.reader.record(s.parts[i].spot); err != nil {
				return nil, err
			}
		}
		i++
		return document(&rec), nil
	}
}

// document turns a recorded request into what an Invocation takes.
func document(rec *probes.Record) []byte {
	if !isWire(rec) {
		return rec.Body
	}
	return append([]byte{probes.WireDocument}, rec.Body...)
}

// isWire reports a protobuf message in its wire form, as a proxy records it.
// HTTP bodies are what they are.
func isWire(rec *probes.Record) bool {
	if strings.Contains(rec.Source.Subject, " ") || !bytes.Contains(rec.Native, []byte(`"wire"`)) {
		return false
	}
	var n struct{ Wire string }
	return json.Unmarshal(rec.Native, &n) == nil && n.Wire == "protobuf"
}

func sleepUntil(ctx context.Context, at time.Time) error {
	wait := time.Until(at)
	if wait <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// keep hands a record of the replay to the results sink.
func (r *runner) keep(ctx context.Context, s *step, rec probes.Record) error {
	if r.o.Results == nil {
		return nil
	}
	rec.Attrs = append(slices.Clip(rec.Attrs), probes.Attr{Name: AttrReplayOf, Value: s.id})
	if rec.Seen.IsZero() {
		rec.Seen = time.Now()
	}
	r.resultMu.Lock()
	defer r.resultMu.Unlock()
	if err := r.o.Results.Write(ctx, rec); err != nil {
		return &sinkError{err}
	}
	return nil
}
