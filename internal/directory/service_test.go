package directory_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/directory"
	"github.com/countersign-auth/countersign/internal/standing"
	"github.com/countersign-auth/countersign/internal/store"
	"github.com/countersign-auth/countersign/internal/storetest"
)

// populated is a directory in which a few people are.
func populated(t testing.TB) (*directory.Service, countersign.Environment, []countersign.Person) {
	t.Helper()
	s := storetest.Open(t, storetest.SQLite(t), time.Now)
	env := countersign.Environment{
		ID: countersign.NewID[countersign.EnvironmentID](countersign.Test), Slug: "test", ProjectSlug: "fuzz", Vertical: countersign.Consumer,
		Name: "Fuzz", Type: countersign.TestEnvironment, Settings: countersign.DefaultEnvironmentSettings(), SessionTokenKey: []byte{1}, CreatedAt: time.Now(),
	}
	err := s.Update(t.Context(), countersign.System(), func(tx *store.Tx) error {
		if err := tx.InsertProject(t.Context(), countersign.Project{Slug: "fuzz", Name: "Fuzz", Vertical: countersign.Consumer, CreatedAt: tx.Now}); err != nil {
			return err
		}
		if err := tx.InsertEnvironment(t.Context(), env); err != nil {
			return err
		}
		return tx.Record(t.Context(), env.ID, "environment.created", env.Slug, nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	d := &directory.Service{Store: s, Rules: standing.NewBook(s)}
	var people []countersign.Person
	for i, n := range []directory.NewPerson{
		{Email: "ada@example.com", EmailVerified: true, Name: countersign.Name{First: "Ada", Last: "Lovelace"}, ExternalID: "crm|1"},
		{Email: "Ünal_%@bücher.example", Phone: "+442071838750", Pending: true},
		{Phone: "+14155550100", PhoneVerified: true, Name: countersign.Name{First: "Zoë"}},
	} {
		u, err := d.Create(t.Context(), countersign.System(), env, "", n)
		if err != nil {
			t.Fatal(fmt.Errorf("person %d: %w", i, err))
		}
		people = append(people, u)
	}
	return d, env, people
}
