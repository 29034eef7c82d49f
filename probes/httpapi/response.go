package httpapi

import (
	"net/http"
)

// orEmpty tells an empty body from an absent one.
func orEmpty(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// hasBody tells whether a response to that method can have one (RFC 9112 §6.3).
func hasBody(method string, status int) bool {
	return method != "HEAD" && status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}
