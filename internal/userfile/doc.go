// Package userfile reads users out of the files that people keep them in: CSV
// with a header row, and JSON lines. It knows the columns and where each line
// stands; it refuses to know the network, and what a user may be: whether an
// address is one, the server says.
//
// A file may be larger than memory. Only MaxLine bytes of it and a buffer are
// held at a time, and a line that cannot be read harms no other.
package userfile
