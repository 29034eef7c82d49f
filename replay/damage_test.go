package replay

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/foxglove/mcap/go/mcap"
	"pgregory.net/rapid"

	"iscope/probes"
)

// extent is where a chunk is and which records it holds, by the index that the
// upstream library reads.
type extent struct{ start, end, first, count int }

// sampleFile is a finished capture of small chunks, with its chunks.
func sampleFile(t testing.TB, n int) ([]byte, []extent) {
	t.Helper()
	data, err := os.ReadFile(capture(t, n, WriterOptions{ChunkSize: 1500}))
	if err != nil {
		t.Fatal(err)
	}
	r, err := mcap.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	info, err := r.Info()
	if err != nil {
		t.Fatal(err)
	}
	var out []extent
	first := 0
	for _, c := range info.ChunkIndexes {
		count := 0
		for id := range c.MessageIndexOffsets {
			at := int(c.MessageIndexOffsets[id])
			idx, err := mcap.ParseMessageIndex(data[at+recordHead:])
			if err != nil {
				t.Fatal(err)
			}
			count += len(idx.Records)
		}
		out = append(out, extent{int(c.ChunkStartOffset), int(c.ChunkStartOffset + c.ChunkLength), first, count})
		first += count
	}
	if first != n {
		t.Fatalf("the index counts %d records", first)
	}
	return data, out
}

// readDamaged reads a file and returns the numbers of its records.
func readDamaged(t testing.TB, data []byte) (ids []int, damage []Damage, err error) {
	t.Helper()
	r, err := newReader("t.mcap", bytes.NewReader(data), int64(len(data)), limits{record: 1 << 20, chunk: 1 << 20})
	if err != nil {
		return nil, nil, err
	}
	defer r.Close()
	recs, err := readAll(t, r)
	for _, rec := range recs {
		n, cerr := strconv.Atoi(strings.TrimPrefix(rec.ID, "0/"))
		if cerr != nil || !identical(sample(n), rec) {
			t.Fatalf("a record that was never written: %+v", rec)
		}
		ids = append(ids, n)
	}
	return ids, r.Damage(), err
}

// check compares what was read with what had to be readable, and the account of
// losses with the truth.
func check(t interface {
	Helper()
	Fatalf(string, ...any)
}, total int, want, got []int, damage []Damage, err error) {
	t.Helper()
	have := map[int]bool{}
	for i, n := range got {
		if have[n] || i > 0 && n < got[i-1] {
			t.Fatalf("record %d twice or out of order", n)
		}
		have[n] = true
	}
	for _, n := range want {
		if !have[n] {
			t.Fatalf("record %d is intact and was not read; damage: %v", n, damage)
		}
	}
	lost, known := int64(0), true
	for _, d := range damage {
		known = known && d.Records >= 0
		lost += max(0, d.Records)
	}
	missing := int64(total - len(got))
	if known && lost != missing || lost > missing {
		t.Fatalf("%d records are missing, the account says %d: %v", missing, lost, damage)
	}
	if missing > 0 && len(damage) == 0 {
		t.Fatalf("%d records are missing without a word", missing)
	}
	if (len(damage) > 0) != errors.Is(err, probes.ErrIncomplete) {
		t.Fatalf("damage %v, but the error is %v", damage, err)
	}
}

func intactRecords(chunks []extent, hit func(extent) bool) (out []int) {
	for _, c := range chunks {
		if !hit(c) {
			for i := range c.count {
				out = append(out, c.first+i)
			}
		}
	}
	return out
}

func TestAFileCutAnywhereGivesAnExactPrefix(t *testing.T) {
	const n = 24
	data, chunks := sampleFile(t, n)
	for cut := range len(data) {
		got, damage, err := readDamaged(t, data[:cut])
		want := intactRecords(chunks, func(c extent) bool { return c.end > cut })
		if len(got) != len(want) {
			t.Fatalf("cut at %d of %d: %d records, want %d; %v, %v", cut, len(data), len(got), len(want), damage, err)
		}
		check(t, n, want, got, damage, err)
		if len(damage) == 0 {
			t.Fatalf("cut at %d of %d: nothing reported", cut, len(data))
		}
	}
}

func TestAFlippedBitAnywhereCostsOneChunkAtMost(t *testing.T) {
	const n = 24
	data, chunks := sampleFile(t, n)
	for at := range len(data) {
		bad := bytes.Clone(data)
		bad[at] ^= 1 << (at % 8)
		got, damage, err := readDamaged(t, bad)
		check(t, n, intactRecords(chunks, func(c extent) bool { return at >= c.start && at < c.end }), got, damage, err)
		for _, d := range damage {
			if d.Records < 0 {
				t.Fatalf("bit flipped at %d: the loss is exact by the neighbours' numbers, but: %v", at, damage)
			}
		}
	}
}

