package dashboard

import (
	"github.com/countersign-auth/countersign"
)

type startPage struct {
	Base        string
	Profile     countersign.Profile // the newest; the zero one if there is none
	PublicToken string
	HasSecret   bool
	Snippets    []snippet
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
	profile := "trusted-token-profile-test-…"
	if len(profiles) > 0 {
		data.Profile = profiles[len(profiles)-1]
		profile = data.Profile.ID.String()
	}
	if len(tokens) > 0 {
		data.PublicToken = tokens[0].ID.String()
	}
	data.Snippets = snippets(data.Base, r.env.ID.String(), profile, data.PublicToken)
	return view{
		template: "start", title: "Quick start", section: "start", data: data,
		cli: "countersign attest --profile " + profile + " --token FILE", api: "POST /v1/sessions/attest",
	}, nil
}

func snippets(base, id, profile, public string) []snippet {
	return []snippet{
		{"curl", "In a shell, with the secret in COUNTERSIGN_SECRET and a JWT of your issuer in TOKEN.", `curl -s -u "` + id + `:$COUNTERSIGN_SECRET" ` + base + `/v1/sessions/attest \
  -d "{\"profile_id\": \"` + profile + `\", \"token\": \"$TOKEN\", \"session_duration_minutes\": 60}"
`},
		{"Go", "With github.com/stytchauth/stytch-go/v18.", `package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/stytchauth/stytch-go/v18/stytch/consumer/sessions"
	"github.com/stytchauth/stytch-go/v18/stytch/consumer/stytchapi"
)

func main() {
	client, err := stytchapi.NewClient("` + id + `", os.Getenv("COUNTERSIGN_SECRET"),
		stytchapi.WithBaseURI("` + base + `"))
	if err != nil {
		log.Fatal(err)
	}
	answer, err := client.Sessions.Attest(context.Background(), &sessions.AttestParams{
		ProfileID: "` + profile + `", Token: os.Getenv("TOKEN"), SessionDurationMinutes: 60,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.Session.SessionID)
}
`},
		{"Node", "With the npm package stytch, as an ES module.", `import stytch from "stytch";

const client = new stytch.Client({
  project_id: "` + id + `",
  secret: process.env.COUNTERSIGN_SECRET,
  env: "` + base + `", // https goes into custom_base_url
});
const answer = await client.sessions.attest({
  profile_id: "` + profile + `",
  token: process.env.TOKEN,
  session_duration_minutes: 60,
});
console.log(answer.session.session_id);
`},
		{"Python", "With nothing but the standard library.", `import base64, json, os, urllib.request

secret = os.environ["COUNTERSIGN_SECRET"]
request = urllib.request.Request(
    "` + base + `/v1/sessions/attest",
    data=json.dumps({
        "profile_id": "` + profile + `",
        "token": os.environ["TOKEN"],
        "session_duration_minutes": 60,
    }).encode(),
    headers={
        "Content-Type": "application/json",
        "Authorization": "Basic " + base64.b64encode(f"` + id + `:{secret}".encode()).decode(),
    },
)
with urllib.request.urlopen(request) as answer:
    print(json.load(answer)["session"]["session_id"])
`},
		{"Browser", "With the npm package @stytch/vanilla-js; first list the page's domain under Settings.", `import { StytchHeadlessClient } from "@stytch/vanilla-js/headless";

const url = "` + base + `";
const client = new StytchHeadlessClient("` + public + `", {
  endpoints: { liveAPIURL: url, testAPIURL: url, dfpBackendURL: url, clientsideServicesIframeURL: url },
});
export const signIn = (token) =>
  client.session.attest({ profile_id: "` + profile + `", token, session_duration_minutes: 60 });
`},
	}
}
