package sdk_test

import (
	"crypto/rand"
	"crypto/rsa"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stytchauth/stytch-go/v18/stytch/consumer/sessions"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/environments"
	"github.com/stytchauth/stytch-management-go/v3/pkg/models/projects"
)

// Every refusal of a subject token that the contract names.
func TestAttestRefusesTokens(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	es256 := &issuer{URL: s.issuer.URL, t: t, method: jwt.SigningMethodES256, key: newKey(t, jwt.SigningMethodES256)}
	unsigned, err := jwt.NewWithClaims(jwt.SigningMethodNone, jwt.MapClaims{"iss": s.issuer.URL, "aud": audience}).SignedString(jwt.UnsafeAllowNoneSignatureType)
	if err != nil {
		t.Fatal(err)
	}
	good := s.token(person())
	hour := int64(time.Hour / time.Second)
	now := time.Now().Unix()
	for _, row := range []struct {
		name  string
		token string
		want  string
	}{
		{"nonsense", "nonsense", "invalid_trusted_auth_token"},
		{"alg none", unsigned, "invalid_trusted_auth_token"},
		{"another key", s.signed(stranger, person()), "invalid_trusted_auth_token"},
		{"another kind of key", es256.token(person()), "invalid_trusted_auth_token"},
		{"a broken signature", good[:len(good)-8] + "AAAAAAAA", "invalid_trusted_auth_token"},
		{"expired", s.token(person(), claims{"iat": now - 2*hour, "exp": now - hour}), "invalid_trusted_auth_token"},
		{"no expiry", s.token(person(), claims{"exp": nil}), "invalid_trusted_auth_token"},
		{"not yet valid", s.token(person(), claims{"nbf": now + hour}), "invalid_trusted_auth_token"},
		{"another issuer", s.token(person(), claims{"iss": s.issuer.URL + "/"}), "jwt_invalid_issuer"},
		{"no issuer", s.token(person(), claims{"iss": nil}), "jwt_invalid_issuer"},
		{"another audience", s.token(person(), claims{"aud": "somebody else"}), "jwt_invalid_audience"},
		{"no audience", s.token(person(), claims{"aud": nil}), "jwt_invalid_audience"},
		{"no e-mail address", s.token(claims{"sub": "x"}), "jwt_invalid_claims"},
		{"a number for an e-mail address", s.token(person(), claims{"email": 7}), "jwt_invalid_claims"},
		{"no token ID", s.token(person(), claims{"jti": nil}), "jwt_invalid_claims"},
		{"no address in the e-mail claim", s.token(person(), claims{"email": "nobody"}), "invalid_email"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, err := s.backend.Sessions.Attest(t.Context(), &sessions.AttestParams{ProfileID: s.profile, Token: row.token, SessionDurationMinutes: 60})
			wantRefusal(t, "attest", err, refusal{400, row.want})
			if err != nil && strings.Contains(err.Error(), row.token) && row.token != "nonsense" {
				t.Error("the error repeats the token")
			}
		})
	}
}

func TestAttestRefusesRequests(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	live := newEnvironmentOf(t, projects.VerticalConsumer, environments.EnvironmentTypeLive)
	for _, row := range []struct {
		name   string
		change func(*sessions.AttestParams)
		want   refusal
	}{
		{"no profile", func(p *sessions.AttestParams) { p.ProfileID = "" }, refusal{400, "bad_request"}},
		{"no token", func(p *sessions.AttestParams) { p.Token = "" }, refusal{400, "bad_request"}},
		{"an unknown profile", func(p *sessions.AttestParams) { p.ProfileID = "trusted-token-profile-test-nonsense" }, refusal{404, "trusted_token_profile_not_found"}},
		{"a profile of another environment", func(p *sessions.AttestParams) {
			other := newEnvironment(t)
			p.ProfileID = other.profile(other.profileRequest(s.issuer))
		}, refusal{404, "trusted_token_profile_not_found"}},
		{"a live profile", func(p *sessions.AttestParams) { p.ProfileID = live.profile(live.profileRequest(s.issuer)) }, refusal{400, "live_id_used_in_test_environment"}},
		{"four minutes", func(p *sessions.AttestParams) { p.SessionDurationMinutes = 4 }, refusal{400, "invalid_session_duration_minutes"}},
		{"more than 366 days", func(p *sessions.AttestParams) { p.SessionDurationMinutes = 527041 }, refusal{400, "invalid_session_duration_minutes"}},
		{"negative minutes", func(p *sessions.AttestParams) { p.SessionDurationMinutes = -60 }, refusal{400, "invalid_session_duration_minutes"}},
		{"large claims", func(p *sessions.AttestParams) {
			p.SessionCustomClaims = map[string]any{"x": strings.Repeat("x", 4096)}
		}, refusal{400, "custom_claims_too_large"}},
		{"the server's own claims", func(p *sessions.AttestParams) {
			p.SessionCustomClaims = map[string]any{"https://stytch.com/session": "mine"}
		}, refusal{400, "stytch_claims_in_custom_claims"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			params := sessions.AttestParams{ProfileID: s.profile, Token: s.token(person()), SessionDurationMinutes: 60}
			row.change(&params)
			_, err := s.backend.Sessions.Attest(t.Context(), &params)
			wantRefusal(t, "attest", err, row.want)
		})
	}
}

func TestAttestOnlyKnownPeople(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	request := s.profileRequest(s.issuer)
	request.CanJITProvision = false
	s.profile = s.environment.profile(request)
	who := person()
	_, err := s.attest(who, sessions.AttestParams{SessionDurationMinutes: 60})
	wantRefusal(t, "attest a stranger", err, refusal{404, "user_not_found"})
	params := newUserParams()
	params.Email = who["email"].(string)
	created, err := s.backend.Users.Create(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	answer := s.signIn(who)
	if answer.UserID != created.UserID || !answer.User.Emails[0].Verified {
		t.Errorf("attest = user %s with %+v, want %s, whose address is now verified", answer.UserID, answer.User.Emails, created.UserID)
	}
}

func TestAttestTakenExternalID(t *testing.T) {
	t.Parallel()
	s, one, two := newScene(t), person(), person()
	s.signIn(one)
	two["sub"] = one["sub"]
	_, err := s.attest(two, sessions.AttestParams{SessionDurationMinutes: 60})
	wantRefusal(t, "attest with somebody's external ID", err, refusal{400, "duplicate_user_external_id"})
}

// An issuer that is down is nobody's fault but its own: 503, and no verdict
// about the token.
func TestAttestWhenTheIssuerIsDown(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	token := s.token(person())
	s.issuer.server.Close()
	_, err := s.backend.Sessions.Attest(t.Context(), &sessions.AttestParams{ProfileID: s.profile, Token: token, SessionDurationMinutes: 60})
	wantRefusal(t, "attest", err, refusal{503, "keys_unavailable"})
}
