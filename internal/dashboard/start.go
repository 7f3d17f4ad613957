package dashboard

import (
	"slices"
	"strings"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/directory"
)

type startPage struct {
	Base        string
	Profile     countersign.Profile // the newest that is not only tried; the zero one if there is none
	PublicToken string
	HasSecret   bool
	// Organization is named in the call, because tokens of the profile name none; "" if
	// they do, and for users.
	Organization string
	Snippets     []snippet
}

// snippet is code that works as it is pasted, with a secret and a token in the
// environment.
type snippet struct{ Name, About, Code string }

// quickStart shows how to call the environment, with its own names.
func quickStart(d *Dashboard, r *request) (view, error) {
	ctx := r.Context()
	profiles, err := d.Projects.Profiles(ctx, r.env.ID)
	if err != nil {
		return view{}, err
	}
	tokens, err := d.Projects.PublicTokens(ctx, r.env.ID)
	if err != nil {
		return view{}, err
	}
	secrets, err := d.Projects.Secrets(ctx, r.env.ID)
	if err != nil {
		return view{}, err
	}
	data := startPage{Base: r.base(), HasSecret: len(secrets) > 0}
	profile := "trusted-token-profile-" + strings.ToLower(string(r.env.Type)) + "-…"
	for _, p := range profiles { // one that is only tried signs nobody in
		if data.Profile.ID.IsZero() || p.Policy.Mode != countersign.ModeShadow {
			data.Profile, profile = p, p.ID.String()
		}
	}
	if len(tokens) > 0 {
		data.PublicToken = tokens[0].ID.String()
	}
	c := callOf(r.env.Vertical)
	data.Organization, err = d.organizationToName(r, data.Profile)
	if err != nil {
		return view{}, err
	}
	data.Snippets = snippets(c, data.Organization, strings.NewReplacer(
		"BASE", data.Base, "PROJECT", r.env.ID.String(), "PROFILE", profile, "PUBLIC", data.PublicToken, "ORGANIZATION", data.Organization, "PATH", c.path,
		"IMPORTS", c.imports, "PACKAGE", c.pkg, "CLIENT", c.client, "RESULT", c.result, "OBJECT", c.object, "MEMBER", c.member,
	))
	cli := "countersign attest --profile " + profile + " --token FILE"
	if data.Organization != "" {
		cli += " --organization " + data.Organization
	}
	return view{template: "start", title: "Quick start", section: "start", data: data, cli: cli, api: "POST " + c.path}, nil
}

// organizationToName is the newest organization if tokens of a profile do not say
// which they are for, so that the call has to; "" if it has not.
func (d *Dashboard) organizationToName(r *request, p countersign.Profile) (string, error) {
	mapped := slices.ContainsFunc(profileFormOf(r.env, p).Mapping, func(m mapRow) bool {
		return m.Attribute == countersign.AttributeOrganizationID && m.Claim != ""
	})
	if r.env.Vertical != countersign.B2B || p.Policy.OrganizationID != "" || mapped {
		return "", nil
	}
	found, err := d.Directory.SearchOrganizations(r.Context(), r.env, directory.Query{Operator: "AND", Limit: 1})
	if err != nil || len(found.Results) == 0 {
		return "organization-" + strings.ToLower(string(r.env.Type)) + "-…", err
	}
	return found.Results[0].ID.String(), nil
}

// call is what the one call is called in a vertical, by each client.
type call struct {
	path, imports, pkg, client string
	result, object, member     string // the session's ID in Go, and its object and member in JSON
}

func callOf(v countersign.Vertical) call {
	if v == countersign.B2B {
		return call{
			path: "/v1/b2b/sessions/attest", pkg: "b2bstytchapi", client: "B2BClient",
			imports: `"github.com/stytchauth/stytch-go/v18/stytch/b2b/b2bstytchapi"
	"github.com/stytchauth/stytch-go/v18/stytch/b2b/sessions"`,
			result: "MemberSession.MemberSessionID", object: "member_session", member: "member_session_id",
		}
	}
	return call{
		path: "/v1/sessions/attest", pkg: "stytchapi", client: "Client",
		imports: `"github.com/stytchauth/stytch-go/v18/stytch/consumer/sessions"
	"github.com/stytchauth/stytch-go/v18/stytch/consumer/stytchapi"`,
		result: "Session.SessionID", object: "session", member: "session_id",
	}
}

