package request

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"iscope/probes"
)

// Entry is one call that was made. Its secrets were masked before it came here.
type Entry struct {
	N    int       `json:"n"` // given by Add; they go up and are not used again
	Time time.Time `json:"time"`
	Request
	Status string `json:"status,omitempty"` // the status word; "" if nothing was answered
	Err    string `json:"error,omitempty"`
	Took   int64  `json:"took_us"` // microseconds
	Trace  string `json:"trace_id,omitempty"`
	// Answers is how many responses came.
	Answers int `json:"answers"`
	// Cut says that documents were too large to keep. Such a call cannot be
	// repeated from here.
	Cut bool `json:"cut,omitempty"`
}

// Bounds of a history.
const (
	maxEntries   = 500
	maxDocuments = 64 << 10 // bytes of one entry's documents
	maxHistory   = 64 << 20 // bytes of the file that are read
	trimEvery    = 50       // calls after which the oldest are dropped
)

// EnvHistory is the environment variable that names the history file; "off"
// keeps none.
const EnvHistory = "ISCOPE_HISTORY"

// History is the file of calls a user has made, one JSON object a line. It is
// bounded, readable by its owner only and safe for several processes at once.
// The zero History keeps nothing.
type History struct{ path string }

// OpenHistory finds the user's history: where ISCOPE_HISTORY says, else
// iscope/history.jsonl in the state folder (XDG Base Directory Specification),
// or in the user's configuration folder where the system has none. Nothing is
// created before the first Add.
func OpenHistory(getenv func(string) string) *History {
	switch named := getenv(EnvHistory); named {
	case "":
	case "off", "0", "no", "false":
		return &History{}
	default:
		return &History{path: named}
	}
	dir := getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(dir) { // the specification says to ignore relative ones
		dir = ""
		if home := getenv("HOME"); filepath.IsAbs(home) {
			dir = filepath.Join(home, ".local", "state")
		} else if conf, err := os.UserConfigDir(); err == nil {
			dir = conf
		}
	}
	if dir == "" {
		return &History{}
	}
	return &History{path: filepath.Join(dir, "iscope", "history.jsonl")}
}

// HistoryAt is the history in a file.
func HistoryAt(path string) *History { return &History{path: path} }

// Path is the file; "" if nothing is kept.
func (h *History) Path() string { return h.path }

// Add appends an entry, gives it its number and drops the oldest beyond the
// bound. The caller has masked it.
func (h *History) Add(e Entry) error {
	if h.path == "" {
		return nil
	}
	size := 0
	for _, d := range e.Documents {
		size += len(d)
	}
	if size > maxDocuments {
		e.Documents, e.Cut = nil, true
	}
	return h.locked(func(f *os.File) error {
		last, err := newest(f)
		if err != nil {
			return err
		}
		e.N = last + 1
		if e.N%trimEvery != 0 {
			return appendTo(f, []Entry{e})
		}
		old, err := entries(f)
		if err != nil {
			return err
		}
		old = append(old, e)
		if err := f.Truncate(0); err != nil {
			return err
		}
		return appendTo(f, old[max(0, len(old)-maxEntries):])
	})
}

// List returns what there is, the oldest first. Lines that cannot be read are
// left out.
func (h *History) List() ([]Entry, error) {
	if h.path == "" {
		return nil, nil
	}
	f, err := os.Open(h.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, h.failed("reading", err)
	}
	defer f.Close()
	all, err := entries(f)
	if err != nil {
		return nil, h.failed("reading", err)
	}
	return all[max(0, len(all)-maxEntries):], nil
}

// Get returns one entry by its number; a negative one counts from the newest,
// which is -1.
func (h *History) Get(n int) (Entry, error) {
	all, err := h.List()
	if err != nil {
		return Entry{}, err
	}
	if i := len(all) + n; n < 0 && i >= 0 {
		return all[i], nil
	}
	for _, e := range all {
		if e.N == n {
			return e, nil
		}
	}
	hint := "it is empty"
	if len(all) > 0 {
		hint = fmt.Sprintf("it holds %d to %d; -1 is the newest", all[0].N, all[len(all)-1].N)
	}
	return Entry{}, &probes.Error{Op: "looking into the history", Kind: probes.ErrNotFound, Err: fmt.Errorf("there is no call %d", n), Hint: hint}
}

// Clear removes everything, and returns how many entries there were.
func (h *History) Clear() (n int, err error) {
	all, err := h.List()
	if err != nil || len(all) == 0 {
		return 0, err
	}
	return len(all), h.locked(func(f *os.File) error { return f.Truncate(0) })
}

// locked opens the file for one process alone.
func (h *History) locked(f func(*os.File) error) error {
	if err := os.MkdirAll(filepath.Dir(h.path), 0o700); err != nil {
		return h.failed("writing", err)
	}
	file, err := os.OpenFile(h.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return h.failed("writing", err)
	}
	if err = lock(file); err == nil {
		err = f(file)
	}
	if cerr := file.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return h.failed("writing", err)
	}
	return nil
}

// newest is the number of the last entry, 0 if there is none. It reads no more
// than the end of the file, unless that is damaged.
func newest(f *os.File) (int, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	const tail = 2 * maxDocuments
	from := max(0, info.Size()-tail)
	text := make([]byte, info.Size()-from)
	if _, err := f.ReadAt(text, from); err != nil && err != io.EOF {
		return 0, err
	}
	for len(text) > 0 {
		text = bytes.TrimRight(text, "\n")
		at := bytes.LastIndexByte(text, '\n')
		var e struct {
			N int `json:"n"`
		}
		if json.Unmarshal(text[at+1:], &e) == nil && e.N > 0 {
			return e.N, nil
		}
		text = text[:at+1]
	}
	all, err := entries(io.NewSectionReader(f, 0, info.Size()))
	if err != nil || len(all) == 0 {
		return 0, err
	}
	return all[len(all)-1].N, nil
}

// appendTo writes entries behind what is in a file.
func appendTo(f *os.File, out []Entry) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	text, err := encode(out, f, info.Size())
	if err != nil {
		return err
	}
	_, err = f.WriteAt(text, info.Size())
	return err
}

// encode makes lines of entries. A line that a crash has left unfinished is
// closed first.
func encode(out []Entry, file io.ReaderAt, end int64) ([]byte, error) {
	var b bytes.Buffer
	var last [1]byte
	if end > 0 {
		if _, err := file.ReadAt(last[:], end-1); err == nil && last[0] != '\n' {
			b.WriteByte('\n')
		}
	}
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for i := range out {
		if err := enc.Encode(&out[i]); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// entries reads lines. One that is no entry, or is too long, is passed over.
func entries(r io.Reader) (out []Entry, err error) {
	lines := bufio.NewReader(io.LimitReader(r, maxHistory))
	for {
		text, err := lines.ReadBytes('\n')
		var e Entry
		if len(text) > 0 && json.Unmarshal(text, &e) == nil && e.Method != "" {
			out = append(out, e)
		}
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return out, err
		}
	}
}

func (h *History) failed(doing string, err error) error {
	return &probes.Error{Target: h.path, Op: doing + " the history", Kind: probes.ErrUsage, Err: err,
		Hint: "set " + EnvHistory + " to another file, or to off"}
}
