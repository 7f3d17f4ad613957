package project

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/condition"
	"github.com/countersign-auth/countersign/internal/email"
	"github.com/countersign-auth/countersign/internal/spelling"
	"github.com/countersign-auth/countersign/internal/trust"
)

// mergePolicy changes the settings that patch names (RFC 7396: null makes one the
// default again, and on_sign_in merges by attribute). Errors: ErrTrustPolicyUnknownSetting,
// ErrTrustPolicyInvalidSetting for one of another JSON type.
func mergePolicy(p countersign.TrustPolicy, patch json.RawMessage) (countersign.TrustPolicy, error) {
	if patch == nil || bytes.Equal(patch, []byte("null")) {
		return p, nil
	}
	var given map[string]json.RawMessage
	if err := json.Unmarshal(patch, &given); err != nil || given == nil {
		return p, countersign.ErrTrustPolicyInvalidSetting.Saying("trust_policy must be a JSON object or null.")
	}
	merged, err := members(p)
	if err != nil {
		return p, err
	}
	defaults, err := members(countersign.DefaultTrustPolicy())
	if err != nil {
		return p, err
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, known := defaults[name]; !known {
			return p, countersign.ErrTrustPolicyUnknownSetting.Saying("%s", unknown(name, slices.Sorted(maps.Keys(defaults))))
		}
		switch {
		case bytes.Equal(bytes.TrimSpace(given[name]), []byte("null")):
			merged[name] = defaults[name]
		case name == "on_sign_in":
			if merged[name], err = mergeMembers(merged[name], given[name]); err != nil {
				return p, err
			}
		default:
			merged[name] = given[name]
		}
	}
	text, err := countersign.EncodeJSON(merged)
	if err != nil {
		return p, err
	}
	if len(text) > countersign.MaxTrustPolicySize {
		return p, countersign.ErrTrustPolicyInvalidSetting.Saying("trust_policy may have %d bytes in all.", countersign.MaxTrustPolicySize)
	}
	var policy countersign.TrustPolicy
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&policy); err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return p, countersign.ErrTrustPolicyInvalidSetting.Saying("%s cannot be a JSON %.40s.", wrong.Field, wrong.Value)
		}
		return p, countersign.ErrTrustPolicyInvalidSetting.Saying("%s.", strings.TrimPrefix(err.Error(), "json: "))
	}
	return policy, nil
}

// mergeMembers changes the members of an object that patch names, of which null
// removes one. A patch that is no object stays what it is, for whoever decodes it.
func mergeMembers(object, patch json.RawMessage) (json.RawMessage, error) {
	if !bytes.HasPrefix(bytes.TrimSpace(patch), []byte("{")) {
		return patch, nil
	}
	var members, given map[string]json.RawMessage
	if err := json.Unmarshal(patch, &given); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(object, &members); err != nil {
		return nil, err
	}
	merged := maps.Clone(given)
	for name, value := range members {
		if _, named := given[name]; !named {
			merged[name] = value
		}
	}
	maps.DeleteFunc(merged, func(_ string, value json.RawMessage) bool { return bytes.Equal(bytes.TrimSpace(value), []byte("null")) })
	return countersign.EncodeJSON(merged)
}

// members are a policy's settings by name.
func members(p countersign.TrustPolicy) (m map[string]json.RawMessage, err error) {
	text, err := countersign.EncodeJSON(p)
	if err != nil {
		return nil, err
	}
	return m, json.Unmarshal(text, &m)
}

// unknown says that there is no such name, and which was meant.
func unknown(name string, known []string) string {
	s := fmt.Sprintf("There is no %.64q", name)
	if near := spelling.Nearest(name, known); near != "" {
		return s + fmt.Sprintf("; did you mean %q?", near)
	}
	return s + "; there are " + strings.Join(known, ", ") + "."
}

// invalid is a setting that is not usable.
func invalid(setting, format string, args ...any) error {
	return countersign.ErrTrustPolicyInvalidSetting.Saying("%s", setting+" "+fmt.Sprintf(format, args...)+".")
}

