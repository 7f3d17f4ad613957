package server_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/issuer"
	"github.com/countersign-auth/countersign/internal/issuertest"
)

// Placeholders of requests. What a response or another placeholder made is
// there by its label; the rest is made when it is first named:
//
//	$WORKSPACE               the header of the management API
//	$BASIC                   the header of the environment
//	$BASIC(user, password)   any other
//	$PUBLIC                  the header of a page where nobody is signed in
//	$PUBLIC(session token)   that of one where somebody is
//	$PROJECT_SLUG $ENVIRONMENT_SLUG $PROJECT_ID $SECRET_ID $SECRET
//	                         an environment, by default of type TEST, of a consumer project
//	$PUBLIC_TOKEN            its public token, once pages anywhere may use it, for sessions of up to two hours
//	$PROFILE                 a JWK profile of $ISSUER
//	$PEM_PROFILE $PEM_FILE   a PEM profile of $ISSUER with its one key
//	$TOKEN(claim=value, …)   a subject token that $PROFILE believes, with these changes
//	$USER $SESSION $SESSION_TOKEN $SESSION_JWT
//	                         what $PROFILE made of $TOKEN, for an hour
//	$ISSUER $JWKS_URL        an issuer
//	$B2B_TOKEN(claim=value, …)
//	                         one of the organization "acme", which $B2B_PROFILE believes
//	$B2B_ORGANIZATION $B2B_MEMBER $B2B_SESSION $B2B_SESSION_TOKEN $B2B_SESSION_JWT
//	                         what $B2B_PROFILE made of $B2B_TOKEN, for an hour
//	$USERINFO_URL            another provider's userinfo endpoint, which knows ada@example.com
//	$PEM(algorithm, form)    a public key of the issuer; $WEAK_PEM one of 1024 bits
//	$REPEAT(text, n)         text, n times
//	$NUMBER                  another one each time, from 1
//	$REQUEST(n)              the ID of the request that had the nth response
//
// With OTHER_, LIVE_ or B2B_ before it, a placeholder is of another environment:
// a second one like the first, one of type LIVE, one of a B2B project.
var placeholder = regexp.MustCompile(`\$([A-Z][A-Z0-9_]*)(\([^)]*\))?`)

func (g *golden) expand(text string, encode func(string) string) string {
	g.t.Helper()
	return placeholder.ReplaceAllStringFunc(text, func(found string) string {
		parts := placeholder.FindStringSubmatch(found)
		var args []string
		if parts[2] != "" {
			args = strings.Split(g.expand(parts[2][1:len(parts[2])-1], verbatim), ", ")
		}
		return encode(g.value(parts[1], args))
	})
}

// value is what a placeholder stands for.
func (g *golden) value(name string, args []string) string {
	g.t.Helper()
	if value, ok := g.labels.byName[name]; ok && args == nil {
		return value
	}
	prefix, base := "", name
	for _, world := range []string{"OTHER_", "LIVE_", "B2B_"} {
		if rest, ok := strings.CutPrefix(name, world); ok {
			prefix, base = world, rest
		}
	}
	switch base {
	case "WORKSPACE":
		return basicHeader(g.server.WorkspaceKeyID, g.server.WorkspaceKeySecret)
	case "BASIC":
		if len(args) == 2 {
			return basicHeader(args[0], args[1])
		}
		return basicHeader(g.value(prefix+"PROJECT_ID", nil), g.value(prefix+"SECRET", nil))
	case "PUBLIC":
		token := g.value(prefix+"PUBLIC_TOKEN", nil)
		return basicHeader(token, append(args, token)[0])
	case "TOKEN":
		return g.token(prefix, args)
	case "PEM":
		return g.pem(args)
	case "WEAK_PEM":
		return g.bound(name, weakPEM(g.t))
	case "NUMBER":
		g.number++
		return strconv.Itoa(g.number)
	case "REQUEST":
		n, err := strconv.Atoi(args[0])
		if err != nil || n < 1 || n > len(g.requests) {
			g.t.Fatalf("there is no response %s yet", args[0])
		}
		return g.requests[n-1]
	case "REPEAT":
		n, err := strconv.Atoi(args[1])
		if err != nil {
			g.t.Fatal(err)
		}
		return strings.Repeat(args[0], n)
	case "ISSUER", "JWKS_URL":
		g.startIssuer()
	case "USERINFO_URL":
		g.startUserinfo()
	case "PROJECT_SLUG", "ENVIRONMENT_SLUG", "PROJECT_ID", "SECRET_ID", "SECRET":
		g.makeEnvironment(prefix)
	case "PUBLIC_TOKEN":
		g.letPagesIn(prefix)
	case "PROFILE":
		g.makeProfile(prefix, "PROFILE", map[string]any{"public_key_type": "JWK", "jwks_url": g.value("JWKS_URL", nil)})
	case "PEM_PROFILE", "PEM_FILE":
		g.makeProfile(prefix, "PEM_PROFILE", map[string]any{"public_key_type": "PEM", "pem_files": []string{g.value("PEM", nil)}})
	case "USER", "MEMBER", "ORGANIZATION", "SESSION", "SESSION_TOKEN", "SESSION_JWT":
		g.makeSession(prefix)
	}
	value, ok := g.labels.byName[name]
	if !ok {
		g.t.Fatalf("nothing made a $%s", name)
	}
	return value
}

