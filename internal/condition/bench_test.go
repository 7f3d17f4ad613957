package condition_test

import (
	"testing"

	"github.com/countersign-auth/countersign/internal/condition"
)

func BenchmarkHolds(b *testing.B) {
	token := decode(b, claims)
	for _, row := range []struct{ name, text string }{
		{"equal", `claims.iss == "https://issuer.example"`},
		{"typical", `claims.email_verified && header.alg == "RS256" && "admin" in claims.groups`},
		{"exists", `claims.groups.exists(g, g.startsWith("app-"))`},
		{"matches", `claims.email.matches("^[^@]+@(.+\\.)?[Ee]xample\\.com$")`},
	} {
		b.Run(row.name, func(b *testing.B) { holds(b, row.text, token) })
	}
	hostile := hostileTokens(b)
	b.Run("hostile/nested", func(b *testing.B) {
		holds(b, `claims.l.all(a, claims.l.all(b, a == b))`, hostile["numbers"])
	})
	b.Run("hostile/matches", func(b *testing.B) {
		holds(b, `claims.l.all(a, claims.s.substring(0, 260).matches("(a?){200}b") || true)`, hostile["both"])
	})
	b.Run("hostile/errors", func(b *testing.B) {
		holds(b, `claims.l.all(a, int(claims.s) == 1 || true)`, hostile["numbers"])
	})
	b.Run("hostile/trees", func(b *testing.B) {
		holds(b, `claims.l.all(a, claims == claims)`, hostile["objects"])
	})
}

func holds(b *testing.B, text string, claims map[string]any) {
	b.Helper()
	p := compile(b, text)
	header := decode(b, header)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = p.Holds(header, claims)
	}
}

func BenchmarkCompile(b *testing.B) {
	const text = `claims.email_verified && header.alg == "RS256" && "admin" in claims.groups`
	b.Run("compiled", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = condition.Compile(text)
		}
	})
	b.Run("cached", func(b *testing.B) {
		var c condition.Cache
		b.ReportAllocs()
		for b.Loop() {
			_, _ = c.Compile(text)
		}
	})
}
