package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMeasureChild is the measuring process of the other tests: they run this
// binary with the verb as its argument.
func TestMeasureChild(t *testing.T) {
	if flag.Arg(0) != measureVerb {
		return
	}
	if err := measureChild(t.Context(), flag.Args()[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0) // before the test says that it passed
}

func testSite(t *testing.T, rounds int) *benchSite {
	t.Helper()
	return &benchSite{opts: benchOptions{rounds: rounds}, dir: t.TempDir(),
		tools:    map[string]benchTool{iscope: {"sh", "1"}, "peer": {"sh", "2"}},
		measurer: []string{os.Args[0], "-test.run=^TestMeasureChild$", measureVerb}}
}

// shRow lets two shell scripts do a row that wants the lines a, b and c.
func shRow(own, peer string) benchRow {
	script := func(text string) func(*benchSite) []string {
		return func(*benchSite) []string { return []string{"-c", text} }
	}
	return benchRow{
		name: "letters", work: func(benchOptions) string { return "three letters" }, server: "none",
		prepare: func(context.Context, *benchSite) (outcome, error) { return readLines(strings.NewReader("a\nb\nc\n")) },
		sides:   []benchSide{{tool: iscope, args: script(own), read: readLines}, {tool: "peer", args: script(peer), read: readLines}},
	}
}

const letters = `printf 'c\na\nb\n'; `

func TestBenchTakesTurns(t *testing.T) {
	s := testSite(t, 3)
	r := s.run(t.Context(), shRow(letters+"echo i >> turns", letters+"echo p >> turns"))
	if r.problem != "" {
		t.Fatal(r.problem)
	}
	turns, err := os.ReadFile(filepath.Join(s.dir, "turns"))
	if err != nil || string(turns) != "i\np\np\ni\ni\np\n" {
		t.Errorf("%q %v", turns, err)
	}
	report := benchReport{opts: s.opts, rows: []rowResult{r}}
	table := report.markdown()
	for _, want := range []string{"| three letters, on ", "| iscope 1 |", "| peer 2 |"} {
		if !strings.Contains(table, want) {
			t.Errorf("no %q in\n%s", want, table)
		}
	}
	if err := report.problem(); err != nil {
		t.Error(err)
	}
}

func TestBenchWritesNoFigureOfWhatDisagrees(t *testing.T) {
	for _, c := range []struct{ name, own, peer, want string }{
		{"too few", letters, "echo a; echo b", "peer 2 disagrees: 2 records instead of 3"},
		{"one twice", "echo a; echo b; echo b", letters, "iscope 1 disagrees: all 3 records, but their content hash is"},
		{"in a later round only", letters, letters + "test -f again && echo d; touch again", "peer 2 disagrees: 4 records instead of 3"},
		{"it fails", letters, letters + "echo no such topic >&2; exit 3", "peer 2 failed: exit status 1: no such topic"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := testSite(t, 2)
			report := benchReport{opts: s.opts, rows: []rowResult{s.run(t.Context(), shRow(c.own, c.peer))}}
			err := report.problem()
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v\nwant %s", err, c.want)
			}
			if table := report.markdown(); !strings.HasSuffix(table, " |  |  |  |  |  |  |  |  |\n") || strings.Contains(table, "–") {
				t.Errorf("a figure is in\n%s", table)
			}
		})
	}
}

func TestBenchSaysWhatIsMissing(t *testing.T) {
	b := &bed{answers: map[string]answer{"none": {OK: true}, "peer": {Reason: "not installed; run: go run ./cmd/testenv install peer"}}}
	r := b.benchRow(t.Context(), testSite(t, 1), shRow(letters, letters))
	if !strings.Contains(r.problem, "not run: peer: not installed; run: ") || r.sides != nil {
		t.Errorf("%+v", r)
	}
}

