package spelling_test

import (
	"strings"
	"testing"

	"github.com/countersign-auth/countersign/internal/spelling"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	names := []string{"email_domains", "role_ids", "RS256", "mode"}
	for word, want := range map[string]string{
		"email_domain": "email_domains", "roles": "role_ids", "rs265": "RS256", "Mode": "mode", "modes": "mode", "wholly else": "", "": "",
		strings.Repeat("mode", 20): "",
	} {
		if got := spelling.Nearest(word, names); got != want {
			t.Errorf("Nearest(%.20q) = %q, want %q", word, got, want)
		}
	}
}
