import assert from "node:assert/strict";
import test from "node:test";
import { called, letPagesIn, newPage, publicToken } from "../support/page.js";
import { person, stranger } from "../support/issuer.js";
import { newScene } from "../support/scene.js";

// newPageScene is a scene that a page is opened on.
async function newPageScene(t, basic) {
  const scene = await newScene(t);
  await letPagesIn(scene.environment, basic);
  const page = await newPage(scene.environment);
  const attest = (who, how) => page.session.attest({ profile_id: scene.profile_id, token: scene.issuer.token(who, how), session_duration_minutes: 30 });
  return { ...scene, page, attest };
}

// refusedTo checks that a page reads the contract's error, and only its sentence.
const refusedTo = (call, error_type) =>
  assert.rejects(call, (error) => {
    assert.equal(error.error_type, error_type, `${error}`);
    assert.doesNotMatch(error.error_message, /Reason/);
    return true;
  });

test("a page signs somebody in, knows them, and signs them out", async (t) => {
  const { client, page, attest } = await newPageScene(t);
  assert.equal(page.session.getSync(), null);
  const who = person();
  const { user, session, session_token } = await attest(who);
  assert.equal(user.emails[0].email, who.email);
  assert.equal(page.session.getSync().session_id, session.session_id);
  assert.equal(page.user.getSync().user_id, user.user_id);
  assert.equal(page.session.getTokens().session_token, session_token);
  assert.equal((await client.sessions.authenticate({ session_token })).session.session_id, session.session_id);

  const again = await page.session.authenticate({ session_duration_minutes: 60 });
  assert.equal(again.session.session_id, session.session_id);
  assert.ok(again.session.expires_at > session.expires_at);
  assert.equal((await page.user.get()).user_id, user.user_id);
  await page.user.update({ name: { first_name: "Ada" }, untrusted_metadata: { theme: "dark" } });
  assert.deepEqual(page.user.getSync().untrusted_metadata, { theme: "dark" });
  assert.deepEqual((await page.user.getConnectedApps()).connected_apps, []);
  await refusedTo(page.user.deleteEmail(user.emails[0].email_id), "cannot_delete_last_primary_factor");

  await page.session.revoke();
  assert.equal(page.session.getSync(), null);
  await assert.rejects(client.sessions.authenticate({ session_token }), { error_type: "session_not_found" });
});

test("a second token of the same person joins the page's session", async (t) => {
  const { attest } = await newPageScene(t);
  const who = person();
  const first = await attest(who);
  const second = await attest(who);
  assert.equal(second.session.session_id, first.session.session_id);
  assert.equal(second.session.authentication_factors.length, 2);
});

test("a page cannot tell why a token was refused", async (t) => {
  const { attest } = await newPageScene(t);
  await refusedTo(attest(person(), { key: stranger() }), "invalid_trusted_auth_token");
  await refusedTo(attest({ ...person(), exp: 1 }), "invalid_trusted_auth_token");
  await refusedTo(attest({ ...person(), aud: "elsewhere" }), "invalid_trusted_auth_token");
});

test("the library forgets a session that was revoked elsewhere", async (t) => {
  const { client, page, attest } = await newPageScene(t);
  const { session } = await attest(person());
  await client.sessions.revoke({ session_id: session.session_id });
  await refusedTo(page.session.authenticate(), "session_not_found");
  assert.equal(page.session.getSync(), null);
  assert.equal(page.user.getSync(), null);
});

test("a page reads that its domain is not listed", async (t) => {
  const { attest } = await newPageScene(t, { domains: ["https://elsewhere.example.com"] });
  await refusedTo(attest(person()), "bad_domain_for_stytch_sdk");
});

test("the library asks what the project permits, and tells of itself", async (t) => {
  const { environment } = await newPageScene(t);
  await called(`GET /sdk/v1/projects/bootstrap/${await publicToken(environment)} 200`);
  await called("POST /sdk/v1/events 200");
});
