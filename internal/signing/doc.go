// Package signing holds our own keys: what each environment signs session JWTs
// with, how those keys are kept encrypted, published and rotated, and the key of
// the MAC in session tokens. It refuses to know what a session is.
package signing
