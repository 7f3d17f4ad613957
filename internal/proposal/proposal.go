// Package proposal makes of an issuer's metadata, or of a sample of its tokens,
// the trusted-token profile that an operator would write. It refuses to judge:
// nothing here is believed, and nobody is signed in by it.
package proposal

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/trust"
)

// Source is what a proposal is made from: a token, or a document, or both.
type Source struct {
	Vertical countersign.Vertical
	Token    *trust.Token    // of which nothing was verified, or nil
	Document *trust.Document // what the issuer says of itself, or nil
	// Undiscovered is why there is no document though the issuer was asked for it.
	Undiscovered error
	Now          time.Time
}

// Proposal is a profile to begin with, of type JWK. Of the sample's claims it
// shows the values of iss and aud and no others.
type Proposal struct {
	Name       string
	Issuer     string
	Audience   string
	KeyType    countersign.KeyType
	JWKSURL    string
	Mapping    map[string]string       // attribute → claim
	Algorithms []countersign.Algorithm // nil: no reason to say less than all
	Notes      []Note
	// Missing are the members of the profile that somebody has to fill in, as the
	// management API names them.
	Missing []string
}

// Level is how much a note matters.
type Level string

// The levels.
const (
	Info    Level = "info"
	Warning Level = "warning" // tokens may be refused, or the wrong person let in
)

// Note is a sentence about a member of the proposal, or about the sample.
type Note struct {
	Level   Level
	About   string // the member, as the management API names it, or "token"
	Message string
}

// Members that notes are about and that may be missing.
const (
	aboutIssuer     = "issuer"
	aboutAudience   = "audience"
	aboutJWKSURL    = "jwks_url"
	aboutMapping    = "attribute_mapping"
	aboutAlgorithms = "trust_policy.algorithms"
	aboutType       = "trust_policy.required_typ"
	aboutEmailTrust = "trust_policy.email_trust"
	aboutToken      = "token" // the sample itself
)

// Make proposes a profile.
func Make(s Source) Proposal {
	p := Proposal{KeyType: countersign.KeyTypeJWK, Mapping: map[string]string{}}
	p.issuer(s)
	p.audience(s)
	p.keys(s)
	p.algorithms(s)
	if s.Token == nil {
		p.Mapping[countersign.AttributeEmail], p.Mapping[countersign.AttributeTokenID] = "email", "jti"
		p.info(aboutMapping, "The mapping is the usual one: a sample token would show which claims the issuer really writes.")
	} else {
		p.sample(s)
		p.mapping(s)
	}
	return p
}

func (p *Proposal) info(about, format string, args ...any) {
	p.Notes = append(p.Notes, Note{Info, about, fmt.Sprintf(format, args...)})
}

func (p *Proposal) warn(about, format string, args ...any) {
	p.Notes = append(p.Notes, Note{Warning, about, fmt.Sprintf(format, args...)})
}

func (p *Proposal) lacks(member string) { p.Missing = append(p.Missing, member) }

// issuer is iss, since that is what is compared; without a sample, what the
// document says.
func (p *Proposal) issuer(s Source) {
	if s.Document != nil {
		p.Issuer = s.Document.Issuer
	}
	if s.Token != nil {
		iss, _ := s.Token.Claims["iss"].(string)
		switch {
		case iss == "" && p.Issuer == "":
			p.lacks(aboutIssuer)
			p.warn(aboutIssuer, "The sample has no iss: let the issuer write one.")
		case iss == "":
			p.warn(aboutIssuer, "The sample has no iss, and such tokens are refused: let the issuer write %s.", show(p.Issuer))
		case p.Issuer != "" && iss != p.Issuer && strings.TrimSuffix(iss, "/") == strings.TrimSuffix(p.Issuer, "/"):
			p.warn(aboutIssuer, "The sample's iss is %s, the document is of %s: they differ in the slash at the end alone, and are two issuers all the same. Ask for the issuer as iss has it; if its document says otherwise, it contradicts itself.", show(iss), show(p.Issuer))
			p.Issuer = iss
		case p.Issuer != "" && iss != p.Issuer:
			p.warn(aboutIssuer, "The sample's iss is %s, the document is of %s: iss is taken, for it is what tokens are compared by.", show(iss), show(p.Issuer))
			p.Issuer = iss
		default:
			p.Issuer = iss
		}
	}
	if strings.HasSuffix(p.Issuer, "/") {
		p.info(aboutIssuer, "The issuer ends with a slash, which is part of it: it is compared byte for byte.")
	}
	p.Name = nameOf(p.Issuer)
}

