package replay

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Under this variable the test binary is a writer that is going to be killed.
const killEnv = "ISCOPE_TEST_KILLED_WRITER"

func TestMain(m *testing.M) {
	if path := os.Getenv(killEnv); path != "" {
		writeUntilKilled(path)
		return
	}
	os.Exit(m.Run())
}

// writeUntilKilled writes samples without end and prints how many have been
// flushed.
func writeUntilKilled(path string) {
	w, err := Create(path, WriterOptions{ChunkSize: 20_000, FlushEvery: time.Millisecond})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	for n := 0; ; n++ {
		if err := w.Write(ctx, sample(n)); err != nil {
			fmt.Println(err)
			return
		}
		if n%500 == 0 {
			s := w.Stats()
			fmt.Println(s.Records - s.Pending)
		}
	}
}

func TestAKilledWriterLeavesAnExactPrefix(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for round := range 5 {
		path := filepath.Join(t.TempDir(), "t.mcap")
		cmd := exec.CommandContext(t.Context(), exe)
		cmd.Env = append(os.Environ(), killEnv+"="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		flushed := 0
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if _, err := fmt.Sscan(lines.Text(), &flushed); err != nil {
				t.Fatalf("the writer says %q", lines.Text())
			}
			if flushed > 3000*(round+1) {
				cmd.Process.Kill()
			}
		}
		cmd.Wait()
		r, err := Open(path + ".part")
		if err != nil {
			t.Fatal(err)
		}
		got, _ := readAll(t, r)
		r.Close()
		if len(got) < flushed {
			t.Fatalf("%d records were in the file, %d are left", flushed, len(got))
		}
		for n, rec := range got {
			if !identical(sample(n), rec) {
				t.Fatalf("record %d is %+v", n, rec)
			}
		}
	}
}
