package stand

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver that makes and drops databases
)

// createDatabase makes an empty database on a PostgreSQL server, and gives its
// URL and what drops it.
func createDatabase(ctx context.Context, server string) (database string, drop func() error, err error) {
	if server == "" {
		return "", nil, errors.New("COUNTERSIGN_TEST_POSTGRES is not set")
	}
	u, err := url.Parse(server)
	if err != nil {
		return "", nil, fmt.Errorf("COUNTERSIGN_TEST_POSTGRES: %w", err)
	}
	name := "countersign_sdk_" + strings.ToLower(rand.Text())
	if err := execute(ctx, server, "CREATE DATABASE "+name); err != nil {
		return "", nil, err
	}
	u.Path = "/" + name
	return u.String(), func() error {
		return execute(context.WithoutCancel(ctx), server, "DROP DATABASE "+name+" WITH (FORCE)")
	}, nil
}

func execute(ctx context.Context, server, statement string) error {
	db, err := sql.Open("pgx", server)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}