// nameOf is the issuer without its scheme and port.
func nameOf(issuer string) string {
	name := issuer
	if u, err := url.Parse(issuer); err == nil && u.Host != "" {
		name = u.Hostname() + u.Path
	}
	name = strings.TrimSuffix(name, "/")
	if name == "" {
		return "issuer"
	}
	return clip(name)
}

// audience is the one that names an API.
func (p *Proposal) audience(s Source) {
	if s.Token == nil {
		p.lacks(aboutAudience)
		p.info(aboutAudience, "The document does not say whom tokens are for: it is the client ID in an ID token, and the name of your API in an access token.")
		return
	}
	list := audiences(s.Token.Claims["aud"])
	likely := slices.DeleteFunc(slices.Clone(list), func(aud string) bool { return slices.Contains(everybodys(p.Issuer), aud) })
	switch {
	case len(list) == 0:
		p.lacks(aboutAudience)
		p.warn(aboutAudience, "The sample has no aud, and such tokens are refused: ask the issuer for a token for your API, or send its ID token in place of its access token.")
		return
	case len(likely) == 0:
		p.Audience = list[0]
		p.warn(aboutAudience, "The sample's audience is %s, which is that of tokens for the issuer's own API: any application of the issuer may get such a token. Let it write an audience of yours.", show(p.Audience))
	default:
		p.Audience = likely[0]
	}
	if len(list) > 1 {
		p.warn(aboutAudience, "The sample has %d audiences: %s. %s was taken; it should be the one that nobody but you is meant by.", len(list), showAll(list), show(p.Audience))
	}
}

// everybodys are audiences that say nothing of an application.
func everybodys(issuer string) []string {
	base := strings.TrimSuffix(issuer, "/")
	return []string{
		"account",          // Keycloak's own console, in every access token of a realm
		base + "/userinfo", // Auth0's, in access tokens of those who asked for openid
	}
}

// audiences are the texts in aud, which is a string or an array (RFC 7519 §4.1.3).
func audiences(aud any) (list []string) {
	members, isArray := aud.([]any)
	if !isArray {
		members = []any{aud}
	}
	for _, member := range members {
		if s, ok := member.(string); ok && s != "" {
			list = append(list, s)
		}
	}
	return list
}

// keys are where the issuer says that they are. Another issuer does not speak for
// it: whoever has those keys could sign in anybody.
func (p *Proposal) keys(s Source) {
	if s.Document != nil && s.Document.JWKSURL != "" && s.Document.Issuer == p.Issuer {
		p.JWKSURL = s.Document.JWKSURL
		p.info(aboutJWKSURL, "Found in the issuer's document, %s.", show(s.Document.URL))
		if u, err := url.Parse(p.JWKSURL); err == nil && u.Scheme == "http" {
			p.warn(aboutJWKSURL, "The keys come over http: whoever stands in between can put in others, and sign in anybody. They are read only if the server was started with --jwks-allow-private for that host.")
		}
		return
	}
	p.lacks(aboutJWKSURL)
	const advice = "Give jwks_url, or make a profile of type PEM with the issuer's public keys."
	switch {
	case s.Document != nil && s.Document.Issuer != p.Issuer:
		p.warn(aboutJWKSURL, "The document is another issuer's: its jwks_uri, %s, is not taken. "+advice, show(s.Document.JWKSURL))
	case s.Document != nil:
		p.warn(aboutJWKSURL, "The issuer's document has no jwks_uri. "+advice)
	case s.Undiscovered != nil:
		p.warn(aboutJWKSURL, "The issuer's document cannot be had: %v. "+advice, s.Undiscovered)
	default:
		p.warn(aboutJWKSURL, "Nobody has said where the issuer's keys are. "+advice)
	}
}

