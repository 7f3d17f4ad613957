package trust_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"strings"
	"testing"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/trust"
)

func TestVerifyHeader(t *testing.T) {
	t.Parallel()
	required := func(typ string) func(*countersign.Profile) {
		return func(p *countersign.Profile) { p.Policy.RequiredType = typ }
	}
	allowed := func(algs ...countersign.Algorithm) func(*countersign.Profile) {
		return func(p *countersign.Profile) { p.Policy.Algorithms = algs }
	}
	for _, test := range []struct {
		name           string
		header, claims object
		profile        func(*countersign.Profile)
		want           trust.Reason
	}{
		{name: "good"},
		{name: "no alg", header: object{"alg": drop{}}, want: trust.Malformed},
		{name: "alg is null", header: object{"alg": nil}, want: trust.Malformed},
		{name: "alg is an array", header: object{"alg": []string{"RS256"}}, want: trust.Malformed},
		{name: "alg is empty", header: object{"alg": ""}, want: trust.AlgorithmNotAllowed},
		{name: "alg in lower case", header: object{"alg": "rs256"}, want: trust.AlgorithmNotAllowed},
		{name: "alg with a space", header: object{"alg": "RS256 "}, want: trust.AlgorithmNotAllowed},
		{name: "none", header: object{"alg": "none"}, want: trust.AlgorithmNotAllowed},
		{name: "None", header: object{"alg": "None"}, want: trust.AlgorithmNotAllowed},
		{name: "nOnE", header: object{"alg": "nOnE"}, want: trust.AlgorithmNotAllowed},
		{name: "HS256", header: object{"alg": "HS256"}, want: trust.AlgorithmNotAllowed},
		{name: "none, listed", header: object{"alg": "none"}, profile: allowed("none"), want: trust.AlgorithmNotAllowed},
		{name: "HS256, listed", header: object{"alg": "HS256"}, profile: allowed("HS256", "RS256"), want: trust.AlgorithmNotAllowed},
		{name: "RS1, listed", header: object{"alg": "RS1"}, profile: allowed("RS1"), want: trust.AlgorithmNotAllowed},
		{name: "ES256K", header: object{"alg": "ES256K"}, want: trust.AlgorithmNotAllowed},
		{name: "not in the list", profile: allowed(countersign.ES256, countersign.PS256), want: trust.AlgorithmNotAllowed},
		{name: "in the list", profile: allowed(countersign.ES256, countersign.RS256)},
		{name: "an empty list", profile: allowed([]countersign.Algorithm{}...), want: trust.AlgorithmNotAllowed},

		{name: "crit", header: object{"crit": []string{"exp"}}, want: trust.UnsupportedCriticalHeader},
		{name: "crit that is empty", header: object{"crit": []string{}}, want: trust.UnsupportedCriticalHeader},
		{name: "crit that is null", header: object{"crit": nil}, want: trust.UnsupportedCriticalHeader},
		{name: "b64 false", header: object{"b64": false}, want: trust.UnsupportedCriticalHeader},
		{name: "b64 true", header: object{"b64": true}, want: trust.UnsupportedCriticalHeader},
		{name: "b64 in crit", header: object{"b64": false, "crit": []string{"b64"}}, want: trust.UnsupportedCriticalHeader},

		{name: "no typ", header: object{"typ": drop{}}},
		{name: "any other typ", header: object{"typ": "at+jwt"}},
		{name: "typ is null", header: object{"typ": nil}, want: trust.WrongType},
		{name: "typ is a number", header: object{"typ": 1}, want: trust.WrongType},
		{name: "logout+jwt", header: object{"typ": "logout+jwt"}, want: trust.WrongType},
		{name: "LOGOUT+JWT", header: object{"typ": "LOGOUT+JWT"}, want: trust.WrongType},
		{name: "application/logout+jwt", header: object{"typ": "Application/logout+jwt"}, want: trust.WrongType},
		{name: "logout+jwt with a parameter", header: object{"typ": "logout+jwt ; v=1"}, want: trust.WrongType},
		{name: "dpop+jwt", header: object{"typ": "dpop+jwt"}, want: trust.WrongType},
		{name: "secevent+jwt", header: object{"typ": "secevent+jwt"}, want: trust.WrongType},
		{name: "logout+jwt, required", header: object{"typ": "logout+jwt"}, profile: required("logout+jwt"), want: trust.WrongType},
		{name: "required typ", header: object{"typ": "at+jwt"}, profile: required("at+jwt")},
		{name: "required typ, other case", header: object{"typ": "AT+JWT"}, profile: required("at+jwt")},
		{name: "required typ, long form", header: object{"typ": "application/at+jwt"}, profile: required("at+jwt")},
		{name: "required typ in long form", header: object{"typ": "at+jwt"}, profile: required("application/at+JWT")},
		{name: "required typ, two slashes", header: object{"typ": "application/x/at+jwt"}, profile: required("x/at+jwt"), want: trust.WrongType},
		{name: "required typ is missing", header: object{"typ": drop{}}, profile: required("at+jwt"), want: trust.WrongType},
		{name: "another typ than required", profile: required("at+jwt"), want: trust.WrongType},
		{name: "a Kelvin sign is no k", header: object{"typ": "\u212Aey+jwt"}, profile: required("key+jwt"), want: trust.WrongType},

		{name: "our session JWT by its claim", claims: object{sessionClaim: object{}}, want: trust.WrongType},
		{name: "our session JWT by a claim that is null", claims: object{sessionClaim: nil}, want: trust.WrongType},
		{
			name: "our session JWT by its issuer", claims: object{"iss": "stytch.com/project-test-1"},
			profile: func(p *countersign.Profile) { p.Issuer = "stytch.com/project-test-1" }, want: trust.WrongType,
		},

		{name: "crit before typ", header: object{"crit": []string{}, "typ": "logout+jwt"}, want: trust.UnsupportedCriticalHeader},
		{name: "alg before crit", header: object{"crit": []string{}, "alg": "none"}, want: trust.AlgorithmNotAllowed},
		{name: "typ before issuer", header: object{"typ": "logout+jwt"}, claims: object{"iss": "x"}, want: trust.WrongType},
		{name: "a PEM profile ignores kid", header: object{"kid": 7}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := pemProfile(t, rsaKey().Public())
			if test.profile != nil {
				test.profile(p)
			}
			_, err := verifier(t, nil).Verify(t.Context(), p, mint(t, test.header, test.claims))
			wantReason(t, "Verify", err, test.want)
		})
	}
}

