package shop

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// serveHTTP serves h until the crew stops. Requests' contexts end with it.
func serveHTTP(c *crew, lis net.Listener, part string, h http.Handler) {
	var open sync.RWMutex // read-held by every request in flight
	closed := false
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			open.RLock()
			defer open.RUnlock()
			if closed {
				return
			}
			h.ServeHTTP(w, r.WithContext(incoming(r.Context(), r.Header.Get("Traceparent"), part)))
		}),
		// The shop runs inside a terminal program: nothing may write to stderr.
		ErrorLog:          silent(),
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return c.ctx },
	}
	c.run(part, func(ctx context.Context) error {
		served := make(chan error, 1)
		go func() { served <- server.Serve(lis) }()
		select {
		case err := <-served:
			return err
		case <-ctx.Done():
			server.Close()
			open.Lock() // until the last request has returned
			closed = true
			open.Unlock()
			if err := <-served; !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		}
	})
}

func silent() *log.Logger { return log.New(io.Discard, "", 0) }

// newTransport returns an HTTP transport whose connections are closed when the
// crew has stopped.
func newTransport(c *crew) *http.Transport {
	t := &http.Transport{MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute}
	c.after(t.CloseIdleConnections)
	return t
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		problem(w, http.StatusInternalServerError, "Internal error", err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(append(body, '\n'))
}

// problem answers with problem details, RFC 9457.
func problem(w http.ResponseWriter, status int, title, detail string) {
	body, err := json.Marshal(map[string]any{"type": "about:blank", "title": title, "status": status, "detail": detail})
	if err != nil {
		body = []byte(`{}`)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	w.Write(append(body, '\n'))
}
