// The server that ../run started, and what every test begins with. The published
// Node client has no management part, so projects are made by plain requests.

import assert from "node:assert/strict";
import stytch from "stytch";

const { COUNTERSIGN_SDK_URL, COUNTERSIGN_SDK_KEY_ID, COUNTERSIGN_SDK_KEY_SECRET } = process.env;
assert.ok(COUNTERSIGN_SDK_URL, "no server: start this suite with test/sdk/run");

export const url = COUNTERSIGN_SDK_URL;

// manage calls the management API with the workspace key; it must succeed.
export async function manage(method, path, body) {
  const answer = await fetch(`${url}/pwa/v3${path}`, {
    method,
    headers: { Authorization: "Basic " + btoa(`${COUNTERSIGN_SDK_KEY_ID}:${COUNTERSIGN_SDK_KEY_SECRET}`) },
    body: body && JSON.stringify(body),
  });
  const json = await answer.json();
  assert.equal(answer.status, 200, JSON.stringify(json));
  return json;
}

// newEnvironment makes an environment of a project of its own, which goes when
// the test ends. settings join those of the environment.
export async function newEnvironment(t, { vertical = "CONSUMER", type = "TEST", ...settings } = {}) {
  const { project } = await manage("POST", "/projects", { name: "Suite", vertical });
  t.after(() => manage("DELETE", `/projects/${project.project_slug}`));
  const { environment } = await manage("POST", `/projects/${project.project_slug}/environments`, { name: "Suite", type, ...settings });
  const path = `/projects/${project.project_slug}/environments/${environment.environment_slug}`;
  const { secret } = await manage("POST", `${path}/secrets`);
  return { ...environment, path, secret: secret.secret };
}

// newClient is the published client with nothing but the base URL changed: env
// takes any URL, where custom_base_url would take https alone.
export function newClient(environment, config = {}, Client = stytch.Client) {
  const { warn } = console;
  console.warn = () => {}; // it warns of every env that is not Stytch's own
  try {
    return new Client({ project_id: environment.project_id, secret: environment.secret, env: url, ...config });
  } finally {
    console.warn = warn;
  }
}

// newB2BClient is the client for B2B projects.
export const newB2BClient = (environment) => newClient(environment, {}, stytch.B2BClient);

// newProfile makes a profile of an issuer and gives its ID. change wins.
export async function newProfile(environment, issuer, change = {}) {
  const { profile } = await manage("POST", `${environment.path}/trusted_token_profiles`, {
    name: "issuer",
    issuer: issuer.url,
    audience: issuer.audience,
    public_key_type: "JWK",
    jwks_url: issuer.keySet,
    can_jit_provision: true,
    attribute_mapping: { email: "email", token_id: "jti", external_user_id: "sub" },
    ...change,
  });
  return profile.profile_id;
}

// refused checks that a call fails with the contract's error object, read by the
// client: the status, the type, and the rest of it.
export async function refused(call, status_code, error_type) {
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof stytch.StytchError, `${error}`);
    assert.deepEqual({ status_code: error.status_code, error_type: error.error_type }, { status_code, error_type });
    assert.match(error.request_id, /^request-id-/);
    assert.ok(error.error_message);
    assert.ok(error.error_url.endsWith(`#${error_type}`), error.error_url);
    return true;
  });
}
