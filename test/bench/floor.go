package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver of PostgreSQL
	_ "modernc.org/sqlite"             // the driver of SQLite

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/store"
)

// floor is the least that an attest can do: verify one RS256 token with the
// standard library, insert one row durably, sign a JWT and encode an answer.
type floor struct {
	issuer *rsa.PublicKey
	rsaKey *rsa.PrivateKey
	ecKey  *ecdsa.PrivateKey
	exec   func(query string, args ...any) error // durable when it returns
	ids    [][]byte                              // rows to update
	next   atomic.Int64
}

// floorRows are what the floor's updates go round.
const floorRows = 1000

// serveFloor is the subcommand: floor ADDR DATABASE ISSUER-KEY-FILE.
func serveFloor(args []string) error {
	if len(args) != 3 {
		return errors.New("floor ADDR DATABASE ISSUER-KEY-FILE")
	}
	f, err := newFloor(args[1], args[2])
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /constant", f.constant)
	mux.HandleFunc("POST /update", f.update)
	mux.HandleFunc("POST /rs256", func(w http.ResponseWriter, r *http.Request) { f.attest(w, r, f.signRS256) })
	mux.HandleFunc("POST /es256", func(w http.ResponseWriter, r *http.Request) { f.attest(w, r, f.signES256) })
	mux.HandleFunc("POST /verify", f.verifyOnly)
	mux.HandleFunc("GET /readyz", func(http.ResponseWriter, *http.Request) {})
	server := &http.Server{Addr: args[0], Handler: mux, ReadHeaderTimeout: time.Minute}
	return server.ListenAndServe()
}

func newFloor(database, issuerKeyFile string) (*floor, error) {
	text, err := os.ReadFile(issuerKeyFile)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("the issuer's key is not PEM")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	public, ok := key.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("the issuer's key is not RSA")
	}
	f := &floor{issuer: public}
	if f.rsaKey, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		return nil, err
	}
	if f.ecKey, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	if store.IsPostgres(database) {
		f.exec, err = postgresExec(database)
	} else {
		f.exec, err = sqliteExec(database)
	}
	if err != nil {
		return nil, err
	}
	if err := f.exec(`CREATE TABLE floor (id BYTEA NOT NULL PRIMARY KEY, subject TEXT NOT NULL, at BIGINT NOT NULL, body TEXT NOT NULL)`); err != nil {
		return nil, err
	}
	for range floorRows {
		id := newKey()
		if err := f.insert(id, "somebody"); err != nil {
			return nil, err
		}
		f.ids = append(f.ids, id)
	}
	return f, nil
}

// newKey is a time-ordered key.
func newKey() []byte {
	return countersign.NewOrderedID[countersign.SessionID](countersign.Test, time.Now()).Bytes()
}

// filler makes rows and answers as large as the server's.
var filler = strings.Repeat("x", 300)

func (f *floor) insert(id []byte, subject string) error {
	return f.exec(`INSERT INTO floor (id, subject, at, body) VALUES ($1, $2, $3, $4)`, id, subject, time.Now().UnixMicro(), filler)
}

// postgresExec leaves group commit to PostgreSQL.
func postgresExec(database string) (func(string, ...any) error, error) {
	db, err := sql.Open("pgx", database)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(32)
	db.SetMaxIdleConns(32)
	return func(query string, args ...any) error {
		_, err := db.ExecContext(context.Background(), query, args...)
		return err
	}, nil
}

type job struct {
	query string
	args  []any
	done  chan error
}

// sqliteExec shares a transaction and an fsync among all who wait.
func sqliteExec(path string) (func(string, ...any) error, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	prepared := map[string]*sql.Stmt{}
	run := func(query string, args ...any) (err error) {
		stmt := prepared[query]
		if stmt == nil {
			if stmt, err = conn.PrepareContext(ctx, query); err != nil {
				return err
			}
			prepared[query] = stmt
		}
		_, err = stmt.ExecContext(ctx, args...)
		return err
	}
	jobs := make(chan *job, 1024)
	go func() {
		for first := range jobs {
			batch := []*job{first}
			for len(jobs) > 0 && len(batch) < 64 {
				batch = append(batch, <-jobs)
			}
			err := run("BEGIN IMMEDIATE")
			for _, j := range batch {
				if err == nil {
					err = run(j.query, j.args...)
				}
			}
			if err == nil {
				err = run("COMMIT")
			}
			for _, j := range batch {
				j.done <- err
			}
		}
	}()
	return func(query string, args ...any) error {
		j := &job{query: query, args: args, done: make(chan error, 1)}
		jobs <- j
		return <-j.done
	}, nil
}

