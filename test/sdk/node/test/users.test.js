import assert from "node:assert/strict";
import test from "node:test";
import { newIssuer, person } from "../support/issuer.js";
import { newScene } from "../support/scene.js";
import { newClient, newEnvironment, refused } from "../support/server.js";

test("a user is read as it was created", async (t) => {
  const client = newClient(await newEnvironment(t));
  const request = {
    email: "ada@example.com",
    phone_number: "+14155550123",
    name: { first_name: "Ada", last_name: "Lovelace" },
    create_user_as_pending: true,
    trusted_metadata: { plan: "pro", n: 1.5 },
    untrusted_metadata: { theme: { dark: true } },
    external_id: "auth0|ada.1_2-3",
  };
  const created = await client.users.create(request);
  const { user, user_id } = created;
  assert.deepEqual(user, {
    user_id,
    emails: [{ email_id: created.email_id, email: request.email, verified: false }],
    status: "pending",
    phone_numbers: [{ phone_id: created.phone_id, phone_number: request.phone_number, verified: false }],
    webauthn_registrations: [],
    providers: [],
    totps: [],
    crypto_wallets: [],
    biometric_registrations: [],
    is_locked: false,
    roles: ["stytch_user"],
    name: { first_name: "Ada", middle_name: "", last_name: "Lovelace" },
    created_at: user.created_at,
    password: null,
    trusted_metadata: request.trusted_metadata,
    untrusted_metadata: request.untrusted_metadata,
    external_id: request.external_id,
    lock_created_at: null,
    lock_expires_at: null,
  });
  for (const ref of [user_id, request.external_id]) { // the client escapes the | of the second
    const { status_code, request_id, ...read } = await client.users.get({ user_id: ref });
    assert.equal(status_code, 200);
    assert.ok(request_id);
    assert.deepEqual(read, user); // at the top of the answer, not under "user"
  }
});

test("a user who is deleted is gone, sessions and all", async (t) => {
  const { client, signIn } = await newScene(t);
  const who = person();
  const { user_id, session_token } = await signIn(who);
  const answer = await client.users.delete({ user_id: who.sub });
  assert.equal(answer.user_id, user_id);
  await refused(client.users.get({ user_id }), 404, "user_not_found");
  await refused(client.users.delete({ user_id }), 404, "user_not_found");
  await refused(client.sessions.authenticate({ session_token }), 404, "session_not_found");
  assert.notEqual((await signIn(who)).user_id, user_id);
});

test("users are refused", async (t) => {
  const client = newClient(await newEnvironment(t));
  await client.users.create({ email: "Ada@example.com", phone_number: "+14155550123", external_id: "ada" });
  const email = "bob@example.com";
  const rows = {
    nothing: [{}, "invalid_create_user_request"],
    "a taken address, in other case": [{ email: "ada@EXAMPLE.com" }, "duplicate_email"],
    "a taken number": [{ phone_number: "+14155550123" }, "duplicate_phone_number"],
    "a taken external ID": [{ email, external_id: "ada" }, "duplicate_user_external_id"],
    "no address": [{ email: "bob" }, "invalid_email"],
    "no number": [{ phone_number: "555" }, "invalid_phone_number"],
    "a number for an address": [{ email: 7 }, "bad_request"],
    "a list for metadata": [{ email, trusted_metadata: [] }, "metadata_invalid_format"],
    "many keys": [{ email, trusted_metadata: Object.fromEntries(Array.from({ length: 21 }, (_, i) => [i, i])) }, "metadata_too_many_keys"],
    "much metadata": [{ email, untrusted_metadata: { x: "x".repeat(4096) } }, "metadata_too_large"],
    "a role that is not defined": [{ email, roles: ["nonsense"] }, "invalid_rbac_role_id"],
  };
  for (const [name, [request, type]] of Object.entries(rows)) {
    await t.test(name, () => refused(client.users.create(request), 400, type));
  }
});

test("credentials are refused", async (t) => {
  const environment = await newEnvironment(t);
  const other = await newEnvironment(t);
  const b2b = await newEnvironment(t, { vertical: "B2B" });
  const live = await newEnvironment(t, { type: "LIVE" });
  const issuer = await newIssuer(t);
  const create = (change) => newClient({ ...environment, ...change }).users.create({ email: "ada@example.com" });
  await refused(create({ secret: "secret-test-nonsense" }), 401, "unauthorized_credentials");
  await refused(create({ secret: other.secret }), 401, "unauthorized_credentials");
  await refused(create({ project_id: "PROJECT_ID" }), 401, "invalid_project_id_authentication");
  await refused(create(b2b), 400, "invalid_consumer_endpoint");
  const { user_id } = await create(live);
  await refused(newClient(environment).users.get({ user_id }), 400, "live_id_used_in_test_environment");
  const request = { profile_id: "x", token: issuer.token(person()) };
  await refused(newClient({ ...environment, secret: "x" }).sessions.attest(request), 401, "unauthorized_credentials");
});

test("what this server does not do is refused in a form that the client reads", async (t) => {
  const client = newClient(await newEnvironment(t));
  await refused(client.totps.create({ user_id: "ada" }), 404, "route_not_found");
});
