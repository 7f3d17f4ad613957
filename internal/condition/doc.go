// Package condition evaluates CEL expressions (cel.dev) over a judged token: the
// conditions of a profile, and attribute mappings that compute. An expression
// has two variables, claims and header, and sees nothing else: no clock, no
// network, no randomness, no file.
//
// Both sides are hostile. The text comes from an operator of one project on a
// server that many share, the token from anybody whose issuer is trusted. So
// what an expression may look like is bounded when it is compiled, what it may
// cost whenever it is evaluated, and no error shows a claim's value.
package condition
