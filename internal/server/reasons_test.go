package server_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/issuer"
	"github.com/countersign-auth/countersign/internal/issuertest"
	"github.com/countersign-auth/countersign/internal/servertest"
	"github.com/countersign-auth/countersign/internal/trust"
)

// setPolicy changes settings of the profile's trust policy.
func (p *place) setPolicy(t *testing.T, settings map[string]any) servertest.Answer {
	t.Helper()
	return servertest.Must(t, p.Administer(http.MethodPatch, "/trusted_token_profiles/"+p.profile, map[string]any{"trust_policy": settings}))
}

// refusal is how one reason comes about.
type refusal struct {
	reason    trust.Reason
	step      trust.Step // if it is not the first of the reason's
	policy    map[string]any
	profile   map[string]any // changes of the profile
	token     func(p *place) string
	before    func(t *testing.T, p *place) // what happens first
	request   func(t *testing.T, p *place) map[string]any
	status    int // 400 if 0
	errorType string
	expected  string // a part
	received  string // a part
	unjudged  bool   // explain does not know what the request has beside the token
	b2b       bool   // at a place with organizations
}

// planted stands in a claim that no verdict may show.
const planted = "planted-claim-value"

func minted(claims map[string]any, options ...issuer.Option) func(*place) string {
	return func(p *place) string {
		all := map[string]any{"aud": "countersign", "email": "ada@example.com", "secret": planted}
		for name, value := range claims {
			all[name] = value
		}
		return p.issuer.Mint(all, options...)
	}
}

