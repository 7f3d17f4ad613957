import assert from "node:assert/strict";
import { createServer } from "node:http";
import test from "node:test";
import { newIssuer, person } from "../support/issuer.js";
import { isoExpiry } from "../support/scene.js";
import { manage, newB2BClient, newEnvironment, newProfile, refused } from "../support/server.js";

// newBusiness is an environment of a B2B project whose profile's tokens name the
// organization by the claim org, and a client of it.
async function newBusiness(t) {
  const environment = await newEnvironment(t, { vertical: "B2B" });
  await manage("PUT", `${environment.path}/rbac_policy`, {
    custom_roles: [{ role_id: "reader", description: "", permissions: [{ resource_id: "document", actions: ["read"] }] }],
    custom_resources: [{ resource_id: "document", description: "", available_actions: ["read", "write"] }],
    custom_scopes: [],
  });
  const issuer = await newIssuer(t);
  const profile_id = await newProfile(environment, issuer, {
    attribute_mapping: { email: "email", token_id: "jti", external_member_id: "sub", organization_id: "org", role_ids: "roles" },
  });
  const client = newB2BClient(environment);
  const signIn = (who, more) => client.sessions.attest({ profile_id, token: issuer.token({ org: "acme", ...who }), ...more });
  return { environment, client, signIn };
}

test("organizations", async (t) => {
  const { organizations } = (await newBusiness(t)).client;
  const { organization } = await organizations.create({ organization_name: "Acme", organization_slug: "acme", organization_external_id: "crm|7" });
  const { organization_id } = organization;
  for (const ref of [organization_id, "acme", "crm|7"]) {
    assert.deepEqual((await organizations.get({ organization_id: ref })).organization, organization);
  }
  const updated = await organizations.update({ organization_id: "acme", trusted_metadata: { plan: "pro" }, email_allowed_domains: ["acme.example"] });
  assert.deepEqual(updated.organization.trusted_metadata, { plan: "pro" });
  const found = await organizations.search({ query: { operator: "AND", operands: [{ filter_name: "allowed_domains", filter_value: ["acme.example"] }] } });
  assert.deepEqual(found.organizations.map((o) => o.organization_id), [organization_id]);
  assert.equal((await organizations.metrics({ organization_id })).member_count, 0);
  assert.equal((await organizations.deleteExternalId({ organization_id })).organization.organization_external_id, null);
  await refused(organizations.create({ organization_name: "Other", organization_slug: "acme" }), 400, "organization_slug_already_used");
  assert.equal((await organizations.delete({ organization_id })).organization_id, organization_id);
  await refused(organizations.get({ organization_id }), 404, "organization_not_found");
});

test("members", async (t) => {
  const { client, signIn } = await newBusiness(t);
  const { members } = client.organizations;
  const signed = await signIn(person());
  const { organization_id } = signed.organization;
  const { member, member_id } = await members.create({ organization_id, email_address: "grace@example.com", name: "Grace", roles: ["reader"], external_id: "hr|1" });
  assert.deepEqual(member.roles.map((r) => r.role_id), ["stytch_member", "reader"]);
  assert.deepEqual((await members.get({ organization_id, member_id: "hr|1" })).member, member);
  assert.deepEqual((await members.get({ organization_id, email_address: "GRACE@example.com" })).member, member);
  const moved = await members.update({ organization_id, member_id, email_address: "hopper@example.com", roles: [] });
  assert.deepEqual(moved.member.retired_email_addresses.map((e) => e.email_address), ["grace@example.com"]);
  await refused(members.create({ organization_id, email_address: "grace@example.com" }), 400, "retired_member_email");
  await members.unlinkRetiredEmail({ organization_id, member_id, email_address: "grace@example.com" });
  const found = await members.search({ organization_ids: [organization_id] });
  assert.deepEqual(found.members.map((m) => m.member_id).sort(), [member_id, signed.member_id].sort());
  assert.equal(found.organizations[organization_id].organization_slug, "acme");
  await members.delete({ organization_id, member_id: signed.member_id });
  await refused(client.sessions.authenticate({ session_token: signed.session_token }), 404, "session_not_found");
  assert.equal((await members.dangerouslyGet({ member_id: signed.member_id, include_deleted: true })).member.status, "deleted");
  assert.equal((await members.reactivate({ organization_id, member_id: signed.member_id })).member.status, "active");
});

