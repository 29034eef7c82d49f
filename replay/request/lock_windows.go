package request

import (
	"os"

	"golang.org/x/sys/windows"
)

// lock waits until no other open file holds the lock of f, and holds it until f
// is closed. Those who hold one do so for a few file operations.
func lock(f *os.File) error {
	// A byte far behind the text, which stays readable.
	return windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0, &windows.Overlapped{OffsetHigh: 1})
}
