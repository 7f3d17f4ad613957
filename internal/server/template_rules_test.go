package server_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign/internal/servertest"
	"github.com/countersign-auth/countersign/internal/storetest"
)

func (p *place) putTemplate(t *testing.T, content, audience string) {
	t.Helper()
	servertest.Must(t, p.Administer(http.MethodPut, "/jwt_templates/SESSION", object{"template_content": content, "custom_audience": audience}))
}

// decoded is JSON as answers are decoded.
func decoded(t *testing.T, text string) (v any) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

// TestTemplateIsRenderedEachTime changes what a template shows within the minute
// in which the same JWT is given again.
func TestTemplateIsRenderedEachTime(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, clock *servertest.Clock, _ string) {
		p.putPolicy(t, policyOf("a"))
		s := p.session(t, "ada@example.com", object{"session_custom_claims": object{"mine": object{"a": 1}, "plan": "session"}})
		id := s.String("user_id")
		by := object{"session_token": s.String("session_token")}
		step := func(what, want string, audience ...any) servertest.Answer {
			t.Helper()
			clock.Advance(time.Second)
			a := p.authenticate(by)
			agrees(t, what, a, clock)
			if diff := cmp.Diff(decoded(t, want), a.At("session", "custom_claims")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", what, diff)
			}
			if diff := cmp.Diff(append([]any{p.ProjectID}, audience...), payload(t, a.String("session_jwt"))["aud"]); diff != "" {
				t.Errorf("%s: aud (-want +got):\n%s", what, diff)
			}
			listed := servertest.Must(t, p.API(http.MethodGet, "/v1/sessions?user_id="+id, nil))
			if diff := cmp.Diff(a.At("session"), list(listed, "sessions")[0]); diff != "" {
				t.Errorf("%s: the list of sessions (-answer +listed):\n%s", what, diff)
			}
			return a
		}
		step("without a template", `{"mine": {"a": 1}, "plan": "session"}`)
		p.putTemplate(t, `{"plan": "template", "tier": {{ user.trusted_metadata.tier }}, "mine": {"a": 2, "b": {{user.name.first_name}}}}`, "")
		step("with one", `{"mine": {"a": 1, "b": ""}, "plan": "session", "tier": null}`)
		servertest.Must(t, p.update(id, object{"trusted_metadata": object{"tier": object{"n": 1}}, "name": object{"first_name": "Ada"}}))
		step("metadata changed", `{"mine": {"a": 1, "b": "Ada"}, "plan": "session", "tier": {"n": 1}}`)
		servertest.Must(t, p.authenticate(object{"session_token": s.String("session_token"), "session_custom_claims": object{"plan": nil, "mine": object{"a": nil}}}))
		step("the session's own are gone", `{"mine": {"a": 2, "b": "Ada"}, "plan": "template", "tier": {"n": 1}}`)
		p.putTemplate(t, `{"roles": {{ user.roles }}, "status": {{user.status}}, "id": {{user.user_id}}, "none": {{ user.nobody.knows }}, "external": {{ user.external_id }}}`, "https://api.example.com")
		step("another template", `{"mine": {}, "roles": ["stytch_user"], "status": "active", "id": "`+id+`", "none": null, "external": null}`, "https://api.example.com")
		servertest.Must(t, p.update(id, object{"roles": []string{"a"}, "external_id": "ext"}))
		step("a role", `{"mine": {}, "roles": ["stytch_user", "a"], "status": "active", "id": "`+id+`", "none": null, "external": "ext"}`, "https://api.example.com")
		attached := servertest.Must(t, p.attest(p.token("ada@example.com", nil), object{"session_token": s.String("session_token"), "session_duration_minutes": nil}))
		agrees(t, "attach", attached, clock)
		if got := attached.String("session", "custom_claims", "external"); got != "ext" {
			t.Errorf("the answer of an attach has no claims of the template: %s", attached.Text)
		}
		p.putTemplate(t, `{}`, "")
		step("no template again", `{"mine": {}}`)
	})
}