func TestAnyDamageLeavesTheIntactChunksReadable(t *testing.T) {
	const n = 200
	data, chunks := sampleFile(t, n)
	rapid.Check(t, func(rt *rapid.T) {
		bad := bytes.Clone(data)
		type span struct{ from, to int }
		var spans []span
		for range rapid.IntRange(1, 4).Draw(rt, "places") {
			from := rapid.IntRange(len(mcap.Magic)+40, len(bad)-1).Draw(rt, "from")
			to := min(len(bad), from+rapid.IntRange(1, 3000).Draw(rt, "length"))
			rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
			for i := from; i < to; i++ {
				bad[i] = byte(rng.Uint32())
			}
			spans = append(spans, span{from, to})
		}
		cut := rapid.IntRange(len(bad)/2, len(bad)).Draw(rt, "cut")
		got, damage, err := readDamaged(t, bad[:cut])
		want := intactRecords(chunks, func(c extent) bool {
			for _, s := range spans {
				if s.from < c.end && s.to > c.start {
					return true
				}
			}
			return c.end > cut
		})
		check(rt, n, want, got, damage, err)
	})
}

// A captured upload may itself be a capture file. When the chunk around it is
// damaged, its records must not surface as ours.
func TestACaptureInsideAPayloadIsNotRead(t *testing.T) {
	inner := randomChunk(t)
	path := t.TempDir() + "/outer.mcap"
	w, err := Create(path, WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	rec := sample(1000)
	rec.Body = inner
	if err := w.Write(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(data, packSign)
	if !bytes.Contains(data, inner) {
		t.Fatal("the payload is not in the file as it is, so the test proves nothing")
	}
	data[at-2] ^= 0xff        // the outer chunk's CRC
	data[at-packName+1] ^= 1  // and its length: all that is left is searching
	data = data[:len(data)-9] // and no index
	r, err := newReader("t", bytes.NewReader(data), int64(len(data)), standard)
	if err != nil {
		t.Fatal(err)
	}
	got, err := readAll(t, r)
	if len(got) != 0 || !errors.Is(err, probes.ErrIncomplete) {
		t.Fatalf("%d records out of a payload, %v", len(got), err)
	}
}

// randomChunk is a chunk of some capture that does not compress any further.
func randomChunk(t *testing.T) []byte {
	t.Helper()
	path := t.TempDir() + "/inner.mcap"
	w, err := Create(path, WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	rec := sample(1)
	rec.Body = make([]byte, 60_000)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range rec.Body {
		rec.Body[i] = byte(rng.Uint32())
	}
	if err := w.Write(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	chunk := data[bytes.Index(data, packSign)-packName:]
	return chunk[:recordHead+binary.LittleEndian.Uint64(chunk[1:])]
}

// Guard rails compare with the recorded address: a damaged one must not be
// believed.
func TestADamagedTargetIsNotBelieved(t *testing.T) {
	data, _ := sampleFile(t, 10)
	at := bytes.Index(data, []byte("127.0.0.1:9092"))
	data[at+8] ^= 1
	for _, bad := range [][]byte{data, data[:len(data)-1]} {
		r, err := newReader("t", bytes.NewReader(bad), int64(len(bad)), standard)
		if err != nil {
			t.Fatal(err)
		}
		i := r.Info()
		if len(i.Targets) != 0 || i.Complete || i.Records != 10 || len(r.Damage()) == 0 || r.Damage()[0].What != "metadata" {
			t.Fatalf("%+v, damage %v", i, r.Damage())
		}
		got, err := readAll(t, r)
		if len(got) != 10 || !errors.Is(err, probes.ErrIncomplete) {
			t.Fatalf("%d records, %v", len(got), err)
		}
	}
}

func TestWhatIsNoCaptureIsSaidSo(t *testing.T) {
	dir := t.TempDir()
	foreign := &bytes.Buffer{}
	mw, err := mcap.NewWriter(foreign, &mcap.WriterOptions{Chunked: true, Compression: mcap.CompressionZSTD, IncludeCRC: true})
	if err != nil {
		t.Fatal(err)
	}
	mw.WriteHeader(&mcap.Header{Profile: "ros2"})
	mw.WriteChannel(&mcap.Channel{ID: 1, Topic: "/odom"})
	mw.WriteMessage(&mcap.Message{ChannelID: 1, Data: []byte("x")})
	mw.Close()
	for name, data := range map[string][]byte{"text": []byte("orders: 12\n"), "zeros": make([]byte, 1<<20), "ros": foreign.Bytes()} {
		path := dir + "/" + name
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); !errors.Is(err, probes.ErrUsage) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Open(dir); !errors.Is(err, probes.ErrUsage) {
		t.Errorf("a folder: %v", err)
	}
	if _, err := Open(dir + "/missing"); !errors.Is(err, probes.ErrNotFound) {
		t.Errorf("a missing file: %v", err)
	}
}

func FuzzReader(f *testing.F) {
	data, chunks := sampleFile(f, 30)
	f.Add(data)
	f.Add(data[:chunks[1].end+7])
	f.Add(data[chunks[0].start:])
	f.Add(append(bytes.Clone(data), data...))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := newReader("fuzz", bytes.NewReader(data), int64(len(data)), limits{record: 1 << 16, chunk: 1 << 16})
		if err != nil {
			return
		}
		defer r.Close()
		n := uint64(0)
		for _, err := range r.Records(t.Context()) {
			if err != nil {
				if !errors.Is(err, probes.ErrIncomplete) {
					t.Fatal(err)
				}
				break
			}
			n++
		}
		r.Schemas()
		if i := r.Info(); i.Complete && len(r.Damage()) == 0 && i.Records != n {
			t.Fatalf("%d records read, the index says %d, and nothing is wrong", n, i.Records)
		}
	})
}
