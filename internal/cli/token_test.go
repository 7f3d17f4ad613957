package cli_test

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/cli"
)

// jwt puts a token together that nobody signed.
func jwt(header, claims string) string {
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(header)) + "." + enc([]byte(claims)) + "." + enc([]byte("signature"))
}

const (
	goodHeader = `{"alg":"RS256","typ":"JWT"}`
	goodClaims = `{"iss":"i","aud":"a","email":"ada@example.com","jti":"t","iat":1767607200,"exp":1767607500}`
)

// TestInspectFindings holds what inspect finds, by severity and reason.
func TestInspectFindings(t *testing.T) {
	t.Parallel()
	with := func(more string) string { return strings.TrimSuffix(goodClaims, "}") + "," + more + "}" }
	without := func(member string) string {
		return strings.NewReplacer(member+",", "", ","+member, "").Replace(goodClaims)
	}
	tests := []struct {
		name, header, claims string
		want                 []string
	}{
		{"nothing", goodHeader, goodClaims, nil},
		{"HMAC", `{"alg":"HS256"}`, goodClaims, []string{"refused algorithm_not_allowed"}},
		{"none", `{"alg":"none"}`, goodClaims, []string{"refused algorithm_not_allowed"}},
		{"unknown alg", `{"alg":"ES256K"}`, goodClaims, []string{"refused algorithm_not_allowed"}},
		{"no alg", `{}`, goodClaims, []string{"refused malformed"}},
		{"crit", `{"alg":"RS256","crit":["b64"],"b64":false}`, goodClaims, []string{"refused unsupported_critical_header", "refused unsupported_critical_header"}},
		{"embedded keys", `{"alg":"RS256","jwk":{},"jku":"u","x5u":"u","x5c":[],"x5t":"t"}`, goodClaims, []string{"check ", "check ", "check ", "check ", "check "}},
		{"another purpose", `{"alg":"RS256","typ":"application/Logout+JWT"}`, goodClaims, []string{"refused wrong_type"}},
		{"our own session JWT", goodHeader, with(`"https://stytch.com/session":{}`), []string{"refused wrong_type"}},
		{"member twice", goodHeader, with(`"x":{"a":1,"a":2}`), []string{"refused malformed"}},
		{"nested too deep", goodHeader, with(`"x":` + strings.Repeat("[", 32) + strings.Repeat("]", 32)), []string{"refused malformed"}},
		{"nested as deep as may be", goodHeader, with(`"x":` + strings.Repeat("[", 31) + strings.Repeat("]", 31)), nil},
		{"not UTF-8", goodHeader, with("\"x\":\"\xff\""), []string{"refused malformed"}},
		{"no iss", goodHeader, without(`"iss":"i"`), []string{"refused issuer_mismatch"}},
		{"no aud", goodHeader, without(`"aud":"a"`), []string{"refused audience_mismatch"}},
		{"no exp", goodHeader, without(`"exp":1767607500`), []string{"refused missing_expiry"}},
		{"no iat", goodHeader, without(`"iat":1767607200`), []string{"check lifetime_too_long"}},
		{"no email", goodHeader, without(`"email":"ada@example.com"`), []string{"check claim_missing"}},
		{"no jti", goodHeader, without(`"jti":"t"`), []string{"check claim_missing"}},
		{"email no string", goodHeader, strings.Replace(goodClaims, `"ada@example.com"`, "1", 1), []string{"check claim_type"}},
		{"email not verified", goodHeader, with(`"email_verified":false`), []string{"check "}},
		{"expired", goodHeader, strings.Replace(goodClaims, "1767607500", "1767607169", 1), []string{"refused expired"}},
		{"just expired", goodHeader, strings.Replace(goodClaims, "1767607500", "1767607170", 1), []string{"check expired"}},
		{"exp a string", goodHeader, strings.Replace(goodClaims, "1767607500", `"1767607500"`, 1), []string{"refused malformed"}},
		{"exp in milliseconds", goodHeader, strings.Replace(goodClaims, "1767607500", "1767607500000", 1), []string{"check "}},
		{"not yet", goodHeader, with(`"nbf":1767607231`), []string{"refused not_yet_valid"}},
		{"issued in the future", goodHeader, strings.Replace(goodClaims, "1767607200", "1767607231", 1), []string{"refused issued_in_future"}},
		{"long", goodHeader, strings.Replace(goodClaims, "1767607500", "1767610801", 1), []string{"check lifetime_too_long"}},
		{"large", goodHeader, with(`"x":"` + strings.Repeat("x", 16<<10) + `"`), []string{"refused token_too_large"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := run(t, command{args: []string{"token", "inspect", "--json"}, stdin: strings.NewReader(jwt(tt.header, tt.claims))})
			if got.code != 0 {
				t.Fatalf("exit code %d, stderr %q; want 0", got.code, got.stderr)
			}
			var seen struct {
				Findings []struct{ Severity, Reason string }
				Checked  *bool `json:"signature_checked"`
			}
			if err := json.Unmarshal([]byte(got.stdout), &seen); err != nil {
				t.Fatal(err)
			}
			if seen.Checked == nil || *seen.Checked {
				t.Errorf("signature_checked = %v, want false", seen.Checked)
			}
			var findings []string
			for _, f := range seen.Findings {
				findings = append(findings, f.Severity+" "+f.Reason)
			}
			if diff := cmp.Diff(tt.want, findings); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestInspectUndecodable(t *testing.T) {
	t.Parallel()
	good := strings.Split(jwt(goodHeader, goodClaims), ".")
	for token, want := range map[string]string{
		"":                                      "there is no token",
		"abc":                                   "1 parts instead of three",
		"a.b.c.d.e":                             "encrypted (JWE)",
		`{"payload":"x"}`:                       "this is JSON",
		"!." + good[1] + "." + good[2]:          "header cannot be read: not base64url",
		good[0] + "." + good[0][:8] + "." + "c": "claims cannot be read: not a JSON object",
		jwt("[]", goodClaims):                   "header cannot be read: not a JSON object",
		jwt(goodHeader, "null"):                 "claims cannot be read: not a JSON object",
		jwt(goodHeader, goodClaims+"{}"):        "claims cannot be read: not a JSON object",
	} {
		got := run(t, command{args: []string{"token", "inspect"}, stdin: strings.NewReader(token)})
		if got.code != cli.ExitFailed || got.stdout != "" || !strings.Contains(got.stderr, want) {
			t.Errorf("inspect %q: exit code %d, stdout %q, stderr %q; want %d, none, %q", token, got.code, got.stdout, got.stderr, cli.ExitFailed, want)
		}
	}
}

// TestInspectCopied holds that what comes along with a copied token is no error.
func TestInspectCopied(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Bearer " + jwt(goodHeader, goodClaims) + "\r\n": "nothing stands against it",
		jwt(goodHeader, goodClaims) + "==":               "not strict base64url",
	} {
		got := run(t, command{args: []string{"token", "inspect"}, stdin: strings.NewReader(text)})
		if got.code != 0 || !strings.Contains(got.stdout, want) || !strings.Contains(got.stdout, "expires in 5m0s") {
			t.Errorf("inspect %q: exit code %d, stdout %q; want 0 and %q", text, got.code, got.stdout, want)
		}
	}
}

// TestMint mints with each kind of key and checks the token as a stranger would.
func TestMint(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, tt := range []struct {
		keys, mint []string
		want       countersign.Algorithm
	}{
		{[]string{"--type", "rsa"}, nil, countersign.RS256},
		{[]string{"--type", "rsa", "--bits", "3072"}, []string{"--alg", "PS512"}, countersign.PS512},
		{[]string{"--type", "ec"}, nil, countersign.ES256},
		{[]string{"--type", "ec", "--curve", "P-384"}, nil, countersign.ES384},
		{[]string{"--type", "ec", "--curve", "P-521"}, []string{"--alg", "ES512"}, countersign.ES512},
		{[]string{"--type", "ed25519"}, nil, countersign.EdDSA},
	} {
		name := "key" + strings.Join(slices.Concat(tt.keys, tt.mint), "")
		made := run(t, command{args: slices.Concat([]string{"keys", "generate", "--env", "--out", name}, tt.keys)})
		private, _, _ := strings.Cut(strings.TrimPrefix(made.stdout, "COUNTERSIGN_PRIVATE_KEY="), "\n")
		minted := run(t, command{
			args: slices.Concat([]string{"token", "mint", "--issuer", "i", "--audience", "a", "--kid", "k", "--token-id", "t", "--claim", "n=12345678901234567890"}, tt.mint),
			env:  map[string]string{"COUNTERSIGN_PRIVATE_KEY": private},
		})
		if minted.code != 0 {
			t.Fatalf("%s: mint: %s", name, minted.stderr)
		}
		signed, err := jose.ParseSignedCompact(strings.TrimSpace(minted.stdout), []jose.SignatureAlgorithm{jose.SignatureAlgorithm(tt.want)})
		if err != nil {
			t.Fatalf("%s: parse: %v", name, err)
		}
		payload, err := signed.Verify(publicKey(t, name+".public.pem"))
		if err != nil {
			t.Fatalf("%s: verify: %v", name, err)
		}
		const want = `{"aud":"a","exp":1767607500,"iat":1767607200,"iss":"i","jti":"t","n":12345678901234567890}`
		if got := string(payload); got != want {
			t.Errorf("%s: claims %s, want %s", name, got, want)
		}
		if got := signed.Signatures[0].Header.KeyID; got != "k" {
			t.Errorf("%s: kid %q, want k", name, got)
		}
	}
}
