package main

import "syscall"

// groupOfItsOwn also makes the kernel kill the server when this program is
// killed.
func groupOfItsOwn() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
