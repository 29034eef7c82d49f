package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"iscope/inspectors/filter"
	"iscope/probes"
	"iscope/probes/tap"
)

func TestFilterSink(t *testing.T) {
	f, err := filter.Compile(`body.n > 1`)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	next := tap.SinkFunc(func(_ context.Context, r probes.Record) error {
		got = append(got, r.Kind.String()+" "+string(r.Body))
		return nil
	})
	o, q := tailOpts{limit: 2}, probes.TailQuery{MaxBody: 7}
	sink := o.filtered(f, &q, next)
	if o.limit != 0 || q.MaxBody != 0 {
		t.Errorf("the tail still limits to %d records of %d bytes", o.limit, q.MaxBody)
	}
	write := func(k probes.Kind, body string) error {
		return sink.Write(t.Context(), probes.Record{Kind: k, Body: []byte(body)})
	}
	for _, body := range []string{`{"n":1}`, `{"n":"x"}`, `{"n": 2}`} {
		if err := write(probes.Message, body); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(write(probes.Gap, ""), write(probes.Notice, "")); err != nil {
		t.Fatal(err)
	}
	if err := write(probes.Message, `{"n":3}`); err != errLimitReached {
		t.Errorf("after the last: %v", err)
	}
	if s := strings.Join(got, "|"); s != `message {"n": 2|gap |notice |message {"n":3}` {
		t.Errorf("passed on %s", s)
	}
	if s := f.Stats(); s.Judged != 4 || s.Matched != 2 || s.Failed != 1 {
		t.Errorf("%+v", s)
	}
}

// TestReadmeFilterIsFresh compares the tables of the filter language with the
// language.
func TestReadmeFilterIsFresh(t *testing.T) {
	const path, from, to = "../../README.md", "TestReadmeFilter -update -->\n", "<!-- /filter -->"
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(content), from)
	_, after, ok2 := strings.Cut(rest, to)
	if !ok || !ok2 {
		t.Fatal("README.md has lost the marks around the tables of the filter language")
	}
	want := before + from + filter.Markdown() + to + after
	switch {
	case want == string(content):
	case !*update:
		t.Fatal("the tables of the filter language in README.md are stale; run: go test ./cmd/iscope -run TestReadmeFilter -update")
	default:
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
