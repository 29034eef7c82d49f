package invoke

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"iscope/inspectors/filter"
	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/replay/request"
)

// origin is the step of a file of saved requests that a request is.
type origin struct {
	file string
	step int // from 0
}

// rehearse goes through the steps of a file up to one, without a call: what a
// step's answer was is given, as far as it is known, so that variables taken from
// it are there for the steps after it. f is told of each step.
func rehearse(ctx context.Context, file *request.File, run request.Runner, upto int, answers map[int]*request.Answer,
	f func(n int, made *request.Request, result *request.Result)) {
	var made *request.Request
	n := 0
	run.KeepGoing = true
	run.Call = func(_ context.Context, r *request.Request, _ bool) (*request.Answer, error) {
		made = r
		if a := answers[n]; a != nil {
			return a, nil
		}
		return &request.Answer{}, nil
	}
	for result := range run.Run(ctx, file) {
		f(n, made, &result)
		made = nil
		if n++; n > upto {
			return
		}
	}
}

// answered are the newest answers to the steps of a file, in this environment.
func (v *screen) answered(file, env string) map[int]*request.Answer {
	out := map[int]*request.Answer{}
	for _, c := range v.calls {
		if c.from.file == file && c.inEnv == env {
			if a := c.whole(); a != nil {
				out[c.from.step] = a
			}
		}
	}
	return out
}

// whole is all that came back of a call; nil where it has not ended, or is not kept.
func (c *call) whole() *request.Answer {
	p := c.progress()
	if p.end == nil || p.ring == nil {
		return nil
	}
	a := &request.Answer{}
	s := p.ring.Stats()
	for seq := s.First; seq < s.Next; seq++ {
		if rec, ok := p.ring.At(seq); ok {
			a.Add(rec)
		}
	}
	return a
}

// expects says of a call of a saved request whether its answer is as the file
// wants it. It reads the file as it is now, so it blocks.
func (c *call) expects(before map[int]*request.Answer) {
	if c.from.file == "" {
		return
	}
	a := c.whole()
	if a == nil {
		return
	}
	file, err := request.Load(c.from.file)
	if err != nil || c.from.step >= len(file.Steps) {
		c.say(note{what: "expect", text: "what the file of saved requests expects cannot be read any more", bad: true})
		return
	}
	if len(file.Steps[c.from.step].Expect) == 0 {
		return
	}
	answers := map[int]*request.Answer{c.from.step: a}
	for n, b := range before {
		if n != c.from.step {
			answers[n] = b
		}
	}
	run := request.Runner{Environment: c.inEnv, Judge: judge,
		Getenv: func(name string) string { return c.scrubbedText("${env:" + name + "}") },
		// What came back holds no secrets any more, so conditions must not either.
		Resolve: func(_, text string) (string, error) { return c.scrubbedText(text), nil }}
	rehearse(c.ctx, file, run, c.from.step, answers, func(n int, _ *request.Request, res *request.Result) {
		if n != c.from.step {
			return
		}
		for _, e := range res.Expected {
			c.say(expectation(&e))
		}
	})
}

func (c *call) scrubbedText(text string) string {
	out, err := c.vault.text(text)
	if err != nil {
		return text
	}
	return c.vault.scrub(out)
}

// expectation is a condition and what became of it, as a note.
func expectation(e *request.Expectation) note {
	n := note{what: "expect", where: fmt.Sprintf("line %d of the file", e.Line), text: "as expected: " + e.Condition}
	if e.OK {
		return n
	}
	n.bad, n.text = true, "not as expected: "+e.Condition
	for _, f := range e.Actual {
		n.text += "; " + f.Path + " is " + safe.Line(string(f.Value), 120).String()
	}
	if e.Error != "" {
		n.text += "; " + e.Error
	}
	return n
}

// say adds a note.
func (c *call) say(n note) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.notes) < maxNotes {
		c.notes = append(c.notes, n)
	}
}

// judge evaluates a condition of a saved request.
func judge(ctx context.Context, condition string, r *probes.Record) (bool, error) {
	f, err := filter.Compile("=" + request.Condition(condition))
	if err != nil {
		var e *filter.Error
		if errors.As(err, &e) {
			err = errors.New(strings.TrimSuffix(e.Message+"; "+e.Hint, "; "))
		}
		return false, err
	}
	return f.Match(ctx, r)
}
