package server_test

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// labels are the names that stand for what no two runs have in common. A value
// has one label in all of a file: the second user that appears is $USER2, and
// what is of the class live begins with LIVE_.
type labels struct {
	byName  map[string]string // without the dollar sign
	byValue map[string]string
}

func newLabels() *labels {
	return &labels{byName: map[string]string{}, byValue: map[string]string{}}
}

// bind gives a value that name.
func (l *labels) bind(name, value string) {
	l.byName[name] = value
	if _, named := l.byValue[value]; !named {
		l.byValue[value] = name
	}
}

// label is the name of a value, made of base and a number if it has none yet.
func (l *labels) label(base, value string) string {
	if name, ok := l.byValue[value]; ok {
		return name
	}
	name := base
	for n := 2; l.byName[name] != ""; n++ {
		name = base + strconv.Itoa(n)
	}
	l.bind(name, value)
	return name
}

var idPattern = regexp.MustCompile(`\b(user|member|organization|session|project|secret|public-token|trusted-token-profile|pem-file|jwk|email|phone-number|event|revocation|operator|request-id)-(test|live)-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`)

var idNames = map[string]string{
	"user": "USER", "member": "MEMBER", "organization": "ORGANIZATION", "session": "SESSION", "project": "PROJECT_ID", "secret": "SECRET_ID", "public-token": "PUBLIC_TOKEN",
	"trusted-token-profile": "PROFILE", "pem-file": "PEM_FILE", "jwk": "SIGNING_KEY", "email": "EMAIL_ID", "phone-number": "PHONE_ID",
	"event": "EVENT", "revocation": "REVOCATION", "operator": "OPERATOR",
}

// members are JSON members whose values are random and are not IDs. Slugs are
// only so if the server made them.
var members = []struct {
	pattern *regexp.Regexp
	name    string
}{
	{regexp.MustCompile(`"session_token": "([^"]+)"`), "SESSION_TOKEN"},
	{regexp.MustCompile(`"session_jwt": "([^"]+)"`), "SESSION_JWT"},
	{regexp.MustCompile(`"secret": "([^"]+)"`), "SECRET"},
	{regexp.MustCompile(`"project_slug": "([a-z0-9-]+-[a-z2-7]{8})"`), "PROJECT_SLUG"},
	{regexp.MustCompile(`"environment_slug": "([a-z0-9-]+-[a-z2-7]{8})"`), "ENVIRONMENT_SLUG"},
	{regexp.MustCompile(`"oauth_callback_id": "([^"]+)"`), "OAUTH_CALLBACK_ID"},
	{regexp.MustCompile(`"next_cursor": "([A-Za-z0-9_-]{44})"`), "CURSOR"}, // of a search; one of events is an ID
	{regexp.MustCompile(`"next_cursor": "([A-Za-z0-9_-]{22})"`), "CURSOR"}, // of verdicts
	{regexp.MustCompile(`"attested_before": "([^"]+\.\d+Z)"`), "MOMENT"},   // to the microsecond
	{regexp.MustCompile(`"path": "/dashboard/sign-in\?link=([A-Z2-7.]+)"`), "LINK"},
	{regexp.MustCompile(`"n": "([^"]+)"`), "MODULUS"},
	{regexp.MustCompile(`"x": "([^"]+)"`), "X"},
	{regexp.MustCompile(`"y": "([^"]+)"`), "Y"},
}

var (
	lastFour    = regexp.MustCompile(`"last_four": "([^"]+)"`)
	nextRefresh = regexp.MustCompile(`"next_refresh_at": "[^"]+"`) // jittered
)

// apply replaces values by labels in indented JSON.
func (l *labels) apply(text string) string {
	for _, m := range members {
		for _, found := range m.pattern.FindAllStringSubmatch(text, -1) {
			l.label(m.name, found[1])
		}
	}
	values := make([]string, 0, len(l.byValue))
	for value := range l.byValue {
		values = append(values, value)
	}
	// The longest first: one may be a part of another.
	slices.SortFunc(values, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	for _, value := range values {
		text = strings.ReplaceAll(text, jsonText(value), "$"+l.byValue[value])
	}
	text = idPattern.ReplaceAllStringFunc(text, func(id string) string {
		parts := idPattern.FindStringSubmatch(id)
		live := ""
		if parts[2] == "live" {
			live = "LIVE_"
		}
		if parts[1] == "request-id" {
			return "$" + live + "REQUEST"
		}
		return "$" + l.label(live+idNames[parts[1]], id)
	})
	text = lastFour.ReplaceAllStringFunc(text, func(member string) string {
		four := lastFour.FindStringSubmatch(member)[1]
		for value, name := range l.byValue {
			if strings.HasPrefix(value, "secret-") && strings.HasSuffix(value, four) && !idPattern.MatchString(value) {
				return `"last_four": "$` + name + `[-4:]"`
			}
		}
		return member
	})
	return nextRefresh.ReplaceAllString(text, `"next_refresh_at": "$$NEXT_REFRESH"`)
}

// jsonText is a value as it stands between the quotes of a JSON string.
func jsonText(value string) string {
	b, err := json.Marshal(value)
	if err != nil {
		panic(err) // a string always marshals
	}
	return string(b[1 : len(b)-1])
}

// verbatim is a value as it stands in a path or a header.
func verbatim(value string) string { return value }

// showJWT is the header and the payload of a JWT, indented.
func showJWT(t *testing.T, jwt string) string {
	t.Helper()
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		t.Fatalf("no session JWT: %d segments", len(parts))
	}
	var b strings.Builder
	for _, part := range parts[:2] {
		text, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(indent(t, text) + "\n")
	}
	return b.String()
}
