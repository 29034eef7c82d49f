package tuitest

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// open makes a pseudo terminal (pts(4)).
func open(w, h int) (master, tty *os.File, err error) {
	master, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, err
	}
	var n int
	err = control(master, func(fd int) (err error) {
		if err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err == nil {
			n, err = unix.IoctlGetInt(fd, unix.TIOCGPTN)
		}
		return err
	})
	if err == nil {
		err = setSize(master, w, h)
	}
	if err == nil {
		err = silence(master)
	}
	if err == nil {
		tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		master.Close()
		return nil, nil, err
	}
	return master, tty, nil
}

// silence turns the echo off: what a test types before the program reads is
// nothing the program wrote.
func silence(f *os.File) error {
	return control(f, func(fd int) error {
		t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		if err == nil {
			t.Lflag &^= unix.ECHO
			err = unix.IoctlSetTermios(fd, unix.TCSETS, t)
		}
		return err
	})
}

func setSize(f *os.File, w, h int) error {
	return control(f, func(fd int) error {
		return unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: uint16(h), Col: uint16(w)})
	})
}

// settings are the line settings in words one can compare.
func settings(f *os.File) (s string) {
	err := control(f, func(fd int) error {
		t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		if err == nil {
			s = fmt.Sprintf("in %x out %x control %x local %x", t.Iflag, t.Oflag, t.Cflag, t.Lflag)
		}
		return err
	})
	if err != nil {
		return err.Error()
	}
	return s
}

// control calls f with the descriptor and leaves the file non-blocking, unlike
// File.Fd.
func control(f *os.File, do func(fd int) error) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = do(int(fd)) }); err != nil {
		return err
	}
	return inner
}

// apart gives the program its own process group, so that a suspend does not stop
// the test, unless the test has put it somewhere else.
func apart(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	}
}

// Resize makes the terminal another size and tells the program as the kernel
// would tell the foreground group of a controlling terminal.
func (x *Terminal) Resize(w, h int) {
	x.t.Helper()
	if err := setSize(x.master, w, h); err != nil {
		x.t.Fatal(err)
	}
	x.mu.Lock()
	x.resize(w, h)
	x.mu.Unlock()
	if err := x.cmd.Process.Signal(syscall.SIGWINCH); err != nil && !x.Ended() {
		x.t.Fatal(err)
	}
}
