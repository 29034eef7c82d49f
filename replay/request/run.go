package request

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"iscope/probes"
)

// Runner makes the calls of saved requests. All fields are needed but Vars.
type Runner struct {
	Environment string
	Vars        []probes.Attr // come before those of the file
	Getenv      func(string) string
	// Resolve replaces the references (${env:NAME}, ${file:PATH}) in a text of a
	// file.
	Resolve func(file, text string) (string, error)
	// Call makes one call. What came before it was cut off is in the Answer
	// beside the error.
	Call func(ctx context.Context, r *Request, noTrace bool) (*Answer, error)
	// Judge evaluates a condition; an error means that it is none, or that it
	// cannot be judged of this answer.
	Judge func(ctx context.Context, condition string, r *probes.Record) (bool, error)
	// KeepGoing makes the steps after a failed one as well.
	KeepGoing bool
}

// Result is how one step went.
type Result struct {
	File   string `json:"file"`
	Name   string `json:"name"`
	N      int    `json:"n"`    // of the step within the file, from 1
	Line   int    `json:"line"` // of the file
	Target string `json:"target,omitempty"`
	Method string `json:"method,omitempty"`
	OK     bool   `json:"ok"`
	// Skipped steps were not made because one before them failed.
	Skipped  bool          `json:"skipped,omitempty"`
	Status   string        `json:"status,omitempty"`
	Took     float64       `json:"took_ms"`
	Trace    string        `json:"trace_id,omitempty"`
	Expected []Expectation `json:"expect,omitempty"`
	Captured []string      `json:"captured,omitempty"` // names
	// Error is why the step failed other than by its conditions.
	Error string `json:"error,omitempty"`

	Err    error   `json:"-"` // the call could not be made, or was cut off
	Answer *Answer `json:"-"` // nil if there is none
}

// Expectation is one condition and what became of it.
type Expectation struct {
	Condition string `json:"condition"`
	OK        bool   `json:"ok"`
	Line      int    `json:"line"`
	Error     string `json:"error,omitempty"`  // why it cannot be judged
	Actual    []Fact `json:"actual,omitempty"` // what it looks at
}

// Fact is a place in an answer and what is there, null for nothing.
type Fact struct {
	Path  string          `json:"path"`
	Value json.RawMessage `json:"value"`
}

// Run makes the steps of a file in their order and yields each result. The
// variables that a step captures are there for those after it.
func (r *Runner) Run(ctx context.Context, f *File) iter.Seq[Result] {
	return func(yield func(Result) bool) {
		s := &scope{given: r.Vars, file: f, env: r.Environment, getenv: r.Getenv, now: time.Now(),
			resolve: func(text string) (string, error) { return r.Resolve(f.Path, text) }}
		failed := false
		for i := range f.Steps {
			st := &f.Steps[i]
			res := Result{File: f.Path, Name: stepName(f, st, i), N: i + 1, Line: st.At.Line}
			if failed || ctx.Err() != nil {
				res.Skipped = true
			} else {
				s.now = time.Now()
				r.step(ctx, s, st, &res)
				failed = !res.OK && !r.KeepGoing
			}
			if !yield(res) {
				return
			}
		}
	}
}

func stepName(f *File, st *Step, i int) string {
	switch {
	case st.Name != "":
		return st.Name
	case len(f.Steps) == 1:
		return cmp.Or(f.Name, st.Method.Raw)
	}
	return fmt.Sprintf("step %d: %s", i+1, st.Method.Raw)
}

func (r *Runner) step(ctx context.Context, s *scope, st *Step, res *Result) {
	fail := func(err error) { res.Err, res.Error = err, err.Error() }
	q, err := s.request(st)
	res.Target, res.Method = q.Target, q.Method
	if err != nil {
		fail(err)
		return
	}
	began := time.Now()
	answer, err := r.Call(ctx, &q, st.NoTrace)
	res.Took = float64(time.Since(began).Microseconds()) / 1000
	res.Answer = answer
	if answer != nil {
		res.Status = answer.Status()
		res.Trace, _ = answer.Attr(probes.AttrTraceID)
	}
	if err != nil {
		fail(err)
		return
	}
	if text, ok := answer.Attr(probes.TimingTotal); ok {
		_ = json.Unmarshal([]byte(text), &res.Took) // else the time measured here
	}
	res.OK = r.judge(ctx, s, st, answer, res)
	for _, c := range st.Capture {
		v, err := answer.Lookup(c.Value.Raw)
		if err != nil {
			res.OK = false
			if res.Error == "" {
				res.Error = s.problem(c.Value.At, fmt.Errorf("capture %s: %s: %w", c.Name, c.Value.Raw, err)).Error()
			}
			continue
		}
		s.captured = append(s.captured, Variable{Name: c.Name, Value: v})
		res.Captured = append(res.Captured, c.Name)
	}
}

// judge holds the answer to the conditions; without any, it has to be a success.
func (r *Runner) judge(ctx context.Context, s *scope, st *Step, a *Answer, res *Result) bool {
	if len(st.Expect) == 0 {
		res.Error = a.Err()
		return a.Err() == ""
	}
	rec, ok := a.Record(), true
	for _, c := range st.Expect {
		e := Expectation{Line: c.At.Line, Condition: c.Raw}
		condition, err := s.condition(c)
		if err == nil {
			e.Condition = condition
			e.OK, err = r.Judge(ctx, condition, &rec)
		}
		if err != nil {
			e.OK, e.Error = false, s.problem(c.At, err).Error()
		}
		if !e.OK {
			ok = false
			e.actual(a)
		}
		res.Expected = append(res.Expected, e)
	}
	return ok
}

// condition expands a condition. A variable stands for a literal there, so text
// gets its quotes; within quotes it stands for itself.
func (s *scope) condition(c Text) (string, error) { return s.json(c.Raw) }

// longest is how much of a value is shown beside a condition.
const longest = 200

func (e *Expectation) actual(a *Answer) {
	for _, p := range Mentioned(e.Condition) {
		v, err := a.Lookup(p)
		switch {
		case errors.Is(err, errPath):
			continue // a whole list of headers
		case err != nil:
			v = json.RawMessage("null")
		case len(v) > longest:
			v = json.RawMessage(quoteJSON(strings.ToValidUTF8(string(v[:longest]), "") + "…"))
		}
		e.Actual = append(e.Actual, Fact{Path: p, Value: v})
	}
}
