package trust_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/trust"
)

// What is taken apart has one text only, and a lenient reader reads the same.
func FuzzCompactJWS(f *testing.F) {
	for _, token := range []string{
		"e30.e30.AA", "e30.e30.", "e30.e30.AB", "e30.e30.A", "e30..", "..", "e30=.e30.AA", "e3\n0.e30.AA", "e30.e30.AA.AA", "{}", "e30.e30.__-_",
		signText(f, countersign.ES256, p256(), `{"alg":"ES256"}`, text(f, goodClaims())),
	} {
		f.Add(token)
	}
	v := verifier(f, nil)
	p := pemProfile(f, p256().Public())
	f.Fuzz(func(t *testing.T, token string) {
		believed, err := v.Verify(t.Context(), p, token)
		if _, isRefusal := err.(*trust.Refusal); err != nil && !isRefusal { //nolint:errorlint // the promise is the very type
			t.Errorf("Verify = %T, want a refusal", err)
		}
		header, payload, signature, parseErr := trust.ParseCompact(token)
		if parseErr != nil {
			if err == nil {
				t.Error("believed what does not parse")
			}
			return
		}
		again := b64([]byte(header)) + "." + b64([]byte(payload)) + "." + b64(signature)
		if again != token {
			t.Errorf("parseCompact(%q), written again: %q", token, again)
		}
		for i, segment := range strings.Split(token, ".") {
			b, err := base64.RawURLEncoding.DecodeString(segment)
			if err != nil || !bytes.Equal(b, [][]byte{[]byte(header), []byte(payload), signature}[i]) {
				t.Errorf("segment %d: encoding/base64 reads %q, %v", i, b, err)
			}
		}
		if err == nil {
			var claims map[string]any
			decode(t, payload, &claims)
			if diff := cmp.Diff(claims, map[string]any(believed.Claims)); diff != "" {
				t.Errorf("claims (-encoding/json +ours)\n%s", diff)
			}
		}
	})
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		t.Errorf("encoding/json refuses %q: %v", text, err)
	}
	if decoder.More() {
		t.Errorf("encoding/json finds more in %q", text)
	}
}

// Whatever is accepted, encoding/json accepts with the same value.
func FuzzClaimsJSON(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"a":[1,2.5e-3,{"b":null}],"c":"\ud83d\ude00\n"}`, `{"a":1,"\u0061":2}`, `{"exp":1e999999999}`, `{"a":"\ud800"}`, `[]`, `{"a":"é"}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := trust.ParseObject(s)
		if err != nil {
			return
		}
		if !utf8.ValidString(s) {
			t.Errorf("accepted %q, which is not UTF-8", s)
		}
		var want map[string]any
		decode(t, s, &want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("parseObject(%q) (-encoding/json +ours)\n%s", s, diff)
		}
		for _, value := range got {
			if n, ok := value.(json.Number); ok {
				trust.NumericDate(n)
			}
		}
	})
}

// A key from PEM text verifies without panic, and its own encoding is it again.
func FuzzPEM(f *testing.F) {
	for _, key := range []any{rsaKey().Public(), p256().Public(), p521().Public(), edKey().Public()} {
		f.Add(pemOf(f, key))
	}
	f.Add("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----")
	f.Add("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----")
	f.Fuzz(func(t *testing.T, s string) {
		key, err := trust.ParsePEM(s)
		if err != nil {
			return
		}
		again, err := trust.ParsePEM(pemOf(t, key.Public))
		if diff := cmp.Diff(pemOf(t, key.Public), pemOf(t, again.Public)); err != nil || diff != "" {
			t.Errorf("ParsePEM of its own encoding: %v\n%s", err, diff)
		}
		for _, alg := range countersign.Algorithms() {
			if trust.VerifySignature(alg, key.Public, []byte("signed"), bytes.Repeat([]byte{1}, 64)) {
				t.Errorf("%s verified rubbish", alg)
			}
		}
	})
}

// Paths are anybody's text and so are claims; what Map gives is within bounds.
func FuzzMapping(f *testing.F) {
	f.Add(`{"email":"e","token_id":"/a/0","external_user_id":"x.y","role_ids":"r"}`, `{"e":"a@b.example","a":["t"],"x":{"y":"z"},"r":["q"]}`)
	f.Add(`{"email":"/~01","token_id":"//"}`, `{"~1":"a@b.example","":{"":7}}`)
	f.Add(`{"email":"e","token_id":"t","role_ids":"r"}`, `{"e":"a@b.example","t":12345678901234567890,"r":[]}`)
	f.Fuzz(func(t *testing.T, mapping, claims string) {
		c, err := trust.ParseObject(claims)
		if err != nil {
			return
		}
		got, err := new(trust.Verifier).Map(&countersign.Profile{AttributeMapping: json.RawMessage(mapping)}, trust.Token{Claims: c}, countersign.Consumer)
		if err != nil {
			wantReasonIn(t, err, trust.ClaimMissing, trust.ClaimType, trust.EmailInvalid)
			return
		}
		if got.Email == "" || len(got.Email) > 254 || got.TokenID == "" || len(got.TokenID) > 256 || len(got.ExternalID) > 128 || len(got.RoleIDs) > 64 {
			t.Errorf("Map = %+v, out of bounds", got)
		}
		if countersign.LooksLikeID(got.ExternalID) || hasControl(got.TokenID+got.ExternalID+got.Email+strings.Join(got.RoleIDs, "")) {
			t.Errorf("Map = %+q", got)
		}
	})
}

func wantReasonIn(t *testing.T, err error, reasons ...trust.Reason) {
	t.Helper()
	for _, reason := range reasons {
		if r, ok := err.(*trust.Refusal); ok && r.Reason == reason { //nolint:errorlint // the promise is the very type
			return
		}
	}
	t.Errorf("%v, want one of %v", err, reasons)
}
