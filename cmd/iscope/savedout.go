package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"iscope/probes"
	"iscope/replay/request"
)

// stepText is the JSON of one step.
type stepText struct {
	Kind string `json:"kind"` // "step"
	*request.Result
}

// clean takes secrets out of what is printed of a step: the values that
// references stood for, and what names and forms say.
func (s *savedRun) clean(r *request.Result) {
	text := func(t *string) { *t = s.a.policy.Text(s.scrub(*t)) }
	text(&r.Error)
	text(&r.Status)
	for _, t := range []*string{&r.Method, &r.Target, &r.Name} {
		*t = s.a.policy.Record(probes.Record{Kind: probes.Request, Source: probes.Ref{Subject: s.scrub(*t)}}).Source.Subject
	}
	for i := range r.Expected {
		e := &r.Expected[i]
		text(&e.Condition)
		text(&e.Error)
		for j := range e.Actual {
			s.cleanFact(&e.Actual[j])
		}
	}
}

// cleanFact masks a value by the last name on the way to it.
func (s *savedRun) cleanFact(f *request.Fact) {
	name, err := json.Marshal(f.Path)
	if err != nil {
		return
	}
	doc := append(append(append([]byte{'{'}, name...), ':'), s.scrub(string(f.Value))...)
	doc = append(doc, '}')
	var back map[string]json.RawMessage
	if err := json.Unmarshal(s.a.policy.Record(probes.Record{Kind: probes.Message, Body: doc}).Body, &back); err != nil {
		f.Value = json.RawMessage("null")
		return
	}
	f.Value = back[f.Path]
}

func (s *savedRun) print(r *request.Result) error {
	if s.a.json() {
		return s.a.printJSON(stepText{"step", r})
	}
	mark := "ok  "
	switch {
	case r.Skipped:
		mark = "skip"
	case !r.OK:
		mark = "FAIL"
	}
	facts := []string{}
	if !r.Skipped {
		facts = slices.DeleteFunc([]string{r.Status, fmt.Sprintf("%.1f ms", r.Took)}, func(s string) bool { return s == "" })
	}
	fmt.Fprintf(s.a.out, "%s  %s  %s\n", mark, line(r.Name), line(strings.Join(facts, " · ")))
	if r.OK || r.Skipped {
		return nil
	}
	fmt.Fprintf(s.a.out, "      %s %s (%s:%d)\n", line(r.Target), line(r.Method), line(r.File), r.Line)
	if r.Error != "" && !(r.Err != nil && r.Err == s.said) { // that one comes last, on stderr
		fmt.Fprintf(s.a.out, "      %s\n", strings.ReplaceAll(block(r.Error), "\n", "\n      "))
		if hint := probes.HintOf(r.Err); hint != "" {
			fmt.Fprintf(s.a.out, "      hint: %s\n", s.a.clean(hint))
		}
	}
	for _, e := range r.Expected {
		if e.OK {
			continue
		}
		fmt.Fprintf(s.a.out, "      expected  %s\n", line(e.Condition))
		if e.Error != "" {
			fmt.Fprintf(s.a.out, "                %s\n", line(e.Error))
		}
		for _, v := range e.Actual {
			fmt.Fprintf(s.a.out, "      actual    %s = %s\n", line(v.Path), line(string(v.Value)))
		}
	}
	return nil
}

func (s *savedRun) summary(all []request.Result) {
	if s.a.json() {
		return
	}
	var ok, failed, skipped int
	for i := range all {
		switch {
		case all[i].Skipped:
			skipped++
		case all[i].OK:
			ok++
		default:
			failed++
		}
	}
	text := fmt.Sprintf("%d ok, %d failed", ok, failed)
	if skipped > 0 {
		text += fmt.Sprintf(", %d skipped", skipped)
	}
	fmt.Fprintln(s.a.out, text)
}
