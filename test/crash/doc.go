// Package crash tests the real binary as a process: that what it has
// acknowledged survives kill -9, and that SIGTERM loses nothing.
package crash