test("calls as a member", async (t) => {
  const { client, signIn } = await newBusiness(t);
  const { session_token, session_jwt, member_id, organization } = await signIn(person());
  const { organization_id } = organization;
  const rename = { organization_id, organization_name: "Better" };
  await refused(client.organizations.update(rename, { authorization: { session_token } }), 403, "session_authorization_error");
  await client.organizations.members.update({ organization_id, member_id, name: "Me" }, { authorization: { session_token } });
  await refused(client.organizations.members.update({ organization_id, member_id, trusted_metadata: { a: 1 } }, { authorization: { session_token } }), 401, "cannot_update_trusted_metadata");
  await client.organizations.members.update({ organization_id, member_id, roles: ["stytch_admin"] });
  await client.organizations.update(rename, { authorization: { session_jwt } });
  await refused(client.organizations.update({ ...rename, organization_id: "elsewhere" }, { authorization: { session_token } }), 403, "session_authorization_tenancy_error");
});

test("sessions of members", async (t) => {
  const { client, signIn } = await newBusiness(t);
  const who = person();
  const signed = await signIn(who);
  const { session_token, member_id, organization } = signed;
  const { organization_id } = organization;
  const answer = await client.sessions.authenticate({ session_token, session_duration_minutes: 120, session_custom_claims: { plan: "pro" } });
  const { member_session } = await client.sessions.authenticateJwt({ session_jwt: answer.session_jwt });
  assert.deepEqual(isoExpiry(member_session), isoExpiry(answer.member_session));
  assert.deepEqual(member_session.custom_claims, { plan: "pro" });
  assert.equal((await client.sessions.get({ organization_id, member_id })).member_sessions.length, 1);
  assert.equal((await signIn(who, { session_token })).member_session.authentication_factors.length, 2);
  await refused(signIn(person(), { session_token }), 400, "member_session_member_id_mismatch");
  await refused(signIn({ ...who, org: undefined }), 400, "token_missing_organization_id_claim");
  await refused(signIn(who, { organization_id: "elsewhere" }), 404, "organization_not_found");
  const other = (await client.organizations.create({ organization_name: "Other" })).organization.organization_id;
  await refused(signIn(who, { organization_id: other }), 400, "invalid_token_organization_id_claim");
  await client.organizations.members.create({ organization_id: other, email_address: who.email });
  assert.equal((await client.sessions.exchange({ organization_id: other, session_token })).organization.organization_id, other);
  await client.sessions.revoke({ member_id });
  await refused(client.sessions.authenticate({ session_token }), 404, "session_not_found");
});

test("what a client may decide by itself of members is what the server decides", async (t) => {
  const { client, signIn } = await newBusiness(t);
  const { organization_id } = (await signIn(person())).organization;
  assert.deepEqual((await client.rbac.policy()).policy.roles.map((r) => r.role_id), ["stytch_member", "stytch_admin", "reader"]);
  assert.deepEqual((await client.rbac.organizations.getOrgPolicy({ organization_id })).org_policy.roles, []);
  await client.rbac.organizations.setOrgPolicy({
    organization_id,
    org_policy: { roles: [{ role_id: "writer", description: "", permissions: [{ resource_id: "document", actions: ["*"] }] }] },
  });
  for (const roles of [[], ["reader"], ["writer"]]) {
    const { session_token, session_jwt } = await signIn({ ...person(), roles });
    for (const [resource_id, action, grant] of [
      ["document", "read", ["reader", "writer"]],
      ["document", "write", ["writer"]],
      ["stytch.self", "delete", ["stytch_member"]],
      ["nothing", "read", []],
    ]) {
      await t.test(`${roles}: ${action} ${resource_id}`, async () => {
        const authorization_check = { organization_id, resource_id, action };
        const granting = grant.filter((role) => role === "stytch_member" || roles.includes(role));
        const remote = () => client.sessions.authenticate({ session_token, authorization_check });
        const local = () => client.sessions.authenticateJwtLocal({ session_jwt, authorization_check });
        if (granting.length === 0) {
          await refused(remote(), 403, "session_authorization_error");
          await assert.rejects(local(), { code: "invalid_permissions" });
          return;
        }
        assert.deepEqual((await remote()).verdict, { authorized: true, granting_roles: granting });
        await local();
      });
    }
  }
});

