package directory

import (
	"context"
	"errors"
	"slices"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/store"
)

// MaxImport is how many users one import takes.
const MaxImport = 500

// Imported is what became of one line of an import: a user, or the reason why
// not, which is always an *Error of the contract.
type Imported struct {
	ID      countersign.PersonID
	Refused *countersign.Error
}

// ImportUsers makes many users in one transaction. What is refused harms no
// other line, and is refused for the reasons for which CreateUser refuses.
func (s *Service) ImportUsers(ctx context.Context, actor countersign.Actor, env countersign.Environment, list []NewPerson) ([]Imported, error) {
	rules, err := s.Rules.Of(ctx, env)
	if err != nil {
		return nil, err
	}
	checked := make([]newPerson, len(list))
	refused := make([]Imported, len(list))
	for i, n := range list {
		var err error
		if checked[i], err = n.check(false); err != nil && !errors.As(err, &refused[i].Refused) {
			return nil, err
		}
	}
	var outcome []Imported
	err = s.Store.Update(ctx, actor, func(tx *store.Tx) error {
		outcome = slices.Clone(refused)
		for i, n := range checked {
			if outcome[i].Refused != nil {
				continue
			}
			u, err := createFree(ctx, tx, env.ID, rules, nil, n)
			if err == nil {
				outcome[i].ID = u.ID
			} else if !errors.As(err, &outcome[i].Refused) {
				return err
			}
		}
		return nil
	})
	return outcome, err
}
