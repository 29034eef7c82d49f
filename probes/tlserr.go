package probes

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
)

// isTLS recognises handshake failures, which are final: the same certificate
// will be refused again. Some arrive only as text, because the peer's alert is
// an unexported type of crypto/tls.
func isTLS(err error) bool {
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var verify *tls.CertificateVerificationError
	var header tls.RecordHeaderError
	var alert tls.AlertError
	if errors.As(err, &unknown) || errors.As(err, &host) || errors.As(err, &invalid) ||
		errors.As(err, &verify) || errors.As(err, &header) || errors.As(err, &alert) {
		return true
	}
	s := err.Error()
	return strings.Contains(s, "tls: ") || strings.Contains(s, "x509: ")
}
