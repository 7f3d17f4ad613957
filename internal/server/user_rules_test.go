package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign/internal/servertest"
	"github.com/countersign-auth/countersign/internal/storetest"
)

// user makes a user and gives the ID.
func (p *place) user(t *testing.T, body map[string]any) string {
	t.Helper()
	return servertest.Must(t, p.API(http.MethodPost, "/v1/users", body)).String("user_id")
}

func (p *place) update(ref string, body map[string]any) servertest.Answer {
	return p.API(http.MethodPut, "/v1/users/"+url.PathEscape(ref), body)
}

func (p *place) get(ref string) servertest.Answer {
	return p.API(http.MethodGet, "/v1/users/"+url.PathEscape(ref), nil)
}

func (p *place) search(body map[string]any) servertest.Answer {
	return p.API(http.MethodPost, "/v1/users/search", body)
}

// TestUpdatesAtOnceMerge has many writers change one user, each a key of its own.
func TestUpdatesAtOnceMerge(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		p := arrange(t, serve(t, database, nil), nil)
		const writers = 16
		for round := range rounds(20) {
			id := p.user(t, map[string]any{"email": fmt.Sprintf("ada%d@example.com", round), "trusted_metadata": map[string]any{"gone": 1, "stays": 1}})
			race(writers, func(i int) {
				body := map[string]any{"trusted_metadata": map[string]any{fmt.Sprint("key", i): i}}
				switch i {
				case 0:
					body = map[string]any{"name": map[string]any{"first_name": "Ada"}}
				case 1:
					body = map[string]any{"name": map[string]any{"last_name": "Lovelace"}}
				case 2:
					body = map[string]any{"external_id": fmt.Sprint("ext-", round)}
				case 3:
					body = map[string]any{"trusted_metadata": map[string]any{"gone": nil}}
				}
				servertest.Must(t, p.update(id, body))
			})
			got := servertest.Must(t, p.get(id))
			metadata, _ := got.At("trusted_metadata").(map[string]any)
			if len(metadata) != writers-4+1 || metadata["stays"] == nil || metadata["key15"] == nil {
				t.Errorf("round %d: trusted_metadata = %v", round, metadata)
			}
			if got.String("name", "first_name") != "Ada" || got.String("name", "last_name") != "Lovelace" || got.String("external_id") != fmt.Sprint("ext-", round) {
				t.Errorf("round %d: a change was lost: %s", round, got.Text)
			}
		}
	})
}

// TestOneOfManyClaimsWins races for what only one user may have.
func TestOneOfManyClaimsWins(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		p := arrange(t, serve(t, database, nil), nil)
		const n = 8
		for round := range rounds(10) {
			ids := make([]string, n)
			for i := range ids {
				ids[i] = p.user(t, map[string]any{"email": fmt.Sprintf("ada%d-%d@example.com", round, i)})
			}
			address, number, external := fmt.Sprintf("Wanted%d@example.com", round), fmt.Sprintf("+4420718387%02d", round), fmt.Sprint("ext-", round)
			for what, claim := range map[string]struct {
				refusal string
				make    func(i int) servertest.Answer
			}{
				"an external ID": {"duplicate_user_external_id", func(i int) servertest.Answer { return p.update(ids[i], map[string]any{"external_id": external}) }},
				"an address": {"duplicate_email", func(i int) servertest.Answer {
					return p.API(http.MethodPut, "/v1/users/"+ids[i]+"/exchange_primary_factor", map[string]any{"email_address": address})
				}},
				"a number": {"duplicate_phone_number", func(i int) servertest.Answer {
					return p.API(http.MethodPost, "/v1/users", map[string]any{"phone_number": number})
				}},
				"a line of an import": {"", func(i int) servertest.Answer {
					return p.API(http.MethodPost, "/v1/users/import", map[string]any{"users": []map[string]any{{"email": "import-" + address}, {"email": fmt.Sprintf("own%d-%s", i, address)}}})
				}},
			} {
				answers := make([]servertest.Answer, n)
				race(n, func(i int) { answers[i] = claim.make(i) })
				won := 0
				for i, a := range answers {
					switch {
					case claim.refusal == "":
						servertest.Must(t, a)
						lines := list(a, "results")
						if at(lines[1], "error_type") != "" {
							t.Errorf("%s, request %d: %s", what, i, a.Text)
						}
						if at(lines[0], "error_type") == "" {
							won++
						} else if at(lines[0], "error_type") != "duplicate_email" {
							t.Errorf("%s, request %d: %s", what, i, a.Text)
						}
					case a.Status == http.StatusOK:
						won++
					default:
						refusedAs(t, fmt.Sprintf("%s, request %d", what, i), a, http.StatusBadRequest, claim.refusal)
					}
				}
				if won != 1 {
					t.Errorf("round %d: %d have %s", round, won, what)
				}
			}
		}
	})
}

