package lock

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTry(t *testing.T) {
	name := filepath.Join(t.TempDir(), "state")
	open := func() *os.File {
		t.Helper()
		f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	first, second := open(), open()
	if ok, err := Try(first); !ok || err != nil {
		t.Fatalf("a free file was not locked: %v", err)
	}
	if ok, err := Try(second); ok || err != nil {
		t.Fatalf("a locked file was locked again (%v), or: %v", ok, err)
	}
	first.Close()
	if ok, err := Try(second); !ok || err != nil {
		t.Fatalf("closing did not unlock: %v", err)
	}
	second.Close()
	if ok, err := Try(second); ok || err == nil {
		t.Error("a closed file was locked")
	}
}
