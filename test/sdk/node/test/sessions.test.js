import assert from "node:assert/strict";
import test from "node:test";
import { person } from "../support/issuer.js";
import { newScene } from "../support/scene.js";
import { refused } from "../support/server.js";

test("a user's sessions, by user ID and by external ID", async (t) => {
  const { client, signIn } = await newScene(t);
  const who = person();
  const one = await signIn(who);
  const two = await signIn(who);
  await signIn(person());
  for (const user_id of [one.user_id, who.sub]) {
    assert.deepEqual((await client.sessions.get({ user_id })).sessions, [one.session, two.session]);
  }
  await refused(client.sessions.get({ user_id: "nobody" }), 404, "user_not_found");
});

for (const [way, name] of [
  ["by ID", ({ session }) => ({ session_id: session.session_id })],
  ["by token", ({ session_token }) => ({ session_token })],
  ["by JWT", ({ session_jwt }) => ({ session_jwt })],
]) {
  test(`revoke ${way}`, async (t) => {
    const { client, signIn } = await newScene(t);
    const who = person();
    const gone = await signIn(who);
    const stays = await signIn(who);
    const { status_code, request_id } = await client.sessions.revoke(name(gone));
    assert.equal(status_code, 200);
    assert.ok(request_id);
    const { session_token, session_jwt } = gone;
    await refused(client.sessions.authenticate({ session_token }), 404, "session_not_found");
    await refused(client.sessions.authenticateJwt({ session_jwt, max_token_age_seconds: 0 }), 404, "session_not_found");
    const local = await client.sessions.authenticateJwtLocal({ session_jwt }); // good until it expires
    assert.equal(local.session_id, gone.session.session_id);
    await refused(client.sessions.revoke(name(gone)), 404, "session_not_found");
    assert.deepEqual((await client.sessions.get({ user_id: gone.user_id })).sessions, [stays.session]);
  });
}

test("revoke refuses", async (t) => {
  const { client, signIn } = await newScene(t);
  const other = await newScene(t);
  const { session, session_token } = await signIn(person());
  const theirs = await other.signIn(person());
  const rows = {
    nothing: [{}, 400, "no_session_revoke_arguments"],
    "two names": [{ session_id: session.session_id, session_token }, 400, "too_many_session_revoke_arguments"],
    "nonsense for an ID": [{ session_id: "nonsense" }, 400, "invalid_session_id"],
    "nonsense for a token": [{ session_token: "nonsense" }, 404, "session_not_found"],
    "nonsense for a JWT": [{ session_jwt: "nonsense" }, 400, "unable_to_parse_session_jwt"],
    "another environment's ID": [{ session_id: theirs.session.session_id }, 404, "session_not_found"],
    "another environment's token": [{ session_token: theirs.session_token }, 404, "session_not_found"],
    "another environment's JWT": [{ session_jwt: theirs.session_jwt }, 400, "unable_to_parse_session_jwt"],
  };
  for (const [name, [request, status, type]] of Object.entries(rows)) {
    await t.test(name, () => refused(client.sessions.revoke(request), status, type));
  }
  await other.client.sessions.authenticate({ session_token: theirs.session_token });
});
