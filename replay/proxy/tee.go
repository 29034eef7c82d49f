package proxy

import (
	"errors"
	"io"
	"sync"
)

// tee watches a body go by. It hands every piece to take as soon as it has been
// read, before the reader sees it, and says once how the body ended.
type tee struct {
	rc   io.ReadCloser
	take func(p []byte)
	end  func(err error) // nil: read to its end

	once sync.Once
}

// errUnread ends a body that its reader gave up.
var errUnread = errors.New("not read to its end")

func (t *tee) Read(p []byte) (int, error) {
	n, err := t.rc.Read(p)
	if n > 0 {
		t.take(p[:n])
	}
	switch {
	case errors.Is(err, io.EOF):
		t.once.Do(func() { t.end(nil) })
	case err != nil:
		t.once.Do(func() { t.end(err) })
	}
	return n, err
}

func (t *tee) Close() error {
	err := t.rc.Close()
	t.once.Do(func() { t.end(errUnread) })
	return err
}
