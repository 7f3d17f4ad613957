package trust_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/trust"
)

func TestVerifyClaims(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration) int64 { return now.Add(d).Unix() }
	policy := func(change func(*countersign.TrustPolicy)) func(*countersign.Profile) {
		return func(p *countersign.Profile) { change(&p.Policy) }
	}
	skew := func(d time.Duration) func(*countersign.Profile) {
		return policy(func(p *countersign.TrustPolicy) { p.ClockSkew = countersign.Seconds(d / time.Second) })
	}
	lifetime := policy(func(p *countersign.TrustPolicy) { p.MaxTokenLifetime = 600 })
	age := policy(func(p *countersign.TrustPolicy) { p.MaxTokenAge = 60 })
	num := func(s string) json.Number { return json.Number(s) }

	for _, test := range []struct {
		name    string
		claims  object
		profile func(*countersign.Profile)
		want    trust.Reason
	}{
		{name: "good"},
		{name: "no iss", claims: object{"iss": drop{}}, want: trust.IssuerMismatch},
		{name: "iss without its slash", claims: object{"iss": strings.TrimSuffix(issuer, "/")}, want: trust.IssuerMismatch},
		{name: "iss in upper case", claims: object{"iss": strings.ToUpper(issuer)}, want: trust.IssuerMismatch},
		{name: "iss with a NUL", claims: object{"iss": issuer + "\x00"}, want: trust.IssuerMismatch},
		{name: "iss in an array", claims: object{"iss": []string{issuer}}, want: trust.IssuerMismatch},
		{name: "iss is null", claims: object{"iss": nil}, want: trust.IssuerMismatch},
		{name: "empty iss of both", claims: object{"iss": ""}, profile: func(p *countersign.Profile) { p.Issuer = "" }, want: trust.IssuerMismatch},

		{name: "aud in an array", claims: object{"aud": []string{"x", audience}}},
		{name: "no aud", claims: object{"aud": drop{}}, want: trust.AudienceMismatch},
		{name: "another aud", claims: object{"aud": audience + "/"}, want: trust.AudienceMismatch},
		{name: "empty array", claims: object{"aud": []string{}}, want: trust.AudienceMismatch},
		{name: "array with a number", claims: object{"aud": []any{audience, 1}}, want: trust.AudienceMismatch},
		{name: "array in an array", claims: object{"aud": []any{[]string{audience}}}, want: trust.AudienceMismatch},
		{name: "aud is a number", claims: object{"aud": 1}, want: trust.AudienceMismatch},
		{name: "another audience of the policy", claims: object{"aud": "b"}, profile: policy(func(p *countersign.TrustPolicy) { p.Audiences = []string{"a", "b"} })},
		{name: "the profile's own beside the policy's", profile: policy(func(p *countersign.TrustPolicy) { p.Audiences = []string{"a"} })},
		{name: "empty aud of both", claims: object{"aud": ""}, profile: func(p *countersign.Profile) { p.Audience = "" }, want: trust.AudienceMismatch},
		{name: "empty aud in the policy", claims: object{"aud": []string{""}}, profile: policy(func(p *countersign.TrustPolicy) { p.Audiences = []string{""} }), want: trust.AudienceMismatch},
		{name: "issuer before audience", claims: object{"iss": "x", "aud": "x"}, want: trust.IssuerMismatch},

		{name: "no exp", claims: object{"exp": drop{}}, want: trust.MissingExpiry},
		{name: "exp is null", claims: object{"exp": nil}, want: trust.MissingExpiry},
		{name: "exp is a string", claims: object{"exp": "9999999999"}, want: trust.MissingExpiry},
		{name: "exp is true", claims: object{"exp": true}, want: trust.MissingExpiry},
		{name: "exp in milliseconds", claims: object{"exp": at(time.Hour) * 1000}, want: trust.MissingExpiry},
		{name: "exp beyond all", claims: object{"exp": num("1e999999999")}, want: trust.MissingExpiry},
		{name: "exp beyond an int", claims: object{"exp": num("1e99999999999999999999999999")}, want: trust.MissingExpiry},
		{name: "exp just above nothing", claims: object{"exp": num("1e-999999999")}, want: trust.Expired},
		{name: "exp is negative", claims: object{"exp": -1}, want: trust.Expired},
		{name: "exp with a fraction", claims: object{"exp": num("1767268900.5")}},
		{name: "exp with an exponent", claims: object{"exp": num("1.7672689E+9")}},
		{name: "exp wraps around in 64 bits", claims: object{"exp": num("18446744075476820616")}, want: trust.MissingExpiry},
		{name: "exp within the skew", claims: object{"exp": at(-29 * time.Second)}},
		{name: "exp at the skew's end", claims: object{"exp": at(-30 * time.Second)}, want: trust.Expired},
		{name: "exp a hair within the skew's end", claims: object{"exp": num("1767268770.000000001")}},
		{name: "exp is now, without skew", claims: object{"exp": at(0)}, profile: skew(0), want: trust.Expired},
		{name: "exp in a second, without skew", claims: object{"exp": at(time.Second)}, profile: skew(0)},
		{name: "a skew is at most 300 s", claims: object{"exp": at(-301 * time.Second), "iat": drop{}}, profile: skew(time.Hour), want: trust.Expired},
		{name: "a skew is at least 0", claims: object{"exp": at(time.Second)}, profile: skew(-time.Hour)},

		{name: "nbf now", claims: object{"nbf": at(0)}},
		{name: "nbf at the skew's end", claims: object{"nbf": at(30 * time.Second)}},
		{name: "nbf beyond the skew", claims: object{"nbf": at(31 * time.Second)}, want: trust.NotYetValid},
		{name: "nbf is a string", claims: object{"nbf": "0"}, want: trust.Malformed},
		{name: "nbf is null", claims: object{"nbf": nil}, want: trust.Malformed},
		{name: "nbf beyond all", claims: object{"nbf": num("1e999999999")}, want: trust.Malformed},

		{name: "no iat", claims: object{"iat": drop{}}},
		{name: "iat at the skew's end", claims: object{"iat": at(30 * time.Second)}},
		{name: "iat beyond the skew", claims: object{"iat": at(31 * time.Second)}, want: trust.IssuedInFuture},
		{name: "iat is a string", claims: object{"iat": "0"}, want: trust.Malformed},
		{name: "exp before nbf before iat", claims: object{"exp": at(-time.Hour), "nbf": at(time.Hour), "iat": at(time.Hour)}, want: trust.Expired},
		{name: "nbf before iat", claims: object{"nbf": at(time.Hour), "iat": at(time.Hour)}, want: trust.NotYetValid},

		{name: "lifetime at its maximum", claims: object{"iat": at(-time.Minute), "exp": at(9 * time.Minute)}, profile: lifetime},
		{name: "lifetime beyond its maximum", claims: object{"iat": at(-time.Minute), "exp": at(9*time.Minute + time.Second)}, profile: lifetime, want: trust.LifetimeTooLong},
		{name: "lifetime without iat", claims: object{"iat": drop{}}, profile: lifetime, want: trust.LifetimeTooLong},
		{name: "lifetime of ages", claims: object{"iat": -62135596800, "exp": 253402300799}, profile: lifetime, want: trust.LifetimeTooLong},
		{name: "age at its maximum and the skew", claims: object{"iat": at(-90 * time.Second)}, profile: age},
		{name: "age beyond", claims: object{"iat": at(-91 * time.Second)}, profile: age, want: trust.LifetimeTooLong},
		{name: "age of ages", claims: object{"iat": -62135596800}, profile: age, want: trust.LifetimeTooLong},
		{name: "age without iat", claims: object{"iat": drop{}}, profile: age, want: trust.LifetimeTooLong},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := pemProfile(t, rsaKey().Public())
			if test.profile != nil {
				test.profile(p)
			}
			_, err := verifier(t, nil).Verify(t.Context(), p, mint(t, nil, test.claims))
			wantReason(t, "Verify", err, test.want)
		})
	}
}

