package main

import (
	"net/http/httptest"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/issuer"
)

// startIssuer, which scripts call issuer, starts an issuer that listens until the script ends, and sets ISSUER to
// its URL.
func startIssuer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: issuer")
	}
	core, err := issuer.New(issuer.Config{Now: time.Now, Algorithms: []countersign.Algorithm{countersign.ES256}})
	ts.Check(err)
	server := httptest.NewServer(core)
	core.SetURL(server.URL)
	ts.Defer(func() {
		core.Close()
		server.Close()
	})
	ts.Setenv("ISSUER", server.URL)
}
