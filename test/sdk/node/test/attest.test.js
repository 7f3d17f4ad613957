import assert from "node:assert/strict";
import test from "node:test";
import { newIssuer, person, stranger } from "../support/issuer.js";
import { newScene } from "../support/scene.js";
import { manage, newClient, newEnvironment, newProfile, refused } from "../support/server.js";

const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

test("attest provisions a user", async (t) => {
  const { signIn } = await newScene(t);
  const who = person();
  const answer = await signIn(who);
  assert.equal(answer.status_code, 200);
  assert.match(answer.request_id, /^request-id-test-/);
  assert.match(answer.user.created_at, moment);
  assert.deepEqual(answer.user, {
    user_id: answer.user_id,
    emails: [{ email_id: answer.user.emails[0].email_id, email: who.email, verified: true }],
    status: "active",
    phone_numbers: [],
    webauthn_registrations: [],
    providers: [],
    totps: [],
    crypto_wallets: [],
    biometric_registrations: [],
    is_locked: false,
    roles: ["stytch_user"],
    name: { first_name: "", middle_name: "", last_name: "" },
    created_at: answer.user.created_at,
    password: null,
    trusted_metadata: {},
    untrusted_metadata: {},
    external_id: who.sub,
    lock_created_at: null,
    lock_expires_at: null,
  });
  const again = await signIn(who);
  assert.equal(again.user_id, answer.user_id);
  assert.notEqual(again.session.session_id, answer.session.session_id);
});

test("attest makes a session", async (t) => {
  const { signIn } = await newScene(t);
  const { session, session_token, session_jwt, user_id } = await signIn(
    { ...person(), jti: "t-1" },
    { session_custom_claims: { plan: "pro", iss: "reserved, so passed over" } },
  );
  assert.ok(session_token.length >= 43);
  assert.equal(session_jwt.split(".").length, 3);
  for (const at of [session.started_at, session.expires_at]) assert.match(at, moment);
  assert.equal(Date.parse(session.expires_at) - Date.parse(session.started_at), 3_600_000);
  const at = session.started_at;
  assert.deepEqual(session, {
    session_id: session.session_id,
    user_id,
    authentication_factors: [
      {
        type: "trusted_auth_token",
        delivery_method: "trusted_token_exchange",
        last_authenticated_at: at,
        created_at: at,
        updated_at: at,
        trusted_auth_token_factor: { token_id: "t-1" },
      },
    ],
    roles: ["stytch_user"],
    started_at: at,
    last_accessed_at: at,
    expires_at: session.expires_at,
    attributes: { ip_address: "", user_agent: "" },
    custom_claims: { plan: "pro" },
  });
});

test("attest without a duration makes no session", async (t) => {
  const { attest, client } = await newScene(t);
  const { user_id, session, session_token, session_jwt } = await attest(person());
  assert.deepEqual({ session, session_token, session_jwt }, { session: null, session_token: "", session_jwt: "" });
  assert.deepEqual((await client.sessions.get({ user_id })).sessions, []);
});

test("attest adds factors to a session, by its token and by its JWT", async (t) => {
  const { attest, signIn, client } = await newScene(t);
  const who = person();
  const { session, session_token, session_jwt } = await signIn(who);
  const byToken = await attest(who, { session_token, session_custom_claims: { by: "token" } });
  const byJWT = await attest(who, { session_jwt, session_duration_minutes: 120 });
  for (const answer of [byToken, byJWT]) {
    assert.equal(answer.session.session_id, session.session_id);
    assert.equal(answer.session_token, session_token);
  }
  const now = (await client.sessions.authenticate({ session_token })).session;
  assert.equal(now.authentication_factors.length, 3);
  assert.deepEqual(now.custom_claims, { by: "token" });
  assert.ok(now.expires_at > session.expires_at);
  await refused(attest(person(), { session_token }), 400, "user_id_mismatch");
  await refused(attest(who, { session_token, session_jwt }), 400, "too_many_session_arguments");
  await refused(attest(who, { session_token: "nonsense" }), 404, "session_not_found");
});

test("attest takes keys of every kind, by key set and by PEM", async (t) => {
  const environment = await newEnvironment(t);
  const client = newClient(environment);
  for (const alg of ["RS256", "ES256", "EdDSA"]) {
    const issuer = await newIssuer(t, alg);
    for (const change of [{}, { public_key_type: "PEM", jwks_url: undefined, pem_files: [issuer.pem] }]) {
      const profile_id = await newProfile(environment, issuer, change);
      const { user_id } = await client.sessions.attest({ profile_id, token: issuer.token(person()) });
      assert.match(user_id, /^user-test-/);
    }
  }
});

test("attest only knows users where the profile does not provision", async (t) => {
  const { environment, issuer, client } = await newScene(t);
  const profile_id = await newProfile(environment, issuer, { can_jit_provision: false });
  const who = person();
  const attest = () => client.sessions.attest({ profile_id, token: issuer.token(who) });
  await refused(attest(), 404, "user_not_found");
  const { user_id } = await client.users.create({ email: who.email });
  assert.equal((await attest()).user_id, user_id);
});

