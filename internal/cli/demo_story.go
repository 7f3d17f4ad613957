package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/issuer"
)

// The people of the story.
const (
	demoAudience = "my-product"
	demoEmail    = "ada@example.com"
	demoSubject  = "employee-7"
)

// tell plays the story to its end.
func (d *demoStage) tell(ctx context.Context) error {
	for _, part := range []func(context.Context) error{
		d.setUp, d.signIn, d.authenticate, d.addFactor, d.refuse, d.revoke,
	} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return d.heading("That was all of it.", "Next: countersign demo --keep leaves such a server running; countersign serve is the real thing.")
}

// heading starts a part of the story.
func (d *demoStage) heading(title, text string) error {
	if d.a.colour(d.a.stdout) {
		title = "\x1b[1m" + title + "\x1b[0m"
	}
	return d.print("\n%s\n%s\n", title, text)
}

func (d *demoStage) print(format string, args ...any) error {
	_, err := fmt.Fprintf(d.a.stdout, format, args...)
	return err
}

// fact shows a thing by its name.
func (d *demoStage) fact(name, value string) error {
	return d.print("    %-16s %s\n", name, printable(value))
}

func (d *demoStage) manager() *client {
	return newClient(managementPlane, d.url, d.keyID, d.secret)
}

func (d *demoStage) backend() *client {
	return newClient(apiPlane, d.url, d.env.ProjectID, d.env.secret)
}

// post posts and reads the answer into v, which may be nil.
func post(ctx context.Context, c *client, path string, body, v any) error {
	answer, err := c.post(ctx, strings.Split(path, "/"), body)
	if err != nil || v == nil {
		return err
	}
	return json.Unmarshal(answer, v)
}

func (d *demoStage) setUp(ctx context.Context) error {
	if err := d.heading("1. A server of its own is running, empty.", "In it: a project, an environment, a secret for your backend."); err != nil {
		return err
	}
	var made struct {
		Environment demoEnvironment `json:"environment"`
		Secret      struct {
			Value string `json:"secret"`
		} `json:"secret"`
		Profile struct {
			ID string `json:"profile_id"`
		} `json:"profile"`
	}
	m := d.manager()
	const projects = "pwa/v3/projects"
	if err := post(ctx, m, projects, map[string]any{"name": "Demo", "project_slug": "demo", "vertical": "CONSUMER"}, nil); err != nil {
		return err
	}
	if err := post(ctx, m, projects+"/demo/environments", map[string]any{"name": "Test", "environment_slug": "test", "type": "TEST"}, &made); err != nil {
		return err
	}
	environment := projects + "/demo/environments/test"
	if err := post(ctx, m, environment+"/secrets", map[string]any{}, &made); err != nil {
		return err
	}
	d.env = made.Environment
	d.env.secret = countersign.Bearer(made.Secret.Value)
	if err := errors.Join(d.fact("server", d.url), d.fact("project_id", d.env.ProjectID)); err != nil {
		return err
	}

	if err := d.heading("2. You are the issuer: you made a key pair.", "Its public half is all the server gets, as a trusted-token profile."); err != nil {
		return err
	}
	_, public, err := encodeKeyPair(d.keys)
	if err != nil {
		return err
	}
	profile := map[string]any{
		"name": "our identity system", "issuer": d.issuer.URL(), "audience": demoAudience, "public_key_type": "PEM",
		"pem_files": []string{string(public)}, "can_jit_provision": true,
		"attribute_mapping": map[string]string{"email": "email", "token_id": "jti", "external_user_id": "sub"},
	}
	if err := post(ctx, m, environment+"/trusted_token_profiles", profile, &made); err != nil {
		return err
	}
	d.profile = made.Profile.ID
	if err := errors.Join(d.fact("profile", d.profile), d.fact("issuer", d.issuer.URL()), d.fact("audience", demoAudience)); err != nil {
		return err
	}
	reader := map[string]any{
		"name": "badge readers", "issuer": d.badge.URL(), "audience": demoAudience, "public_key_type": "JWK", "jwks_url": d.badge.JWKSURL(),
		"attribute_mapping": map[string]string{"email": "email", "token_id": "jti"},
	}
	if err := post(ctx, m, environment+"/trusted_token_profiles", reader, &made); err != nil {
		return err
	}
	d.reader = made.Profile.ID
	return nil
}

// claims are what the issuer says of the person of the story.
func (d *demoStage) claims(more map[string]any) map[string]any {
	claims := map[string]any{"aud": demoAudience, "sub": demoSubject, "email": demoEmail}
	for name, value := range more {
		claims[name] = value
	}
	return claims
}

func (d *demoStage) signIn(ctx context.Context) error {
	token, err := d.issuer.Mint(d.claims(nil))
	if err != nil {
		return err
	}
	if err := d.heading("3. You sign a JWT for "+demoEmail+" and exchange it.", "POST /v1/sessions/attest. Nobody of that address exists yet: a user is made on the way."); err != nil {
		return err
	}
	if err := post(ctx, d.backend(), "v1/sessions/attest", map[string]any{
		"profile_id": d.profile, "token": token, "session_duration_minutes": 60, "session_custom_claims": map[string]string{"plan": "pro"},
	}, &d.session); err != nil {
		return err
	}
	return errors.Join(d.fact("JWT", abridged(token)), d.showSession())
}

