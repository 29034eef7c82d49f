package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"iscope/replay"
)

// scriptCommands are the commands of the scripts beyond testscript's own.
//
//	exits CODE PROGRAM ARG…         run it and check its exit code
//	until CODE PROGRAM ARG…         run it until that is its exit code
//	lines N FILE                    count lines
//	jsonlines FILE MEMBER…          each line is an object that has these members
//	value FILE LINE WANT            the bytes of a record's value are those of file WANT
//	json FILE PATH VALUE            a member of the only object, such as plan.routes.0.to
//	find FILE PATTERN VARIABLE      VARIABLE becomes the pattern's first group
//	host VARIABLE VARIABLE          the second becomes host:port of the URL in the first
//	fill FILE BYTES                 write a large JSON document
//	octets FILE 'TEXT'              write bytes, with Go's escapes
//	records FILE                    print what a capture holds as JSON lines
//	flip FILE PERCENT, cut FILE …   damage a file
//	mode FILE PERM                  check its permissions
//	appears FILE                    wait until it exists
//	http METHOD URL [FILE]          call something that is not iscope; FILE may name variables
//	start, await, urge, interrupt, hangup, ended: see crew
func scriptCommands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"exits": exits, "until": until, "lines": lines, "jsonlines": jsonLines, "value": value, "json": member,
		"find": findIn, "host": host, "fill": fill, "octets": octets, "records": records, "flip": flip, "cut": cut, "mode": mode, "appears": appears, "http": call,
		"start": start, "await": await, "urge": urge, "interrupt": interrupt, "hangup": hangup, "ended": ended,
	}
}

// need checks the number of arguments and returns them.
func need(ts *testscript.TestScript, neg bool, args []string, least int, usage string) []string {
	if neg || len(args) < least {
		ts.Fatalf("usage: %s", usage)
	}
	return args
}

func number(ts *testscript.TestScript, s string) int {
	n, err := strconv.Atoi(s)
	ts.Check(err)
	return n
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "exits CODE PROGRAM ARG…")
	if got, want := exitOf(ts, args[1:]), number(ts, args[0]); got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// until is for what is not true at once on a server that others use as well: a
// topic that is just being made has no leader yet.
func until(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "until CODE PROGRAM ARG…")
	want := number(ts, args[0])
	for end := time.Now().Add(patience); ; {
		got := exitOf(ts, args[1:])
		if got == want {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("exit code %d, want %d", got, want)
		}
	}
}

func exitOf(ts *testscript.TestScript, argv []string) int {
	err := ts.Exec(argv[0], argv[1:]...)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	ts.Check(err)
	return 0
}

func lines(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "lines N FILE")
	if n := strings.Count(ts.ReadFile(args[1]), "\n"); n != number(ts, args[0]) {
		ts.Fatalf("%s has %d lines", args[1], n)
	}
}

func jsonLines(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 1, "jsonlines FILE MEMBER…")
	content := ts.ReadFile(args[0])
	if content == "" {
		ts.Fatalf("%s is empty", args[0])
	}
	for line := range strings.Lines(content) {
		var object map[string]json.RawMessage
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			ts.Fatalf("%v in line %s", err, line)
		}
		for _, member := range args[1:] {
			if _, ok := object[member]; !ok {
				ts.Fatalf("no member %q in %s", member, line)
			}
		}
	}
}

func value(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 3, "value FILE LINE WANT")
	all := strings.SplitAfter(ts.ReadFile(args[0]), "\n")
	n := number(ts, args[1])
	if n >= len(all) {
		ts.Fatalf("%s has no line %d", args[0], n)
	}
	var record struct {
		Value    string `json:"value"`
		Encoding string `json:"value_encoding"`
	}
	ts.Check(json.Unmarshal([]byte(all[n-1]), &record))
	got := []byte(record.Value)
	if record.Encoding == "base64" {
		var err error
		got, err = base64.StdEncoding.DecodeString(record.Value)
		ts.Check(err)
	}
	if want := ts.ReadFile(args[2]); string(got) != want {
		ts.Fatalf("the value has %d bytes, want the %d of %s", len(got), len(want), args[2])
	}
}

func member(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 3, "json FILE PATH VALUE")
	dec := json.NewDecoder(strings.NewReader(ts.ReadFile(args[0])))
	dec.UseNumber()
	var at any
	ts.Check(dec.Decode(&at))
	for name := range strings.SplitSeq(args[1], ".") {
		switch v := at.(type) {
		case map[string]any:
			at = v[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i >= len(v) {
				ts.Fatalf("%s: a list of %d has no %s", args[1], len(v), name)
			}
			at = v[i]
		default:
			ts.Fatalf("%s: nothing at %s", args[1], name)
		}
	}
	if got := fmt.Sprint(at); got != args[2] {
		ts.Fatalf("%s is %s, want %s", args[1], got, args[2])
	}
}

func findIn(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 3, "find FILE PATTERN VARIABLE")
	pattern, err := regexp.Compile(args[1])
	ts.Check(err)
	m := pattern.FindStringSubmatch(ts.ReadFile(args[0]))
	if len(m) < 2 {
		ts.Fatalf("no %s in %s", args[1], args[0])
	}
	ts.Setenv(args[2], m[1])
}

func host(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "host VARIABLE VARIABLE")
	u, err := url.Parse(ts.Getenv(args[0]))
	ts.Check(err)
	ts.Setenv(args[1], u.Host)
}

func fill(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "fill FILE BYTES")
	const head, tail = `{"blob":"`, `"}`
	size := number(ts, args[1])
	b := make([]byte, 0, size)
	b = append(b, head...)
	for seed := uint32(1); len(b) < size-len(tail); seed = seed*1664525 + 1013904223 { // does not compress to nothing
		b = append(b, 'a'+byte(seed>>24)%26)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), append(b, tail...), 0o600))
}

func octets(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "octets FILE 'TEXT'")
	text, err := strconv.Unquote(`"` + args[1] + `"`)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

func records(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 1, "records FILE")
	r, err := replay.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	defer r.Close()
	for rec, err := range r.Records(context.Background()) {
		ts.Check(err)
		_, err = ts.Stdout().Write(append(appendRecord(nil, &rec), '\n'))
		ts.Check(err)
	}
}

func flip(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "flip FILE PERCENT")
	b := []byte(ts.ReadFile(args[0]))
	b[len(b)*number(ts, args[1])/100] ^= 0x55
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o600))
}

func cut(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "cut FILE PERCENT")
	b := ts.ReadFile(args[0])
	ts.Check(os.Truncate(ts.MkAbs(args[0]), int64(len(b)*number(ts, args[1])/100)))
}

func mode(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "mode FILE PERM")
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[1] {
		ts.Fatalf("%s has mode %s, want %s", args[0], got, args[1])
	}
}

func appears(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 1, "appears FILE")
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		_, err := os.Stat(ts.MkAbs(args[0]))
		if err == nil {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("%v", err)
		}
	}
}

// call is for what iscope does not do by itself: registering a service. The
// answer's body becomes standard output.
func call(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "http METHOD URL [FILE]")
	body := ""
	if len(args) > 2 {
		body = os.Expand(ts.ReadFile(args[2]), ts.Getenv)
	}
	req, err := http.NewRequest(args[0], args[1], strings.NewReader(body))
	ts.Check(err)
	req.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	ts.Check(err)
	if answer.StatusCode >= 300 {
		ts.Fatalf("%s: %s", answer.Status, bytes.TrimSpace(content))
	}
	_, err = ts.Stdout().Write(content)
	ts.Check(err)
}
