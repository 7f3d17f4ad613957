// Package cli is the countersign command: its grammar, its help and what it
// prints. It knows flags, terminals and the wire contract as a client sees it;
// it refuses to know the database, and every rule that the server holds: what
// is wrong with a request, the server says. Where a command judges without a
// server, it asks the server's own code.
//
// A command is a struct with a Run method and a Help text; its flags are its
// fields. Main parses, runs one command and turns its error into a line, a
// hint and an exit code. Secrets never arrive as arguments, where every process
// of the machine could read them: they come from files, standard input or the
// environment (see settings.secret).
package cli