func TestExternalIDWhereverAnIDIs(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		p := arrange(t, serve(t, database, nil), nil)
		for i, external := range []string{"crm|7", "search", "import", "emails", "phone_numbers", "external_id", "connected_apps", "exchange_primary_factor", "a.b", "...", "-", "user-test-x", strings.Repeat("x", 128)} {
			id := p.user(t, map[string]any{"email": fmt.Sprintf("ada%d@example.com", i), "external_id": external})
			path := "/v1/users/" + strings.ReplaceAll(external, "|", "%7C")
			for what, a := range map[string]servertest.Answer{
				"get":      p.API(http.MethodGet, path, nil),
				"update":   p.API(http.MethodPut, path, map[string]any{"name": map[string]any{"first_name": "Ada"}}),
				"exchange": p.API(http.MethodPut, path+"/exchange_primary_factor", map[string]any{"email_address": fmt.Sprintf("new%d@example.com", i)}),
			} {
				if servertest.Must(t, a).String("user_id") != id {
					t.Errorf("%s %s: %s, want %s", what, external, a.Text, id)
				}
			}
			servertest.Must(t, p.API(http.MethodGet, path+"/connected_apps", nil))
			refusedAs(t, external, p.API(http.MethodPost, path+"/connected_apps/a/revoke", nil), http.StatusNotFound, "connected_app_not_found")
			servertest.Must(t, p.API(http.MethodGet, "/v1/sessions?user_id="+url.QueryEscape(external), nil))
			found := servertest.Must(t, p.search(map[string]any{"query": map[string]any{"operator": "AND", "operands": []any{map[string]any{"filter_name": "user_id", "filter_value": []string{external}}}}}))
			if users := list(found, "results"); len(users) != 1 || at(users[0], "user_id") != id {
				t.Errorf("search for %s: %s", external, found.Text)
			}
			if upper := strings.ToUpper(external); upper != external {
				refusedAs(t, "of another case", p.get(upper), http.StatusNotFound, "user_not_found")
			}
			if i%2 == 0 {
				servertest.Must(t, p.API(http.MethodDelete, "/v1/users/"+id+"/external_id", nil))
			} else {
				servertest.Must(t, p.API(http.MethodDelete, path, nil))
			}
			refusedAs(t, "gone", p.API(http.MethodGet, path, nil), http.StatusNotFound, "user_not_found")
		}
	})
}

func TestReassignedExternalID(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, _ *servertest.Clock, _ string) {
		ada := p.user(t, map[string]any{"email": "ada@example.com", "external_id": "one"})
		bob := p.user(t, map[string]any{"email": "bob@example.com"})
		refusedAs(t, "taken", p.update(bob, map[string]any{"external_id": "one"}), http.StatusBadRequest, "duplicate_user_external_id")
		servertest.Must(t, p.update("one", map[string]any{"external_id": "one"})) // her own
		servertest.Must(t, p.update("one", map[string]any{"external_id": "two"}))
		refusedAs(t, "the old one", p.get("one"), http.StatusNotFound, "user_not_found")
		servertest.Must(t, p.update(bob, map[string]any{"external_id": "one"}))
		for ref, id := range map[string]string{"two": ada, "one": bob} {
			if got := servertest.Must(t, p.get(ref)).String("user_id"); got != id {
				t.Errorf("%s is %s, want %s", ref, got, id)
			}
		}
		// A token does not move what the API assigned (product: on_sign_in if_empty).
		a := servertest.Must(t, p.attest(p.token("ada@example.com", map[string]any{"sub": "three"}), nil))
		if got := a.String("user", "external_id"); got != "two" {
			t.Errorf("external_id after a sign-in is %q, want two", got)
		}
	})
}

