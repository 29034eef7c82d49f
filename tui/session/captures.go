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

// Preview reads the first records of a capture and reports whether there are
// more. What is damaged is the error, beside what could be read.
func (s *Session) Preview(ctx context.Context, path string) (recs []probes.Record, more bool, err error) {
	r, err := replay.Open(path)
	if err != nil {
		return nil, false, err
	}
	defer r.Close()
	for rec, err := range r.Records(ctx) {
		if err != nil {
			return recs, false, err
		}
		if len(recs) == PreviewRecords {
			return recs, true, nil
		}
		recs = append(recs, rec)
	}
	return recs, false, nil
}
