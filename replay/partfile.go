package replay

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"iscope/probes"
)

// partSuffix marks a file that has not been finished.
const partSuffix = ".part"

// disk is what a capture is written to; tests have one that fills up.
type disk interface {
	Write(p []byte) (int, error)
	Sync() error
	Close() error
	Name() string
}

// partFile is the file being written. It reaches the disk in whole chunks, so
// that a killed iscope leaves whole chunks.
type partFile struct {
	f    disk
	buf  *bufio.Writer
	size int64
}

func newPartFile(d disk) *partFile { return &partFile{f: d, buf: bufio.NewWriterSize(d, 64<<10)} }

// createPart opens PATH.part for writing, refusing to touch what exists.
func createPart(path string) (*partFile, error) {
	refuse := func(what, hint string) error {
		return &probes.Error{Target: path, Op: "creating the capture", Kind: probes.ErrRefused,
			Err: fmt.Errorf("%s exists", what), Hint: hint}
	}
	if _, err := os.Lstat(path); err == nil {
		return nil, refuse(path, "choose another name; captures are never overwritten")
	}
	f, err := os.OpenFile(path+partSuffix, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil, refuse(path+partSuffix, "it is an unfinished capture, perhaps of an iscope still running; choose another name or move it away")
	case err != nil:
		return nil, &probes.Error{Target: path, Op: "creating the capture", Kind: probes.ErrUsage, Err: err,
			Hint: "the folder must exist and be writable"}
	}
	return newPartFile(f), nil
}

func (p *partFile) name() string { return p.f.Name() }

func (p *partFile) Write(b []byte) (int, error) {
	n, err := p.buf.Write(b)
	p.size += int64(n)
	return n, err
}

func (p *partFile) flush(sync bool) error {
	if err := p.buf.Flush(); err != nil || !sync {
		return err
	}
	return p.f.Sync()
}

// commit makes the file durable and gives it its final name, if that is still
// free.
func (p *partFile) commit(path string) error {
	err := p.flush(true)
	if cerr := p.f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	// A link fails where a rename would replace. Some file systems have no
	// links.
	err = os.Link(p.name(), path)
	if err == nil {
		return os.Remove(p.name())
	}
	if _, serr := os.Lstat(path); serr == nil {
		return fmt.Errorf("%s was created meanwhile by somebody else", path)
	}
	return os.Rename(p.name(), path)
}

// abandon closes and removes a file in which nothing is worth keeping.
func (p *partFile) abandon() {
	_ = p.f.Close()
	_ = os.Remove(p.name())
}

// abandonQuietly closes the file after a failure that has been reported.
func (p *partFile) abandonQuietly() {
	_ = p.buf.Flush()
	_ = p.f.Close()
}