// bound gives the value of a fixture its name.
func (g *golden) bound(name, value string) string {
	g.t.Helper()
	if other, taken := g.labels.byName[name]; taken && other != value {
		g.t.Fatalf("two values are named $%s; name the fixture before the file makes another", name)
	}
	g.labels.bind(name, value)
	return value
}

func basicHeader(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

func (g *golden) startIssuer() {
	g.issuer = issuertest.New(g.t, issuertest.Clock(g.server.clock.Now))
	g.bound("ISSUER", g.issuer.URL())
	g.labels.byName["JWKS_URL"] = g.issuer.JWKSURL() // shown as a URL of $ISSUER
}

func (g *golden) startUserinfo() {
	g.userinfo = newUserinfo(g.t)
	g.bound("USERINFO_URL", g.userinfo.URL)
}

func (g *golden) instruct(section string) {
	g.t.Helper()
	g.value("ISSUER", nil)
	word, rest, _ := strings.Cut(section, "\n")
	switch word {
	case "down":
		g.issuer.Misbehave(issuertest.Down)
	case "up":
		g.issuer.Misbehave(issuertest.WellBehaved)
	case "body":
		g.issuer.SetBody([]byte(rest))
	default:
		g.t.Fatalf("no such instruction: %q", word)
	}
}

// makeEnvironment makes an environment whose session JWTs are of EdDSA: that key
// is made fast, and its signatures are the same each time.
func (g *golden) makeEnvironment(prefix string) {
	g.t.Helper()
	vertical, kind := "CONSUMER", "TEST"
	switch prefix {
	case "LIVE_":
		kind = "LIVE"
	case "B2B_":
		vertical = "B2B"
	}
	project := g.make("/pwa/v3/projects", map[string]any{"name": "Test", "vertical": vertical}, "project")
	slug := g.bound(prefix+"PROJECT_SLUG", text(project["project_slug"]))
	environments := "/pwa/v3/projects/" + slug + "/environments"
	environment := g.make(environments, map[string]any{"name": "Test", "type": kind, "session_jwt_algorithm": "EdDSA"}, "environment")
	g.bound(prefix+"ENVIRONMENT_SLUG", text(environment["environment_slug"]))
	g.bound(prefix+"PROJECT_ID", text(environment["project_id"]))
	secret := g.make(environments+"/"+text(environment["environment_slug"])+"/secrets", nil, "secret")
	g.bound(prefix+"SECRET_ID", text(secret["secret_id"]))
	g.bound(prefix+"SECRET", text(secret["secret"]))
}

func (g *golden) letPagesIn(prefix string) {
	g.t.Helper()
	environment := "/pwa/v3/projects/" + g.value(prefix+"PROJECT_SLUG", nil) + "/environments/" + g.value(prefix+"ENVIRONMENT_SLUG", nil)
	vertical := "/sdk/consumer"
	if prefix == "B2B_" {
		vertical = "/sdk/b2b"
	}
	g.send(http.MethodPut, environment+vertical, g.value("WORKSPACE", nil), map[string]any{
		"config": map[string]any{"basic": map[string]any{"enabled": true}, "sessions": map[string]any{"max_session_duration_minutes": 120}},
	})
	tokens, _ := g.send(http.MethodGet, environment+"/public_tokens", g.value("WORKSPACE", nil), nil)["public_tokens"].([]any)
	g.bound(prefix+"PUBLIC_TOKEN", text(at(tokens[0], "public_token")))
}

func (g *golden) makeProfile(prefix, name string, keys map[string]any) {
	g.t.Helper()
	body := map[string]any{
		"name": "idp", "issuer": g.value("ISSUER", nil), "audience": "countersign", "can_jit_provision": true,
		"attribute_mapping": map[string]any{"email": "email", "token_id": "jti", "external_user_id": "sub", "role_ids": "roles"},
	}
	if prefix == "B2B_" {
		body["attribute_mapping"] = map[string]any{"email": "email", "token_id": "jti", "external_member_id": "sub", "role_ids": "roles", "organization_id": "org"}
	}
	for k, v := range keys {
		body[k] = v
	}
	path := "/pwa/v3/projects/" + g.value(prefix+"PROJECT_SLUG", nil) + "/environments/" + g.value(prefix+"ENVIRONMENT_SLUG", nil) + "/trusted_token_profiles"
	profile := g.make(path, body, "profile")
	g.bound(prefix+name, text(profile["profile_id"]))
	if files, _ := profile["pem_files"].([]any); len(files) == 1 {
		file, _ := files[0].(map[string]any)
		g.bound(prefix+"PEM_FILE", text(file["pem_file_id"]))
	}
}

func (g *golden) makeSession(prefix string) {
	g.t.Helper()
	path := "/v1/sessions/attest"
	if prefix == "B2B_" {
		path = "/v1/b2b/sessions/attest"
	}
	answer := g.post(path, g.value(prefix+"BASIC", nil), map[string]any{
		"profile_id": g.value(prefix+"PROFILE", nil), "token": g.token(prefix, nil), "session_duration_minutes": 60,
	})
	if prefix == "B2B_" {
		g.bound(prefix+"MEMBER", text(answer["member_id"]))
		g.bound(prefix+"ORGANIZATION", text(at(answer, "organization", "organization_id")))
		g.bound(prefix+"SESSION", text(at(answer, "member_session", "member_session_id")))
	} else {
		g.bound(prefix+"USER", text(answer["user_id"]))
		g.bound(prefix+"SESSION", text(at(answer, "session", "session_id")))
	}
	g.bound(prefix+"SESSION_TOKEN", text(answer["session_token"]))
	g.bound(prefix+"SESSION_JWT", text(answer["session_jwt"]))
}

// make creates something on the management plane and gives it.
func (g *golden) make(path string, body map[string]any, member string) map[string]any {
	g.t.Helper()
	made, _ := g.post(path, g.value("WORKSPACE", nil), body)[member].(map[string]any)
	return made
}

func (g *golden) post(path, authorization string, body map[string]any) map[string]any {
	g.t.Helper()
	return g.send(http.MethodPost, path, authorization, body)
}

// send makes a request for a fixture, which must succeed.
func (g *golden) send(method, path, authorization string, body map[string]any) map[string]any {
	g.t.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		g.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(g.t.Context(), method, g.server.URL+path, bytes.NewReader(encoded))
	if err != nil {
		g.t.Fatal(err)
	}
	r.Header.Set("Authorization", authorization)
	answer := g.do(r)
	var made map[string]any
	if err := json.Unmarshal(answer.body, &made); err != nil || answer.status != http.StatusOK {
		g.t.Fatalf("make a fixture: %s %s: %d %s", method, path, answer.status, answer.body)
	}
	return made
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// token mints a subject token. alg, kid, typ, crit, b64 and jku change the
// header; expired, wrong_key and no_kid do as they say; pad=n adds a claim of n
// bytes; anything else is a claim, given as JSON or as bare text, absent, or as
// a moment like now+10m.
func (g *golden) token(prefix string, args []string) string {
	g.t.Helper()
	g.value("ISSUER", nil)
	claims := map[string]any{"aud": "countersign", "email": "ada@example.com", "sub": "ext-7", "jti": "t-1"}
	if prefix == "B2B_" {
		claims["org"] = "acme"
	}
	var options []issuer.Option
	for _, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		switch name {
		case "":
		case "expired":
			options = append(options, issuertest.Expired())
		case "wrong_key":
			options = append(options, issuertest.WrongKey())
		case "no_kid":
			options = append(options, issuertest.NoKid())
		case "alg":
			if alg := countersign.Algorithm(value); slices.Contains(countersign.Algorithms(), alg) {
				options = append(options, issuertest.Alg(alg))
			} else {
				options = append(options, issuertest.Header("alg", value))
			}
		case "kid", "typ", "crit", "b64", "jku":
			options = append(options, issuertest.Header(name, g.claim(value)))
		case "pad":
			n, err := strconv.Atoi(value)
			if err != nil {
				g.t.Fatal(err)
			}
			claims["pad"] = strings.Repeat("x", n)
		default:
			claims[name] = g.claim(value)
		}
	}
	return g.issuer.Mint(claims, options...)
}

func (g *golden) claim(value string) any {
	g.t.Helper()
	if value == "absent" {
		return nil
	}
	if offset, ok := strings.CutPrefix(value, "now"); ok {
		d, err := time.ParseDuration(offset)
		if err != nil {
			g.t.Fatal(err)
		}
		return g.server.clock.Now().Add(d).Unix()
	}
	if json.Valid([]byte(value)) {
		return json.RawMessage(value)
	}
	return value
}

func (g *golden) pem(args []string) string {
	g.t.Helper()
	name := "PEM"
	if args != nil {
		name += "(" + strings.Join(args, ", ") + ")"
	}
	if known, ok := g.labels.byName[name]; ok {
		return known
	}
	g.value("ISSUER", nil)
	args = append(args, []string{"RS256", issuertest.PublicKey}[len(args):]...)
	return g.bound(name, g.issuer.PEM(countersign.Algorithm(args[0]), args[1]))
}

func weakPEM(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 1024) // too weak, as it should be
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: issuertest.PublicKey, Bytes: der}))
}

func indent(t *testing.T, text []byte) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, bytes.TrimSpace(text), "", "  "); err != nil {
		t.Fatalf("not JSON: %v\n%s", err, text)
	}
	return b.String()
}
