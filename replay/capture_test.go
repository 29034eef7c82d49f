package replay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/foxglove/mcap/go/mcap"
	"pgregory.net/rapid"

	"iscope/probes"
)

var epoch = time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)

// sample is a record whose content depends on n only.
func sample(n int) probes.Record {
	return probes.Record{ID: fmt.Sprintf("0/%d", n), Kind: probes.Message, Source: probes.Ref{Target: "shop-kafka", Subject: "orders.created"},
		Time: epoch.Add(time.Duration(n) * time.Millisecond), Seen: epoch.Add(time.Duration(n)*time.Millisecond + 3*time.Microsecond),
		Key: fmt.Appendf(nil, "o-%d", n%13), Body: fmt.Appendf(nil, `{"order":"o-%d","total":%d,"currency":"EUR"}`, n%13, n*7919%1000),
		Header: []probes.Field{{Name: "traceparent", Value: fmt.Appendf(nil, "00-%032x-%016x-01", n, n)}, {Name: "empty", Value: []byte{}}, {Name: "none"}},
		Attrs:  []probes.Attr{{Name: probes.AttrPartition, Value: "0"}, {Name: probes.AttrOffset, Value: fmt.Sprint(n)}}}
}

// capture writes n samples and returns the finished file.
func capture(t testing.TB, n int, o WriterOptions) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "t.mcap")
	w, err := Create(path, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.AddTarget(TargetInfo{Name: "shop-kafka", Driver: "kafka", Address: "127.0.0.1:9092", Identity: "c-1"}); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := w.Write(t.Context(), sample(i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// readAll returns the records and the error that ended them.
func readAll(t testing.TB, r *Reader) ([]probes.Record, error) {
	t.Helper()
	var out []probes.Record
	for rec, err := range r.Records(t.Context()) {
		if err != nil {
			return out, err
		}
		out = append(out, rec)
	}
	return out, nil
}

func open(t testing.TB, path string) *Reader {
	t.Helper()
	r, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func TestACaptureHoldsWhatWasWritten(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		want := rapid.SliceOfN(anyRecord(), 0, 30).Draw(rt, "records")
		path := filepath.Join(t.TempDir(), "t.mcap")
		w, err := Create(path, WriterOptions{ChunkSize: rapid.IntRange(1, 4000).Draw(rt, "chunk")})
		if err != nil {
			rt.Fatal(err)
		}
		gaps := uint64(0)
		for _, r := range want {
			if err := w.Write(t.Context(), r); err != nil {
				rt.Fatal(err)
			}
			if r.Kind == probes.Gap {
				gaps++
			}
		}
		sum, err := w.Close()
		if err != nil || sum.Records != uint64(len(want)) || sum.Pending != 0 || sum.Gaps != gaps {
			rt.Fatalf("summary %+v, error %v", sum, err)
		}
		r, err := Open(path)
		if err != nil {
			rt.Fatal(err)
		}
		defer r.Close()
		if st, _ := os.Stat(path); st.Size() != sum.Bytes {
			rt.Fatalf("%d bytes, summary says %d", st.Size(), sum.Bytes)
		}
		i := 0
		for got, err := range r.Records(t.Context()) {
			if err != nil {
				rt.Fatal(err)
			}
			if diff := sameRecord(want[i], got); diff != "" {
				rt.Fatal(diff)
			}
			i++
		}
		if i != len(want) || !r.Info().Complete || r.Info().Records != uint64(i) {
			rt.Fatalf("%d of %d records, info %+v", i, len(want), r.Info())
		}
	})
}

func TestTheUpstreamReaderReadsOurFiles(t *testing.T) {
	f, err := os.Open(capture(t, 5000, WriterOptions{ChunkSize: 64 << 10, Version: "1.2.3"}))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := mcap.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	info, err := r.Info()
	if err != nil {
		t.Fatal(err)
	}
	if info.Header.Profile != "iscope" || info.Statistics.MessageCount != 5000 || len(info.ChunkIndexes) < 5 ||
		info.ChannelCounts()["shop-kafka/orders.created"] != 5000 || info.Schemas[schemaID].Name != envelope {
		t.Fatalf("info %+v, statistics %+v", info, info.Statistics)
	}
	it, err := r.Messages(mcap.UsingIndex(true))
	if err != nil {
		t.Fatal(err)
	}
	for n := range 5000 {
		_, _, msg, err := it.NextInto(nil)
		if err != nil {
			t.Fatal(err)
		}
		rec, err := decodeRecord(msg.Data, interner{})
		if err != nil {
			t.Fatal(err)
		}
		want := sample(n)
		if msg.LogTime != uint64(want.Seen.UnixNano()) || msg.PublishTime != uint64(want.Time.UnixNano()) {
			t.Fatalf("message %d has times %d, %d", n, msg.LogTime, msg.PublishTime)
		}
		if !identical(want, rec) {
			t.Fatal(sameRecord(want, rec))
		}
	}
	// The sequential path checks every chunk's checksum.
	f.Seek(0, 0)
	lex, err := mcap.NewLexer(f, &mcap.LexerOptions{ValidateChunkCRCs: true})
	if err != nil {
		t.Fatal(err)
	}
	messages := 0
	for {
		tok, _, err := lex.Next(nil)
		if err != nil {
			t.Fatal(err)
		}
		if tok == mcap.TokenMessage {
			messages++
		}
		if tok == mcap.TokenFooter {
			break
		}
	}
	if messages != 5000 {
		t.Fatalf("%d messages read in order", messages)
	}
}

func TestACaptureRemembersWhereItCameFrom(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.mcap")
	w, err := Create(path, WriterOptions{Version: "1.2.3", Environment: probes.Environment{Name: "shop", Class: probes.ClassStaging}, Redaction: "headers by allow-list"})
	if err != nil {
		t.Fatal(err)
	}
	w.AddTarget(TargetInfo{Name: "api", Driver: "http", Address: "http://me:secret@api.internal:8080/v1?key=x"})
	w.AddTarget(TargetInfo{Name: "api", Driver: "http", Address: "http://me:secret@api.internal:8080/v1?key=x", Identity: "late"})
	schema := probes.Schema{Ref: "shop.Order", Type: "protobuf", Text: "message Order {}", Data: []byte{1, 0, 255}}
	for range 2 {
		if err := w.AttachSchema("api", schema); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Write(t.Context(), sample(1)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	raw, _ := os.ReadFile(path)
	if bytes.Contains(raw, []byte("secret")) || bytes.Contains(raw, []byte("key=x")) {
		t.Fatal("credentials of the address are in the file")
	}
	r := open(t, path)
	i := r.Info()
	if len(i.Targets) != 1 || i.Targets[0].Address != "http://api.internal:8080/v1" || i.Targets[0].Identity != "late" {
		t.Fatalf("targets %+v", i.Targets)
	}
	if i.Version != "1.2.3" || i.Environment != "shop" || i.Class != probes.ClassStaging || i.Redaction != "headers by allow-list" || i.Ended.Before(i.Started) {
		t.Fatalf("info %+v", i)
	}
	got := r.Schemas()
	if len(got) != 1 || got[0].Target != "api" || got[0].Ref != "shop.Order" || !bytes.Equal(got[0].Data, schema.Data) || got[0].Text != schema.Text {
		t.Fatalf("schemas %+v", got)
	}
}

func TestACaptureNeverOverwrites(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "t.mcap")
	w, err := Create(path, WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(path + ".part"); err != nil || st.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", st, err)
	}
	if _, err := Create(path, WriterOptions{}); !errors.Is(err, probes.ErrRefused) {
		t.Fatalf("a second writer of the same file: %v", err)
	}
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	sum, err := w.Close()
	if !errors.Is(err, probes.ErrIncomplete) || sum.Path != path+".part" {
		t.Fatalf("closing over somebody else's file: %+v, %v", sum, err)
	}
	if b, _ := os.ReadFile(path); string(b) != "mine" {
		t.Fatalf("it was replaced by %q", b)
	}
	if _, err := Create(path, WriterOptions{}); !errors.Is(err, probes.ErrRefused) {
		t.Fatalf("over an existing file: %v", err)
	}
	if _, err := Create(filepath.Join(dir, "no", "t.mcap"), WriterOptions{}); !errors.Is(err, probes.ErrUsage) || !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("into a missing folder: %v", err)
	}
}

func TestASlowCaptureReachesTheDiskInTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.mcap")
	synctest.Test(t, func(t *testing.T) {
		w, err := Create(path, WriterOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		for n := range 3 {
			w.Write(t.Context(), sample(2*n))
			w.Write(t.Context(), sample(2*n+1))
			time.Sleep(249 * time.Millisecond)
			synctest.Wait()
			if s := w.Stats(); s.Pending != 2 {
				t.Fatalf("flushed early: %+v", s)
			}
			time.Sleep(2 * time.Millisecond)
			synctest.Wait()
			if s := w.Stats(); s.Pending != 0 || s.Chunks != uint64(n+1) {
				t.Fatalf("not flushed: %+v", s)
			}
			r, err := Open(path + ".part")
			if err != nil {
				t.Fatal(err)
			}
			got, err := readAll(t, r)
			if len(got) != 2*n+2 || !errors.Is(err, probes.ErrIncomplete) || r.Info().Complete {
				t.Fatalf("%d records of the unfinished file, %v", len(got), err)
			}
			r.Close()
			time.Sleep(time.Hour)
		}
	})
}

func TestRecordsAreRedactedBeforeTheyAreWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.mcap")
	w, err := Create(path, WriterOptions{Redact: func(r probes.Record) probes.Record {
		r.Body = []byte("«redacted»")
		return r
	}})
	if err != nil {
		t.Fatal(err)
	}
	rec := sample(1)
	w.Write(t.Context(), rec)
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := readAll(t, open(t, path))
	if err != nil || len(got) != 1 || string(got[0].Body) != "«redacted»" || string(rec.Body) == "«redacted»" {
		t.Fatalf("%+v, %v", got, err)
	}
}

func TestConcurrentSinksLoseNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.mcap")
	w, err := Create(path, WriterOptions{ChunkSize: 3000, FlushEvery: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 200 {
				rec := sample(i)
				rec.Source.Subject = fmt.Sprint("topic-", g)
				if err := w.Write(t.Context(), rec); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := readAll(t, open(t, path))
	if err != nil || len(got) != 1600 {
		t.Fatalf("%d records, %v", len(got), err)
	}
	next := map[string]int{}
	for _, r := range got {
		if r.ID != fmt.Sprintf("0/%d", next[r.Source.Subject]) {
			t.Fatalf("%s: %s out of order", r.Source.Subject, r.ID)
		}
		next[r.Source.Subject]++
	}
}

func TestEndlessSubjectsShareAChannel(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.mcap")
	w, err := Create(path, WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	const n = 70_000 // more than MCAP has channels
	for i := range n {
		rec := probes.Record{Kind: probes.Request, Call: fmt.Sprint(i), Source: probes.Ref{Target: "api", Subject: fmt.Sprintf("GET /orders/%d", i)}}
		if err := w.Write(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
	}
	sum, err := w.Close()
	if err != nil || sum.Channels != maxChannels+1 {
		t.Fatalf("%+v, %v", sum, err)
	}
	i := 0
	for rec, err := range open(t, path).Records(t.Context()) {
		if err != nil || rec.Source.Subject != fmt.Sprintf("GET /orders/%d", i) {
			t.Fatalf("record %d: %+v, %v", i, rec, err)
		}
		i++
	}
}

// fullDisk takes some bytes and then fails as a full disk does.
type fullDisk struct {
	*os.File
	left int
}

func (d *fullDisk) Write(p []byte) (int, error) {
	n := min(len(p), d.left)
	d.left -= n
	m, err := d.File.Write(p[:n])
	if err == nil && n < len(p) {
		err = &os.PathError{Op: "write", Path: d.Name(), Err: syscall.ENOSPC}
	}
	return m, err
}

func TestAFullDiskEndsTheCaptureClearly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.mcap")
	f, err := os.Create(path + ".part")
	if err != nil {
		t.Fatal(err)
	}
	w, err := newWriter(path, newPartFile(&fullDisk{f, 40_000}), WriterOptions{ChunkSize: 20_000})
	if err != nil {
		t.Fatal(err)
	}
	go w.flushInTime()
	var werr error
	n := 0
	for ; werr == nil && n < 100_000; n++ {
		werr = w.Write(t.Context(), sample(n))
	}
	if !errors.Is(werr, probes.ErrIncomplete) || !errors.Is(werr, syscall.ENOSPC) || !strings.Contains(werr.Error(), path) {
		t.Fatalf("after %d records: %v", n, werr)
	}
	if err := w.Write(t.Context(), sample(0)); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("writing on: %v", err)
	}
	sum, err := w.Close()
	if !errors.Is(err, syscall.ENOSPC) || sum.Path != path+".part" {
		t.Fatalf("closing: %+v, %v", sum, err)
	}
	r := open(t, path+".part")
	got, err := readAll(t, r)
	if !errors.Is(err, probes.ErrIncomplete) || len(got) == 0 || uint64(len(got)) != sum.Records-sum.Pending {
		t.Fatalf("%d records read, summary %+v, %v", len(got), sum, err)
	}
	for i, rec := range got {
		if !identical(sample(i), rec) {
			t.Fatal(sameRecord(sample(i), rec))
		}
	}
}

func TestAClosedCaptureTakesNothing(t *testing.T) {
	w, err := Create(filepath.Join(t.TempDir(), "t.mcap"), WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	first, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := w.Close(); err != nil || again != first {
		t.Fatalf("closing twice: %+v, %v", again, err)
	}
	if err := w.Write(t.Context(), sample(1)); !errors.Is(err, probes.ErrUsage) {
		t.Fatalf("writing after closing: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.Write(ctx, sample(1)); !errors.Is(err, context.Canceled) {
		t.Fatalf("writing with a context that ended: %v", err)
	}
}

func TestAHugeBodyIsCutAndCounted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.mcap")
	w, err := Create(path, WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	rec := sample(1)
	rec.Body = make([]byte, maxBody+5)
	if err := w.Write(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	sum, err := w.Close()
	if err != nil || sum.Cut != 1 {
		t.Fatalf("%+v, %v", sum, err)
	}
	got, err := readAll(t, open(t, path))
	if err != nil || len(got) != 1 || len(got[0].Body) != maxBody || got[0].Cut != 5 {
		t.Fatalf("%d records, %v", len(got), err)
	}
}
