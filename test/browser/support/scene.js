// An environment in which something has happened.

import { generateKeyPairSync } from "node:crypto";
import { newIssuer, person, stranger } from "../../sdk/node/support/issuer.js";

export { newIssuer, person };

// believe makes the profile of an issuer's tokens; more wins.
async function believe(server, environment, issuer, more) {
  const { profile } = await server.manage("POST", `${environment.path}/trusted_token_profiles`, {
    name: "Acme identity",
    issuer: issuer.url,
    audience: issuer.audience,
    public_key_type: "JWK",
    jwks_url: issuer.keySet,
    can_jit_provision: true,
    ...more,
  });
  return profile;
}

// newBusiness is an environment of a B2B project: an organization with roles of its
// own, members, one of them deleted and one with an address of before, and sessions.
export async function newBusiness(t, server, name) {
  const environment = await server.newEnvironment(name, "B2B");
  const issuer = await newIssuer(t);
  const profile = await believe(server, environment, issuer, {
    attribute_mapping: { email: "email", token_id: "jti", external_member_id: "sub", organization_id: "org" },
  });
  const api = environment.api;
  const { organization } = await api("POST", "/v1/b2b/organizations", {
    organization_name: "Acme Inc",
    organization_slug: "acme",
    organization_external_id: "crm-7",
    email_allowed_domains: ["acme.example"],
    trusted_metadata: { plan: "pro" },
    rbac_email_implicit_role_assignments: [{ domain: "example.com", role_id: "stytch_admin" }],
  });
  const at = `/v1/b2b/organizations/${organization.organization_id}`;
  await api("PUT", `/v1/b2b/rbac/organizations/${organization.organization_id}`, {
    org_policy: { roles: [{ role_id: "auditor", description: "Reads.", permissions: [{ resource_id: "stytch.member", actions: ["search"] }] }] },
  });
  const sign = (who, how) => environment.attest(profile.profile_id, issuer.token({ org: "crm-7", ...who }, how));
  const ada = person();
  const first = await sign(ada);
  await sign(ada);
  for (let i = 0; i < 3; i++) await sign(person());
  const refused = await sign({ ...person(), aud: "elsewhere" });
  const made = await api("POST", `${at}/members`, { email_address: "grace@acme.example", name: "Grace", mfa_phone_number: "+41791234567", roles: ["auditor"] });
  await api("PUT", `${at}/members/${made.member_id}`, { email_address: "hopper@acme.example" });
  const gone = await api("POST", `${at}/members`, { email_address: "gone@acme.example" });
  await api("DELETE", `${at}/members/${gone.member_id}`);
  const home = `/organizations/${organization.organization_id}`;
  return {
    ...environment,
    issuer,
    profile: profile.profile_id,
    organization: organization.organization_id,
    home,
    member: first.member_id,
    address: ada.email,
    session: first.member_session.member_session_id,
    sign,
    // pages are those that only B2B environments have, or that differ there.
    pages: {
      "b2b-start": "/start",
      organizations: "/organizations",
      "organization-new": "/organizations/new",
      organization: home,
      "organization-deleted": `${home}?by=status&find=deleted`,
      "organization-edit": `${home}/edit`,
      "organization-roles": `${home}/roles`,
      "member-new": `${home}/members/new`,
      member: `/members/${first.member_id}`,
      "member-made": `/members/${made.member_id}`,
      "member-deleted": `/members/${gone.member_id}`,
      "member-edit": `/members/${made.member_id}/edit`,
      "b2b-sessions": `/sessions?find=${first.member_id}`,
      "b2b-session": `/sessions/${first.member_session.member_session_id}`,
      "b2b-verdict": `/verdicts/${refused.request_id}`,
      "b2b-policy": `/policy?user=${made.member_id}&resource=stytch.member&action=search`,
      "b2b-try": `/profiles/${profile.profile_id}/try`,
      "b2b-settings": "/settings",
    },
  };
}

// newScene is an environment with an issuer, people, sessions and refusals.
export async function newScene(t, server, name) {
  const environment = await server.newEnvironment(name);
  const issuer = await newIssuer(t);
  const profile = await believe(server, environment, issuer, {
    attribute_mapping: { email: "email", token_id: "jti", external_user_id: "sub" },
    trust_policy: { tests: [{ name: "an address", claims: { email: "a@example.com", jti: "1" }, expect: { attributes: { email: "a@example.com" } } }] },
  });
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { profile: badge } = await server.manage("POST", `${environment.path}/trusted_token_profiles`, {
    name: "Badge reader",
    issuer: "badge",
    audience: "doors",
    public_key_type: "PEM",
    pem_files: [publicKey.export({ type: "spki", format: "pem" })],
    attribute_mapping: { email: "email", token_id: "jti" },
    trust_policy: { mode: "shadow" },
  });
  await server.manage("PUT", `${environment.path}/rbac_policy`, {
    custom_resources: [{ resource_id: "documents", description: "", available_actions: ["read", "write"] }],
    custom_roles: [{ role_id: "author", description: "Writes.", permissions: [{ resource_id: "documents", actions: ["*"] }] }],
    custom_scopes: [],
  });
  const sign = (who, how) => environment.attest(profile.profile_id, issuer.token(who, how));
  const ada = person();
  const first = await sign(ada);
  await sign(ada);
  for (let i = 0; i < 6; i++) await sign(person());
  await sign({ ...person(), aud: "elsewhere" });
  await sign({ ...person(), aud: "elsewhere" });
  await sign({ ...person(), exp: 1 });
  const refused = await sign(person(), { key: stranger() });
  return {
    ...environment,
    issuer,
    profile: profile.profile_id,
    badge: badge.profile_id,
    user: first.user.user_id,
    address: ada.email,
    session: first.session.session_id,
    refused: refused.request_id,
    sign,
    // pages are all pages of the environment.
    pages: {
      overview: "",
      start: "/start",
      profiles: "/profiles",
      "profile-new": "/profiles/new",
      profile: `/profiles/${profile.profile_id}`,
      "profile-pem": `/profiles/${badge.profile_id}`,
      "profile-edit": `/profiles/${profile.profile_id}/edit`,
      try: `/profiles/${profile.profile_id}/try`,
      verdicts: "/verdicts",
      verdict: `/verdicts/${refused.request_id}`,
      sessions: "/sessions",
      session: `/sessions/${first.session.session_id}`,
      revocations: "/revocations",
      users: "/users",
      user: `/users/${first.user.user_id}`,
      "user-new": "/users/new",
      "user-edit": `/users/${first.user.user_id}/edit`,
      policy: `/policy?user=${first.user.user_id}&resource=documents&action=read`,
      "policy-edit": "/policy/edit",
      keys: "/keys",
      events: "/events",
      streams: "/streams",
      settings: "/settings",
    },
  };
}
