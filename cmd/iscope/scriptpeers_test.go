package main

import (
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc"
)

// startPeers starts what neither the shop nor the real servers have, and returns
// where it is: TLS_API, an HTTPS server with a certificate that nobody knows (its
// authority is the file TLS_CA) whose contract takes a token, and BARE_GRPC, a
// gRPC server without reflection.
func startPeers(t *testing.T) map[string]string {
	api := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Authorization") != "Bearer hunter2":
			http.Error(w, "who are you?", http.StatusUnauthorized)
		case r.URL.Path == "/openapi.json":
			w.Header().Set("Content-Type", "application/json")
			w.Write([]byte(`{"openapi":"3.0.3","info":{"title":"t","version":"1"},"paths":{"/x":{"get":{"responses":{"200":{"description":"ok"}}}}}}`))
		case r.URL.Path == "/x":
			w.Write([]byte("\x1b[2Jwell\n"))
		default:
			http.NotFound(w, r)
		}
	}))
	api.Config.ErrorLog = nil
	t.Cleanup(api.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: api.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}

	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	bare := grpc.NewServer()
	ended := make(chan error, 1)
	go func() { ended <- bare.Serve(lis) }()
	t.Cleanup(func() {
		bare.Stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return map[string]string{"tls-api": strings.TrimPrefix(api.URL, "https://"), "tls-ca": ca, "bare-grpc": lis.Addr().String()}
}
