// The library is a script of its own, which calls itself stytch. Only where the
// server is differs from what its documentation says.

const config = await (await fetch("config.json")).json();
const { server, b2b, profiles } = config;
const Client = b2b ? stytch.StytchB2BHeadlessClient : stytch.StytchHeadlessClient;
const client = new Client(config.public_token, {
  endpoints: { liveAPIURL: server, testAPIURL: server, dfpBackendURL: server, clientsideServicesIframeURL: server },
});

const $ = (id) => document.getElementById(id);

// tokenOf asks a toy identity provider for a JWT.
async function tokenOf(provider, claims) {
  const answer = await fetch("token", { method: "POST", body: JSON.stringify({ provider, ...claims }) });
  if (!answer.ok) throw new Error(await answer.text());
  return (await answer.json()).token;
}

// attest exchanges one for a session, or adds it to the session that there is.
async function attest(provider, claims) {
  await client.session.attest({ profile_id: profiles[provider], token: await tokenOf(provider, claims), session_duration_minutes: 60 });
}

const who = () => (b2b ? client.self.getSync()?.email_address : client.user.getSync()?.emails[0].email);

function claims() {
  const { email, company } = Object.fromEntries(new FormData($("sign-in")));
  return b2b ? { email, company } : { email };
}

// show is the page as the library knows the session.
function show() {
  const session = client.session.getSync();
  $("signed-out").hidden = Boolean(session);
  $("signed-in").hidden = !session;
  $("company").hidden = !b2b;
  if (!session) return;
  $("who").textContent = who();
  const facts = {
    Session: session.session_id ?? session.member_session_id,
    ...(b2b && { Organization: client.organization.getSync()?.organization_name, Roles: session.roles.join(", ") }),
    Expires: new Date(session.expires_at).toLocaleTimeString(),
    "Last seen": new Date(session.last_accessed_at).toLocaleTimeString(),
  };
  $("facts").replaceChildren(
    ...Object.entries(facts).flatMap(([name, value]) => [
      Object.assign(document.createElement("dt"), { textContent: name }),
      Object.assign(document.createElement("dd"), { textContent: value }),
    ]),
  );
  $("factors").replaceChildren(
    ...session.authentication_factors.map((factor) => {
      const text = `${factor.trusted_auth_token_factor.token_id}, ${new Date(factor.last_authenticated_at).toLocaleTimeString()}`;
      return Object.assign(document.createElement("li"), { textContent: text });
    }),
  );
}

// does runs what a button is for, and says what came of it.
async function does(what, done) {
  $("refused").hidden = true;
  $("status").textContent = "";
  try {
    await what();
    $("status").textContent = done;
  } catch (error) {
    $("refused").hidden = false;
    $("error-type").textContent = error.error_type ?? error.name;
    $("error-message").textContent = error.error_message ?? error.message;
    $("explain").textContent = error.request_id ? `countersign explain ${error.request_id} --project ${config.project} --environment test` : "";
  }
  show();
}

$("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  const bad = event.submitter?.name === "bad";
  does(() => attest("password", { ...claims(), ...(bad && { aud: "another-product" }) }), "Signed in.");
});
$("refresh").addEventListener("click", () => does(() => client.session.authenticate({ session_duration_minutes: 60 }), "Refreshed."));
$("badge").addEventListener("click", () => {
  const person = b2b ? { email: who(), company: client.organization.getSync()?.organization_external_id } : { email: who() };
  does(() => attest("badge", person), "A factor was added.");
});
$("sign-out").addEventListener("click", () => does(() => client.session.revoke(), "Signed out."));

client.session.onChange(show);
// Of a session in cookies that scripts cannot read, the library learns by asking. With
// customBaseUrl it asks by itself.
if (config.cookies) await client.session.authenticate().catch((error) => error.error_type === "user_unauthenticated" || console.error(error));
show();
