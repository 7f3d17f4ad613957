package server_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/countersign-auth/countersign/internal/issuer"
	"github.com/countersign-auth/countersign/internal/issuertest"
	"github.com/countersign-auth/countersign/internal/servertest"
)

// replayed is what an edit would have made of the place's verdicts: how many
// would be the same, and each other outcome as "from → to" with how many.
func (p *place) replayed(t *testing.T, edit object) (same int, changes map[string]int) {
	t.Helper()
	a := servertest.Must(t, p.Administer(http.MethodPost, "/trusted_token_profiles/"+p.profile+"/replay", object{"since": "1970-01-01T00:00:00Z", "profile": edit}))
	changes = map[string]int{}
	sum := number(t, a, "same")
	for _, c := range list(a, "changes") {
		n := number(t, servertest.Answer{JSON: c.(map[string]any)}, "count")
		changes[text(at(c, "from"))+" → "+text(at(c, "to"))] += n
		sum += n
		p.verdict(t, servertest.Answer{JSON: object{"request_id": at(c, "example_request_id")}})
	}
	if sum != number(t, a, "judged") || a.At("complete") != true {
		t.Errorf("the changes are not all: %s", a.Text)
	}
	return number(t, a, "same"), changes
}

// TestReplayOfNoEditChangesNothing holds every outcome there is against the
// profile as it was.
func TestReplayOfNoEditChangesNothing(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, clock *servertest.Clock, _ string) {
		for _, r := range everyRefusal() {
			name := string(r.reason) + " " + string(r.step)
			q := r.place(t, p.Server, clock)
			r.prepare(t, q)
			var more object
			if r.request != nil {
				more = r.request(t, q)
			}
			q.attest(r.token(q), more)
			if _, changes := q.replayed(t, nil); len(changes) != 0 {
				t.Errorf("%s: %v", name, changes)
			}
		}
	})
}

// TestReplayOfWhatWasCut holds tokens of which less is kept than they said
// against the profile as it was.
func TestReplayOfWhatWasCut(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, clock *servertest.Clock, _ string) {
		long := "https://" + strings.Repeat("long.", 40) + "example"
		many := make([]string, 12)
		for i := range many {
			many[i] = strings.Repeat("a", i+1)
		}
		for what, row := range map[string]struct {
			claims  object
			header  object
			unknown bool
		}{
			"nothing":                     {},
			"an issuer and an audience":   {claims: object{"aud": []string{"x", long}}},
			"the last of many audiences":  {claims: object{"aud": append(slices.Clone(many), long)}, unknown: true},
			"no audience of many":         {claims: object{"aud": many}, unknown: true},
			"the fraction of a second":    {claims: object{"exp": json.Number(fmt.Sprint(clock.Now().Unix()-30, ".5"))}},
			"an audience that is no text": {claims: object{"aud": []any{long, 7}}, unknown: true},
			"the claim of a session JWT":  {claims: object{"https://stytch.com/session": object{}}},
			"an iat that is no number":    {claims: object{"iat": "now"}},
			"a typ that is no text":       {header: object{"typ": 7}, unknown: true},
		} {
			q := arrange(t, p.Server, clock)
			servertest.Must(t, q.Administer(http.MethodPatch, "/trusted_token_profiles/"+q.profile, object{"issuer": long, "audience": long}))
			claims := object{"iss": long, "aud": long, "email": "ada@example.com"}
			maps.Copy(claims, row.claims)
			var options []issuer.Option
			for name, value := range row.header {
				options = append(options, issuertest.Header(name, value))
			}
			q.attest(q.issuer.Mint(claims, options...), nil)
			want := 1
			if row.unknown { // and nothing worse
				want = 0
			}
			same, changes := q.replayed(t, nil)
			for change := range changes {
				if !strings.HasSuffix(change, " → unknown") {
					t.Errorf("%s: %s", what, change)
				}
			}
			if same != want {
				t.Errorf("%s: %d the same, want %d: %v", what, same, want, changes)
			}
		}
	})
}