func everyRefusal() []refusal {
	const (
		invalid = "invalid_trusted_auth_token"
		claims  = "jwt_invalid_claims"
	)
	at := func(name string, d time.Duration) func(*place) string {
		return func(p *place) string { return minted(map[string]any{name: p.clock.Now().Add(d).Unix()})(p) }
	}
	return []refusal{
		{reason: trust.TokenTooLarge, token: minted(map[string]any{"pad": strings.Repeat("x", 20<<10)}), errorType: invalid, expected: "16384 bytes", received: "bytes"},
		{reason: trust.Malformed, token: func(*place) string { return "a.b" }, errorType: invalid, expected: "header.payload.signature", received: "2 segment"},
		{reason: trust.Malformed, step: trust.StepJSON, token: func(p *place) string { return p.issuer.MintRaw(countersign.ES256, `{"alg":"ES256"}`, `{"a":1,"a":2}`) }, errorType: invalid, expected: "JSON object", received: "occurs twice"},
		{reason: trust.Malformed, step: trust.StepAlgorithm, token: func(p *place) string { return p.issuer.MintRaw(countersign.ES256, `{"typ":"JWT"}`, `{}`) }, errorType: invalid, expected: "alg", received: "no alg"},
		{reason: trust.Malformed, step: trust.StepTimes, token: minted(map[string]any{"nbf": "soon"}), errorType: invalid, expected: "nbf", received: "a string"},
		{
			reason: trust.Malformed, step: trust.StepKey, token: minted(nil, issuertest.Header("kid", 7)), errorType: invalid, expected: "kid to be a string", received: "a number",
			profile: map[string]any{"public_key_type": "JWK"},
		},
		{reason: trust.AlgorithmNotAllowed, policy: map[string]any{"algorithms": []string{"EdDSA"}}, token: minted(nil), errorType: invalid, expected: "EdDSA", received: "ES256"},
		{reason: trust.UnsupportedCriticalHeader, token: minted(nil, issuertest.Header("crit", []string{"x"})), errorType: invalid, expected: "without crit", received: "crit"},
		{reason: trust.WrongType, policy: map[string]any{"required_typ": "at+jwt"}, token: minted(nil), errorType: invalid, expected: "at+jwt", received: "typ"},
		{reason: trust.IssuerMismatch, token: minted(map[string]any{"iss": "https://elsewhere.example"}), errorType: "jwt_invalid_issuer", expected: "iss to be", received: "elsewhere.example"},
		{reason: trust.AudienceMismatch, token: minted(map[string]any{"aud": []string{"a", "b"}}), errorType: "jwt_invalid_audience", expected: "countersign", received: `["a", "b"]`},
		{reason: trust.MissingExpiry, token: minted(map[string]any{"exp": nil}), errorType: invalid, expected: "exp to be a number", received: "missing"},
		{reason: trust.Expired, token: at("exp", -90*time.Minute), errorType: invalid, expected: "exp in the future", received: "90 min ago"},
		{reason: trust.NotYetValid, token: at("nbf", time.Hour), errorType: invalid, expected: "nbf in the past", received: "in "},
		{reason: trust.IssuedInFuture, token: at("iat", time.Hour), errorType: invalid, expected: "iat in the past", received: "in "},
		{reason: trust.LifetimeTooLong, policy: map[string]any{"max_token_lifetime_seconds": 60}, token: at("exp", 10*time.Minute), errorType: invalid, expected: "1 min", received: "lifetime"},
		{
			reason: trust.KeyNotFound, token: minted(nil, issuertest.Kid("other")), errorType: invalid, expected: "refreshed", received: `"other"`,
			profile: map[string]any{"public_key_type": "JWK"},
		},
		{
			reason: trust.KeyUnusable, errorType: invalid, token: minted(nil, issuertest.Kid("k")), expected: "can verify", received: "skipped",
			profile: map[string]any{"public_key_type": "JWK"}, before: func(_ *testing.T, p *place) {
				p.issuer.SetBody([]byte(`{"keys":[{"kty":"EC","kid":"k","crv":"P-512","x":"AA","y":"AA"}]}`))
			},
		},
		{
			reason: trust.KeysUnavailable, status: http.StatusServiceUnavailable, errorType: "keys_unavailable", token: minted(nil), expected: "key set", received: "recent",
			profile: map[string]any{"public_key_type": "JWK"}, before: func(_ *testing.T, p *place) { p.issuer.Misbehave(issuertest.Down) },
		},
		{reason: trust.SignatureInvalid, token: minted(nil, issuertest.WrongKey()), errorType: invalid, expected: "a signature by", received: "another one"},
		{reason: trust.ConditionFailed, policy: map[string]any{"conditions": []string{`claims.secret == "x"`}}, token: minted(nil), errorType: invalid, expected: "condition 1", received: "false"},
		{reason: trust.AttributeNotMapped, token: minted(nil), errorType: claims, expected: "mapping with email", received: "maps no email", profile: map[string]any{"attribute_mapping": map[string]any{"token_id": "jti"}}},
		{reason: trust.ClaimMissing, token: minted(map[string]any{"email": nil}), errorType: claims, expected: `claim "email"`, received: "no such claim"},
		{reason: trust.ClaimType, token: minted(map[string]any{"email": true}), errorType: claims, expected: "to be a string", received: "a boolean"},
		{reason: trust.EmailInvalid, token: minted(map[string]any{"email": planted + "@@example.com"}), errorType: "invalid_email", expected: "plain e-mail address", received: "more than one @"},
		{reason: trust.EmailNotVerified, policy: map[string]any{"email_trust": "verified_claim"}, token: minted(map[string]any{"email_verified": "true"}), errorType: claims, expected: "email_verified to be true", received: "a string"},
		{reason: trust.EmailDomainNotAllowed, policy: map[string]any{"email_domains": []string{"example.org"}}, token: minted(nil), errorType: claims, expected: "example.org", received: "elsewhere"},
		{
			reason: trust.AlreadyUsed, policy: map[string]any{"one_time_tokens": true}, token: minted(map[string]any{"jti": "once"}), errorType: invalid, expected: "not used before", received: "was used",
			before: func(t *testing.T, p *place) {
				servertest.Must(t, p.attest(minted(map[string]any{"jti": "once"})(p), nil))
			},
		},
		{reason: trust.OrganizationUnknown, b2b: true, token: minted(map[string]any{"org": "nobody/nowhere"}), status: http.StatusNotFound, errorType: "organization_not_found", expected: "external ID of an organization", received: "none can have"},
		{
			reason: trust.OrganizationConflict, b2b: true, token: minted(map[string]any{"org": "other"}), errorType: "invalid_token_organization_id_claim", expected: "the profile is for", received: "another name",
			before: func(t *testing.T, p *place) {
				made := servertest.Must(t, p.API(http.MethodPost, "/v1/b2b/organizations", map[string]any{"organization_name": "Acme"}))
				p.setPolicy(t, map[string]any{"organization_id": made.String("organization", "organization_id")})
			},
		},
		{reason: trust.SubjectUnknown, token: minted(nil), status: http.StatusNotFound, errorType: "user_not_found", expected: "does not provision", received: "no user has", profile: map[string]any{"can_jit_provision": false}},
		{
			reason: trust.SubjectConflict, token: minted(map[string]any{"sub": "taken"}), errorType: "duplicate_user_external_id", expected: "external ID", received: "somebody else has",
			before: func(t *testing.T, p *place) {
				servertest.Must(t, p.API(http.MethodPost, "/v1/users", map[string]any{"email": "bob@example.com", "external_id": "taken"}))
			},
		},
		{
			reason: trust.SessionMismatch, token: minted(nil), errorType: "user_id_mismatch", expected: "session's own user", received: "somebody else", unjudged: true,
			request: func(t *testing.T, p *place) map[string]any {
				return map[string]any{"session_token": p.session(t, "bob@example.com", nil).String("session_token")}
			},
		},
		{
			reason: trust.RoleNotAllowed, token: minted(map[string]any{"roles": []string{"root"}}), errorType: "invalid_rbac_role_id", expected: "policy defines", received: "root",
			profile: map[string]any{"attribute_mapping": map[string]any{"email": "email", "token_id": "jti", "role_ids": "roles"}},
		},
		{reason: trust.JITDomainNotAllowed, policy: map[string]any{"jit_domains": []string{"example.org"}}, token: minted(nil), status: http.StatusNotFound, errorType: "user_not_found", expected: "example.org", received: "elsewhere"},
		{
			reason: trust.JITLimitReached, policy: map[string]any{"jit_per_hour": 1}, token: minted(nil), status: http.StatusNotFound, errorType: "user_not_found", expected: "1 new people", received: "one more",
			before: func(t *testing.T, p *place) { p.session(t, "first@example.com", nil) },
		},
	}
}