// TestTemplateCannotBeBrokenOutOf puts awkward values in the place of a
// placeholder.
func TestTemplateCannotBeBrokenOutOf(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, clock *servertest.Clock, _ string) {
		s := p.session(t, "ada@example.com", nil)
		by := object{"session_token": s.String("session_token")}
		p.putTemplate(t, `{"first": {{ user.untrusted_metadata.v }}, "list": [{{user.untrusted_metadata.v}}, {"in": {{user.untrusted_metadata.v}}}], "admin": false}`, "")
		for _, value := range []string{
			`"\", \"admin\": true, \"x\": \""`, `"}, \"admin\": true, {"`, `"{{ user.user_id }}"`, `"}}"`, `{"admin": true}`, `{"a": {"admin": true, "iss": "evil"}}`,
			`[1, [2, [3]]]`, `"\u0000\u001f\u2028\ud83d\ude00 <&> \\ \\\" "`, `"é李İ"`, `12345678901234567890.000e5`, `true`, `null`, `""`, `{}`, `[]`,
			strings.Repeat(`{"d":`, 10) + `1` + strings.Repeat(`}`, 10), strings.Repeat(`[`, 10) + strings.Repeat(`]`, 10),
		} {
			servertest.Must(t, p.update(s.String("user_id"), object{"untrusted_metadata": object{"v": json.RawMessage(value)}}))
			a := p.authenticate(by)
			agrees(t, value, a, clock)
			want := decoded(t, `{"first": `+value+`, "list": [`+value+`, {"in": `+value+`}], "admin": false}`)
			if diff := cmp.Diff(want, a.At("session", "custom_claims")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", value, diff)
			}
			clock.Advance(time.Second)
		}
		deep := strings.Repeat(`[`, 300) + strings.Repeat(`]`, 300) // too deep for cmp to compare
		servertest.Must(t, p.update(s.String("user_id"), object{"untrusted_metadata": object{"v": json.RawMessage(deep)}}))
		if a := servertest.Must(t, p.authenticate(by)); !strings.Contains(a.Text, `"first":`+deep+`,"list":[`+deep+`,`) || a.At("session", "custom_claims", "admin") != false {
			t.Errorf("a deep value: %s", a.Text)
		}
		// Names that are reserved are nobody's to set.
		p.putTemplate(t, `{"iss": "evil", "sub": {{ user.untrusted_metadata.v }}, "aud": [], "exp": 9999999999, "nbf": 0, "iat": 0, "jti": "x", "in": {"sub": 1}}`, "")
		a := p.authenticate(by)
		agrees(t, "reserved names", a, clock)
		if diff := cmp.Diff(decoded(t, `{"in": {"sub": 1}}`), a.At("session", "custom_claims")); diff != "" {
			t.Errorf("reserved names (-want +got):\n%s", diff)
		}
	})
}

// TestTemplateAtItsLimit counts what the template makes and the session's own
// claims together. A refusal changes nothing.
func TestTemplateAtItsLimit(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, p *place, clock *servertest.Clock, database string) {
		s := p.session(t, "ada@example.com", object{"session_custom_claims": object{"mine": "<"}})
		id, by := s.String("user_id"), object{"session_token": s.String("session_token")}
		p.putTemplate(t, `{"a": {{ user.trusted_metadata.a }}, "b": {{ user.trusted_metadata.b }}}`, "")
		fill := func(total int) { // the claims are {"a":"…","b":"…","mine":"<"}
			t.Helper()
			n := total - len(`{"a":"","b":"","mine":"<"}`)
			servertest.Must(t, p.update(id, object{"trusted_metadata": object{"a": strings.Repeat("&", n/2), "b": strings.Repeat("x", n-n/2)}}))
		}
		fill(4096)
		agrees(t, "4096 bytes", p.authenticate(by), clock)
		servertest.Must(t, p.attest(p.token("ada@example.com", nil), object{"session_custom_claims": object{"mine": "<"}}))
		before := servertest.Must(t, p.authenticate(by))

		fill(4097)
		events := dumpTable(t, storetest.Raw(t, database), "events")
		clock.Advance(2 * time.Minute)
		for what, a := range map[string]servertest.Answer{
			"authenticate":        p.authenticate(by),
			"extend":              p.authenticate(object{"session_token": s.String("session_token"), "session_duration_minutes": 600}),
			"claims":              p.authenticate(object{"session_token": s.String("session_token"), "session_custom_claims": object{"more": 1}}),
			"attach":              p.attest(p.token("ada@example.com", object{"jti": "new"}), object{"session_token": s.String("session_token")}),
			"a new session":       p.attest(p.token("ada@example.com", nil), object{"session_custom_claims": object{"mine": "<"}}),
			"list":                p.API(http.MethodGet, "/v1/sessions?user_id="+id, nil),
			"a session with none": p.attest(p.token("ada@example.com", nil), object{"session_custom_claims": object{"mine": "<<"}}),
		} {
			refusedAs(t, what, a, http.StatusBadRequest, "custom_claims_too_large")
		}
		if after := dumpTable(t, storetest.Raw(t, database), "events"); after != events {
			t.Error("a refusal left events")
		}
		servertest.Must(t, p.attest(p.token("ada@example.com", nil), object{"session_duration_minutes": nil})) // no session, no claims
		fill(4096)
		after := servertest.Must(t, p.authenticate(by))
		for _, member := range []string{"expires_at", "authentication_factors", "custom_claims"} {
			if diff := cmp.Diff(before.At("session", member), after.At("session", member)); diff != "" {
				t.Errorf("a refusal changed %s:\n%s", member, diff)
			}
		}
		// The session's own may make room again.
		fill(4097)
		servertest.Must(t, p.authenticate(object{"session_token": s.String("session_token"), "session_custom_claims": object{"mine": nil}}))
	})
}