// An operator reads these at three in the morning.
func TestRefusalText(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		claims             object
		expected, received string
	}{
		{object{"iss": "https://issuer.example"}, `iss to be "https://issuer.example/"`, `iss is "https://issuer.example"`},
		{object{"iss": "a\u202e\n"}, `iss to be "https://issuer.example/"`, `iss is "a\u202e\n"`},
		{object{"aud": []string{"a/"}}, `aud to contain "https://api.example"`, `aud is ["a/"]`},
		{object{"exp": now.Unix() - 41}, "exp in the future, give or take 30 s", "exp is 2026-01-01T11:59:19Z, 41 s ago"},
		{object{"exp": drop{}}, "exp to be a number of seconds since 1970", "exp is missing"},
		{object{"exp": 1767268900000}, "exp to be a number of seconds since 1970", "exp is 1767268900000, which is no time between the years 1 and 9999"},
		{object{"nbf": now.Unix() + 7200}, "nbf in the past, give or take 30 s", "nbf is 2026-01-01T14:00:00Z, in 2 h"},
	} {
		_, err := verifier(t, nil).Verify(t.Context(), pemProfile(t, rsaKey().Public()), mint(t, nil, test.claims))
		r, ok := err.(*trust.Refusal) //nolint:errorlint // Verify promises the very type
		if !ok {
			t.Errorf("Verify(%v) = %v, want a refusal", test.claims, err)
			continue
		}
		if diff := cmp.Diff([]string{test.expected, test.received}, []string{r.Expected, r.Received}); diff != "" {
			t.Errorf("Verify(%v): texts (-want +got)\n%s", test.claims, diff)
		}
	}
	long := strings.Repeat("ü", 1500)
	_, err := verifier(t, nil).Verify(t.Context(), pemProfile(t, rsaKey().Public()), mint(t, nil, object{"aud": []string{long, long, long}}))
	wantReason(t, "Verify(long aud)", err, trust.AudienceMismatch)
}

