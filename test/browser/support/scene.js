// An environment in which something has happened.

import { generateKeyPairSync } from "node:crypto";
import { newIssuer, person, stranger } from "../../sdk/node/support/issuer.js";

export { newIssuer, person };

// newScene is an environment with an issuer, people, sessions and refusals.
export async function newScene(t, server, name) {
  const environment = await server.newEnvironment(name);
  const issuer = await newIssuer(t);
  const { profile } = await server.manage("POST", `${environment.path}/trusted_token_profiles`, {
    name: "Acme identity",
    issuer: issuer.url,
    audience: issuer.audience,
    public_key_type: "JWK",
    jwks_url: issuer.keySet,
    can_jit_provision: true,
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
      settings: "/settings",
    },
  };
}