// floorAnswer is about as large as the answer of an attest.
type floorAnswer struct {
	StatusCode   int    `json:"status_code"`
	RequestID    string `json:"request_id"`
	UserID       string `json:"user_id"`
	SessionToken string `json:"session_token"`
	SessionJWT   string `json:"session_jwt"`
	Filler       string `json:"filler"`
}

func readBody(r *http.Request) (token string, err error) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return "", err
	}
	var body struct {
		Token string `json:"token"`
	}
	return body.Token, json.Unmarshal(text, &body)
}

func writeAnswer(w http.ResponseWriter, jwt string, size int) {
	body, err := json.Marshal(floorAnswer{
		StatusCode: http.StatusOK, RequestID: "request", UserID: "user", SessionToken: "token", SessionJWT: jwt,
		Filler: strings.Repeat("x", max(0, size-len(jwt))),
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body)
}

const answerSize = 1900 // and some hundred for the names

// constant reads JSON and answers JSON, always the same.
func (f *floor) constant(w http.ResponseWriter, r *http.Request) {
	if _, err := readBody(r); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	writeAnswer(w, "jwt", answerSize)
}

// update changes one row durably.
func (f *floor) update(w http.ResponseWriter, r *http.Request) {
	_, err := readBody(r)
	if err == nil {
		id := f.ids[f.next.Add(1)%floorRows]
		err = f.exec(`UPDATE floor SET at = $2 WHERE id = $1`, id, time.Now().UnixMicro())
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	writeAnswer(w, "", 0)
}

// verifyOnly says no more than whether the token is the issuer's. The answer is
// as large as a refusal.
func (f *floor) verifyOnly(w http.ResponseWriter, r *http.Request) {
	token, err := readBody(r)
	if err == nil {
		_, err = f.verify(token)
	}
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
	}
	_, _ = fmt.Fprintf(w, `{"status_code":400,"error_type":"invalid_token","error_message":%q}`, filler)
}

func (f *floor) attest(w http.ResponseWriter, r *http.Request, sign func([]byte) (string, error)) {
	token, err := readBody(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	subject, err := f.verify(token)
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	if err := f.insert(newKey(), subject); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	payload, err := json.Marshal(map[string]any{"sub": subject, "iat": time.Now().Unix(), "session": filler + filler})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	jwt, err := sign(payload)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	writeAnswer(w, jwt, answerSize)
}

func (f *floor) verify(token string) (subject string, err error) {
	i := strings.LastIndexByte(token, '.')
	header, payload, ok := strings.Cut(token[:max(i, 0)], ".")
	if !ok || header == "" {
		return "", errors.New("no JWS")
	}
	signature, err := base64.RawURLEncoding.DecodeString(token[i+1:])
	if err != nil {
		return "", err
	}
	digest := sha256.Sum256([]byte(token[:i]))
	if err := rsa.VerifyPKCS1v15(f.issuer, crypto.SHA256, digest[:], signature); err != nil {
		return "", err
	}
	text, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return "", err
	}
	var claims struct {
		Email   string `json:"email"`
		Expires int64  `json:"exp"`
	}
	if err := json.Unmarshal(text, &claims); err != nil {
		return "", err
	}
	if claims.Expires < time.Now().Unix() {
		return "", errors.New("expired")
	}
	return claims.Email, nil
}

func signingInput(alg string, payload []byte) []byte {
	b := base64.RawURLEncoding.AppendEncode(nil, fmt.Appendf(nil, `{"alg":%q,"kid":"1","typ":"JWT"}`, alg))
	return base64.RawURLEncoding.AppendEncode(append(b, '.'), payload)
}

func (f *floor) signRS256(payload []byte) (string, error) {
	b := signingInput("RS256", payload)
	digest := sha256.Sum256(b)
	signature, err := rsa.SignPKCS1v15(nil, f.rsaKey, crypto.SHA256, digest[:])
	return string(base64.RawURLEncoding.AppendEncode(append(b, '.'), signature)), err
}

func (f *floor) signES256(payload []byte) (string, error) {
	b := signingInput("ES256", payload)
	digest := sha256.Sum256(b)
	r, s, err := ecdsa.Sign(rand.Reader, f.ecKey, digest[:])
	if err != nil {
		return "", err
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return string(base64.RawURLEncoding.AppendEncode(append(b, '.'), signature)), nil
}
