import assert from "node:assert/strict";
import test from "node:test";
import stytch from "stytch";
import { person } from "../support/issuer.js";
import { isoExpiry, newScene } from "../support/scene.js";
import { newClient, refused, url } from "../support/server.js";

// One of everything that JSON has.
const claims = {
  plan: "pro",
  seats: 12,
  ratio: 0.25,
  trial: false,
  none: {},
  tags: ["a", "ü <&> ☃", 3, null],
  nested: { deep: { er: true } },
  "https://example.com/claim": "namespaced",
};

test("authenticate by token and by JWT", async (t) => {
  const { client, signIn } = await newScene(t);
  const { session, user, session_token, session_jwt } = await signIn(person());
  for (const request of [{ session_token }, { session_jwt }]) {
    const answer = await client.sessions.authenticate(request);
    assert.equal(answer.status_code, 200);
    assert.equal(answer.session_token, session_token);
    assert.ok(answer.session_jwt);
    assert.deepEqual(answer.session, session);
    assert.deepEqual(answer.user, user);
    assert.equal(answer.verdict, null);
  }
});

test("what the client makes of the JWT alone is what the server answers", async (t) => {
  const { attest, client, signIn } = await newScene(t);
  const who = person();
  const same = async ({ session, session_jwt }) =>
    assert.deepEqual(await client.sessions.authenticateJwtLocal({ session_jwt }), isoExpiry(session));
  const signedIn = await signIn(who);
  // Where there are no claims the server says null; the client makes an empty object.
  await same({ ...signedIn, session: { ...signedIn.session, custom_claims: {} } });
  const { session_token } = signedIn;
  const changed = await client.sessions.authenticate({ session_token, session_duration_minutes: 30, session_custom_claims: claims });
  assert.deepEqual(changed.session.custom_claims, claims);
  await same(changed);
  const attached = await attest(who, { session_jwt: changed.session_jwt });
  assert.equal(attached.session.authentication_factors.length, 2);
  await same(attached);
});

test("claims merge deeply, null deletes, reserved names are passed over", async (t) => {
  const { client, signIn } = await newScene(t);
  const { session_token } = await signIn(person());
  for (const [patch, want] of [
    [{ a: 1, b: { x: 1, y: 2 } }, { a: 1, b: { x: 1, y: 2 } }],
    [{ b: { x: null, z: 3 } }, { a: 1, b: { y: 2, z: 3 } }],
    [{ a: null, sub: "reserved", jti: "reserved" }, { b: { y: 2, z: 3 } }],
    [{ b: null }, null],
  ]) {
    const { session } = await client.sessions.authenticate({ session_token, session_custom_claims: patch });
    assert.deepEqual(session.custom_claims, want);
  }
});

test("authenticate sets the lifetime, or leaves it", async (t) => {
  const { client, signIn } = await newScene(t);
  const { session_token } = await signIn(person());
  let expires_at;
  for (const session_duration_minutes of [5, 527040]) {
    const from = Date.now();
    ({ expires_at } = (await client.sessions.authenticate({ session_token, session_duration_minutes })).session);
    assert.ok(Math.abs(Date.parse(expires_at) - from - session_duration_minutes * 60_000) < 60_000);
  }
  assert.equal((await client.sessions.authenticate({ session_token })).session.expires_at, expires_at);
});

test("authenticateJwt asks the server when it must", async (t) => {
  const { client, signIn } = await newScene(t);
  const { session, session_jwt, session_token } = await signIn(person());
  const local = await client.sessions.authenticateJwt({ session_jwt, max_token_age_seconds: 300 });
  assert.deepEqual([local.request_id, local.session.session_id], [undefined, session.session_id]);
  const remote = await client.sessions.authenticateJwt({ session_jwt, max_token_age_seconds: 0 });
  assert.equal(remote.session_token, session_token);
  const broken = session_jwt.slice(0, -8) + "AAAAAAAA";
  await refused(client.sessions.authenticateJwt({ session_jwt: broken }), 400, "unable_to_parse_session_jwt");
});

test("the client refuses JWTs by itself", async (t) => {
  const { client, issuer, signIn } = await newScene(t);
  const other = await newScene(t);
  const { session_jwt } = await signIn(person());
  const refuses = (request, code) => assert.rejects(client.sessions.authenticateJwtLocal(request), { code });
  await refuses({ session_jwt, max_token_age_seconds: 0 }, "jwt_too_old");
  await refuses({ session_jwt, current_date: new Date(Date.now() + 301_000) }, "jwt_invalid"); // past its exp
  await refuses({ session_jwt: (await other.signIn(person())).session_jwt }, "jwt_invalid");
  await refuses({ session_jwt: issuer.token(person()) }, "jwt_invalid");
  assert.throws(() => newClient({ project_id: "x", secret: "y" }, { env: undefined, custom_base_url: url }), /HTTPS/);
});

test("authenticate refuses", async (t) => {
  const { client, issuer, signIn } = await newScene(t);
  const other = await newScene(t);
  const { session_token, session_jwt } = await signIn(person());
  const theirs = await other.signIn(person());
  const rows = {
    nothing: [{}, 400, "no_session_arguments"],
    both: [{ session_token, session_jwt }, 400, "too_many_session_arguments"],
    "nonsense for a token": [{ session_token: "nonsense" }, 404, "session_not_found"],
    "another environment's token": [{ session_token: theirs.session_token }, 404, "session_not_found"],
    "nonsense for a JWT": [{ session_jwt: "nonsense" }, 400, "unable_to_parse_session_jwt"],
    "another environment's JWT": [{ session_jwt: theirs.session_jwt }, 400, "unable_to_parse_session_jwt"],
    "the issuer's JWT": [{ session_jwt: issuer.token(person()) }, 400, "unable_to_parse_session_jwt"],
    "four minutes": [{ session_token, session_duration_minutes: 4 }, 400, "invalid_session_duration_minutes"],
    "more than 366 days": [{ session_token, session_duration_minutes: 527041 }, 400, "invalid_session_duration_minutes"],
    "large claims": [{ session_token, session_custom_claims: { x: "x".repeat(4096) } }, 400, "custom_claims_too_large"],
    "an action that is not permitted": [
      { session_token, authorization_check: { resource_id: "documents", action: "delete" } },
      403,
      "consumer_session_authorization_error",
    ],
  };
  for (const [name, [request, status, type]] of Object.entries(rows)) {
    await t.test(name, () => refused(client.sessions.authenticate(request), status, type));
  }
});

test("the client's errors are its own classes", async (t) => {
  const { environment } = await newScene(t);
  const nowhere = newClient(environment, { env: "http://127.0.0.1:1" });
  await assert.rejects(nowhere.sessions.authenticate({ session_token: "x" }), stytch.RequestError);
});
