package session

import (
	"context"
	"errors"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/store"
)

// expected refuses a person who must exist and does not, before any transaction:
// a stranger's token makes nobody wait for the writer, and what a read costs is
// all that tells its refusal from that of a bad signature. Whether they exist is
// decided by the transaction.
func (s *Service) expected(ctx context.Context, env countersign.Environment, p person) error {
	if p.provisions {
		return nil
	}
	err := s.Store.View(ctx, func(tx *store.Tx) error {
		_, err := tx.UserByEmail(ctx, env.ID, p.attributes.EmailKey)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return errNobody()
	}
	return err
}