// TestEveryReason brings every reason about over HTTP, finds its verdict by the
// request ID of the answer, and holds it against what explain says of the token.
func TestEveryReason(t *testing.T) {
	t.Parallel()
	var shown []trust.Reason
	for _, r := range everyRefusal() {
		shown = append(shown, r.reason)
	}
	for _, reason := range trust.Reasons() {
		if !slices.Contains(shown, reason) {
			t.Errorf("no case brings about %s", reason)
		}
	}
	still(t, func(t *testing.T, p *place, clock *servertest.Clock, _ string) {
		for _, r := range everyRefusal() {
			name := string(r.reason)
			if r.step != "" {
				name += " at " + string(r.step)
			}
			t.Run(name, func(t *testing.T) { r.run(t, r.place(t, p.Server, clock)) })
		}
	})
}

// place is where it comes about.
func (r refusal) place(t *testing.T, s *servertest.Server, clock *servertest.Clock) *place {
	t.Helper()
	if r.b2b {
		return arrangeB2B(t, s, clock)
	}
	return arrange(t, s, clock)
}

// prepare makes the place one at which the token is refused.
func (r refusal) prepare(t *testing.T, p *place) {
	t.Helper()
	if r.profile["public_key_type"] == "JWK" {
		p.profile = p.Profile(p.issuer.URL(), map[string]any{"public_key_type": "JWK", "jwks_url": p.issuer.JWKSURL()})
	} else if r.profile != nil {
		servertest.Must(t, p.Administer(http.MethodPatch, "/trusted_token_profiles/"+p.profile, r.profile))
	}
	if r.policy != nil {
		p.setPolicy(t, r.policy)
	}
	if r.before != nil {
		r.before(t, p)
	}
}