func TestUpdateLeavesTheRest(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, _ *servertest.Clock, _ string) {
		id := p.user(t, map[string]any{
			"email": "ada@example.com", "phone_number": "+442071838750", "name": map[string]any{"first_name": "Ada", "middle_name": "King", "last_name": "Lovelace"},
			"trusted_metadata": map[string]any{"a": 1, "b": map[string]any{"c": 1}}, "untrusted_metadata": map[string]any{"d": []any{1}}, "external_id": "ext",
		})
		flat := func(a servertest.Answer) map[string]any {
			user := servertest.Must(t, a).JSON
			delete(user, "request_id")
			delete(user, "status_code")
			return user
		}
		want := flat(p.get(id))
		for what, body := range map[string]map[string]any{
			"nothing":          {},
			"nulls":            {"name": nil, "trusted_metadata": nil, "untrusted_metadata": nil, "external_id": nil, "roles": nil, "emails": nil, "phone_numbers": nil, "crypto_wallets": nil},
			"empty ones":       {"name": map[string]any{}, "trusted_metadata": map[string]any{}, "external_id": "", "roles": []string{}},
			"what is there":    {"name": map[string]any{"first_name": "Ada"}, "trusted_metadata": map[string]any{"a": 1}, "external_id": "ext"},
			"null in names":    {"name": map[string]any{"first_name": nil}},
			"null of nothing":  {"untrusted_metadata": map[string]any{"z": nil}},
			"fields of no one": {"status": "pending", "user_id": "x", "created_at": "x", "attributes": map[string]any{"ip_address": "192.0.2.1"}},
		} {
			answer := servertest.Must(t, p.update(id, body))
			if diff := cmp.Diff(any(want), answer.At("user")); diff != "" {
				t.Errorf("%s (-want +answer):\n%s", what, diff)
			}
			if diff := cmp.Diff(want, flat(p.get(id))); diff != "" {
				t.Errorf("%s (-want +stored):\n%s", what, diff)
			}
		}
		for name, value := range map[string]any{"emails": []any{}, "phone_numbers": "x", "crypto_wallets": false} {
			refusedAs(t, name, p.update(id, map[string]any{name: value, "name": map[string]any{"first_name": "Eve"}}), http.StatusBadRequest, "update_user_auth_method_not_allowed")
		}
		if diff := cmp.Diff(want, flat(p.get(id))); diff != "" {
			t.Errorf("a refusal changed the user (-want +stored):\n%s", diff)
		}
	})
}

// TestDeletedUserHasNoSessions ends everything of a user with the user.
func TestDeletedUserHasNoSessions(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, _ *servertest.Clock, _ string) {
		s := servertest.Must(t, p.attest(p.token("ada@example.com", map[string]any{"sub": "crm|7"}), nil))
		second := p.session(t, "ada@example.com", nil)
		if got := servertest.Must(t, p.API(http.MethodDelete, "/v1/users/crm%7C7", nil)).String("user_id"); got != s.String("user_id") {
			t.Errorf("deleted %s, want %s", got, s.String("user_id"))
		}
		for what, body := range map[string]map[string]any{
			"token": {"session_token": s.String("session_token")}, "JWT": {"session_jwt": s.String("session_jwt")}, "the other's token": {"session_token": second.String("session_token")},
		} {
			refusedAs(t, what, p.authenticate(body), http.StatusNotFound, "session_not_found")
			refusedAs(t, "revoke by "+what, p.revoke(body), http.StatusNotFound, "session_not_found")
		}
		refusedAs(t, "the user's sessions", p.API(http.MethodGet, "/v1/sessions?user_id="+s.String("user_id"), nil), http.StatusNotFound, "user_not_found")
		again := servertest.Must(t, p.attest(p.token("ada@example.com", map[string]any{"sub": "crm|7"}), nil))
		if again.String("user_id") == s.String("user_id") || len(list(servertest.Must(t, p.API(http.MethodGet, "/v1/sessions?user_id=crm%7C7", nil)), "sessions")) != 1 {
			t.Errorf("the deleted user came back: %s", again.Text)
		}
	})
}

