package storetest_test

import (
	"testing"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/storetest"
)

// BenchmarkSaveVerdicts saves what a flood of bad signatures leaves, 512 verdicts
// at a time as package verdict does, and says what each takes on disk with its
// indexes. docs/operate.md has the figures of
//
//	scripts/postgres go test ./internal/storetest -run '^$' -bench SaveVerdicts -benchtime 100x
func BenchmarkSaveVerdicts(b *testing.B) {
	for name, engine := range map[string]struct {
		database func(testing.TB) string
		size     string
	}{
		"sqlite":   {storetest.SQLite, `SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()`},
		"postgres": {storetest.Postgres, `SELECT pg_total_relation_size('verdicts')`},
	} {
		b.Run(name, func(b *testing.B) {
			database := engine.database(b)
			s := storetest.Open(b, database, time.Now)
			raw := storetest.Raw(b, database)
			size := func() (n int64) {
				if err := raw.QueryRowContext(b.Context(), engine.size).Scan(&n); err != nil {
					b.Fatal(err)
				}
				return n
			}
			before, saved := size(), 0
			env, profile := countersign.NewID[countersign.EnvironmentID](countersign.Live), countersign.NewID[countersign.ProfileID](countersign.Live)
			for b.Loop() {
				batch := make([]countersign.Verdict, 512)
				for i := range batch {
					batch[i] = refusedVerdict(env, profile, moment.Add(time.Duration(saved+i)*time.Millisecond))
				}
				if err := s.SaveVerdicts(b.Context(), batch, nil); err != nil {
					b.Fatal(err)
				}
				saved += len(batch)
			}
			b.ReportMetric(float64(size()-before)/float64(saved), "B/verdict")
		})
	}
}

// refusedVerdict is that on a token of a common issuer whose signature is wrong.
func refusedVerdict(env countersign.EnvironmentID, profile countersign.ProfileID, at time.Time) countersign.Verdict {
	return countersign.Verdict{
		EnvironmentID: env, RequestID: countersign.NewOrderedID[countersign.RequestID](countersign.Live, at), At: at, ProfileID: profile,
		Reason: "signature_invalid", Step: "signature",
		Expected: `a signature by key "3hG0k2WZ9q8sJ1uV5xY7aBcDeFgHiJkL"`, Received: "another one", Address: "203.0.113.7",
		Facts: countersign.TokenFacts{
			Algorithm: string(countersign.RS256), KeyID: "3hG0k2WZ9q8sJ1uV5xY7aBcDeFgHiJkL", Type: "JWT", Issuer: "https://issuer.example.com/realms/main",
			Audiences: []string{"countersign"}, ExpiresAt: at.Add(time.Hour), IssuedAt: at,
			ClaimNames: []string{"aud", "auth_time", "azp", "email", "email_verified", "exp", "iat", "iss", "jti", "name", "sid", "sub", "typ"},
		},
	}
}
