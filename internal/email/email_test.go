package email_test

import (
	"strings"
	"testing"

	"github.com/countersign-auth/countersign/internal/email"
)

func TestParse(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("d", 60) + "."
	for _, test := range []struct {
		given, key string // key "" wants a refusal
	}{
		{"ada@example.com", "ada@example.com"},
		{"Ada.Lovelace+tag@Example.COM", "ada.lovelace+tag@example.com"},
		{"!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~@example.com"},
		{"0@x.example", "0@x.example"},
		{strings.Repeat("a", 64) + "@example.com", strings.Repeat("a", 64) + "@example.com"},
		{"a@" + long + long + long + strings.Repeat("d", 60) + ".example", "a@" + long + long + long + strings.Repeat("d", 60) + ".example"},

		// One bare address and nothing else.
		{"", ""},
		{"@", ""},
		{"ada", ""},
		{"@example.com", ""},
		{"ada@", ""},
		{"ada@example.com ", ""},
		{" ada@example.com", ""},
		{"ada@example.com\n", ""},
		{"<ada@example.com>", ""},
		{"Ada <ada@example.com>", ""},
		{"ada(comment)@example.com", ""},
		{`"ada"@example.com`, ""},
		{`"a@b"@example.com`, ""},
		{`a\@b@example.com`, ""},
		{"a@b@example.com", ""},
		{"a@example.com,b@example.com", ""},
		{"a@example.com;b@example.com", ""},
		{"mailto:ada@example.com", ""},
		{".ada@example.com", ""},
		{"ada.@example.com", ""},
		{"a..da@example.com", ""},
		{"a da@example.com", ""},
		{strings.Repeat("a", 65) + "@example.com", ""},
		{"a@" + long + long + long + long + "example.com", ""},

		// The local part: NFC, A to Z, nothing else.
		{"J\u00fcrgen@example.com", "j\u00fcrgen@example.com"},
		{"ju\u0308rgen@example.com", "j\u00fcrgen@example.com"},
		{"\u00dcber@example.com", "\u00dcber@example.com"},
		{"stra\u00dfe@example.com", "stra\u00dfe@example.com"},
		{"\u0130@example.com", "\u0130@example.com"},
		{"\u017f@example.com", "\u017f@example.com"},
		{"\u212Aate@example.com", "\u212Aate@example.com"},
		{"K\u0327@example.com", "\u0136@example.com"},
		{"\u212A\u0327@example.com", "\u212A\u0327@example.com"},
		{"H\u0331@example.com", "\u1E96@example.com"},
		{"h\u0331@example.com", "\u1E96@example.com"},
		{"a\u037Eb@example.com", "a\u037Eb@example.com"},
		{"a\u1FEFb@example.com", "a\u1FEFb@example.com"},
		{"\uff41da@example.com", "\uff41da@example.com"},
		{"\u0301a@example.com", ""},
		{"a" + strings.Repeat("\u0316", 31) + "@example.com", ""}, // NFC would make it invisible in part
		{"a.\u0301@example.com", ""},
		{strings.Repeat("\u0958", 21) + "@example.com", ""}, // 63 bytes, 126 in NFC

		// What cannot be seen.
		{"a\x00da@example.com", ""},
		{"a\x7fda@example.com", ""},
		{"a\u0085da@example.com", ""},
		{"a\u200bda@example.com", ""},
		{"a\u200dda@example.com", ""},
		{"a\u2060da@example.com", ""},
		{"\ufeffada@example.com", ""},
		{"a\u00adda@example.com", ""},
		{"a\u034fda@example.com", ""},
		{"a\u115fda@example.com", ""},
		{"a\u3164da@example.com", ""},
		{"a\uffa0da@example.com", ""},
		{"a\ufe0fda@example.com", ""},
		{"a\u202eda@example.com", ""},
		{"a\u2066da@example.com", ""},
		{"a\u061cda@example.com", ""},
		{"a\u00a0da@example.com", ""},
		{"a\u2028da@example.com", ""},
		{"a\ue000da@example.com", ""},
		{"a\uffffda@example.com", ""},
		{"ada@exam\u00adple.com", ""},
		{"ada@exam\u200bple.com", ""},
		{"ada@example\u200d.com", ""},
		{"a\xffda@example.com", ""},
		{"a\xed\xa0\x80@example.com", ""},

		// The domain: a host name, as an A-label.
		{"a@b\u00fccher.example", "a@xn--bcher-kva.example"},
		{"a@BU\u0308CHER.example", "a@xn--bcher-kva.example"},
		{"a@XN--BCHER-KVA.example", "a@xn--bcher-kva.example"},
		{"a@stra\u00dfe.example", "a@xn--strae-oqa.example"},
		{"a@\u212Aelvin.example", "a@kelvin.example"},
		{"a@\uff45xample.com", "a@example.com"},
		{"a@example\u3002com", "a@example.com"},
		{"a@\u05d0\u05d1.example", "a@xn--4dbc.example"},
		{"a@\u05d0b.example", ""},
		{"a@localhost", ""},
		{"a@example.com.", ""},
		{"a@.example.com", ""},
		{"a@example..com", ""},
		{"a@-example.com", ""},
		{"a@example-.com", ""},
		{"a@exam_ple.com", ""},
		{"a@exam ple.com", ""},
		{"a@ab--cd.example", ""},
		{"a@xn--.example", ""},
		{"a@xn--a.example", ""},
		{"a@xn--example-.com", ""},
		{"a@127.0.0.1", ""},
		{"a@[127.0.0.1]", ""},
		{"a@[IPv6:::1]", ""},
		{"a@example.123", ""},
		{"a@2130706433", ""},
		{"a@\u2100.example", ""},
		{"a@evil\uff0fexample.com", ""},
		{"a@evil\uff20example.com", ""},
		{"a@" + strings.Repeat("d", 64) + ".example", ""},
	} {
		got, err := email.Parse(test.given)
		switch {
		case test.key == "" && err == nil:
			t.Errorf("Parse(%+q) = %+q, want a refusal", test.given, got.Key)
		case test.key != "" && (err != nil || got.Key != test.key || got.Given != test.given):
			t.Errorf("Parse(%+q) = %+q, %v, want key %+q", test.given, got.Key, err, test.key)
		}
	}
}