// checkPolicy holds the rules of a trust policy whole (product §5). Errors:
// ErrTrustPolicyInvalidSetting, ErrTrustPolicyWrongVertical,
// ErrTrustPolicyInvalidCondition.
func checkPolicy(p countersign.TrustPolicy, vertical countersign.Vertical) error {
	for _, check := range []func() error{
		func() error { return checkAlgorithms(p.Algorithms) },
		func() error { return checkNames("audiences", p.Audiences, maxProfileText, false) },
		func() error { return checkType(p.RequiredType) },
		func() error { return checkBounds(p) },
		func() error { return checkPath("subject_claim", p.SubjectClaim) },
		func() error { return checkEmailTrust(p) },
		func() error { return checkDomains("email_domains", p.EmailDomains) },
		func() error { return checkDomains("jit_domains", p.JITDomains) },
		func() error { return checkOnSignIn(p.OnSignIn, vertical) },
		func() error { return checkNames("role_ids_allowed", p.RoleIDsAllowed, maxRoleID, true) },
		func() error { return checkPin(p.OrganizationID, vertical) },
		func() error { return checkConditions(p.Conditions) },
		func() error {
			return checkWord("mode", p.Mode, countersign.ModeEnforce, countersign.ModeShadow)
		},
		func() error { return checkExamples(p.Tests, vertical) },
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

const maxRoleID = 128 // bytes

func checkAlgorithms(list []countersign.Algorithm) error {
	if list == nil {
		return nil
	}
	known := countersign.Algorithms()
	if len(list) == 0 || len(list) > len(known) {
		return invalid("algorithms", "must name 1 to %d algorithms, or be null for all", len(known))
	}
	for _, alg := range list {
		name := string(alg)
		switch {
		case slices.Contains(known, alg):
		case name == "none" || strings.HasPrefix(name, "HS"):
			return invalid("algorithms", "can never have %q: whoever checks such a token could have made it; let the issuer sign with a key pair, RS256, ES256 or EdDSA", name)
		default:
			names := make([]string, len(known))
			for i, k := range known {
				names[i] = string(k)
			}
			return countersign.ErrTrustPolicyInvalidSetting.Saying("algorithms: %s", unknown(name, names))
		}
	}
	return nil
}

// checkNames holds a list of texts to bounds; nil is no list.
func checkNames(setting string, list []string, size int, mayBeEmpty bool) error {
	switch {
	case list == nil:
		return nil
	case len(list) == 0 && !mayBeEmpty:
		return invalid(setting, "must have an entry, or be null")
	case len(list) > countersign.MaxPolicyEntries:
		return invalid(setting, "may have %d entries", countersign.MaxPolicyEntries)
	}
	for i, name := range list {
		if name == "" || len(name) > size || strings.ContainsFunc(name, unicode.IsControl) {
			return invalid(fmt.Sprintf("%s[%d]", setting, i), "must have 1 to %d bytes and no control characters", size)
		}
	}
	return nil
}

func checkType(typ string) error {
	if len(typ) > maxRoleID || strings.ContainsFunc(typ, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return invalid("required_typ", "must be a media type without spaces, of at most %d characters", maxRoleID)
	}
	if trust.NeverSubjectToken(typ) {
		return invalid("required_typ", "is the type of tokens that are never accepted as subject tokens")
	}
	return nil
}

func checkBounds(p countersign.TrustPolicy) error {
	for _, n := range []struct {
		setting string
		value   int64
		most    int64
	}{
		{"clock_skew_seconds", int64(p.ClockSkew), countersign.MaxClockSkew},
		{"max_token_lifetime_seconds", int64(p.MaxTokenLifetime), countersign.MaxTokenSpan},
		{"max_token_age_seconds", int64(p.MaxTokenAge), countersign.MaxTokenSpan},
		{"jit_per_hour", int64(p.JITPerHour), countersign.MaxJITPerHour},
	} {
		if n.value < 0 || n.value > n.most {
			return invalid(n.setting, "must be from 0 to %d", n.most)
		}
	}
	return nil
}

const maxPath = 1024 // bytes, of a path that is no expression

// checkPath holds a value of a mapping, or subject_claim, to what may be looked
// up.
func checkPath(setting, path string) error {
	if expression, ok := strings.CutPrefix(path, trust.CELPrefix); ok {
		if _, err := condition.CompileValue(expression); err != nil {
			return countersign.ErrTrustPolicyInvalidCondition.Saying("%s: %v.", setting, err)
		}
		return nil
	}
	if setting == "subject_claim" && (len(path) > maxPath || strings.ContainsFunc(path, unicode.IsControl)) {
		return invalid(setting, "may have %d bytes and no control characters", maxPath)
	}
	return nil
}

func checkEmailTrust(p countersign.TrustPolicy) error {
	if err := checkWord("email_trust", p.EmailTrust, countersign.EmailTrustIssuer, countersign.EmailTrustVerified, countersign.EmailTrustNever); err != nil {
		return err
	}
	if p.EmailTrust == countersign.EmailTrustNever && p.SubjectClaim == "" {
		return invalid("email_trust", "never_link needs subject_claim, usually \"sub\": without it nobody would be found again")
	}
	return nil
}

// checkWord holds a setting to the words that it may be.
func checkWord[T ~string](setting string, word T, known ...T) error {
	if slices.Contains(known, word) {
		return nil
	}
	names := make([]string, len(known))
	for i, k := range known {
		names[i] = string(k)
	}
	return countersign.ErrTrustPolicyInvalidSetting.Saying("%s: %s", setting, unknown(string(word), names))
}

// normalDomains writes domains as they are compared: A-labels in lower case. What
// is no domain stays.
func normalDomains(list []string) []string {
	if list == nil {
		return nil
	}
	normal := make([]string, len(list))
	for i, domain := range list {
		normal[i] = domain
		if host, err := email.Domain(domain); err == nil {
			normal[i] = host
		}
	}
	return normal
}

func checkDomains(setting string, list []string) error {
	if err := checkNames(setting, list, email.MaxSize, false); err != nil {
		return err
	}
	for i, domain := range list {
		if _, err := email.Domain(domain); err != nil {
			return invalid(fmt.Sprintf("%s[%d]", setting, i), "must be a domain such as example.com, without @ or wildcard")
		}
	}
	return nil
}

// attributes are those that a mapping may name, and a test expect, in a vertical.
func attributes(vertical countersign.Vertical) []string {
	if vertical == countersign.B2B {
		return []string{countersign.AttributeEmail, countersign.AttributeTokenID, countersign.AttributeExternalMemberID, countersign.AttributeOrganizationID, countersign.AttributeRoleIDs}
	}
	return []string{countersign.AttributeEmail, countersign.AttributeTokenID, countersign.AttributeExternalUserID, countersign.AttributeRoleIDs}
}

// externalIDAdvice tells the external ID of the other vertical from one's own.
func externalIDAdvice(vertical countersign.Vertical) string {
	if vertical == countersign.B2B {
		return "external_user_id belongs to consumer profiles; did you mean external_member_id?"
	}
	return "external_member_id belongs to B2B profiles; did you mean external_user_id?"
}

func checkOnSignIn(updates map[string]countersign.SignInUpdate, vertical countersign.Vertical) error {
	known := slices.DeleteFunc(attributes(vertical), func(a string) bool {
		return a == countersign.AttributeTokenID || a == countersign.AttributeOrganizationID
	})
	for _, attribute := range slices.Sorted(maps.Keys(updates)) {
		switch {
		case slices.Contains(known, attribute):
		case attribute == countersign.AttributeExternalUserID, attribute == countersign.AttributeExternalMemberID:
			return countersign.ErrTrustPolicyWrongVertical.Saying("on_sign_in: %s", externalIDAdvice(vertical))
		default:
			return countersign.ErrTrustPolicyUnknownSetting.Saying("on_sign_in: %s", unknown(attribute, known))
		}
		if err := checkWord("on_sign_in."+attribute, updates[attribute], countersign.UpdateAlways, countersign.UpdateIfEmpty, countersign.UpdateNever); err != nil {
			return err
		}
	}
	return nil
}

func checkPin(organization string, vertical countersign.Vertical) error {
	switch {
	case organization == "":
		return nil
	case vertical == countersign.Consumer:
		return countersign.ErrTrustPolicyWrongVertical.Saying("organization_id belongs to B2B profiles; a consumer project has no organizations.")
	case !strings.HasPrefix(organization, "organization-") || !countersign.LooksLikeID(organization):
		return invalid("organization_id", "must be the ID of an organization")
	}
	return nil
}

func checkConditions(list []string) error {
	if len(list) > countersign.MaxConditions {
		return invalid("conditions", "may have %d entries", countersign.MaxConditions)
	}
	for i, text := range list {
		if _, err := condition.Compile(text); err != nil {
			return countersign.ErrTrustPolicyInvalidCondition.Saying("conditions[%d]: %v.", i, err)
		}
	}
	return nil
}

// checkExamples holds a profile's tests to what can be tested.
func checkExamples(tests []countersign.ProfileTest, vertical countersign.Vertical) error {
	if len(tests) > countersign.MaxProfileTests {
		return invalid("tests", "may have %d entries", countersign.MaxProfileTests)
	}
	seen := map[string]bool{}
	for i, t := range tests {
		at := fmt.Sprintf("tests[%d]", i)
		switch {
		case t.Name == "" || len(t.Name) > maxRoleID || strings.ContainsFunc(t.Name, unicode.IsControl):
			return invalid(at+".name", "must have 1 to %d bytes and no control characters", maxRoleID)
		case seen[t.Name]:
			return invalid(at+".name", "is that of another test")
		case t.Expect.Reason == "" && t.Expect.Attributes == nil, t.Expect.Reason != "" && t.Expect.Attributes != nil:
			return invalid(at+".expect", "must have either attributes or a reason")
		case t.Expect.Reason != "" && !slices.Contains(trust.ClaimReasons(), trust.Reason(t.Expect.Reason)):
			names := make([]string, 0, len(trust.ClaimReasons()))
			for _, r := range trust.ClaimReasons() {
				names = append(names, string(r))
			}
			return countersign.ErrTrustPolicyInvalidSetting.Saying("%s.expect.reason: %s", at, unknown(t.Expect.Reason, names))
		}
		seen[t.Name] = true
		for _, attribute := range slices.Sorted(maps.Keys(t.Expect.Attributes)) {
			if known := attributes(vertical); !slices.Contains(known, attribute) {
				return countersign.ErrTrustPolicyInvalidSetting.Saying("%s.expect.attributes: %s", at, unknown(attribute, known))
			}
		}
	}
	return nil
}

// TestResult is what became of one of a profile's tests.
type TestResult struct {
	Name     string
	Passed   bool
	Expected string
	Received string
}

// TestProfile runs a profile's own tests.
func (s *Service) TestProfile(p countersign.Profile, vertical countersign.Vertical) []TestResult {
	list := make([]TestResult, len(p.Policy.Tests))
	for i, t := range p.Policy.Tests {
		list[i] = s.runTest(p, t, vertical)
	}
	return list
}

func (s *Service) checkTests(p countersign.Profile, vertical countersign.Vertical) error {
	for _, r := range s.TestProfile(p, vertical) {
		if !r.Passed {
			return countersign.ErrProfileTestFailed.Saying("Test %q. Expected: %s. Received: %s.", r.Name, r.Expected, r.Received)
		}
	}
	return nil
}

// runTest judges the claims of a test, as if the issuer had just signed them.
func (s *Service) runTest(p countersign.Profile, t countersign.ProfileTest, vertical countersign.Vertical) TestResult {
	r := TestResult{Name: t.Name, Expected: "reason " + t.Expect.Reason}
	wanted, _ := countersign.EncodeJSON(t.Expect.Attributes) // it was decoded from JSON
	if t.Expect.Reason == "" {
		r.Expected = "attributes " + string(wanted)
	}
	attributes, err := s.try(p, t, vertical)
	if refusal, refused := errors.AsType[*trust.Refusal](err); refused {
		r.Passed = t.Expect.Reason == string(refusal.Reason)
		r.Received = refusal.Error()
		return r
	}
	if err != nil {
		r.Received = err.Error()
		return r
	}
	got := map[string]any{
		countersign.AttributeEmail: attributes.Email, countersign.AttributeTokenID: attributes.TokenID,
		countersign.ExternalIDAttribute(vertical): attributes.ExternalID, countersign.AttributeRoleIDs: attributes.RoleIDs,
	}
	if vertical == countersign.B2B {
		got[countersign.AttributeOrganizationID] = attributes.OrganizationID
	}
	shown, _ := countersign.EncodeJSON(got) // strings only
	r.Received = "attributes " + string(shown)
	r.Passed = t.Expect.Reason == "" && agrees(t.Expect.Attributes, shown)
	return r
}

// try judges the claims of a test.
func (s *Service) try(p countersign.Profile, t countersign.ProfileTest, vertical countersign.Vertical) (a countersign.Attributes, err error) {
	header, err := object(t.Header)
	if err != nil {
		return a, fmt.Errorf("the header of the test: %w", err)
	}
	claims, err := object(t.Claims)
	if err != nil {
		return a, fmt.Errorf("the claims of the test: %w", err)
	}
	header, claims = s.Verifier.Complete(&p, header, claims)
	token, err := s.Verifier.Judge(&p, header, claims)
	if err != nil {
		return a, err
	}
	if a, err = s.Verifier.Map(&p, token, vertical); err != nil {
		return a, err
	}
	return a, trust.JudgeEmail(&p, token.Claims, a)
}

// object reads a JSON object as strictly as a token's.
func object(o countersign.Object) (map[string]any, error) {
	if o == nil {
		return map[string]any{}, nil
	}
	text, err := countersign.EncodeJSON(o)
	if err != nil {
		return nil, err
	}
	return trust.ParseObject(string(text))
}

// agrees reports whether every attribute that is wanted is as wanted.
func agrees(wanted map[string]json.RawMessage, got []byte) bool {
	var have map[string]any
	if json.Unmarshal(got, &have) != nil {
		return false
	}
	for name, raw := range wanted {
		var want any
		if json.Unmarshal(raw, &want) != nil || !reflect.DeepEqual(want, have[name]) {
			return false
		}
	}
	return true
}
