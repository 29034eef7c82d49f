package session

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"iscope/probes"
	"iscope/replay"
)

// CaptureFile is one file of the capture folder.
type CaptureFile struct {
	Path  string
	Name  string
	Size  int64
	Time  time.Time
	Open  bool // still being written, or cut off: its name ends in .part
	Info  replay.Info
	Error string // why it cannot be read
}

// Captures lists the capture folder, the newest first, with what each file says
// about itself. It reads the files' ends, so it blocks. A folder that does not
// exist yet is empty.
func (s *Session) Captures() ([]CaptureFile, error) {
	entries, err := os.ReadDir(s.CaptureDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []CaptureFile
	for _, e := range entries {
		name, part := strings.CutSuffix(e.Name(), ".part")
		if !strings.HasSuffix(name, ".mcap") || e.IsDir() {
			continue
		}
		out = append(out, s.captureFile(e, part))
	}
	slices.SortFunc(out, func(a, b CaptureFile) int { return b.Time.Compare(a.Time) })
	return out, nil
}

func (s *Session) captureFile(e fs.DirEntry, part bool) CaptureFile {
	f := CaptureFile{Path: filepath.Join(s.CaptureDir, e.Name()), Name: e.Name(), Open: part}
	if st, err := e.Info(); err == nil {
		f.Size, f.Time = st.Size(), st.ModTime()
	}
	r, err := replay.Open(f.Path)
	if err != nil {
		f.Error = s.clean(err.Error())
		return f
	}
	defer r.Close()
	f.Info = r.Info()
	return f
}

// PreviewRecords is how many records of a capture are shown.
const PreviewRecords = 1000

// Preview is the beginning of what a filter leaves of a capture.
type Preview struct {
	Records  []probes.Record
	Looked   int // at so many
	Unjudged int // of which it could not be said
	Why      string
	More     bool  // the rest was not looked at
	Err      error // what is damaged, beside what could be read
}

// Preview reads the first records of a capture that are chosen; a nil choose takes
// all. When ctx ends, what was read until then is what there is.
func (s *Session) Preview(ctx context.Context, path string, choose func(*probes.Record) (bool, error)) (p Preview) {
	r, err := replay.Open(path)
	if err != nil {
		p.Err = err
		return p
	}
	defer r.Close()
	for rec, err := range r.Records(ctx) {
		switch {
		case ctx.Err() != nil, err == nil && len(p.Records) == PreviewRecords:
			p.More = true
			return p
		case err != nil:
			p.Err = err
			return p
		}
		p.Looked++
		if p.take(&rec, choose) {
			p.Records = append(p.Records, rec)
		}
	}
	return p
}

func (p *Preview) take(rec *probes.Record, choose func(*probes.Record) (bool, error)) bool {
	if choose == nil {
		return true
	}
	ok, err := choose(rec)
	if err != nil {
		if p.Unjudged++; p.Unjudged == 1 {
			p.Why = err.Error()
		}
	}
	return ok
}
