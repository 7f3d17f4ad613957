// Package stand runs the server for the client suites as its users run it: the
// built binary, in a process of its own, on a database of its own. It knows how
// to start and stop one; it refuses to know what is tested with it.
package stand
