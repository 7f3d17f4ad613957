import assert from "node:assert/strict";
import { createServer } from "node:http";
import test from "node:test";
import { newIssuer, person } from "../support/issuer.js";
import { isoExpiry, newScene } from "../support/scene.js";
import { manage, newClient, newEnvironment, newProfile, refused } from "../support/server.js";

// policy has readers and writers of documents.
const policy = {
  stytch_user: { permissions: [{ resource_id: "folder", actions: ["list"] }] },
  custom_resources: [
    { resource_id: "document", description: "", available_actions: ["read", "write"] },
    { resource_id: "folder", description: "", available_actions: ["read", "list"] },
  ],
  custom_roles: [
    { role_id: "reader", description: "", permissions: [{ resource_id: "document", actions: ["read"] }] },
    { role_id: "writer", description: "", permissions: [{ resource_id: "document", actions: ["*"] }, { resource_id: "folder", actions: ["read"] }] },
  ],
  custom_scopes: [],
};

// roleScene is an environment with that policy before any client has read one,
// and a profile that maps roles.
async function roleScene(t) {
  const environment = await newEnvironment(t);
  await manage("PUT", `${environment.path}/rbac_policy`, policy);
  const issuer = await newIssuer(t);
  const profile_id = await newProfile(environment, issuer, { attribute_mapping: { email: "email", token_id: "jti", role_ids: "roles" } });
  const client = newClient(environment);
  const signIn = (who) => client.sessions.attest({ profile_id, token: issuer.token(who), session_duration_minutes: 60 });
  return { environment, client, signIn };
}

test("what a client may decide by itself is what the server decides", async (t) => {
  const { client, signIn } = await roleScene(t);
  const read = await client.rbac.policy();
  assert.deepEqual(read.policy.roles.map((r) => r.role_id), ["stytch_user", "reader", "writer"]);
  for (const roles of [[], ["reader"], ["reader", "writer"]]) {
    const { session_token, session_jwt } = await signIn({ ...person(), roles });
    for (const [resource_id, action, grant] of [
      ["document", "read", ["reader", "writer"]],
      ["document", "write", ["writer"]],
      ["folder", "read", ["writer"]],
      ["folder", "list", ["stytch_user"]],
      ["folder", "*", []],
      ["nothing", "read", []],
    ]) {
      await t.test(`${roles}: ${action} ${resource_id}`, async () => {
        const authorization_check = { resource_id, action };
        const granting = grant.filter((role) => role === "stytch_user" || roles.includes(role));
        const remote = () => client.sessions.authenticate({ session_token, authorization_check });
        const local = () => client.sessions.authenticateJwtLocal({ session_jwt, authorization_check });
        if (granting.length === 0) {
          await refused(remote(), 403, "consumer_session_authorization_error");
          await assert.rejects(local(), { code: "invalid_permissions" });
          return;
        }
        assert.deepEqual((await remote()).verdict, { authorized: true, granting_roles: granting });
        await local();
      });
    }
  }
});

test("roles follow their sources", async (t) => {
  const { client, signIn } = await roleScene(t);
  const who = person();
  const { user_id, session_token } = await signIn({ ...who, roles: ["reader"] });
  const now = async () => (await client.sessions.authenticate({ session_token })).session.roles;
  assert.deepEqual(await now(), ["stytch_user", "reader"]);
  await client.users.update({ user_id, roles: ["writer"] });
  assert.deepEqual(await now(), ["stytch_user", "reader", "writer"]);
  await signIn(who); // says nothing about roles
  assert.deepEqual(await now(), ["stytch_user", "reader", "writer"]);
  await signIn({ ...who, roles: [] });
  assert.deepEqual(await now(), ["stytch_user", "writer"]);
  await client.users.update({ user_id, roles: [] });
  assert.deepEqual(await now(), ["stytch_user"]);
  await refused(signIn({ ...who, roles: ["nonsense"] }), 400, "invalid_rbac_role_id");
});

test("claims of a template reach the client", async (t) => {
  const { environment, client, signIn } = await newScene(t);
  const template_content = '{"plan": {{ user.trusted_metadata.plan }}, "who": {"id": {{ user.user_id }}}, "none": {{ user.x }}}';
  await manage("PUT", `${environment.path}/jwt_templates/SESSION`, { template_content, custom_audience: "my-api" });
  const { user_id, session_token } = await signIn(person());
  await client.users.update({ user_id, trusted_metadata: { plan: 'p"ro' } });
  const { session, session_jwt } = await client.sessions.authenticate({ session_token, session_custom_claims: { who: { seat: 4 } } });
  assert.deepEqual(session.custom_claims, { plan: 'p"ro', who: { id: user_id, seat: 4 }, none: null });
  const local = await client.sessions.authenticateJwtLocal({ session_jwt });
  assert.deepEqual(isoExpiry(local), isoExpiry(session));
});

test("a session of another provider is migrated", async (t) => {
  const provider = createServer((request, answer) => {
    answer.statusCode = request.headers.authorization === "Bearer their-token" ? 200 : 401;
    answer.end(JSON.stringify({ sub: "auth0|1", email: "ada@example.com", email_verified: true }));
  });
  await new Promise((listening) => provider.listen(0, "127.0.0.1", listening));
  t.after(() => provider.close());
  const url = `http://127.0.0.1:${provider.address().port}/userinfo`;
  const client = newClient(await newEnvironment(t, { zero_downtime_session_migration_url: url }));
  const migrate = (session_token) => client.sessions.migrate({ session_token, session_duration_minutes: 60 });
  await refused(migrate("their-token"), 400, "migrate_from_external_email_does_not_exist");
  const { user_id } = await client.users.create({ email: "ada@example.com" });
  await refused(migrate("another"), 400, "migrate_from_external_unexpected_response");
  const migrated = await migrate("their-token");
  assert.equal(migrated.user_id, user_id);
  assert.deepEqual(migrated.session.authentication_factors.map((f) => [f.type, f.delivery_method]), [["imported", "imported_auth0"]]);
  await client.sessions.authenticate({ session_token: migrated.session_token });
});

test("metrics count users", async (t) => {
  const environment = await newEnvironment(t);
  const client = newClient(environment);
  await client.users.create({ email: "ada@example.com" });
  const { project_id, metrics } = await client.project.metrics();
  assert.equal(project_id, environment.project_id);
  assert.deepEqual(metrics.find((m) => m.metric_type === "USER_COUNT"), { metric_type: "USER_COUNT", count: 1 });
});
