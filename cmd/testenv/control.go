package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"sync"
	"syscall"
)

// control lets tests have a server to themselves, which they may kill, pause and
// start again: a shared one must stay up for the others. It is an HTTP server on
// loopback, and its address is the answer named "testenv":
//
//	POST /own?server=kafka      starts one; answers its id and addresses
//	POST /own/{id}/{action}     kill, start, pause or resume
//	DELETE /own/{id}            stops it
//
// The address has a secret part, so that only this run's tests reach it.
type control struct {
	ctx context.Context
	bed *bed
	srv *http.Server

	mu  sync.Mutex
	own map[string]*instance
}

// newControl returns with the listener open.
func newControl(ctx context.Context, b *bed) (*control, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &control{ctx: ctx, bed: b, own: map[string]*instance{}}
	secret := "/" + rand.Text()
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+secret+"/own", c.create)
	mux.HandleFunc("POST "+secret+"/own/{id}/{action}", c.act)
	mux.HandleFunc("DELETE "+secret+"/own/{id}", c.remove)
	c.srv = &http.Server{Handler: mux}
	go c.srv.Serve(ln)
	b.answers["testenv"] = answer{OK: true, Addresses: map[string]string{"control": "http://" + ln.Addr().String() + secret}}
	return c, nil
}

func (c *control) create(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Query().Get("server")
	for _, s := range c.bed.all {
		if s.name != name || s.start == nil {
			continue
		}
		i, err := c.bed.prepare(c.ctx, s)
		switch {
		case err != nil:
		case i.plan.argv == nil:
			err = fmt.Errorf("%s is a program for tests to run, not a server", name)
		default:
			err = i.launch(c.ctx)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		id := rand.Text()
		c.mu.Lock()
		c.own[id] = i
		c.mu.Unlock()
		json.NewEncoder(w).Encode(map[string]any{"id": id, "server": i.answer()})
		return
	}
	http.Error(w, fmt.Sprintf("no server %q", name), http.StatusNotFound)
}

func (c *control) act(w http.ResponseWriter, r *http.Request) {
	i, err := c.find(r.PathValue("id"))
	if err == nil {
		err = i.act(c.ctx, r.PathValue("action"))
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
	}
}

func (c *control) find(id string) (*instance, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := c.own[id]; i != nil {
		return i, nil
	}
	return nil, fmt.Errorf("no instance %q", id)
}

// act is called for one action at a time by the test that owns the instance.
func (i *instance) act(ctx context.Context, action string) error {
	switch {
	case action == "start" && i.proc == nil:
		return i.launch(ctx)
	case i.proc == nil:
		return fmt.Errorf("%s does not run", i.server.name)
	case action == "kill":
		i.proc.kill()
		i.proc = nil
	case action == "pause":
		i.proc.signal(syscall.SIGSTOP)
	case action == "resume":
		i.proc.signal(syscall.SIGCONT)
	default:
		return fmt.Errorf("%q is no action on a running server", action)
	}
	return nil
}

func (c *control) remove(w http.ResponseWriter, r *http.Request) {
	i, err := c.find(r.PathValue("id"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	c.mu.Lock()
	delete(c.own, r.PathValue("id"))
	c.mu.Unlock()
	if i.proc != nil {
		i.proc.kill()
	}
}

// close stops what the tests did not.
func (c *control) close() {
	c.srv.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, i := range c.own {
		if i.proc != nil {
			i.proc.kill()
		}
	}
}