// Whatever is accepted has a key that is an address of its own with that key.
func FuzzEmail(f *testing.F) {
	for _, s := range []string{
		"ada@example.com", "H\u0331@example.com", "\u212A@\u212A.example", "a@b\u00fccher.example", "a@example\u3002com",
		"\u0958@example.com", "a@xn--bcher-kva.example", "\u037E\u0300@example.com", "a\u0344\u0345@\u05d0.example",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		address, err := email.Parse(s)
		if err != nil {
			if len(s) > 12 && strings.Contains(err.Error(), s) {
				t.Errorf("Parse(%+q): the error shows it: %v", s, err)
			}
			return
		}
		if address.Given != s {
			t.Errorf("Parse(%+q).Given = %+q", s, address.Given)
		}
		again, err := email.Parse(address.Key)
		if err != nil || again.Key != address.Key {
			t.Errorf("Parse(%+q).Key = %+q, and of that %+q, %v", s, address.Key, again.Key, err)
		}
		_, domain, _ := strings.Cut(address.Key, "@")
		if strings.Trim(domain, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" {
			t.Errorf("Parse(%+q): domain of the key is %+q", s, domain)
		}
	})
}

// TestPart takes parts of addresses as they are given, and looks for them in the
// addresses' keys.
func TestPart(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		given, part string
		found       bool
	}{
		{"Ada.Lovelace@Example.com", "LOVELACE@ex", true},
		{"Ada@Example.com", "ada@example.com", true},
		{"Ada@Example.com", "da@E", true},
		{"Ada@Example.com", "ada@example.org", false},
		{"Ünal@example.com", "Ünal", true},
		{"Ünal@example.com", "U\u0308nal", true}, // as two characters
		{"Ünal@example.com", "ünal", false},      // only ASCII letters are folded
		{"ada_b@example.com", "adaxb", false},
		{"kelvin@example.com", "\u212Aelvin", false}, // a Kelvin sign is not a k
		{"ada@bücher.example", "bücher", false},      // a domain is searched by its A-labels
		{"ada@bücher.example", "XN--BCHER", true},
	} {
		address, err := email.Parse(test.given)
		if err != nil {
			t.Fatalf("Parse(%q) = %v", test.given, err)
		}
		part := email.Part(test.part)
		if found := strings.Contains(address.Key, part); found != test.found {
			t.Errorf("%q as %q in %q: %t, want %t", test.part, part, address.Key, found, test.found)
		}
		if again := email.Part(part); again != part {
			t.Errorf("Part(%q) = %q, and of that %q", test.part, part, again)
		}
	}
}
