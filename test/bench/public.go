package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"slices"
	"text/tabwriter"
	"time"
)

// What a page may bring, of row C3. All but the accepted one get the same answer.
const (
	pageAccepted = "somebody known, accepted"
	pageRefused  = "somebody known, refused"
	pageStranger = "a stranger, refused"
	pageForged   = "a bad signature, refused"
)

var pageKinds = []string{pageAccepted, pageRefused, pageStranger, pageForged}

// pages is a public token's profile that provisions nobody, and bodies of attest.
type pages struct {
	token  string
	bodies map[string][][]byte
}

// newPages opens the frontend plane of the RS256 environment.
func (b *engineBench) newPages(ctx context.Context) (*pages, error) {
	const path = "/pwa/v3/projects/rs256/environments/e"
	p := &pages{bodies: map[string][][]byte{}}
	var err error
	if p.token, err = b.manage(ctx, path+"/public_tokens", nil, "public_token", "public_token"); err != nil {
		return nil, err
	}
	sdk := call{
		method: http.MethodPut, url: b.server.url + path + "/sdk/consumer", user: workspaceID, password: workspaceSecret,
		body: []byte(`{"config": {"basic": {"enabled": true}}}`),
	}
	if err := sdk.send(ctx, http.DefaultTransport); err != nil {
		return nil, err
	}
	profile, err := b.manage(ctx, path+"/trusted_token_profiles", map[string]any{
		"name": "page", "issuer": b.issuer.URL(), "audience": "countersign", "can_jit_provision": false,
		"public_key_type": "JWK", "jwks_url": b.issuer.JWKSURL(),
		"attribute_mapping": map[string]any{"email": "email", "token_id": "jti", "role_ids": "roles"},
	}, "profile", "profile_id")
	if err != nil {
		return nil, err
	}
	for i := range people {
		for _, kind := range pageKinds {
			claims := map[string]any{
				"aud": "countersign", "email": fmt.Sprintf("known%d@example.com", i), "exp": time.Now().Add(time.Hour).Unix(), "roles": []string{},
			}
			switch kind {
			case pageStranger:
				claims["email"], claims["roles"] = fmt.Sprintf("never%d@example.com", i), []string{"no such role"}
			case pageRefused:
				claims["roles"] = []string{"no such role"}
			}
			token, err := b.issuer.Mint(claims)
			if err != nil {
				return nil, err
			}
			if kind == pageForged {
				if token, err = forge(b.issuer, token); err != nil {
					return nil, err
				}
			}
			body, err := json.Marshal(map[string]any{"profile_id": profile, "token": token})
			if err != nil {
				return nil, err
			}
			p.bodies[kind] = append(p.bodies[kind], body)
		}
	}
	return p, nil
}

// measurePages times each kind in turn, so that all meet the same moments, and in
// another order each time: what a request leaves behind, such as a commit, is in the
// way of the next.
func (b *engineBench) measurePages(ctx context.Context, r *report) error {
	client := &http.Transport{}
	defer client.CloseIdleConnections()
	p, err := b.newPages(ctx)
	if err != nil {
		return err
	}
	kinds := slices.Clone(pageKinds)
	begin := time.Now()
	for i := 0; time.Since(begin) < time.Duration(b.options.rounds*len(pageKinds))*b.options.run; i++ {
		mathrand.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
		for _, kind := range kinds {
			c := call{url: b.server.url + "/sdk/v1/sessions/attest", user: p.token, password: p.token, body: p.bodies[kind][i%people], status: http.StatusBadRequest}
			if kind == pageAccepted {
				c.status = http.StatusOK
			}
			start := time.Now()
			if err := c.send(ctx, client); err != nil {
				return err
			}
			if i > people { // by then everything has been prepared
				k := key{kind, b.engine, 1}
				r.pages[k] = append(r.pages[k], time.Since(start))
			}
		}
	}
	return nil
}

// verifyTime is the median time of checking one RS256 signature of 2048 bits.
func verifyTime() (time.Duration, error) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return 0, err
	}
	digest := sha256.Sum256([]byte(filler))
	signature, err := rsa.SignPKCS1v15(nil, private, crypto.SHA256, digest[:])
	if err != nil {
		return 0, err
	}
	var list []time.Duration
	for range 2000 {
		start := time.Now()
		if err := rsa.VerifyPKCS1v15(&private.PublicKey, crypto.SHA256, digest[:], signature); err != nil {
			return 0, err
		}
		list = append(list, time.Since(start))
	}
	return median(list), nil
}

// printPages prints row C3: what the time of a refusal tells of who exists.
func (r *report) printPages(w io.Writer, engines []string) error {
	verify, err := verifyTime()
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(w, "\nC3: attest on the frontend plane, one connection, wall time; one RS256 verification takes %d µs here.\n", verify.Microseconds())
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(t, "engine\twho\tp50 µs\tagainst a known one refused\tbudget µs\tmet?\trequests\t")
	for _, engine := range engines {
		base := median(r.pages[key{pageRefused, engine, 1}])
		for _, kind := range pageKinds {
			list := r.pages[key{kind, engine, 1}]
			step := median(list) - base
			verdict := "\t"
			if kind == pageStranger {
				verdict = fmt.Sprintf("%d\t%s", verify.Microseconds(), met(step.Abs() <= verify))
			}
			_, _ = fmt.Fprintf(t, "%s\t%s\t%d\t%+d\t%s\t%d\t\n", engine, kind, median(list).Microseconds(), step.Microseconds(), verdict, len(list))
		}
	}
	return t.Flush()
}
