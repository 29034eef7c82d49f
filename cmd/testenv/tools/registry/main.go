// Command registry serves franz-go's in-memory schema registry (package srfake)
// on two listeners over the same data: plain, and TLS to callers that bring a
// name and a password.
//
// It prints nothing but errors and ends on SIGTERM, SIGINT or when its standard
// input ends, so that it cannot outlive the tests that started it.
package main

import (
	"context"
	"crypto/subtle"
	"flag"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/twmb/franz-go/pkg/sr/srfake"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("registry: ")
	addr := flag.String("addr", "127.0.0.1:0", "host:port to listen on")
	tlsAddr := flag.String("tls-addr", "127.0.0.1:0", "host:port for TLS")
	cert := flag.String("cert", "", "certificate for TLS, a PEM file")
	key := flag.String("key", "", "its key")
	user := flag.String("user", "", "who may use the TLS listener")
	password := flag.String("password", "", "the user's password")
	flag.Parse()
	registry := srfake.NewRegistry().Handler()
	plain := &http.Server{Addr: *addr, Handler: registry}
	secured := &http.Server{Addr: *tlsAddr, Handler: guarded(registry, *user, *password)}
	go stopOn(plain, secured)
	ended := make(chan error, 2)
	go func() { ended <- plain.ListenAndServe() }()
	go func() { ended <- secured.ListenAndServeTLS(*cert, *key) }()
	for range 2 {
		if err := <-ended; err != http.ErrServerClosed {
			log.Fatal(err)
		}
	}
}

// guarded lets one user through. The refusal is the one of Confluent's registry.
func guarded(next http.Handler, user, password string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u, p, _ := r.BasicAuth()
		if subtle.ConstantTimeCompare([]byte(u+":"+p), []byte(user+":"+password)) == 1 {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="SchemaRegistry"`)
		w.Header().Set("Content-Type", "application/vnd.schemaregistry.v1+json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error_code":401,"message":"Unauthorized"}`)
	})
}

// stopOn stops the servers on a signal or at the end of standard input.
func stopOn(servers ...*http.Server) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	<-ctx.Done()
	for _, s := range servers {
		s.Close()
	}
}