test("authenticateJwt asks the server of a member when it must", async (t) => {
  const { client, signIn } = await newBusiness(t);
  const { member_session, session_jwt, session_token } = await signIn(person());
  const local = await client.sessions.authenticateJwt({ session_jwt, max_token_age_seconds: 300 });
  assert.deepEqual([local.request_id, local.member_session], [undefined, isoExpiry({ ...member_session, custom_claims: {} })]);
  const remote = await client.sessions.authenticateJwt({ session_jwt, max_token_age_seconds: 0 });
  assert.equal(remote.session_token, session_token);
  await refused(client.sessions.authenticateJwt({ session_jwt: session_jwt.slice(0, -8) + "AAAAAAAA" }), 400, "unable_to_parse_session_jwt");
  const elsewhere = { organization_id: "organization-test-00000000-0000-4000-8000-000000000001", resource_id: "document", action: "read" };
  await assert.rejects(client.sessions.authenticateJwtLocal({ session_jwt, authorization_check: elsewhere }), { code: "tenancy_mismatch" });
  await refused(client.sessions.authenticate({ session_token, authorization_check: elsewhere }), 403, "session_authorization_tenancy_error");
  await refused(client.sessions.authenticate({}), 400, "no_session_arguments");
  await refused(client.sessions.authenticate({ session_token, session_jwt }), 400, "too_many_session_arguments");
});

for (const [way, name] of [
  ["by ID", ({ member_session }) => ({ member_session_id: member_session.member_session_id })],
  ["by token", ({ session_token }) => ({ session_token })],
  ["by JWT", ({ session_jwt }) => ({ session_jwt })],
]) {
  test(`revoke a member's session ${way}`, async (t) => {
    const { client, signIn } = await newBusiness(t);
    const who = person();
    const gone = await signIn(who);
    const stays = await signIn(who);
    await client.sessions.revoke(name(gone));
    await refused(client.sessions.authenticate({ session_token: gone.session_token }), 404, "session_not_found");
    await refused(client.sessions.revoke(name(gone)), 404, "session_not_found");
    const { organization_id } = stays.organization;
    assert.deepEqual((await client.sessions.get({ organization_id, member_id: stays.member_id })).member_sessions, [stays.member_session]);
  });
}

test("migrate a member", async (t) => {
  const provider = createServer((request, answer) => {
    answer.statusCode = request.headers.authorization === "Bearer their-token" ? 200 : 401;
    answer.setHeader("Content-Type", "application/json");
    answer.end(JSON.stringify({ sub: "auth0|1", email: "ada@example.com", email_verified: true }));
  });
  await new Promise((listening) => provider.listen(0, "127.0.0.1", listening));
  t.after(() => {
    provider.closeAllConnections();
    return new Promise((closed) => provider.close(closed));
  });
  const { client, environment } = await newBusiness(t);
  const { organization_id } = (await client.organizations.create({ organization_name: "Acme" })).organization;
  const { member_id } = await client.organizations.members.create({ organization_id, email_address: "ada@example.com" });
  const migrate = (session_token) => client.sessions.migrate({ session_token, organization_id });
  await refused(migrate("their-token"), 400, "migrate_from_external_missing_userinfo");
  await manage("PATCH", environment.path, { zero_downtime_session_migration_url: `http://127.0.0.1:${provider.address().port}/userinfo` });
  await refused(migrate("another-token"), 400, "migrate_from_external_unexpected_response");
  const migrated = await migrate("their-token");
  assert.equal(migrated.member_id, member_id);
  assert.equal(migrated.member.email_address_verified, true);
  assert.deepEqual((await client.sessions.authenticate({ session_token: migrated.session_token })).member_session, migrated.member_session);
});

test("what belongs to members alone is deleted, or was never there", async (t) => {
  const { client } = await newBusiness(t);
  const { members } = client.organizations;
  const { organization_id } = (await client.organizations.create({ organization_name: "Acme" })).organization;
  const { member_id } = await members.create({ organization_id, email_address: "ada@example.com", mfa_phone_number: "+442071838750", external_id: "hr|1" });
  assert.equal((await members.deleteMFAPhoneNumber({ organization_id, member_id })).member.mfa_phone_number, "");
  assert.equal((await members.deleteExternalId({ organization_id, member_id })).member.external_id, null);
  await refused(members.deleteTOTP({ organization_id, member_id }), 404, "totp_not_found");
  await refused(members.deletePassword({ organization_id, member_password_id: "member-password-test-1" }), 404, "password_not_found");
  await refused(members.get({ organization_id, member_id: "nobody" }), 404, "member_not_found");
  await refused(members.create({ organization_id, email_address: "ADA@example.com" }), 400, "duplicate_member_email");
  await refused(members.search({ organization_ids: [] }), 400, "member_search_organization_ids_empty");
  await refused(members.reactivate({ organization_id, member_id }), 400, "no_deleted_member_found_for_reactivation");
});

test("the key set of a B2B project", async (t) => {
  const { client, environment } = await newBusiness(t);
  const { keys } = await client.sessions.getJWKS({ project_id: environment.project_id });
  assert.equal(keys.length, 1);
  await refused(client.sessions.getJWKS({ project_id: "project-test-nonsense" }), 404, "project_not_found");
});
