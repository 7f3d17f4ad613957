// Package issuer is an issuer of our own: it makes keys, publishes them and
// mints subject tokens. The demo, the development server, the load generator and,
// through package issuertest, every test use it. It can be told to misbehave in
// all the ways in which other people's issuers do.
//
// It knows signing; it refuses to know package trust, which it is there to test.
package issuer
