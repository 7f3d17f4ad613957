package sdk_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stytchauth/stytch-go/v18/stytch/consumer/users"
)

func newUserParams() *users.CreateParams {
	return &users.CreateParams{Email: person()["email"].(string)}
}

func TestUserIsReadAsItWasCreated(t *testing.T) {
	t.Parallel()
	client := newEnvironment(t).client()
	params := users.CreateParams{
		Email: "ada@example.com", PhoneNumber: "+14155550123", Name: &users.Name{FirstName: "Ada", LastName: "Lovelace"}, CreateUserAsPending: true,
		TrustedMetadata: map[string]any{"plan": "pro", "n": 1.5}, UntrustedMetadata: map[string]any{"theme": map[string]any{"dark": true}}, ExternalID: "auth0|ada.1_2-3",
	}
	created, err := client.Users.Create(t.Context(), &params)
	if err != nil {
		t.Fatal(err)
	}
	want := users.User{
		UserID: created.UserID, Status: "pending", Name: params.Name, Roles: []string{"stytch_user"}, ExternalID: params.ExternalID,
		Emails:                []users.Email{{EmailID: created.EmailID, Email: params.Email}},
		PhoneNumbers:          []users.PhoneNumber{{PhoneID: created.PhoneID, PhoneNumber: params.PhoneNumber}},
		WebAuthnRegistrations: []users.WebAuthnRegistration{}, Providers: []users.OAuthProvider{}, TOTPs: []users.TOTP{},
		CryptoWallets: []users.CryptoWallet{}, BiometricRegistrations: []users.BiometricRegistration{},
		TrustedMetadata: params.TrustedMetadata, UntrustedMetadata: params.UntrustedMetadata, CreatedAt: created.User.CreatedAt,
	}
	if diff := cmp.Diff(want, created.User); diff != "" || created.Status != "pending" || created.EmailID == "" || created.PhoneID == "" {
		t.Errorf("created %+v (-want +got):\n%s", created, diff)
	}
	for _, ref := range []string{created.UserID, params.ExternalID} { // the client escapes the | of the second
		got, err := client.Users.Get(t.Context(), &users.GetParams{UserID: ref})
		if err != nil {
			t.Fatalf("get %s: %v", ref, err)
		}
		read := users.User{ // the answer has the fields of the user at its top
			UserID: got.UserID, Status: got.Status, Name: got.Name, Roles: got.Roles, ExternalID: got.ExternalID, Emails: got.Emails, PhoneNumbers: got.PhoneNumbers,
			WebAuthnRegistrations: got.WebAuthnRegistrations, Providers: got.Providers, TOTPs: got.TOTPs, CryptoWallets: got.CryptoWallets,
			BiometricRegistrations: got.BiometricRegistrations, TrustedMetadata: got.TrustedMetadata, UntrustedMetadata: got.UntrustedMetadata,
			CreatedAt: got.CreatedAt, IsLocked: got.IsLocked, Password: got.Password, LockCreatedAt: got.LockCreatedAt, LockExpiresAt: got.LockExpiresAt,
		}
		if diff := cmp.Diff(created.User, read); diff != "" || got.StatusCode != 200 || got.RequestID == "" {
			t.Errorf("get %s (-created +read):\n%s", ref, diff)
		}
	}
}

func TestUserDelete(t *testing.T) {
	t.Parallel()
	client := newEnvironment(t).client()
	for _, byExternalID := range []bool{false, true} {
		params := newUserParams()
		params.ExternalID = "google|42"
		created, err := client.Users.Create(t.Context(), params)
		if err != nil {
			t.Fatal(err)
		}
		ref := created.UserID
		if byExternalID {
			ref = params.ExternalID
		}
		gone, err := client.Users.Delete(t.Context(), &users.DeleteParams{UserID: ref})
		if err != nil || gone.UserID != created.UserID || gone.StatusCode != 200 || gone.RequestID == "" {
			t.Fatalf("delete %s = %+v, %v", ref, gone, err)
		}
		_, err = client.Users.Get(t.Context(), &users.GetParams{UserID: ref})
		wantRefusal(t, "get "+ref, err, refusal{404, "user_not_found"})
		_, err = client.Users.Delete(t.Context(), &users.DeleteParams{UserID: ref})
		wantRefusal(t, "delete "+ref+" again", err, refusal{404, "user_not_found"})
	}
}

func TestUserRefusals(t *testing.T) {
	t.Parallel()
	client := newEnvironment(t).client()
	if _, err := client.Users.Create(t.Context(), &users.CreateParams{Email: "Ada@example.com", PhoneNumber: "+14155550123", ExternalID: "ada"}); err != nil {
		t.Fatal(err)
	}
	many := map[string]any{}
	for i := range 21 {
		many[fmt.Sprint(i)] = i
	}
	for _, row := range []struct {
		name   string
		params users.CreateParams
		want   string
	}{
		{"nothing", users.CreateParams{}, "invalid_create_user_request"},
		{"a taken address, in other case", users.CreateParams{Email: "ada@EXAMPLE.com"}, "duplicate_email"},
		{"a taken number", users.CreateParams{PhoneNumber: "+14155550123"}, "duplicate_phone_number"},
		{"a taken external ID", users.CreateParams{Email: "bob@example.com", ExternalID: "ada"}, "duplicate_user_external_id"},
		{"no address", users.CreateParams{Email: "bob"}, "invalid_email"},
		{"no number", users.CreateParams{PhoneNumber: "555"}, "invalid_phone_number"},
		{"an external ID of other characters", users.CreateParams{Email: "bob@example.com", ExternalID: "a b"}, "invalid_argument"},
		{"a role that is not defined", users.CreateParams{Email: "bob@example.com", Roles: []string{"nonsense"}}, "invalid_rbac_role_id"},
		{"the default role", users.CreateParams{Email: "bob@example.com", Roles: []string{"stytch_user"}}, "cannot_assign_default_rbac_role_id"},
		{"many keys", users.CreateParams{Email: "bob@example.com", TrustedMetadata: many}, "metadata_too_many_keys"},
		{"much metadata", users.CreateParams{Email: "bob@example.com", UntrustedMetadata: map[string]any{"x": strings.Repeat("x", 4096)}}, "metadata_too_large"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := client.Users.Create(t.Context(), &row.params)
			wantRefusal(t, "create", err, refusal{400, row.want})
		})
	}
	_, err := client.Users.Get(t.Context(), &users.GetParams{UserID: "no such / user"})
	wantRefusal(t, "get what can be no ID", err, refusal{400, "invalid_user_id"})
}
