// Package sdk is the proof that the published Go clients work against this
// server as they are, with nothing but the base URL changed: the backend client
// stytch-go and the management client stytch-management-go. It is a module of its
// own, so that what the clients need stays out of the server's dependencies, and
// it imports nothing of the server: what it knows of it came over HTTP.
//
// test/sdk/run runs it on every engine, together with the Node client's suite in
// test/sdk/node and the tests that the management client was published with.
package sdk