// TestReplayOfEdits says what each edit would have made of tokens that came.
func TestReplayOfEdits(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, clock *servertest.Clock, _ string) {
		p.setPolicy(t, object{"subject_claim": "sub"})
		for _, claims := range []object{
			{"sub": "1"},
			{"sub": "1", "aud": []string{"x", "countersign"}}, // accepted
			{"sub": "1", "aud": "elsewhere"},
			{"sub": "1", "iss": "https://elsewhere.example"},
			{"sub": "1", "exp": clock.Now().Add(-time.Minute).Unix(), "iat": clock.Now().Add(-time.Hour).Unix()},
			{"sub": nil},
		} {
			p.attest(p.token("ada@example.com", claims), nil)
		}
		p.attest("no token", nil)
		policy := func(settings object) object { return object{"trust_policy": settings} }
		for what, row := range map[string]struct {
			edit    object
			changes map[string]int
		}{
			"a name":              {edit: object{"name": "other"}},
			"another audience":    {edit: object{"audience": "elsewhere"}, changes: map[string]int{"accepted → audience_mismatch": 2, "audience_mismatch → unknown": 1, "expired → audience_mismatch": 1, "claim_missing → audience_mismatch": 1}},
			"one audience more":   {edit: policy(object{"audiences": []string{"elsewhere"}}), changes: map[string]int{"audience_mismatch → unknown": 1}},
			"another issuer":      {edit: object{"issuer": "https://elsewhere.example"}, changes: map[string]int{"accepted → issuer_mismatch": 2, "audience_mismatch → issuer_mismatch": 1, "issuer_mismatch → unknown": 1, "expired → issuer_mismatch": 1, "claim_missing → issuer_mismatch": 1}},
			"a shorter life":      {edit: policy(object{"max_token_lifetime_seconds": 60}), changes: map[string]int{"accepted → lifetime_too_long": 2, "claim_missing → lifetime_too_long": 1}},
			"more skew":           {edit: policy(object{"clock_skew_seconds": 90}), changes: map[string]int{"expired → unknown": 1}},
			"other algorithms":    {edit: policy(object{"algorithms": []string{"EdDSA"}}), changes: map[string]int{"accepted → algorithm_not_allowed": 2, "audience_mismatch → algorithm_not_allowed": 1, "issuer_mismatch → algorithm_not_allowed": 1, "expired → algorithm_not_allowed": 1, "claim_missing → algorithm_not_allowed": 1}},
			"a type":              {edit: policy(object{"required_typ": "at+jwt"}), changes: map[string]int{"accepted → wrong_type": 2, "audience_mismatch → wrong_type": 1, "issuer_mismatch → wrong_type": 1, "expired → wrong_type": 1, "claim_missing → wrong_type": 1}},
			"a condition":         {edit: policy(object{"conditions": []string{"claims.sub == '2'"}}), changes: map[string]int{"accepted → unknown": 2, "claim_missing → unknown": 1}},
			"another subject":     {edit: policy(object{"subject_claim": nil}), changes: map[string]int{"accepted → unknown": 2, "claim_missing → unknown": 1}},
			"a mapping":           {edit: object{"attribute_mapping": object{"email": "mail"}}, changes: map[string]int{"accepted → unknown": 2, "claim_missing → unknown": 1}},
			"verified addresses":  {edit: policy(object{"email_trust": "verified_claim"}), changes: map[string]int{"accepted → unknown": 2}},
			"some domains":        {edit: policy(object{"email_domains": []string{"example.org"}}), changes: map[string]int{"accepted → unknown": 2}},
			"one-time tokens":     {edit: policy(object{"one_time_tokens": true}), changes: map[string]int{"accepted → unknown": 2}},
			"no provisioning":     {edit: object{"can_jit_provision": false}, changes: map[string]int{"accepted → unknown": 2}},
			"some roles":          {edit: policy(object{"role_ids_allowed": []string{}}), changes: map[string]int{"accepted → unknown": 2}},
			"some to provision":   {edit: policy(object{"jit_domains": []string{"example.org"}}), changes: map[string]int{"accepted → unknown": 2}},
			"few to provision":    {edit: policy(object{"jit_per_hour": 1}), changes: map[string]int{"accepted → unknown": 2}},
			"updates of sign-ins": {edit: policy(object{"on_sign_in": object{"external_user_id": "always"}}), changes: map[string]int{"accepted → unknown": 2}},
		} {
			total := 7
			for _, n := range row.changes {
				total -= n
			}
			same, changes := p.replayed(t, row.edit)
			if !maps.Equal(changes, row.changes) || same != total {
				t.Errorf("%s: %d the same, %v; want %d and %v", what, same, changes, total, row.changes)
			}
		}
		refusedAs(t, "an edit that cannot be", p.Administer(http.MethodPost, "/trusted_token_profiles/"+p.profile+"/replay",
			object{"since": "1970-01-01T00:00:00Z", "profile": policy(object{"mode": "x"})}), http.StatusBadRequest, "trust_policy_invalid_setting")
	})
}