// algorithms is what the sample was signed with, or what the document names.
func (p *Proposal) algorithms(s Source) {
	var announced []countersign.Algorithm
	if s.Document != nil && s.Document.Issuer == p.Issuer {
		for _, name := range s.Document.Algorithms {
			if alg := countersign.Algorithm(name); slices.Contains(countersign.Algorithms(), alg) && !slices.Contains(announced, alg) {
				announced = append(announced, alg)
			}
		}
		if len(s.Document.Algorithms) > 0 && announced == nil {
			p.warn(aboutAlgorithms, "The issuer says that it signs with none but %s. A shared secret proves nothing about who signed: %s.", showAll(s.Document.Algorithms), remedy(p.Issuer))
		}
	}
	p.Algorithms = announced
	if s.Token == nil {
		return
	}
	alg, _ := s.Token.Header["alg"].(string)
	switch {
	case slices.Contains(countersign.Algorithms(), countersign.Algorithm(alg)):
		p.Algorithms = []countersign.Algorithm{countersign.Algorithm(alg)}
		if len(announced) > 1 {
			p.info(aboutAlgorithms, "The issuer announces more than the sample's %s; add one before it changes to that.", alg)
		}
	case alg == "none":
		p.warn(aboutAlgorithms, `The sample's alg is "none": nobody signed it: %s.`, remedy(p.Issuer))
	case strings.HasPrefix(alg, "HS"):
		p.warn(aboutAlgorithms, "The sample's alg is %s, and such tokens are refused: whoever can check a shared secret can sign with it. Instead, %s.", show(alg), remedy(p.Issuer))
	default:
		p.warn(aboutAlgorithms, "The sample's alg is %s, and such tokens are refused: %s.", show(alg), remedy(p.Issuer))
	}
}

// remedies are where to choose a key pair, by the end of the issuer's host.
var remedies = []struct{ host, remedy string }{
	{".supabase.co", "let the project sign with an asymmetric key: JWT signing keys, in its settings"},
	{".auth0.com", "let the application sign with RS256: advanced settings, OAuth, JSON Web Token signature algorithm"},
}

// remedy is what to do at an issuer that signs with none of our algorithms.
func remedy(issuer string) string {
	if u, err := url.Parse(issuer); err == nil {
		for _, r := range remedies {
			if strings.HasSuffix(u.Hostname(), r.host) {
				return r.remedy
			}
		}
	}
	return "let the issuer sign with a key pair, by RS256, ES256 or EdDSA"
}

// sample is what the header and the times of the sample say.
func (p *Proposal) sample(s Source) {
	facts := s.Token.Facts()
	if facts.KeyID == "" {
		p.info(aboutToken, "The sample has no kid: every key of the issuer is tried.")
	}
	if trust.NeverSubjectToken(facts.Type) {
		p.warn(aboutType, "The sample's typ is %s: it was made for another purpose than to sign somebody in, and is refused.", show(facts.Type))
	}
	switch {
	case facts.ExpiresAt.IsZero():
		p.warn(aboutToken, "The sample has no exp, and such tokens are refused: let the issuer write one.")
	case facts.ExpiresAt.Before(s.Now):
		p.info(aboutToken, "The sample has expired, which makes no difference to a proposal.")
	}
}

// Shown is at most so long.
const maxShown = 128

// show quotes s in ASCII, so that it can neither forge a line nor turn the
// reader's text around.
func show(s string) string { return fmt.Sprintf("%+q", clip(s)) }

// showAll quotes a list, and no more of a long one than anybody would read.
func showAll(list []string) string {
	const most = 8
	var shown []string
	for _, s := range list[:min(len(list), most)] {
		shown = append(shown, show(s))
	}
	if len(list) > most {
		shown = append(shown, "…")
	}
	return strings.Join(shown, ", ")
}

func clip(s string) string {
	runes := []rune(s)
	if len(runes) <= maxShown {
		return s
	}
	return string(runes[:maxShown]) + "…"
}
