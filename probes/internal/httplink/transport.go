package httplink

import (
	"net"
	"net/http"
	"time"

	"iscope/probes"
)

// NewTransport makes the connection pool of a target. It follows no redirect,
// keeps no cookie, obeys no proxy variable and decodes nothing: what is shown
// is what the server said. http2 is "h2c" (HTTP/2 in plain text), "off", or "" for
// what the server negotiates.
func NewTransport(t probes.TLS, http2 string) (*http.Transport, error) {
	conf, err := t.Config()
	if err != nil {
		return nil, err
	}
	var protocols http.Protocols
	switch http2 {
	case "h2c":
		protocols.SetUnencryptedHTTP2(true)
		protocols.SetHTTP2(true)
	case "off":
		protocols.SetHTTP1(true)
	default:
		protocols.SetHTTP1(true)
		protocols.SetHTTP2(true)
	}
	dialer := &net.Dialer{KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                  nil,
		DialContext:            dialer.DialContext,
		TLSClientConfig:        conf,
		Protocols:              &protocols,
		DisableCompression:     true,
		MaxIdleConnsPerHost:    4,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 1 << 20,
	}, nil
}