// snippets are code of which fill knows the words in capitals. Where an organization
// has to be named, a line of each does.
func snippets(c call, organization string, fill *strings.Replacer) []snippet {
	inShell, inGo, inNode, inPython, inBrowser := "", "", "", "", ""
	if organization != "" {
		inShell = `, \"organization_id\": \"ORGANIZATION\"`
		inGo = "\n\t\tOrganizationID: \"ORGANIZATION\","
		inNode = "\n  organization_id: \"ORGANIZATION\","
		inPython = "\n        \"organization_id\": \"ORGANIZATION\","
		inBrowser = ", organization_id: \"ORGANIZATION\""
	}
	list := []snippet{
		{"curl", "In a shell, with the secret in COUNTERSIGN_SECRET and a JWT of your issuer in TOKEN.", `curl -s -u "PROJECT:$COUNTERSIGN_SECRET" BASEPATH \
  -d "{\"profile_id\": \"PROFILE\", \"token\": \"$TOKEN\", \"session_duration_minutes\": 60` + inShell + `}"
`},
		{"Go", "With github.com/stytchauth/stytch-go/v18.", `package main

import (
	"context"
	"fmt"
	"log"
	"os"

	IMPORTS
)

func main() {
	client, err := PACKAGE.NewClient("PROJECT", os.Getenv("COUNTERSIGN_SECRET"),
		PACKAGE.WithBaseURI("BASE"))
	if err != nil {
		log.Fatal(err)
	}
	answer, err := client.Sessions.Attest(context.Background(), &sessions.AttestParams{
		ProfileID: "PROFILE", Token: os.Getenv("TOKEN"), SessionDurationMinutes: 60,` + inGo + `
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.RESULT)
}
`},
		{"Node", "With the npm package stytch, as an ES module.", `import stytch from "stytch";

const client = new stytch.CLIENT({
  project_id: "PROJECT",
  secret: process.env.COUNTERSIGN_SECRET,
  env: "BASE", // https goes into custom_base_url
});
const answer = await client.sessions.attest({
  profile_id: "PROFILE",
  token: process.env.TOKEN,
  session_duration_minutes: 60,` + inNode + `
});
console.log(answer.OBJECT.MEMBER);
`},
		{"Python", "With nothing but the standard library.", `import base64, json, os, urllib.request

secret = os.environ["COUNTERSIGN_SECRET"]
request = urllib.request.Request(
    "BASEPATH",
    data=json.dumps({
        "profile_id": "PROFILE",
        "token": os.environ["TOKEN"],
        "session_duration_minutes": 60,` + inPython + `
    }).encode(),
    headers={
        "Content-Type": "application/json",
        "Authorization": "Basic " + base64.b64encode(f"PROJECT:{secret}".encode()).decode(),
    },
)
with urllib.request.urlopen(request) as answer:
    print(json.load(answer)["OBJECT"]["MEMBER"])
`},
	}
	library, client := "@stytch/vanilla-js/headless", "StytchHeadlessClient"
	if c.object == "member_session" {
		library, client = "@stytch/vanilla-js/b2b/headless", "StytchB2BHeadlessClient"
	}
	list = append(list, snippet{"Browser", "With the npm package @stytch/vanilla-js; first list the page's domain under Settings.", `import { ` + client + ` } from "` + library + `";

const url = "BASE";
const client = new ` + client + `("PUBLIC", {
  endpoints: { liveAPIURL: url, testAPIURL: url, dfpBackendURL: url, clientsideServicesIframeURL: url },
});
export const signIn = (token) =>
  client.session.attest({ profile_id: "PROFILE", token, session_duration_minutes: 60` + inBrowser + ` });
`})
	for i := range list {
		list[i].Code = fill.Replace(list[i].Code)
	}
	return list
}
