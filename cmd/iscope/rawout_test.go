package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"iscope/probes"
)

// TestRawSinkPrintsBareValues: bytes as they are; what is no message goes elsewhere.
func TestRawSinkPrintsBareValues(t *testing.T) {
	var out bytes.Buffer
	var said []string
	s := newRawSink(&out, func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) })
	for _, r := range []probes.Record{
		{Kind: probes.Message, Body: []byte("a\x00\xff\x1b[2J")},
		{Kind: probes.Gap, Err: "3 are missing"},
		{Kind: probes.Message},
		{Kind: probes.Message, Body: bytes.Repeat([]byte("x"), 3*blockBytes)},
	} {
		if err := s.Write(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	if want := "a\x00\xff\x1b[2J\n\n" + string(bytes.Repeat([]byte("x"), 3*blockBytes)) + "\n"; out.String() != want {
		t.Errorf("%d bytes: %.40q", out.Len(), out.String())
	}
	if len(said) != 1 || said[0] != "gap: 3 are missing" {
		t.Errorf("said %q", said)
	}
}

// TestRawIsForTailAndPeek and for no other verb.
func TestRawIsForTailAndPeek(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	a := newApp(os.Stdin, file, file)
	root := newRoot(a)
	a.output = "raw"
	for verb, fine := range map[string]bool{"tail": true, "peek": true, "list": false, "describe": false} {
		cmd, _, err := root.Find([]string{verb})
		if err != nil {
			t.Fatal(err)
		}
		if err := a.checkFlags(cmd); (err == nil) != fine {
			t.Errorf("%s: %v", verb, err)
		}
	}
}