func (d *demoStage) showSession() error {
	s := d.session
	if err := errors.Join(
		d.fact("user", s.User.UserID),
		d.fact("session", s.Session.SessionID),
		d.fact("session_token", abridged(s.Token)+"  opaque, for your cookie"),
		d.fact("session_jwt", abridged(s.JWT)+"  five minutes, verified anywhere"),
	); err != nil {
		return err
	}
	for _, f := range s.Session.Factors {
		if err := d.fact("factor", f.what()); err != nil {
			return err
		}
	}
	return nil
}

// abridged is enough of a token to recognise it by.
func abridged(token string) string {
	const head, tail = 12, 6
	if len(token) <= head+tail {
		return token
	}
	return token[:head] + "…" + token[len(token)-tail:]
}

func (d *demoStage) authenticate(ctx context.Context) error {
	if err := d.heading("4. Is the session alive?", "POST /v1/sessions/authenticate, as your backend does on each request."); err != nil {
		return err
	}
	if err := post(ctx, d.backend(), "v1/sessions/authenticate", map[string]any{"session_token": d.session.Token}, &d.session); err != nil {
		return err
	}
	return d.fact("alive until", d.session.Session.ExpiresAt)
}

func (d *demoStage) addFactor(ctx context.Context) error {
	token, err := d.badge.Mint(map[string]any{"aud": demoAudience, "email": demoEmail, "jti": "badge-reader-3-scan-4711"})
	if err != nil {
		return err
	}
	if err := d.heading("5. Ada holds her badge to a reader: a second factor.", "The reader signs a JWT with a unique token_id; its keys come from a key set URL. The session keeps its token."); err != nil {
		return err
	}
	if err := post(ctx, d.backend(), "v1/sessions/attest", map[string]any{
		"profile_id": d.reader, "token": token, "session_token": d.session.Token,
	}, &d.session); err != nil {
		return err
	}
	return errors.Join(d.fact("key set", d.badge.JWKSURL()), d.showSession())
}

func (d *demoStage) refuse(ctx context.Context) error {
	if err := d.heading("6. Three tokens that are not what they seem.", "Each is refused, and you are told why."); err != nil {
		return err
	}
	for _, bad := range []struct {
		what    string
		claims  map[string]any
		options []issuer.Option
	}{
		{"meant for another product", map[string]any{"aud": "another-product"}, nil},
		{"an hour too old", nil, []issuer.Option{issuer.Expired()}},
		{"signed by somebody else", nil, []issuer.Option{issuer.WrongKey()}},
	} {
		token, err := d.issuer.Mint(d.claims(bad.claims), bad.options...)
		if err != nil {
			return err
		}
		if err := d.print("  %s\n", bad.what); err != nil {
			return err
		}
		err = post(ctx, d.backend(), "v1/sessions/attest", map[string]any{"profile_id": d.profile, "token": token, "session_duration_minutes": 60}, nil)
		if err := d.mustRefuse(err); err != nil {
			return err
		}
	}
	return nil
}

// mustRefuse shows a refusal; anything else is an error of the demo.
func (d *demoStage) mustRefuse(err error) error {
	refused, ok := errors.AsType[*apiError](err)
	if !ok {
		return errors.Join(errors.New("the server did not refuse"), err)
	}
	return errors.Join(
		d.fact("HTTP", fmt.Sprintf("%d %s", refused.Status, http.StatusText(refused.Status))),
		d.fact("error_type", refused.Type),
		d.fact("error_message", refused.Message),
	)
}

func (d *demoStage) revoke(ctx context.Context) error {
	if err := d.heading("7. The session is revoked.", "POST /v1/sessions/revoke. From the next request on it is refused everywhere."); err != nil {
		return err
	}
	b := d.backend()
	if err := post(ctx, b, "v1/sessions/revoke", map[string]any{"session_id": d.session.Session.SessionID}, nil); err != nil {
		return err
	}
	return d.mustRefuse(post(ctx, b, "v1/sessions/authenticate", map[string]any{"session_token": d.session.Token}, nil))
}

// handOver writes the issuer's key down and says how to go on by hand.
func (d *demoStage) handOver() error {
	private, _, err := encodeKeyPair(d.keys)
	if err != nil {
		return err
	}
	file := filepath.Join(d.dir, "issuer.private.pem")
	if err := os.WriteFile(file, private, 0o600); err != nil {
		return err
	}
	return d.print(`
The server is yours until you press Ctrl-C; then it and its data are gone. In another terminal:

export COUNTERSIGN_URL=%s
export COUNTERSIGN_PROJECT_ID=%s
export COUNTERSIGN_SECRET=%s
export COUNTERSIGN_WORKSPACE_KEY_ID=%s
export COUNTERSIGN_WORKSPACE_KEY_SECRET=%s

TOKEN=$(countersign token mint --key %s --issuer %s --audience %s --email grace@example.com --subject employee-8)

curl -s -u "$COUNTERSIGN_PROJECT_ID:$COUNTERSIGN_SECRET" "$COUNTERSIGN_URL/v1/sessions/attest" \
  -d "{\"profile_id\": \"%s\", \"token\": \"$TOKEN\", \"session_duration_minutes\": 60}"

curl -s -u "$COUNTERSIGN_PROJECT_ID:$COUNTERSIGN_SECRET" "$COUNTERSIGN_URL/v1/sessions/authenticate" \
  -d "{\"session_token\": \"PASTE IT HERE\"}"
`, d.url, d.env.ProjectID, d.env.secret.Reveal(), d.keyID, d.secret.Reveal(),
		file, d.issuer.URL(), demoAudience, d.profile)
}
