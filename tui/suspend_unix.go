//go:build unix

package tui

import (
	"os"

	"golang.org/x/sys/unix"
)

// noSuspend says why the dashboard cannot be suspended: the kernel does not stop
// a process group that no shell watches over (an orphaned one, POSIX 3.264), and
// Bubble Tea would wait for ever to be woken up. It is so where the dashboard is
// what a terminal or a container was started with.
func noSuspend() string {
	const none = "there is no shell to return to"
	session, err := unix.Getsid(0)
	if err != nil || unix.Getpgrp() == session {
		return none
	}
	if parents, err := unix.Getsid(os.Getppid()); err != nil || parents != session {
		return none
	}
	return ""
}
