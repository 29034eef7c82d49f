package request

import (
	"encoding/xml"
	"fmt"
	"os"
	"strings"
	"unicode/utf8"

	"iscope/probes"
)

// The part of the JUnit format that build servers read.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Skipped  int          `xml:"skipped,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Time     string      `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`

		seconds float64
	}
	junitCase struct {
		Name    string      `xml:"name,attr"`
		Class   string      `xml:"classname,attr"`
		Time    string      `xml:"time,attr"`
		Failure *junitFault `xml:"failure"`
		Error   *junitFault `xml:"error"`
		Skipped *struct{}   `xml:"skipped"`
	}
	junitFault struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes results as a JUnit report, a suite for each file.
func WriteJUnit(path string, results []Result) error {
	all := junitSuites{}
	for i := range results {
		r := &results[i]
		if n := len(all.Suites); n == 0 || all.Suites[n-1].Name != xmlText(r.File) {
			all.Suites = append(all.Suites, junitSuite{Name: xmlText(r.File)})
		}
		all.Suites[len(all.Suites)-1].add(r)
	}
	for i := range all.Suites {
		s := &all.Suites[i]
		s.Time = fmt.Sprintf("%.3f", s.seconds)
		all.Tests, all.Failures, all.Errors, all.Skipped = all.Tests+s.Tests, all.Failures+s.Failures, all.Errors+s.Errors, all.Skipped+s.Skipped
	}
	text, err := xml.MarshalIndent(&all, "", "  ")
	if err == nil {
		err = os.WriteFile(path, append([]byte(xml.Header), append(text, '\n')...), 0o644)
	}
	if err != nil {
		return &probes.Error{Target: path, Op: "writing the JUnit report", Kind: probes.ErrUsage, Err: err}
	}
	return nil
}

func (s *junitSuite) add(r *Result) {
	c := junitCase{Name: xmlText(r.Name), Class: s.Name, Time: fmt.Sprintf("%.3f", r.Took/1000)}
	s.Tests++
	s.seconds += r.Took / 1000
	switch {
	case r.Skipped:
		c.Skipped = &struct{}{}
		s.Skipped++
	case r.OK:
	case r.Err != nil:
		c.Error = &junitFault{Message: xmlText(r.Error)}
		s.Errors++
	default:
		c.Failure = r.junitFailure()
		s.Failures++
	}
	s.Cases = append(s.Cases, c)
}

func (r *Result) junitFailure() *junitFault {
	f := &junitFault{Message: xmlText(r.Error)}
	var b strings.Builder
	for _, e := range r.Expected {
		if e.OK {
			continue
		}
		if f.Message == "" {
			f.Message = xmlText("expected " + e.Condition)
		}
		fmt.Fprintf(&b, "%s:%d: expected %s\n", r.File, e.Line, e.Condition)
		if e.Error != "" {
			fmt.Fprintf(&b, "  %s\n", e.Error)
		}
		for _, a := range e.Actual {
			fmt.Fprintf(&b, "  actual %s = %s\n", a.Path, a.Value)
		}
	}
	f.Text = xmlText(b.String())
	return f
}

// xmlText leaves out what XML cannot hold.
func xmlText(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == utf8.RuneError || r == 0xfffe || r == 0xffff {
			return -1
		}
		return r
	}, s)
}
