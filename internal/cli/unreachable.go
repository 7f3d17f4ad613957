package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"syscall"
)

// unreachable says why no answer came from base, and what to look at.
func unreachable(ctx context.Context, base string, err error) error {
	if ctx.Err() != nil {
		return failed("interrupted", "")
	}
	message := "cannot reach " + base + ": "
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		if wrapped.Timeout() {
			return passing(message+"no answer within "+callTimeout.String(), "is the server at COUNTERSIGN_URL ready? ask "+base+"/readyz")
		}
		err = wrapped.Err // without method and path
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return passing(message+"connection refused", "is countersign serve running there? COUNTERSIGN_URL or --url says where to look")
	}
	if errors.Is(err, http.ErrSchemeMismatch) {
		return failed(message+"the server does not speak TLS", "begin the URL with http:// instead of https://")
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return failed(message+"there is no such host", "check COUNTERSIGN_URL")
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return failed(message+err.Error(), "name the authority that signed the certificate in SSL_CERT_FILE")
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return failed(message+err.Error(), "name the authority that signed the certificate in SSL_CERT_FILE")
	}
	return passing(message+err.Error(), "")
}
