package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// process is a running server: the head of a process group of its own, so that
// its children end with it.
type process struct {
	name string
	cmd  *exec.Cmd
	log  string
	done chan struct{} // closed when it has ended
	// stdin ends with this program even if that is killed, and servers of ours
	// stop when it does.
	stdin *os.File
}

// grace is how long a server may take to end before it is killed. Its data is
// thrown away, so nothing is lost.
const grace = 5 * time.Second

// launch starts a process in dir. Its output is added to log.txt there.
func launch(name string, p plan, dir string) (*process, error) {
	log, err := os.OpenFile(filepath.Join(dir, "log.txt"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer read.Close()
	cmd := exec.Command(p.argv[0], p.argv[1:]...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), p.env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = read, log, log
	cmd.SysProcAttr = groupOfItsOwn()
	if err := cmd.Start(); err != nil {
		write.Close()
		return nil, err
	}
	proc := &process{name: name, cmd: cmd, log: log.Name(), done: make(chan struct{}), stdin: write}
	go func() {
		cmd.Wait()
		close(proc.done)
	}()
	return proc, nil
}

// stop asks the group to end, and after a grace period makes it.
func (p *process) stop() {
	p.stdin.Close()
	p.signal(syscall.SIGCONT) // a paused one could not hear the next
	p.signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(grace):
	}
	p.kill()
}

// kill ends the group at once.
func (p *process) kill() {
	p.stdin.Close()
	p.signal(syscall.SIGKILL)
	<-p.done
}

// signal reaches every process of the group. Once the head has been waited for,
// the group's number lives on for as long as a member does, so it cannot hit
// strangers.
func (p *process) signal(s syscall.Signal) { syscall.Kill(-p.cmd.Process.Pid, s) }

// tail is the end of the log, for the reason of a failed start.
func (p *process) tail() string {
	content, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return "its log ends with:\n" + string(bytes.TrimSpace(lastBytes(content)))
}

func lastBytes(b []byte) []byte {
	const last = 2000
	if len(b) > last {
		return append([]byte("…"), b[len(b)-last:]...)
	}
	return b
}
