package trust

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Where an issuer's metadata is.
const (
	openIDPath = "/.well-known/openid-configuration"       // OIDC Discovery 1.0 §4
	oauthPath  = "/.well-known/oauth-authorization-server" // RFC 8414 §3
)

// ErrOtherIssuer is a metadata document that says it is another issuer's than the
// one that was asked.
var ErrOtherIssuer = errors.New("the document is another issuer's")

// errNoDocument is an answer 404.
var errNoDocument = errors.New("the answer is 404, not 200")

// Document is what an issuer says of itself, as far as it is used.
type Document struct {
	URL     string // where it was read
	Issuer  string
	JWKSURL string // "" if it names none
	// Algorithms are what ID tokens are signed with, by the names that the issuer
	// gives them; nil if it does not say.
	Algorithms []string
}

// Discovery reads what issuers say of themselves, under the same guard and within
// the same limits as key sets. Nothing is kept.
type Discovery struct{ fetcher fetcher }

// NewDiscovery makes a Discovery. The error says which entry of cfg.AllowPrivate
// is not understood.
func NewDiscovery(cfg GuardConfig) (*Discovery, error) {
	client, err := NewClient(cfg)
	if err != nil {
		return nil, err
	}
	return &Discovery{fetcher{client: client, headerWait: headerWait, inFull: fetchWait}}, nil
}

// Read asks an issuer for its metadata: for an OpenID provider's, and if there is
// none for an authorization server's. The document must name the very issuer that
// was asked, byte for byte, or anybody could speak for it (OIDC Discovery §4.3,
// RFC 8414 §3.3): otherwise the error is ErrOtherIssuer. It may wait on the
// network, 5 s for each of the two. Errors are sentences for the operator.
func (d *Discovery) Read(ctx context.Context, issuer string) (Document, error) {
	addresses, err := metadataURLs(issuer)
	if err != nil {
		return Document{}, err
	}
	var refused []error
	for _, address := range addresses {
		var document Document
		body, err := d.fetch(ctx, address)
		if err == nil {
			document, err = parseDocument(issuer, body)
		}
		if err == nil {
			document.URL = address
			return document, nil
		}
		refused = append(refused, fmt.Errorf("%s: %w", clip(strconv.QuoteToASCII(address), maxShown), err))
		if !errors.Is(err, errNoDocument) {
			return Document{}, refused[len(refused)-1]
		}
	}
	return Document{}, fmt.Errorf("%w; %w", refused[0], refused[1])
}

// metadataURLs are where to ask, in this order. A slash at the end of the issuer
// is left out of them (OIDC Discovery §4.1, RFC 8414 §3.1).
func metadataURLs(issuer string) (urls [2]string, err error) {
	if err := CheckURL(issuer); err != nil {
		return urls, err
	}
	u, err := url.Parse(issuer)
	if err != nil || strings.ContainsRune(issuer, '?') {
		return urls, errors.New("the URL of an issuer has no query") // RFC 8414 §2
	}
	path := strings.TrimSuffix(u.EscapedPath(), "/")
	origin := (&url.URL{Scheme: u.Scheme, Host: u.Host}).String()
	return [2]string{origin + path + openIDPath, origin + oauthPath + path}, nil
}

func (d *Discovery) fetch(ctx context.Context, address string) (body []byte, err error) {
	header := http.Header{"Accept": {"application/json"}}
	err = d.fetcher.get(ctx, address, header, func(response *http.Response) error {
		switch code := response.StatusCode; {
		case code == http.StatusNotFound:
			return errNoDocument
		case code >= 300 && code < 400 && response.Header.Get("Location") != "":
			return fmt.Errorf("the answer is %d, a redirect to %s, which is not followed", code, quote(response.Header.Get("Location")))
		case code != http.StatusOK:
			return fmt.Errorf("the answer is %d, not 200", code)
		}
		if err := checkEncoding(response); err != nil {
			return err
		}
		body, err = readUpTo(response.Body, maxKeySetBytes)
		return err
	})
	return body, err
}

// parseDocument reads the metadata of issuer.
func parseDocument(issuer string, body []byte) (Document, error) {
	members, err := parseObject(string(body))
	if err != nil {
		return Document{}, fmt.Errorf("the answer cannot be read: %w", err)
	}
	d := Document{Issuer: issuer}
	if named, ok := members["issuer"].(string); !ok || named != issuer {
		received := Claims(members).received("issuer")
		if ok && strings.TrimSuffix(named, "/") == strings.TrimSuffix(issuer, "/") {
			received += ": they differ in the slash at the end alone"
		}
		return Document{}, fmt.Errorf("%w: asked for %s; %s", ErrOtherIssuer, quote(issuer), received)
	}
	if value, present := members["jwks_uri"]; present {
		var ok bool
		if d.JWKSURL, ok = value.(string); !ok {
			return Document{}, fmt.Errorf("jwks_uri is %s", typeOf(value))
		}
		if err := CheckURL(d.JWKSURL); err != nil {
			return Document{}, fmt.Errorf("jwks_uri: %w", err)
		}
	}
	if value, present := members["id_token_signing_alg_values_supported"]; present {
		list, ok := value.([]any)
		if !ok {
			return Document{}, fmt.Errorf("id_token_signing_alg_values_supported is %s", typeOf(value))
		}
		d.Algorithms = make([]string, 0, len(list))
		for _, member := range list {
			name, ok := member.(string)
			if !ok {
				return Document{}, fmt.Errorf("id_token_signing_alg_values_supported has %s in it", typeOf(member))
			}
			d.Algorithms = append(d.Algorithms, name)
		}
	}
	return d, nil
}