func TestVerifyKeepsClaims(t *testing.T) {
	t.Parallel()
	token := signText(t, countersign.RS256, rsaKey(), `{"alg":"RS256","kid":"ignored"}`,
		`{"iss":"https://issuer.example/","aud":"https://api.example","exp":1767269100,"id":12345678901234567890,"x":[1.0,true,null,"\u00fc"]}`)
	got, err := verifier(t, nil).Verify(t.Context(), pemProfile(t, rsaKey().Public()), token)
	if err != nil {
		t.Fatal(err)
	}
	want := trust.Token{Algorithm: countersign.RS256, Header: map[string]any{"alg": "RS256", "kid": "ignored"}, Claims: trust.Claims{
		"iss": issuer, "aud": audience, "exp": json.Number("1767269100"), "id": json.Number("12345678901234567890"),
		"x": []any{json.Number("1.0"), true, nil, "ü"},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Verify (-want +got)\n%s", diff)
	}
}

func TestNumericDate(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"0":                        "1970-01-01T00:00:00Z",
		"-0":                       "1970-01-01T00:00:00Z",
		"0.0e5":                    "1970-01-01T00:00:00Z",
		"0e999999999999999999999":  "1970-01-01T00:00:00Z",
		"1.5":                      "1970-01-01T00:00:01.5Z",
		"-1.5":                     "1969-12-31T23:59:58.5Z",
		"15e-1":                    "1970-01-01T00:00:01.5Z",
		"0.00015e4":                "1970-01-01T00:00:01.5Z",
		"1e3":                      "1970-01-01T00:16:40Z",
		"1E+3":                     "1970-01-01T00:16:40Z",
		"1767268800.123456789999":  "2026-01-01T12:00:00.123456789Z",
		"1e-9":                     "1970-01-01T00:00:00.000000001Z",
		"1e-10":                    "1970-01-01T00:00:00Z",
		"1e-999999999999999999999": "1970-01-01T00:00:00Z",
		"253402300799":             "9999-12-31T23:59:59Z",
		"253402300799.999":         "9999-12-31T23:59:59.999Z",
		"253402300800":             "",
		"-62135596800":             "0001-01-01T00:00:00Z",
		"-62135596801":             "",
		"1e12":                     "",
		"1e999999999":              "",
		"-1e999999999":             "",
		"1e9999999999999999999999": "",
		"9223372036854775808":      "",
		strings.Repeat("9", 12000): "",
		"0." + strings.Repeat("0", 9999) + "1e10009": "2001-09-09T01:46:40Z",
		"0." + strings.Repeat("0", 9999) + "1e10001": "1970-01-01T00:00:10Z",
		"1" + strings.Repeat("0", 9999) + "e-9999":   "1970-01-01T00:00:01Z",
	} {
		got, ok := trust.NumericDate(json.Number(text))
		if ok != (want != "") || ok && got.UTC().Format(time.RFC3339Nano) != want {
			t.Errorf("numericDate(%.40s) = %v, %v, want %q", text, got.UTC(), ok, want)
		}
	}
}
