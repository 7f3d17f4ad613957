package trust_test

import (
	"strings"
	"testing"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/trust"
)

// Forms of a token that was good: what is not the one compact serialisation of
// it is refused.
func TestVerifyForm(t *testing.T) {
	t.Parallel()
	good := mint(t, nil, nil)
	segments := strings.Split(good, ".")
	h, c, s := segments[0], segments[1], segments[2]
	// A 256-byte signature leaves four bits of its last character unused.
	last := s[len(s)-1]
	alphabet := "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	stray := s[:len(s)-1] + string(alphabet[strings.IndexByte(alphabet, last)|1])
	if stray == s {
		t.Fatal("the stray bit is no change")
	}

	for _, test := range []struct {
		name, token string
		want        trust.Reason
	}{
		{"good", good, ""},
		{"empty", "", trust.Malformed},
		{"one segment", h, trust.Malformed},
		{"two segments", h + "." + c, trust.Malformed},
		{"four segments", good + ".AA", trust.Malformed},
		{"JWE", h + ".AA.AA.AA.AA", trust.Malformed},
		{"JWE from a header and claims that are good", h + "." + c + "." + s + "." + s + "." + s, trust.Malformed},
		{"flattened JSON", `{"protected":"` + h + `","payload":"` + c + `","signature":"` + s + `"}`, trust.Malformed},
		{"general JSON", `{"payload":"` + c + `","signatures":[{"protected":"` + h + `","signature":"` + s + `"}]}`, trust.Malformed},
		{"no header", "." + c + "." + s, trust.Malformed},
		{"no payload", h + ".." + s, trust.Malformed},
		{"no signature", h + "." + c + ".", trust.SignatureInvalid},
		{"padding", good + "==", trust.Malformed},
		{"padded header", h + "=." + c + "." + s, trust.Malformed},
		{"line break at the end", good + "\n", trust.Malformed},
		{"line break within", h + "." + c[:8] + "\r\n" + c[8:] + "." + s, trust.Malformed},
		{"space before", " " + good, trust.Malformed},
		{"stray bits", h + "." + c + "." + stray, trust.Malformed},
		{"one character left over", h + "." + c + "." + s + "AAA", trust.Malformed},
		{"base64 with plus and slash", h + "." + c + "." + strings.NewReplacer("-", "+", "_", "/").Replace(s) + "+/", trust.Malformed},
		{"NUL", h + "." + c + "\x00." + s, trust.Malformed},
		{"not ASCII", h + "." + c + "é." + s, trust.Malformed},
		{"bearer scheme", "Bearer " + good, trust.Malformed},
		{"exactly 16 KiB", good[:len(good)-len(s)] + strings.Repeat("A", 16<<10-len(h)-len(c)-2), trust.SignatureInvalid},
		{"one byte more", good[:len(good)-len(s)] + strings.Repeat("A", 16<<10-len(h)-len(c)-1), trust.TokenTooLarge},
		{"a megabyte of dots", strings.Repeat(".", 1<<20), trust.TokenTooLarge},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := verifier(t, nil).Verify(t.Context(), pemProfile(t, rsaKey().Public()), test.token)
			wantReason(t, "Verify", err, test.want)
		})
	}
}

// Header and payload that are not one plain JSON object each, properly signed.
func TestVerifyJSON(t *testing.T) {
	t.Parallel()
	const header = `{"alg":"RS256"}`
	payload := text(t, goodClaims())
	within := func(member string) string { return `{` + member + `,` + payload[1:] }
	for _, test := range []struct {
		name, header, payload string
		want                  trust.Reason
	}{
		{"good", header, payload, ""},
		{"white space", " {\t\"alg\" :\r\n\"RS256\" } ", " " + payload + "\n", ""},
		{"header is an array", `["RS256"]`, payload, trust.Malformed},
		{"header is null", `null`, payload, trust.Malformed},
		{"header is not JSON", `{alg:"RS256"}`, payload, trust.Malformed},
		{"payload is a string", header, `"foo"`, trust.Malformed},
		{"payload is a number", header, `1`, trust.Malformed},
		{"payload has a byte order mark", header, "\ufeff" + payload, trust.Malformed},
		{"two objects", header, payload + payload, trust.Malformed},
		{"trailing brace", header, payload + "}", trust.Malformed},
		{"trailing comma", header, `{"a":1,}`, trust.Malformed},
		{"alg twice", `{"alg":"none","alg":"RS256"}`, payload, trust.Malformed},
		{"iss twice", header, within(`"iss":"https://evil.example/"`), trust.Malformed},
		{"iss twice, one escaped", header, within(`"\u0069ss":"https://evil.example/"`), trust.Malformed},
		{"member twice within", header, within(`"x":[{"y":{"z":1,"z":1}}]`), trust.Malformed},
		{"same name on two levels", header, within(`"x":{"iss":"elsewhere"}`), ""},
		{"names that differ in case", header, within(`"ISS":"elsewhere"`), ""},
		{"bytes that are not UTF-8", header, within("\"x\":\"\xff\""), trust.Malformed},
		{"overlong UTF-8", header, within("\"x\":\"\xc0\xaf\""), trust.Malformed},
		{"surrogate in UTF-8", header, within("\"x\":\"\xed\xa0\x80\""), trust.Malformed},
		{"escaped high surrogate alone", header, within(`"x":"\ud800"`), trust.Malformed},
		{"escaped low surrogate alone", header, within(`"x":"\udc00"`), trust.Malformed},
		{"escaped surrogates the wrong way round", header, within(`"x":"\udc00\ud800"`), trust.Malformed},
		{"escaped surrogate pair", header, within(`"x":"\ud83d\ude00"`), ""},
		{"lone surrogate in a name", header, within(`"\ud800":1`), trust.Malformed},
		{"nested 32 deep", header, within(`"x":` + strings.Repeat("[", 31) + strings.Repeat("]", 31)), ""},
		{"nested 33 deep", header, within(`"x":` + strings.Repeat("[", 32) + strings.Repeat("]", 32)), trust.Malformed},
		{"nested 33 deep in objects", header, within(`"x":` + strings.Repeat(`{"a":`, 32) + "1" + strings.Repeat("}", 32)), trust.Malformed},
		{"header nested too deep", `{"alg":"RS256","x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, payload, trust.Malformed},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			token := signText(t, countersign.RS256, rsaKey(), test.header, test.payload)
			_, err := verifier(t, nil).Verify(t.Context(), pemProfile(t, rsaKey().Public()), token)
			wantReason(t, "Verify", err, test.want)
		})
	}
}

// What is in the token never reaches a refusal, but for what may be shown.
func TestRefusalShowsNoClaims(t *testing.T) {
	t.Parallel()
	const planted = "planted-5f3e"
	for name, token := range map[string]string{
		"not JSON":  signText(t, countersign.RS256, rsaKey(), `{"alg":"RS256"}`, `{"email":"`+planted+`"`),
		"duplicate": signText(t, countersign.RS256, rsaKey(), `{"alg":"RS256"}`, `{"`+planted+`":1,"`+planted+`":1}`),
		"signature": mint(t, nil, object{"email": planted}) + "AAAA",
		"audience":  mint(t, nil, object{"aud": object{planted: planted}, "sub": planted}),
		"expiry":    mint(t, nil, object{"exp": planted}),
	} {
		_, err := verifier(t, nil).Verify(t.Context(), pemProfile(t, otherRSA().Public()), token)
		if err == nil || strings.Contains(err.Error(), planted) || strings.Contains(err.Error(), token[len(token)-20:]) {
			t.Errorf("%s: refusal is %v", name, err)
		}
	}
}
