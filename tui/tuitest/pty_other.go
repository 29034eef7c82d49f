//go:build !linux

package tuitest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
)

func open(int, int) (master, tty *os.File, err error) {
	return nil, nil, fmt.Errorf("pseudo terminals are opened on Linux only: %w", errors.ErrUnsupported)
}

func settings(*os.File) string { return "" }

func apart(*exec.Cmd) {}

// Resize does nothing here.
func (x *Terminal) Resize(w, h int) { x.resize(w, h) }
