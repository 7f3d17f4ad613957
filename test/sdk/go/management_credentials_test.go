package sdk_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/stytchauth/stytch-management-go/v3/pkg/models/publictokens"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/secrets"
)

func TestSecretIsShownOnce(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t)
	created := e.secret()
	if len(created.Secret) <= 10 || created.SecretID == "" || created.SecretID == created.Secret || created.CreatedAt.IsZero() {
		t.Errorf("created %+v", created)
	}
	want := secrets.MaskedSecret{SecretID: created.SecretID, LastFour: created.Secret[len(created.Secret)-4:], CreatedAt: created.CreatedAt}
	got, err := manage().Secrets.Get(t.Context(), secrets.GetRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug, SecretID: created.SecretID})
	if err != nil || got.Secret != want {
		t.Errorf("get = %+v, %v, want %+v", got, err, want)
	}
	if _, err := newClient(t, e.ProjectID, created.Secret).Users.Create(t.Context(), newUserParams()); err != nil {
		t.Fatal(err)
	}
	used, err := manage().Secrets.Get(t.Context(), secrets.GetRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug, SecretID: created.SecretID})
	if err != nil || used.Secret.UsedAt.IsZero() {
		t.Errorf("after its use: get = %+v, %v, want a moment in used_at", used, err)
	}
}

func TestSecretsLiveSideBySide(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t)
	all := []secrets.Secret{e.secret(), e.secret(), e.secret()}
	for _, s := range all {
		if _, err := newClient(t, e.ProjectID, s.Secret).Users.Create(t.Context(), newUserParams()); err != nil {
			t.Errorf("secret …%s opens nothing: %v", s.Secret[len(s.Secret)-4:], err)
		}
	}
	listed, err := manage().Secrets.GetAll(t.Context(), secrets.GetAllRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug})
	if err != nil || len(listed.Secrets) != len(all) {
		t.Fatalf("list = %+v, %v, want three", listed, err)
	}
	for i, s := range listed.Secrets {
		if s.SecretID != all[i].SecretID || !s.CreatedAt.Equal(all[i].CreatedAt) {
			t.Errorf("listed %+v, want %+v", s, all[i])
		}
	}
}

// A POST that says nothing may have an empty body, as the client sends, or null,
// or an empty object.
func TestSecretFromAnyEmptyBody(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t)
	for _, body := range []any{nil, map[string]any{}} {
		answer := raw(t, http.MethodPost, "/pwa/v3/projects/"+e.ProjectSlug+"/environments/"+e.EnvironmentSlug+"/secrets", body)
		if made, ok := answer["secret"].(map[string]any); !ok || made["secret"] == "" {
			t.Errorf("create with %v = %v", body, answer)
		}
	}
}

func TestSecretDelete(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t)
	s := e.secret() // and the last one, which may go too
	client := newClient(t, e.ProjectID, s.Secret)
	if _, err := manage().Secrets.Delete(t.Context(), secrets.DeleteRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug, SecretID: s.SecretID}); err != nil {
		t.Fatal(err)
	}
	_, err := client.Users.Create(t.Context(), newUserParams())
	wantRefusal(t, "a deleted secret", err, refusal{401, "unauthorized_credentials"})
	for _, id := range []string{s.SecretID, "secret-does-not-exist"} {
		_, err := manage().Secrets.Get(t.Context(), secrets.GetRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug, SecretID: id})
		wantRefusal(t, "get "+id, err, refusal{404, "secret_not_found"})
		_, err = manage().Secrets.Delete(t.Context(), secrets.DeleteRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug, SecretID: id})
		wantRefusal(t, "delete "+id, err, refusal{404, "secret_not_found"})
	}
	_, err = manage().Secrets.Create(t.Context(), secrets.CreateRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: "nonexistent"})
	wantRefusal(t, "create where no environment is", err, refusal{404, "environment_not_found"})
}

func TestPublicTokens(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t)
	list := func() []publictokens.PublicToken {
		t.Helper()
		all, err := manage().PublicTokens.GetAll(t.Context(), publictokens.GetAllRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug})
		if err != nil {
			t.Fatal(err)
		}
		return all.PublicTokens
	}
	if got := list(); len(got) != 1 {
		t.Errorf("a new environment has %d public tokens, want one", len(got))
	}
	made, err := manage().PublicTokens.Create(t.Context(), publictokens.CreateRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug})
	if err != nil {
		t.Fatal(err)
	}
	created := made.PublicToken
	if len(created.PublicToken) <= 10 || created.CreatedAt.IsZero() {
		t.Errorf("created %+v", created)
	}
	got, err := manage().PublicTokens.Get(t.Context(), publictokens.GetRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug, PublicToken: created.PublicToken})
	if err != nil || got.PublicToken != created {
		t.Errorf("get = %+v, %v, want %+v", got, err, created)
	}
	if !slices.Contains(list(), created) {
		t.Errorf("list has no %+v", created)
	}
	remove := func(token string) error {
		_, err := manage().PublicTokens.Delete(t.Context(), publictokens.DeleteRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug, PublicToken: token})
		return err
	}
	if err := remove(created.PublicToken); err != nil {
		t.Errorf("delete: %v", err)
	}
	if slices.Contains(list(), created) {
		t.Error("the deleted token is still listed")
	}
	wantRefusal(t, "delete again", remove(created.PublicToken), refusal{404, "public_token_not_found"})
	wantRefusal(t, "delete what never was", remove("nonexistent"), refusal{404, "public_token_not_found"})
	wantRefusal(t, "delete the last", remove(list()[0].PublicToken), refusal{400, "unable_to_delete_last_public_token"})
	_, err = manage().PublicTokens.Get(t.Context(), publictokens.GetRequest{ProjectSlug: e.ProjectSlug, EnvironmentSlug: e.EnvironmentSlug, PublicToken: created.PublicToken})
	wantRefusal(t, "get what was deleted", err, refusal{404, "public_token_not_found"})
}
