//go:build unix

package lock

import (
	"errors"
	"os"
	"syscall"
)

// Try locks a file until it is closed, by whatever way, a kill included. It
// is false if another open file holds the lock.
func Try(f *os.File) (bool, error) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}