const sessionClaim = "https://stytch.com/session"

// A verifier that lets the header choose takes the public key for an HMAC secret.
func TestVerifyAlgorithmConfusion(t *testing.T) {
	t.Parallel()
	public := rsaKey().Public()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	for name, secret := range map[string][]byte{
		"PEM text":                 []byte(pemOf(t, public)),
		"PEM without its last end": []byte(strings.TrimSpace(pemOf(t, public))),
		"DER":                      der,
		"modulus":                  rsaKey().N.Bytes(),
		"nothing":                  nil,
	} {
		signed := b64([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + b64([]byte(text(t, goodClaims())))
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(signed))
		p := pemProfile(t, public)
		p.Policy.Algorithms = append(countersign.Algorithms(), "HS256", "none")
		_, err := verifier(t, nil).Verify(t.Context(), p, signed+"."+b64(mac.Sum(nil)))
		wantReason(t, "Verify(HMAC under "+name+")", err, trust.AlgorithmNotAllowed)
	}
	unsigned := b64([]byte(`{"alg":"none"}`)) + "." + b64([]byte(text(t, goodClaims()))) + "."
	_, err = verifier(t, nil).Verify(t.Context(), pemProfile(t, public), unsigned)
	wantReason(t, "Verify(unsigned)", err, trust.AlgorithmNotAllowed)
}

// Whoever can write a header can put a key into it.
func TestVerifyIgnoresEmbeddedKeys(t *testing.T) {
	t.Parallel()
	attacker := otherRSA()
	der, err := x509.MarshalPKIXPublicKey(attacker.Public())
	if err != nil {
		t.Fatal(err)
	}
	for name, member := range map[string]any{
		"jwk":      object{"kty": "RSA", "alg": "RS256", "n": b64(attacker.N.Bytes()), "e": "AQAB"},
		"jku":      "http://127.0.0.1:1/jwks.json",
		"x5u":      "http://127.0.0.1:1/chain.pem",
		"x5c":      []string{b64(der)},
		"x5t":      b64(sum(5, "x")),
		"x5t#S256": b64(sum(5, "x")),
	} {
		header := text(t, object{"alg": "RS256", name: member})
		forged := signText(t, countersign.RS256, attacker, header, text(t, goodClaims()))
		_, err := verifier(t, nil).Verify(t.Context(), pemProfile(t, rsaKey().Public()), forged)
		wantReason(t, "Verify(forged with "+name+")", err, trust.SignatureInvalid)

		set := &fakeSet{keys: []trust.Key{{ID: "k1", Public: rsaKey().Public()}}}
		_, err = verifier(t, set).Verify(t.Context(), jwkProfile(), forged)
		wantReason(t, "Verify(forged with "+name+", key set)", err, trust.SignatureInvalid)

		honest := signText(t, countersign.RS256, rsaKey(), header, text(t, goodClaims()))
		_, err = verifier(t, nil).Verify(t.Context(), pemProfile(t, rsaKey().Public()), honest)
		wantReason(t, "Verify(honest with "+name+")", err, "")
	}
}