test("attest refuses an external ID that another user has", async (t) => {
  const { signIn } = await newScene(t);
  const one = person();
  await signIn(one);
  await refused(signIn({ ...person(), sub: one.sub }), 400, "duplicate_user_external_id");
});

test("attest tells of an issuer that is down", async (t) => {
  const { issuer, signIn } = await newScene(t);
  await issuer.close();
  await refused(signIn(person()), 503, "keys_unavailable");
});

test("attest refuses tokens", async (t) => {
  const { issuer, profile_id, client } = await newScene(t);
  const now = Math.floor(Date.now() / 1000);
  const good = issuer.token(person());
  const rows = {
    nonsense: ["nonsense", "invalid_trusted_auth_token"],
    "alg none": [issuer.token(person(), { header: { alg: "none" } }), "invalid_trusted_auth_token"],
    "alg HS256": [issuer.token(person(), { header: { alg: "HS256" } }), "invalid_trusted_auth_token"],
    "another key": [issuer.token(person(), { key: stranger() }), "invalid_trusted_auth_token"],
    "a broken signature": [good.slice(0, -8) + "AAAAAAAA", "invalid_trusted_auth_token"],
    expired: [issuer.token({ ...person(), iat: now - 7200, exp: now - 3600 }), "invalid_trusted_auth_token"],
    "no expiry": [issuer.token({ ...person(), exp: undefined }), "invalid_trusted_auth_token"],
    "not yet valid": [issuer.token({ ...person(), nbf: now + 3600 }), "invalid_trusted_auth_token"],
    "another issuer": [issuer.token({ ...person(), iss: `${issuer.url}/` }), "jwt_invalid_issuer"],
    "another audience": [issuer.token({ ...person(), aud: "somebody else" }), "jwt_invalid_audience"],
    "no e-mail address": [issuer.token({ sub: "x" }), "jwt_invalid_claims"],
    "a number for an e-mail address": [issuer.token({ ...person(), email: 7 }), "jwt_invalid_claims"],
    "no token ID": [issuer.token({ ...person(), jti: undefined }), "jwt_invalid_claims"],
    "no address in the e-mail claim": [issuer.token({ ...person(), email: "nobody" }), "invalid_email"],
  };
  for (const [name, [token, type]] of Object.entries(rows)) {
    await t.test(name, () => refused(client.sessions.attest({ profile_id, token, session_duration_minutes: 60 }), 400, type));
  }
});

test("attest refuses requests", async (t) => {
  const { issuer, profile_id, client } = await newScene(t);
  const live = await newEnvironment(t, { type: "LIVE" });
  const other = await newEnvironment(t);
  const rows = {
    "no profile": [{ profile_id: undefined }, 400, "bad_request"],
    "no token": [{ token: undefined }, 400, "bad_request"],
    "a number for a token": [{ token: 7 }, 400, "bad_request"],
    "an unknown profile": [{ profile_id: "nonsense" }, 404, "trusted_token_profile_not_found"],
    "another environment's profile": [{ profile_id: await newProfile(other, issuer) }, 404, "trusted_token_profile_not_found"],
    "a live profile": [{ profile_id: await newProfile(live, issuer) }, 400, "live_id_used_in_test_environment"],
    "four minutes": [{ session_duration_minutes: 4 }, 400, "invalid_session_duration_minutes"],
    "no minutes": [{ session_duration_minutes: 0 }, 400, "invalid_session_duration_minutes"],
    "more than 366 days": [{ session_duration_minutes: 527041 }, 400, "invalid_session_duration_minutes"],
    "large claims": [{ session_custom_claims: { x: "x".repeat(4096) } }, 400, "custom_claims_too_large"],
    "the server's own claims": [{ session_custom_claims: { "https://stytch.com/session": 1 } }, 400, "stytch_claims_in_custom_claims"],
  };
  for (const [name, [change, status, type]] of Object.entries(rows)) {
    const request = { profile_id, token: issuer.token(person()), session_duration_minutes: 60, ...change };
    await t.test(name, () => refused(client.sessions.attest(request), status, type));
  }
});

test("a live environment has live IDs", async (t) => {
  const { client, signIn } = await newScene(t, { type: "LIVE" });
  const { request_id, user_id, session, session_jwt } = await signIn(person());
  for (const id of [request_id, user_id, session.session_id]) assert.match(id, /-live-/);
  assert.equal((await client.sessions.authenticateJwtLocal({ session_jwt })).session_id, session.session_id);
});

test("a profile that is deleted exchanges nothing", async (t) => {
  const { environment, profile_id, signIn } = await newScene(t);
  await signIn(person());
  await manage("DELETE", `${environment.path}/trusted_token_profiles/${profile_id}`);
  await refused(signIn(person()), 404, "trusted_token_profile_not_found");
});
