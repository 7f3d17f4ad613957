// Package limit decides whether a request may be answered now: token buckets in
// tables of fixed size (Table), and a bounded number of requests at once, shared
// fairly (Gate). It knows nothing of HTTP, and of who is asking nothing but a
// number. docs/adr/0024 says what is limited, and why so.
package limit
