import assert from "node:assert/strict";
import test from "node:test";
import { called, letMembersIn, newMemberPage, publicToken } from "../support/page.js";
import { newIssuer, person, stranger } from "../support/issuer.js";
import { newB2BClient, newEnvironment, newProfile } from "../support/server.js";

// newMemberScene is an environment of a B2B project that a page is opened on, whose
// profile's tokens name the organization by the claim org.
async function newMemberScene(t) {
  const environment = await newEnvironment(t, { vertical: "B2B" });
  const issuer = await newIssuer(t);
  const profile_id = await newProfile(environment, issuer, {
    attribute_mapping: { email: "email", token_id: "jti", external_member_id: "sub", organization_id: "org", role_ids: "roles" },
  });
  await letMembersIn(environment);
  const page = await newMemberPage(environment);
  const attest = (who, how) =>
    page.session.attest({ profile_id, token: issuer.token({ org: "acme", ...who }, how), session_duration_minutes: 30 });
  return { environment, client: newB2BClient(environment), page, attest };
}

const refused = (call, error_type) => assert.rejects(call, (error) => assert.equal(error.error_type, error_type, `${error}`) ?? true);

test("a page signs a member in, knows them, and signs them out", async (t) => {
  const { client, environment, page, attest } = await newMemberScene(t);
  await called(`GET /sdk/v1/projects/bootstrap/${await publicToken(environment)} 200`);
  assert.equal(page.session.getSync(), null);
  const who = person();
  const { member, member_session, organization, session_token } = await attest(who);
  assert.equal(member.email_address, who.email);
  assert.equal(organization.organization_slug, "acme");
  assert.equal(page.session.getSync().member_session_id, member_session.member_session_id);
  assert.equal(page.self.getSync().member_id, member.member_id);
  assert.equal(page.organization.getSync().organization_id, organization.organization_id);
  assert.equal((await client.sessions.authenticate({ session_token })).member.member_id, member.member_id);

  const again = await page.session.authenticate({ session_duration_minutes: 60 });
  assert.equal(again.member_session.member_session_id, member_session.member_session_id);
  assert.ok(again.member_session.expires_at > member_session.expires_at);
  assert.equal((await page.self.get()).member_id, member.member_id);
  assert.equal((await page.organization.get()).organization_name, organization.organization_name);

  await page.session.revoke();
  assert.equal(page.session.getSync(), null);
  await assert.rejects(client.sessions.authenticate({ session_token }), { error_type: "session_not_found" });
});

test("a second token of the same member joins the page's session", async (t) => {
  const { attest } = await newMemberScene(t);
  const who = person();
  const first = await attest(who);
  const second = await attest(who);
  assert.equal(second.member_session.member_session_id, first.member_session.member_session_id);
  assert.equal(second.member_session.authentication_factors.length, 2);
});

test("a page cannot tell why a member's token was refused", async (t) => {
  const { attest } = await newMemberScene(t);
  await refused(attest(person(), { key: stranger() }), "invalid_trusted_auth_token");
  await refused(attest({ ...person(), exp: 1 }), "invalid_trusted_auth_token");
  await refused(attest({ ...person(), org: undefined }), "invalid_trusted_auth_token");
});

test("a member changes what their roles permit", async (t) => {
  const { client, page, attest } = await newMemberScene(t);
  const { member, organization } = await attest(person());
  const { organization_id } = organization;
  await page.self.update({ name: "Ada", untrusted_metadata: { theme: "dark" }, mfa_phone_number: "+442071838750" });
  assert.equal(page.self.getSync().name, "Ada");
  assert.equal((await page.self.deleteMFAPhoneNumber()).member.mfa_phone_number, "");
  assert.equal(await page.rbac.isAuthorized("stytch.organization", "update.info.name"), false);
  await refused(page.organization.update({ organization_name: "Mine" }), "session_authorization_error");
  await refused(page.organization.members.create({ email_address: "grace@example.com" }), "session_authorization_error");

  await client.organizations.members.update({ organization_id, member_id: member.member_id, roles: ["stytch_admin"] });
  await page.session.authenticate();
  assert.equal(await page.rbac.isAuthorized("stytch.organization", "update.info.name"), true);
  assert.equal((await page.organization.update({ organization_name: "Mine" })).organization.organization_name, "Mine");
  const { members } = page.organization;
  const made = await members.create({ email_address: `${organization_id}@example.com`, name: "Grace" });
  assert.equal((await members.update({ member_id: made.member_id, name: "Grace Hopper" })).member.name, "Grace Hopper");
  const found = await members.search({ query: { operator: "AND", operands: [{ filter_name: "member_ids", filter_value: [made.member_id] }] } });
  assert.deepEqual(found.members.map((m) => m.name), ["Grace Hopper"]);
  await page.session.revokeForMember({ member_id: made.member_id });
  assert.equal((await members.delete(made.member_id)).member_id, made.member_id);
  await refused(members.reactivate(made.member_id), "email_unverified_for_reactivation");
});

test("a page finds organizations by slug, and goes to another one", async (t) => {
  const { client, page, attest } = await newMemberScene(t);
  await client.organizations.create({ organization_name: "Other", organization_slug: "other" });
  const { organization } = await page.organization.getBySlug({ organization_slug: "other" });
  assert.equal(organization.organization_name, "Other");
  assert.equal(organization.trusted_metadata, undefined);
  assert.equal((await page.organization.getBySlug({ organization_slug: "nowhere" })).organization, null);

  const { member } = await attest(person());
  const { organization_id } = organization;
  await refused(page.session.exchange({ organization_id, session_duration_minutes: 30 }), "member_does_not_exist_in_organization");
  await client.organizations.members.create({ organization_id, email_address: member.email_address });
  const there = await page.session.exchange({ organization_id, session_duration_minutes: 30 });
  assert.equal(there.member.organization_id, organization_id);
  assert.equal(page.organization.getSync().organization_id, organization_id);
});

test("the library forgets a member's session that was revoked elsewhere", async (t) => {
  const { client, page, attest } = await newMemberScene(t);
  const { member_session } = await attest(person());
  await client.sessions.revoke({ member_session_id: member_session.member_session_id });
  await refused(page.session.authenticate(), "session_not_found");
  assert.equal(page.session.getSync(), null);
  assert.equal(page.self.getSync(), null);
});
