package countersign_test

import (
	"errors"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/countersign-auth/countersign"
)

// TestErrorsAreDocumented holds docs/errors.md, where every error_url leads,
// against error.go.
func TestErrorsAreDocumented(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("error.go")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	defined := map[string]string{}
	for _, m := range regexp.MustCompile(`define\("([a-z0-9_]+)", \w+, "(.*)"\)`).FindAllStringSubmatch(string(source), -1) {
		if _, twice := defined[m[1]]; twice {
			t.Errorf("error.go defines %s twice", m[1])
		}
		defined[m[1]] = m[2]
	}
	if len(defined) < 50 {
		t.Fatalf("found %d errors in error.go", len(defined))
	}
	for _, m := range regexp.MustCompile(`(?m)^### (.*)\n\nHTTP \d+\. (.*)$`).FindAllStringSubmatch(string(page), -1) {
		if message, known := defined[m[1]]; !known || message != m[2] {
			t.Errorf("docs/errors.md says of %s: %q; error.go: %q", m[1], m[2], message)
		}
		delete(defined, m[1])
	}
	for name := range defined {
		t.Errorf("docs/errors.md does not have %s", name)
	}
}

func TestErrorKeepsItsTypeThroughCopies(t *testing.T) {
	t.Parallel()
	err := countersign.ErrSessionNotFound.Because(io.EOF).Saying("It was %s.", "here").After(3)
	if !errors.Is(err, countersign.ErrSessionNotFound) || !errors.Is(err, io.EOF) || errors.Is(err, countersign.ErrUserNotFound) {
		t.Errorf("%v is not what it was made of", err)
	}
	if countersign.ErrSessionNotFound.Detail != "" || countersign.ErrSessionNotFound.RetryAfter != 0 {
		t.Error("a copy changed the sentinel")
	}
	if want := "session_not_found: " + countersign.ErrSessionNotFound.Message + " It was here.: EOF"; err.Error() != want {
		t.Errorf("Error() = %q, want %q", err.Error(), want)
	}
}

func TestBearerNeverShows(t *testing.T) {
	t.Parallel()
	const secret = "planted-secret"
	b := countersign.Bearer(secret)
	var shown strings.Builder
	for _, text := range show(t, b) {
		shown.WriteString(text + "\n")
	}
	if strings.Contains(shown.String(), secret) || strings.Contains(shown.String(), "706c616e746564") {
		t.Errorf("the secret shows in:\n%s", shown.String())
	}
	if b.Reveal() != secret {
		t.Errorf("Reveal() = %q", b.Reveal())
	}
}
