// Package api is the HTTP boundary that every surface shares: routes, callers,
// decoding, encoding and the error object. It is the only code that touches a
// ResponseWriter; endpoints are functions. It refuses to know rules.
package api
