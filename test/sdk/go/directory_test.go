package sdk_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stytchauth/stytch-go/v18/stytch/consumer/project"
	"github.com/stytchauth/stytch-go/v18/stytch/consumer/sessions"
	"github.com/stytchauth/stytch-go/v18/stytch/consumer/stytchapi"
	"github.com/stytchauth/stytch-go/v18/stytch/consumer/users"
)

func TestUserUpdate(t *testing.T) {
	t.Parallel()
	s, who := newScene(t), person()
	signedIn := s.signIn(who)
	client := s.backend
	updated, err := client.Users.Update(t.Context(), &users.UpdateParams{
		UserID: who["sub"].(string), Name: &users.Name{FirstName: "Ada", LastName: "Lovelace"}, ExternalID: "crm|1",
		TrustedMetadata: map[string]any{"plan": "pro", "seats": 3.0}, UntrustedMetadata: map[string]any{"theme": "dark"},
	})
	if err != nil || updated.UserID != signedIn.UserID || len(updated.Emails) != 1 {
		t.Fatalf("update = %+v, %v", updated, err)
	}
	updated, err = client.Users.Update(t.Context(), &users.UpdateParams{
		UserID: "crm|1", Name: &users.Name{MiddleName: "King"}, TrustedMetadata: map[string]any{"plan": nil, "since": 1843.0},
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&users.Name{FirstName: "Ada", MiddleName: "King", LastName: "Lovelace"}, updated.User.Name); diff != "" {
		t.Errorf("name (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{"seats": 3.0, "since": 1843.0}, updated.User.TrustedMetadata); diff != "" {
		t.Errorf("trusted metadata (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{"theme": "dark"}, updated.User.UntrustedMetadata); diff != "" {
		t.Errorf("untrusted metadata (-want +got):\n%s", diff)
	}
	_, err = client.Users.Get(t.Context(), &users.GetParams{UserID: who["sub"].(string)})
	wantRefusal(t, "get by the external ID of before", err, refusal{404, "user_not_found"})
	cleared, err := client.Users.DeleteExternalID(t.Context(), &users.DeleteExternalIDParams{UserID: "crm|1"})
	if err != nil || cleared.User.ExternalID != "" {
		t.Errorf("delete the external ID = %+v, %v", cleared, err)
	}
	_, err = client.Users.Update(t.Context(), &users.UpdateParams{UserID: "crm|1"})
	wantRefusal(t, "update by an external ID that is gone", err, refusal{404, "user_not_found"})
}

func TestUserIdentifiers(t *testing.T) {
	t.Parallel()
	client := newEnvironment(t).client()
	created, err := client.Users.Create(t.Context(), &users.CreateParams{Email: "ada@example.com", PhoneNumber: "+14155550123"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Users.ExchangePrimaryFactor(t.Context(), &users.ExchangePrimaryFactorParams{UserID: created.UserID, EmailAddress: "countess@example.com"})
	wantRefusal(t, "exchange one of two factors", err, refusal{400, "invalid_exchange_primary_factor_user"})
	left, err := client.Users.DeletePhoneNumber(t.Context(), &users.DeletePhoneNumberParams{PhoneID: created.PhoneID})
	if err != nil || len(left.User.PhoneNumbers) != 0 || len(left.User.Emails) != 1 {
		t.Fatalf("delete the number = %+v, %v", left, err)
	}
	exchanged, err := client.Users.ExchangePrimaryFactor(t.Context(), &users.ExchangePrimaryFactorParams{UserID: created.UserID, PhoneNumber: "+14155550199"})
	if err != nil || len(exchanged.User.Emails) != 0 || len(exchanged.User.PhoneNumbers) != 1 || exchanged.User.PhoneNumbers[0].Verified {
		t.Fatalf("exchange the address for a number = %+v, %v", exchanged, err)
	}
	_, err = client.Users.ExchangePrimaryFactor(t.Context(), &users.ExchangePrimaryFactorParams{UserID: created.UserID})
	wantRefusal(t, "exchange for nothing", err, refusal{400, "invalid_exchange_primary_factor_fields"})
	_, err = client.Users.DeleteEmail(t.Context(), &users.DeleteEmailParams{EmailID: created.EmailID})
	wantRefusal(t, "delete an address that is gone", err, refusal{404, "email_not_found"})

	apps, err := client.Users.ConnectedApps(t.Context(), &users.ConnectedAppsParams{UserID: created.UserID})
	if err != nil || len(apps.ConnectedApps) != 0 {
		t.Errorf("connected apps = %+v, %v", apps, err)
	}
	for kind, remove := range map[string]func() error{
		"webauthn_registration_not_found": func() error {
			_, err := client.Users.DeleteWebAuthnRegistration(t.Context(), &users.DeleteWebAuthnRegistrationParams{WebAuthnRegistrationID: "x"})
			return err
		},
		"biometric_registration_not_found": func() error {
			_, err := client.Users.DeleteBiometricRegistration(t.Context(), &users.DeleteBiometricRegistrationParams{BiometricRegistrationID: "x"})
			return err
		},
		"totp_not_found": func() error {
			_, err := client.Users.DeleteTOTP(t.Context(), &users.DeleteTOTPParams{TOTPID: "x"})
			return err
		},
		"crypto_wallet_not_found": func() error {
			_, err := client.Users.DeleteCryptoWallet(t.Context(), &users.DeleteCryptoWalletParams{CryptoWalletID: "x"})
			return err
		},
		"password_not_found": func() error {
			_, err := client.Users.DeletePassword(t.Context(), &users.DeletePasswordParams{PasswordID: "x"})
			return err
		},
		"oauth_user_registration_not_found": func() error {
			_, err := client.Users.DeleteOAuthRegistration(t.Context(), &users.DeleteOAuthRegistrationParams{OAuthUserRegistrationID: "x"})
			return err
		},
		"connected_app_not_found": func() error {
			_, err := client.Users.Revoke(t.Context(), &users.RevokeParams{UserID: created.UserID, ConnectedAppID: "x"})
			return err
		},
	} {
		wantRefusal(t, "delete what nobody has", remove(), refusal{404, kind})
	}
}

// crowd makes users of whom the odd ones have numbers, newest last.
func crowd(t *testing.T, client *stytchapi.API, n int) (ids []string) {
	t.Helper()
	for i := range n {
		params := users.CreateParams{
			Email: fmt.Sprintf("person%d@company%d.example", i, i%3), ExternalID: fmt.Sprint("ext-", i), CreateUserAsPending: i%5 == 0,
			Name: &users.Name{FirstName: "Ada", LastName: fmt.Sprint("Lovelace", i)},
		}
		if i%2 == 1 {
			params.PhoneNumber = fmt.Sprint("+1415555", 1000+i)
		}
		created, err := client.Users.Create(t.Context(), &params)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, created.UserID)
		time.Sleep(2 * time.Millisecond) // so that the order of making is the order of IDs
	}
	return ids
}

// search follows the cursor to the end.
func search(t *testing.T, client *stytchapi.API, limit uint32, query *users.SearchUsersQuery) (ids []string, total int32) {
	t.Helper()
	for cursor, page := "", 0; ; page++ {
		found, err := client.Users.Search(t.Context(), &users.SearchParams{Cursor: cursor, Limit: limit, Query: query})
		if err != nil {
			t.Fatalf("search %+v: %v", query, err)
		}
		if page > 50 {
			t.Fatalf("search %+v does not end", query)
		}
		for _, u := range found.Results {
			ids = append(ids, u.UserID)
		}
		total = found.ResultsMetadata.Total
		if cursor = found.ResultsMetadata.NextCursor; cursor == "" {
			return ids, total
		}
	}
}

func TestUserSearch(t *testing.T) {
	t.Parallel()
	client := newEnvironment(t).client()
	ids := crowd(t, client, 20)
	first, err := client.Users.Get(t.Context(), &users.GetParams{UserID: ids[1]})
	if err != nil {
		t.Fatal(err)
	}
	where := func(keep func(i int) bool) (want []string) {
		for i := len(ids) - 1; i >= 0; i-- { // newest first
			if keep(i) {
				want = append(want, ids[i])
			}
		}
		return want
	}
	only := func(list ...int) func(int) bool { return func(i int) bool { return slices.Contains(list, i) } }
	all, none := func(int) bool { return true }, func(int) bool { return false }
	for _, row := range []struct {
		name  string
		value any
		want  func(i int) bool
	}{
		{"user_id", []string{ids[3], ids[7], ids[3]}, only(3, 7)},
		{"user_id", []string{"ext-4", "ext-9", "ext-none"}, only(4, 9)},
		{"email_address", []string{"PERSON2@company2.EXAMPLE", "nobody@example.com"}, only(2)},
		{"email_id", []string{first.Emails[0].EmailID}, only(1)},
		{"phone_number", []string{"+14155551005"}, only(5)},
		{"phone_id", []string{first.PhoneNumbers[0].PhoneID}, only(1)},
		{"email_address_fuzzy", "COMPANY1", func(i int) bool { return i%3 == 1 }},
		{"phone_number_fuzzy", "5100", func(i int) bool { return i%2 == 1 && i < 10 }},
		{"full_name_fuzzy", "ada lovelace1", func(i int) bool { return i == 1 || i >= 10 }},
		{"status", "pending", func(i int) bool { return i%5 == 0 }},
		{"email_verified", false, all},
		{"email_verified", true, none},
		{"phone_verified", false, func(i int) bool { return i%2 == 1 }},
		{"password_exists", false, all},
		{"password_exists", true, none},
		{"totp_verified", true, none},
		{"totp_id", []string{"x"}, none},
		{"oauth_provider", []string{"Google"}, none},
		{"created_at_greater_than", "2020-01-01T00:00:00Z", all},
		{"created_at_less_than", "2020-01-01T00:00:00Z", none},
		{"created_at_between", map[string]any{"greater_than": "2020-01-01T00:00:00Z", "less_than": "2100-01-01T00:00:00+02:00"}, all},
	} {
		for _, limit := range []uint32{0, 3} {
			got, total := search(t, client, limit, &users.SearchUsersQuery{
				Operator: users.SearchUsersQueryOperatorAND, Operands: []map[string]any{{"filter_name": row.name, "filter_value": row.value}},
			})
			want := where(row.want)
			if diff := cmp.Diff(want, got); diff != "" || int(total) != len(want) {
				t.Errorf("%s %v, limit %d: total %d (-want +got):\n%s", row.name, row.value, limit, total, diff)
			}
		}
	}
	everybody, total := search(t, client, 7, nil)
	if diff := cmp.Diff(where(all), everybody); diff != "" || total != 20 {
		t.Errorf("everybody: total %d (-want +got):\n%s", total, diff)
	}
	operands := []map[string]any{
		{"filter_name": "email_address_fuzzy", "filter_value": "company0"}, {"filter_name": "status", "filter_value": "pending"},
	}
	both, _ := search(t, client, 2, &users.SearchUsersQuery{Operator: users.SearchUsersQueryOperatorAND, Operands: operands})
	if diff := cmp.Diff(where(func(i int) bool { return i%15 == 0 }), both); diff != "" {
		t.Errorf("AND (-want +got):\n%s", diff)
	}
	either, _ := search(t, client, 2, &users.SearchUsersQuery{Operator: users.SearchUsersQueryOperatorOR, Operands: operands})
	if diff := cmp.Diff(where(func(i int) bool { return i%3 == 0 || i%5 == 0 }), either); diff != "" {
		t.Errorf("OR (-want +got):\n%s", diff)
	}
}

func TestUserSearchRefusals(t *testing.T) {
	t.Parallel()
	client := newEnvironment(t).client()
	for _, row := range []struct {
		operand map[string]any
		want    string
	}{
		{map[string]any{"filter_name": "shoe_size", "filter_value": 43}, "user_search_filter_name_not_recognized"},
		{map[string]any{"filter_value": "x"}, "user_search_missing_filter_name"},
		{map[string]any{"filter_name": "status"}, "user_search_missing_filter_value"},
		{map[string]any{"filter_name": "status", "filter_value": "gone"}, "user_search_invalid_status_filter"},
		{map[string]any{"filter_name": "email_address", "filter_value": "a@example.com"}, "user_search_expected_array_of_string"},
		{map[string]any{"filter_name": "email_address_fuzzy", "filter_value": "ab"}, "user_search_email_address_fuzzy_too_short"},
		{map[string]any{"filter_name": "created_at_less_than", "filter_value": "yesterday"}, "user_search_expected_timestamp"},
	} {
		_, err := client.Users.Search(t.Context(), &users.SearchParams{Query: &users.SearchUsersQuery{
			Operator: users.SearchUsersQueryOperatorAND, Operands: []map[string]any{row.operand},
		}})
		wantRefusal(t, fmt.Sprint("search ", row.operand), err, refusal{400, row.want})
	}
	_, err := client.Users.Search(t.Context(), &users.SearchParams{Cursor: "nonsense"})
	wantRefusal(t, "search behind a cursor that is none", err, refusal{400, "user_search_invalid_cursor"})
	_, err = client.Users.Search(t.Context(), &users.SearchParams{Limit: 1001})
	wantRefusal(t, "search with a limit too large", err, refusal{400, "user_search_invalid_limit"})
}

func TestProjectMetrics(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t)
	client := e.client()
	crowd(t, client, 2)
	metrics, err := client.Project.Metrics(t.Context(), &project.MetricsParams{})
	if err != nil || metrics.ProjectID != e.ProjectID {
		t.Fatalf("metrics = %+v, %v", metrics, err)
	}
	for _, m := range metrics.Metrics {
		want := int32(0)
		if m.MetricType == "USER_COUNT" {
			want = 2
		}
		if int32(m.Count) != want {
			t.Errorf("%s: %d, want %d", m.MetricType, m.Count, want)
		}
	}
	if len(metrics.Metrics) != 4 {
		t.Errorf("%d metrics, want four", len(metrics.Metrics))
	}
}

func TestSessionAttributes(t *testing.T) {
	t.Parallel()
	s, who := newScene(t), person()
	s.signIn(who)
	list, err := s.backend.Sessions.Get(t.Context(), &sessions.GetParams{UserID: who["sub"].(string)})
	if err != nil || len(list.Sessions) != 1 || list.Sessions[0].Attributes == nil {
		t.Errorf("sessions = %+v, %v, want one with attributes", list, err)
	}
}
