package main

import (
	"context"
	"database/sql"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	_ "modernc.org/sqlite" // the driver of the command sql

	"github.com/countersign-auth/countersign/internal/server"
)

// database FILE [serving] makes a database as a server leaves it, with a project,
// an environment and an event stream, and its keyset beside it. Serving, the
// server goes on until the script ends.
func database(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: database FILE [serving]")
	}
	const id, secret = "workspace-key-test", "workspace-secret-for-tests"
	s, err := server.New(context.Background(), server.Config{
		Database: ts.MkAbs(args[0]), WorkspaceKeyID: id, WorkspaceKeySecret: secret, Logger: slog.New(slog.DiscardHandler), Now: time.Now,
	})
	ts.Check(err)
	for _, call := range []struct{ path, body string }{
		{"", `{"name": "Acme", "vertical": "CONSUMER", "project_slug": "acme"}`},
		{"/acme/environments", `{"name": "Test", "type": "TEST", "environment_slug": "test", "session_jwt_algorithm": "ES256"}`},
		{
			"/acme/environments/test/event_log_streaming",
			`{"destination_type": "GRAFANA_LOKI", "destination_config": {"grafana_loki": {"hostname": "logs.example.com", "username": "7", "password": "p"}}}`,
		},
	} {
		r := httptest.NewRequest(http.MethodPost, "/pwa/v3/projects"+call.path, strings.NewReader(call.body))
		r.SetBasicAuth(id, secret)
		w := httptest.NewRecorder()
		if s.ServeHTTP(w, r); w.Code != http.StatusOK {
			ts.Fatalf("POST %s: %d %s", call.path, w.Code, w.Body)
		}
	}
	if len(args) == 2 {
		ts.Defer(func() { _ = s.Close() })
		return
	}
	ts.Check(s.Close())
}

// query FILE STATEMENT changes a database behind everybody's back.
func query(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: query FILE STATEMENT")
	}
	db, err := sql.Open("sqlite", "file:"+ts.MkAbs(args[0]))
	ts.Check(err)
	_, err = db.ExecContext(context.Background(), args[1])
	ts.Check(err)
	ts.Check(db.Close())
}

// cut FILE BYTES takes the end off a file.
func cut(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: cut FILE BYTES")
	}
	n, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[0]), n))
	if info, err := os.Stat(ts.MkAbs(args[0])); err != nil || info.Size() != n {
		ts.Fatalf("%s has not %d bytes", args[0], n)
	}
}