func (r refusal) run(t *testing.T, p *place) {
	r.prepare(t, p)
	var more map[string]any
	if r.request != nil {
		more = r.request(t, p)
	}
	token, status := r.token(p), r.status
	if status == 0 {
		status = http.StatusBadRequest
	}
	var explained servertest.Answer
	if !r.unjudged {
		explained = servertest.Must(t, p.Administer(http.MethodPost, "/trusted_token_profiles/"+p.profile+"/explain", map[string]any{"token": token}))
	}
	answer := p.attest(token, more)
	refusedAs(t, "attest", answer, status, r.errorType)

	found := servertest.Must(t, p.Administer(http.MethodGet, "/verdicts/"+answer.String("request_id"), nil))
	step := r.step
	if step == "" {
		step = trust.StepOf(r.reason)
	}
	for member, want := range map[string]string{
		"reason": string(r.reason), "step": string(step), "profile_id": p.profile, "outcome": "refused", "request_id": answer.String("request_id"), "remote_address": "127.0.0.1",
	} {
		if got := found.String("verdict", member); got != want {
			t.Errorf("the verdict's %s is %q, want %q", member, got, want)
		}
	}
	expected, received := found.String("verdict", "expected"), found.String("verdict", "received")
	if !strings.Contains(expected, r.expected) || !strings.Contains(received, r.received) {
		t.Errorf("expected %q, received %q; want %q and %q in them", expected, received, r.expected, r.received)
	}
	if strings.Contains(found.Text, planted) || strings.Contains(found.Text, token) {
		t.Errorf("the verdict shows what it must not: %s", found.Text)
	}
	r.checkSteps(t, "verdict", list(found, "steps"), step, expected, received)
	if !r.unjudged {
		if got := explained.String("explanation", "reason"); got != string(r.reason) {
			t.Errorf("explain says %q", got)
		}
		r.checkSteps(t, "explanation", list(explained, "explanation", "steps"), step, expected, received)
		if strings.Contains(explained.Text, token) || strings.Contains(explained.Text, planted) {
			t.Errorf("explain shows what it must not: %s", explained.Text)
		}
	}
	listed := servertest.Must(t, p.Administer(http.MethodGet, "/verdicts?reason="+string(r.reason)+"&profile_id="+p.profile, nil))
	if rows := list(listed, "verdicts"); len(rows) != 1 {
		t.Errorf("%d verdicts of that reason: %s", len(rows), listed.Text)
	}
}

// checkSteps holds that all steps before the one that refused are passed, and
// those behind it not reached.
func (r refusal) checkSteps(t *testing.T, what string, steps []any, refused trust.Step, expected, received string) {
	t.Helper()
	if len(steps) != len(trust.Steps()) {
		t.Fatalf("%s: %d steps, want %d", what, len(steps), len(trust.Steps()))
	}
	status := "passed"
	for i, name := range trust.Steps() {
		step, _ := steps[i].(map[string]any)
		want := status
		if name == refused {
			want, status = "failed", "not_reached"
			if step["expected"] != expected || step["received"] != received {
				t.Errorf("%s: expected %v, received %v, want %q and %q", what, step["expected"], step["received"], expected, received)
			}
		}
		if step["step"] != string(name) || step["status"] != want {
			text, _ := json.Marshal(step)
			t.Errorf("%s: step %d is %s, want %s %s", what, i, text, name, want)
		}
	}
}