func TestMeasure(t *testing.T) {
	s := testSite(t, 1)
	// What this process has used must not be counted as the other's.
	ballast := make([]byte, 256<<20)
	for i := 0; i < len(ballast); i += 4096 {
		ballast[i] = 1
	}
	small, err := s.measure(t.Context(), []string{"sh", "-c", "printf 12345"}, measureOptions{times: 2, file: filepath.Join(s.dir, "small")})
	if err != nil || small.bytes != 10 || small.RSS > int64(len(ballast))/2 || small.RSS == 0 || small.Wall == 0 {
		t.Errorf("%+v %v", small, err)
	}
	busy, err := s.measure(t.Context(), []string{"sh", "-c", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done"}, measureOptions{times: 1, file: filepath.Join(s.dir, "busy")})
	if err != nil || busy.CPU <= small.CPU {
		t.Errorf("busy %+v, small %+v, %v", busy, small, err)
	}
	if _, err := s.measure(t.Context(), []string{"sh", "-c", "exit 0"}, measureOptions{times: 1, file: filepath.Join(s.dir, "busy")}); !errors.Is(err, os.ErrExist) {
		t.Errorf("an output was overwritten: %v", err)
	}
	if ballast[4096] != 1 {
		t.Error("the ballast went overboard")
	}
}

func TestMeasureInterrupted(t *testing.T) {
	s := testSite(t, 1)
	fifo := filepath.Join(s.dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := s.measure(ctx, []string{"sh", "-c", "exec >fifo; echo up; sleep 100"}, measureOptions{times: 1, file: filepath.Join(s.dir, "out")})
		ended <- err
	}()
	f, err := os.Open(fifo) // when the shell has
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Read(make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-ended; err == nil {
		t.Error("no error")
	}
	// It ends when the shell and its sleep are gone.
	if left, err := io.ReadAll(f); err != nil || len(left) > 0 {
		t.Errorf("%q %v", left, err)
	}
}

func TestInterrupt(t *testing.T) {
	s := testSite(t, 1)
	out := filepath.Join(s.dir, "out")
	m, err := s.measure(t.Context(), []string{"sh", "-c", `trap 'sleep 0.2; exit 130' INT; printf 12345; while :; do sleep 0.01; done`},
		measureOptions{times: 2, interrupt: true, file: out})
	if err != nil || m.bytes != 10 || m.Wall < 200*time.Millisecond {
		t.Errorf("%+v %v", m, err)
	}
	os.Remove(out)
	_, err = s.measure(t.Context(), []string{"sh", "-c", "echo broken >&2; exit 3"}, measureOptions{times: 1, interrupt: true, file: out})
	if err == nil || !strings.Contains(err.Error(), "ended before it was told to") || !strings.Contains(err.Error(), "broken") {
		t.Errorf("%v", err)
	}
}

// fedRow is letters for tools that wait until they are fed.
func fedRow(t *testing.T, own string) benchRow {
	row := shRow(own, own)
	row.live = &liveRow{
		begin: func(_ context.Context, s *benchSite) error {
			return errors.Join(os.RemoveAll(filepath.Join(s.dir, "listens")), os.RemoveAll(filepath.Join(s.dir, "food")))
		},
		listens: func(_ context.Context, s *benchSite) (bool, error) {
			_, err := os.Stat(filepath.Join(s.dir, "listens"))
			return err == nil, nil
		},
		feed: func(_ context.Context, s *benchSite) error {
			return os.WriteFile(filepath.Join(s.dir, "food"), []byte("a\nb\nc\n"), 0o600)
		},
		backlog: func(context.Context, *benchSite) (int, error) { return 7, nil },
	}
	return row
}

func TestBenchFeeds(t *testing.T) {
	s := testSite(t, 2)
	r := s.run(t.Context(), fedRow(t, "touch listens; until test -s food; do sleep 0.01; done; cat food"))
	report := benchReport{opts: s.opts, rows: []rowResult{r}}
	if table := report.markdown(); r.problem != "" || strings.Count(table, " | 7 | ") != 2 {
		t.Errorf("%s\n%s", r.problem, table)
	}
	r = testSite(t, 1).run(t.Context(), fedRow(t, "echo no such exchange >&2; exit 3"))
	if !strings.Contains(r.problem, "no such exchange") {
		t.Errorf("the tool failed: %q", r.problem)
	}
	row := fedRow(t, "touch listens; sleep 100")
	row.live.feed = func(context.Context, *benchSite) error { return errors.New("no publisher") }
	if r = testSite(t, 1).run(t.Context(), row); !strings.Contains(r.problem, "was not fed: no publisher") {
		t.Errorf("the publisher failed: %q", r.problem)
	}
}

func TestReadersAgree(t *testing.T) {
	text, err := json.Marshal("v \"1\" \n ä")
	if err != nil {
		t.Fatal(err)
	}
	iscope := `{"kind":"message","key":"k","value":` + string(text) + `}` + "\n" +
		`{"kind":"message","key":"aw==","key_encoding":"base64","value":"djI=","value_encoding":"base64"}` + "\n"
	kcat := `{"topic":"t","key":"k","payload":"v2"}` + "\n" + `{"topic":"t","key":"k","payload":` + string(text) + `}` + "\n"
	one, err := readIscope(true)(strings.NewReader(iscope))
	two, err2 := readKcat(strings.NewReader(kcat))
	if err != nil || err2 != nil || one.differs(two) != "" || one.count != 2 {
		t.Errorf("%s %v %v", one.differs(two), err, err2)
	}
	gap := `{"kind":"gap","error":"3 records are gone"}` + "\n"
	if _, err := readIscope(false)(strings.NewReader(iscope + gap)); err == nil || !strings.Contains(err.Error(), "3 records are gone") {
		t.Errorf("a gap was passed over: %v", err)
	}
	deed := `{"kind":"notice","value":null,"attributes":{"iscope.deed":"created"}}` + "\n"
	with, err := readIscope(true)(strings.NewReader(deed + iscope))
	rabtap, err2 := readRabtap(strings.NewReader("{\n\"RoutingKey\": \"k\",\n\"Body\": \"djI=\"\n}\n" + `{"RoutingKey":"k","Body":"` + base64.StdEncoding.EncodeToString([]byte("v \"1\" \n ä")) + `"}`))
	if err != nil || err2 != nil || with.differs(one) != "" || rabtap.differs(one) != "" {
		t.Errorf("%s %v %s %v", with.differs(one), err, rabtap.differs(one), err2)
	}
	for _, read := range []reader{readIscope(true), readKcat, readDocuments, readRabtap} {
		if _, err := read(strings.NewReader(`{"kind":"message","key":"k"` + "\n")); err == nil {
			t.Error("a line that was cut was passed over")
		}
	}
}

func TestDocumentsWhateverTheirLayout(t *testing.T) {
	one, err := readDocuments(strings.NewReader(`{"a":1,"b":[12345678901234567890]} {"c":null}`))
	two, err2 := readDocuments(strings.NewReader("{\n \"c\": null }\n{\"b\":[ 12345678901234567890 ],\n\"a\":1}"))
	if err != nil || err2 != nil || one != two || one.count != 2 {
		t.Errorf("%v %v %v %v", one, two, err, err2)
	}
	other, _ := readDocuments(strings.NewReader(`{"a":1,"b":[12345678901234567891]} {"c":null}`))
	if other == one {
		t.Error("a last digit that differs was passed over")
	}
}

func TestOutcomeKeepsBorders(t *testing.T) {
	var one, two outcome
	one.add([]byte("ab"), []byte("c"))
	two.add([]byte("a"), []byte("bc"))
	if one == two {
		t.Error("a byte that moved from key to value was passed over")
	}
}

func TestBenchRecords(t *testing.T) {
	file := filepath.Join(t.TempDir(), "records")
	want, err := writeRecords(file, 50, false)
	again, err2 := writeRecords(file, 50, false)
	if err != nil || err2 != nil || want != again || want.count != 50 {
		t.Fatalf("%v %v %v %v", want, again, err, err2)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	err = eachLine(f, func(line []byte) error {
		key, value, _ := strings.Cut(string(line), "\t")
		var m map[string]any
		if len(value) != recordBytes || json.Unmarshal([]byte(value), &m) != nil || m["order_id"] != key {
			return fmt.Errorf("%d bytes: %s", len(value), line)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestMedian(t *testing.T) {
	of := func(seconds ...int) sideResult {
		var r sideResult
		for _, s := range seconds {
			r.samples = append(r.samples, sample{CPU: time.Duration(s) * time.Second, Wall: time.Second, RSS: 10e6})
		}
		return r
	}
	if got := of(9, 1, 2).spread(cpuSeconds); got != "2.00 (1.00–9.00)" {
		t.Error(got)
	}
	if got := of(4, 1).dividedBy(of(5)); got != "0.50 | 1.00 | 1.00" {
		t.Error(got)
	}
}

func TestBenchFlags(t *testing.T) {
	o, err := benchFlags([]string{"-rounds", "3", "grpc-unary"})
	if err != nil || o.rounds != 3 || o.records != 2_000_000 || len(o.rows) != 1 {
		t.Errorf("%+v %v", o, err)
	}
	if _, err := benchFlags([]string{"-rounds", "0"}); err == nil {
		t.Error("no rounds were accepted")
	}
	if _, err := chooseRows([]string{"kafka"}); err == nil || !strings.Contains(err.Error(), "kafka-json") {
		t.Errorf("%v", err)
	}
	all, err := chooseRows(nil)
	if err != nil || len(all) != len(benchRows()) {
		t.Errorf("%d %v", len(all), err)
	}
	// Every tool and server that a row names is one that can be had.
	if _, err := newBed(t.TempDir(), servers(), strings.Join(rowServers(all), ","), ""); err != nil {
		t.Error(err)
	}
}
