// Package store is SQL and nothing but SQL: one text of schema and statements
// for SQLite and PostgreSQL (docs/adr/0002). It knows rows; it refuses to know
// rules, tokens and HTTP.
//
// Every method that touches an environment's rows takes the environment's ID
// first and filters on it. The few that find an environment say so.
package store
