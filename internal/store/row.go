package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/countersign-auth/countersign"
)

// exec runs a statement that changes something a person would call a change.
func (tx *Tx) exec(ctx context.Context, query string, args ...any) (int64, error) {
	tx.changed = true
	result, err := tx.q.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// execOne is exec of a statement that names one row by its key.
func (tx *Tx) execOne(ctx context.Context, query string, args ...any) error {
	n, err := tx.exec(ctx, query, args...)
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrNotFound
	}
	return nil
}

// count is the one number that a statement answers.
func (tx *Tx) count(ctx context.Context, query string, args ...any) (int, error) {
	var n int
	err := tx.q.QueryRowContext(ctx, query, args...).Scan(&n)
	return n, err
}

// scanner is what *sql.Row and *sql.Rows share.
type scanner interface{ Scan(dest ...any) error }

// one scans a row that must be there.
func one[T any](row *sql.Row, scan func(scanner) (T, error)) (T, error) {
	v, err := scan(row)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	return v, err
}

// all scans every row a query answers; nil if there is none.
func all[T any](ctx context.Context, q querier, scan func(scanner) (T, error), query string, args ...any) (list []T, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}

// behindAnyID sorts behind every ID: they begin with their class, a small number.
var behindAnyID = []byte{0xff}

// micros stores a moment as UTC microseconds, and the zero moment as NULL.
type micros time.Time

// Value binds the moment to a statement.
func (m micros) Value() (driver.Value, error) {
	if time.Time(m).IsZero() {
		return nil, nil
	}
	return time.Time(m).UnixMicro(), nil
}

// Scan reads the moment from a row.
func (m *micros) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*m = micros{}
	case int64:
		*m = micros(time.UnixMicro(v).UTC())
	default:
		return fmt.Errorf("scan %T as a moment", src)
	}
	return nil
}

// jsonColumn stores what v points to as JSON text. A nil map or slice is NULL.
type jsonColumn struct{ v any }

// Value binds the text to a statement.
func (c jsonColumn) Value() (driver.Value, error) {
	b, err := countersign.EncodeJSON(c.v)
	if err != nil || string(b) == "null" {
		return nil, err
	}
	return string(b), nil
}

// Scan reads the text from a row; NULL leaves v alone.
func (c jsonColumn) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		return nil
	case string:
		return json.Unmarshal([]byte(v), c.v)
	case []byte:
		return json.Unmarshal(v, c.v)
	default:
		return fmt.Errorf("scan %T as JSON", src)
	}
}

// optional stores "" as NULL, so that unique indexes pass over it.
type optional string

// Value binds the text to a statement.
func (o optional) Value() (driver.Value, error) {
	if o == "" {
		return nil, nil
	}
	return string(o), nil
}

// Scan reads the text from a row.
func (o *optional) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*o = ""
	case string:
		*o = optional(v)
	case []byte:
		*o = optional(v)
	default:
		return fmt.Errorf("scan %T as text", src)
	}
	return nil
}
