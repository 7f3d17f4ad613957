package server_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/issuertest"
	"github.com/countersign-auth/countersign/internal/servertest"
	"github.com/countersign-auth/countersign/internal/signing"
	"github.com/countersign-auth/countersign/internal/storetest"
)

// withKeySet moves a place's profile to one that fetches the issuer's key set.
func (p *place) withKeySet() *place {
	p.profile = p.Profile(p.issuer.URL(), map[string]any{"public_key_type": "JWK", "jwks_url": p.issuer.JWKSURL()})
	return p
}

// withKid is a token whose header names another key; its signature is worthless.
func withKid(token, kid string) string {
	header, _ := json.Marshal(map[string]string{"alg": "ES256", "kid": kid, "typ": "JWT"})
	_, rest, _ := strings.Cut(token, ".")
	return base64.RawURLEncoding.EncodeToString(header) + "." + rest
}

// TestFloodOfKeyIDs sends 10,000 tokens with random kids while the clock goes
// through two minutes, and beside it tokens with a known one. The flood takes
// turns with as many tokens for another audience, to which the known ones are
// compared.
func TestFloodOfKeyIDs(t *testing.T) {
	t.Parallel()
	clock := servertest.NewClock()
	p := arrange(t, serve(t, storetest.SQLite(t), clock), clock).withKeySet()
	p.session(t, "ada@example.com", nil) // now the key set is known
	good, elsewhere := p.token("ada@example.com", nil), p.token("ada@example.com", map[string]any{"aud": "elsewhere"})
	const steps, workers = 125, 8
	each := max(1, rounds(10_000)/steps/workers)

	var (
		flooding, stop atomic.Bool
		known          sync.WaitGroup
		taken          [2][]time.Duration // beside other refusals, beside the flood
	)
	known.Go(func() {
		for !stop.Load() {
			during, start := flooding.Load(), time.Now()
			servertest.Must(t, p.attest(good, map[string]any{"session_duration_minutes": nil}))
			switch d := time.Since(start); {
			case during != flooding.Load():
			case during:
				taken[1] = append(taken[1], d)
			default:
				taken[0] = append(taken[0], d)
			}
		}
	})
	var wrong atomic.Pointer[servertest.Answer]
	perStep := make([]int, steps)
	before := 0 // the first request counts, too
	for n := range steps {
		flooding.Store(false)
		race(workers, func(int) {
			for range each {
				p.attest(elsewhere, nil)
			}
		})
		flooding.Store(true)
		race(workers, func(worker int) {
			for i := range each {
				a := p.attest(withKid(good, fmt.Sprintf("random-%d-%d-%d", n, worker, i)), nil)
				if a.Status != http.StatusBadRequest || !strings.Contains(a.String("error_message"), "key_not_found") {
					wrong.Store(&a)
				}
			}
		})
		perStep[n], before = p.issuer.Requests()-before, p.issuer.Requests()
		clock.Advance(time.Second)
	}
	stop.Store(true)
	known.Wait()

	if a := wrong.Load(); a != nil {
		t.Errorf("a token with a random kid: %d %s", a.Status, a.Text)
	}
	for n := range steps {
		sum := 0
		for _, count := range perStep[n:min(n+60, steps)] {
			sum += count
		}
		if sum > 2 {
			t.Fatalf("%d requests to the issuer in the minute from second %d: %v", sum, n, perStep)
		}
	}
	var medians [2]time.Duration
	for i := range taken {
		slices.Sort(taken[i])
		medians[i] = taken[i][len(taken[i])/2]
	}
	t.Logf("a known key took %v beside other refusals and %v beside the flood; requests to the issuer by second: %v", medians[0], medians[1], perStep)
	if medians[1] > 4*medians[0] {
		t.Errorf("a known key took %v beside the flood and %v beside other refusals", medians[1], medians[0])
	}
}

// TestKnownKeyWaitsForNobody holds the issuer's answer back for as long as it
// takes.
func TestKnownKeyWaitsForNobody(t *testing.T) {
	t.Parallel()
	clock := servertest.NewClock()
	p := arrange(t, serve(t, storetest.SQLite(t), clock), clock).withKeySet()
	p.session(t, "ada@example.com", nil)
	clock.Advance(2 * time.Minute)
	for range p.issuer.Requests() {
		<-p.issuer.Arrived()
	}
	p.issuer.Misbehave(issuertest.SlowHeaders)
	token := p.token("ada@example.com", nil)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() { p.attest(withKid(token, fmt.Sprint("random-", i)), nil) })
	}
	<-p.issuer.Arrived()
	for range 10 {
		servertest.Must(t, p.attest(p.token("ada@example.com", nil), nil))
	}
	if n := p.issuer.Requests(); n != 2 {
		t.Errorf("%d requests to the issuer, want the first one and the one that is held", n)
	}
	p.issuer.Release()
	wg.Wait()
}

func TestRestartWhileTheIssuerIsDown(t *testing.T) {
	t.Parallel()
	keyset, err := signing.NewKeyset()
	if err != nil {
		t.Fatal(err)
	}
	storetest.Each(t, func(t *testing.T, database string) {
		clock := servertest.NewClock()
		options := servertest.Options{Now: clock.Now, Keyset: countersign.Bearer(keyset)}
		first := servertest.Start(t, database, options)
		p := arrange(t, first, clock).withKeySet()
		p.session(t, "ada@example.com", nil)
		first.Stop()

		p.issuer.Misbehave(issuertest.Down)
		clock.Advance(12 * time.Hour) // the set is long stale
		p.Server = servertest.Start(t, database, options)
		p.session(t, "ada@example.com", nil)
		p.session(t, "bob@example.com", nil)
		refusedAs(t, "a key that the last set does not have", p.attest(withKid(p.token("ada@example.com", nil), "new"), nil),
			http.StatusServiceUnavailable, "keys_unavailable")
		if a := p.API(http.MethodGet, "/readyz", nil); a.Status != http.StatusOK {
			t.Errorf("/readyz: %d %s", a.Status, a.Text)
		}

		clock.Advance(13 * time.Hour) // and now too old
		refusedAs(t, "the last set is more than a day old", p.attest(p.token("ada@example.com", nil), nil),
			http.StatusServiceUnavailable, "keys_unavailable")
		p.issuer.Misbehave(issuertest.WellBehaved)
		clock.Advance(10 * time.Minute)
		p.session(t, "ada@example.com", nil)
	})
}