// TestImport holds an import against creating the same users one by one.
func TestImport(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, _ *servertest.Clock, database string) {
		p.putPolicy(t, policyOf("reader"))
		one := arrangeBeside(t, p)
		one.putPolicy(t, policyOf("reader"))
		var lines []map[string]any
		for i := range 500 {
			line := map[string]any{"email": fmt.Sprintf("user%d@example.com", i%450), "name": map[string]any{"first_name": fmt.Sprint("User ", i)}}
			switch i % 9 {
			case 1:
				line["external_id"] = fmt.Sprint("ext-", i%20)
			case 2:
				line["phone_number"] = fmt.Sprintf("+1415555%04d", i%100)
			case 3:
				line["roles"] = []string{"reader"}
			case 4:
				line["roles"] = []string{"admin"}
			case 5:
				line["email"] = fmt.Sprint("user", i)
			case 6:
				line = map[string]any{"phone_number": fmt.Sprintf("+1415555%04d", i%60), "create_user_as_pending": true, "trusted_metadata": map[string]any{"i": i}}
			case 7:
				line["email"] = strings.ToUpper(fmt.Sprintf("user%d@example.com", i%10))
			}
			lines = append(lines, line)
		}
		imported := servertest.Must(t, p.API(http.MethodPost, "/v1/users/import", map[string]any{"users": lines}))
		results, made, outcomes := list(imported, "results"), 0, map[string]int{}
		if len(results) != len(lines) {
			t.Fatalf("%d results of %d lines", len(results), len(lines))
		}
		for i, line := range lines {
			created := one.API(http.MethodPost, "/v1/users", line)
			outcomes[created.String("error_type")]++
			if got := text(at(results[i], "error_type")); got != created.String("error_type") || (at(results[i], "user_id") == "") != (got != "") {
				t.Errorf("line %d: %v, creating answers %s", i, results[i], created.Text)
				continue
			}
			if created.Status != http.StatusOK {
				if at(results[i], "error_message") != created.String("error_message") {
					t.Errorf("line %d: %v, creating answers %s", i, results[i], created.Text)
				}
				continue
			}
			made++
			var users [2]any
			for n, a := range []servertest.Answer{p.get(text(at(results[i], "user_id"))), one.get(created.String("user_id"))} {
				servertest.Must(t, a)
				users[n] = []any{a.At("name"), a.At("status"), a.At("roles"), a.At("external_id"), a.At("trusted_metadata")}
			}
			if diff := cmp.Diff(users[1], users[0]); diff != "" {
				t.Errorf("line %d (-created +imported):\n%s", i, diff)
			}
		}
		for _, typ := range []string{"", "duplicate_email", "duplicate_phone_number", "duplicate_user_external_id", "invalid_rbac_role_id", "invalid_email"} {
			if outcomes[typ] == 0 {
				t.Errorf("no line shows %q", typ)
			}
		}
		if events := recorded(t, storetest.Raw(t, database), imported); len(events) != made {
			t.Errorf("%d events of %d users: %v", len(events), made, events[:min(3, len(events))])
		}
		if total := servertest.Must(t, p.API(http.MethodGet, "/v1/projects/metrics", nil)); fmt.Sprint(at(list(total, "metrics")[0], "count")) != fmt.Sprint(made) {
			t.Errorf("%s, want %d users", total.Text, made)
		}
	})
}
