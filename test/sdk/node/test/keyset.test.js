import assert from "node:assert/strict";
import test from "node:test";
import { person } from "../support/issuer.js";
import { isoExpiry, newScene } from "../support/scene.js";
import { newClient, refused, url } from "../support/server.js";

const header = (jwt) => JSON.parse(Buffer.from(jwt.split(".")[0], "base64url"));
const payload = (jwt) => JSON.parse(Buffer.from(jwt.split(".")[1], "base64url"));

test("the key set, as the client reads it", async (t) => {
  const { client, environment, signIn } = await newScene(t);
  const { project_id } = environment;
  const { keys, status_code, request_id } = await client.sessions.getJWKS({ project_id });
  assert.equal(status_code, 200);
  assert.ok(request_id);
  const [{ kid, n }] = keys;
  assert.deepEqual(keys, [{ kty: "RSA", use: "sig", key_ops: ["verify"], alg: "RS256", kid, n, e: "AQAB", x5c: [], x5tS256: "" }]);
  const { session_jwt } = await signIn(person());
  assert.deepEqual(header(session_jwt), { alg: "RS256", typ: "JWT", kid });
  await refused(client.sessions.getJWKS({ project_id: "nobody" }), 404, "project_not_found");
});

test("the session JWT has the contract's claims and no others", async (t) => {
  const { environment, signIn } = await newScene(t);
  const { project_id } = environment;
  const { session, session_jwt, user_id } = await signIn(person(), { session_custom_claims: { plan: "pro" } });
  const { iat, exp } = payload(session_jwt);
  assert.equal(exp - iat, 300);
  assert.deepEqual(payload(session_jwt), {
    iss: `stytch.com/${project_id}`,
    aud: [project_id],
    sub: user_id,
    iat,
    nbf: iat,
    exp,
    plan: "pro",
    "https://stytch.com/session": {
      id: session.session_id,
      started_at: session.started_at,
      last_accessed_at: session.last_accessed_at,
      expires_at: session.expires_at,
      attributes: session.attributes,
      authentication_factors: session.authentication_factors,
      roles: session.roles,
    },
  });
});

for (const alg of ["RS256", "ES256", "EdDSA"]) {
  test(`an environment that signs with ${alg}`, async (t) => {
    const { client, signIn } = await newScene(t, { session_jwt_algorithm: alg });
    const { session, session_jwt } = await signIn(person(), { session_custom_claims: { plan: "pro" } });
    assert.equal(header(session_jwt).alg, alg);
    assert.deepEqual(await client.sessions.authenticateJwtLocal({ session_jwt }), isoExpiry(session));
    assert.deepEqual((await client.sessions.authenticate({ session_jwt })).session, session);
  });
}

test("a base URL that ends with a slash", async (t) => {
  const { environment, signIn } = await newScene(t);
  const client = newClient(environment, { env: `${url}/` });
  const { session_jwt, session_token } = await signIn(person());
  await client.sessions.authenticateJwtLocal({ session_jwt });
  await client.sessions.authenticate({ session_token });
});

// No client may be kept from the key set, with credentials or without.
test("the key set is for anybody, behind doubled slashes too", async (t) => {
  const { environment } = await newScene(t);
  for (const path of ["", "/"].map((more) => `${url}/${more}v1/sessions/jwks/${environment.project_id}`)) {
    for (const headers of [{}, { Authorization: "Basic bm9uc2Vuc2U=" }, { Authorization: "nonsense" }]) {
      const answer = await fetch(path, { headers, redirect: "error" });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get("Content-Type"), "application/json");
      assert.equal(answer.headers.get("Cache-Control"), "public, max-age=900");
    }
  }
});
