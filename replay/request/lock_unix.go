//go:build unix

package request

import (
	"os"
	"syscall"
)

// lock waits until no other open file holds the lock of f, and holds it until f
// is closed. Those who hold one do so for a few file operations.
func lock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX) }
