// The little of a browser that the published headless library asks for: a page at
// an origin, with storage and cookies. Requests are Node's own, and it is the page
// that then does as a browser does: a preflight before each, and nothing is read
// that the answer does not share.

import assert from "node:assert/strict";
import { manage, url } from "./server.js";

const origin = "http://localhost:3000";
const calls = []; // "METHOD path status"

function storage() {
  const kept = new Map();
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, String(value)),
    removeItem: (key) => void kept.delete(key),
    key: (n) => [...kept.keys()][n] ?? null,
    clear: () => kept.clear(),
    get length() {
      return kept.size;
    },
  };
}

const cookies = new Map();
globalThis.window = globalThis;
globalThis.location = new URL(`${origin}/`);
globalThis.localStorage = storage();
globalThis.sessionStorage = storage();
globalThis.addEventListener = () => {};
globalThis.removeEventListener = () => {};
globalThis.document = {
  addEventListener: () => {},
  removeEventListener: () => {},
  get cookie() {
    return [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  },
  set cookie(text) {
    const [pair, ...attributes] = text.split(";");
    const [name, ...value] = pair.split("=");
    const expires = attributes.find((a) => a.trim().toLowerCase().startsWith("expires="));
    if (expires && new Date(expires.split("=")[1]) < new Date()) cookies.delete(name.trim());
    else cookies.set(name.trim(), value.join("="));
  },
};

const { fetch } = globalThis;
globalThis.fetch = async (target, options = {}) => {
  if (!String(target).startsWith(`${url}/sdk/`)) return fetch(target, options);
  const headers = new Headers(options.headers);
  const mayRead = (answer) => {
    assert.equal(answer.headers.get("Access-Control-Allow-Origin"), origin);
    assert.equal(answer.headers.get("Access-Control-Allow-Credentials"), "true");
  };
  const names = [...headers.keys()].filter((name) => name !== "accept");
  const preflight = await fetch(target, {
    method: "OPTIONS",
    headers: { Origin: origin, "Access-Control-Request-Method": options.method, "Access-Control-Request-Headers": names.join(",") },
  });
  assert.ok(preflight.ok);
  mayRead(preflight);
  const allowed = preflight.headers.get("Access-Control-Allow-Headers").toLowerCase().split(/, */);
  for (const name of names) assert.ok(allowed.includes(name), `${name} is not allowed`);
  assert.ok(preflight.headers.get("Access-Control-Allow-Methods").split(/, */).includes(options.method));
  headers.set("Origin", origin);
  const answer = await fetch(target, { ...options, headers });
  mayRead(answer);
  calls.push(`${options.method} ${new URL(target).pathname} ${answer.status}`);
  return answer;
};

const { StytchHeadlessClient } = await import("@stytch/vanilla-js/headless");
const { StytchB2BHeadlessClient } = await import("@stytch/vanilla-js/b2b/headless");

// letPagesIn switches the environment's SDK configuration on; basic wins.
export const letPagesIn = (environment, basic = {}) =>
  manage("PUT", `${environment.path}/sdk/consumer`, { config: { basic: { enabled: true, domains: [origin], ...basic } } });

// letMembersIn is letPagesIn for an environment of a B2B project.
export const letMembersIn = (environment) =>
  manage("PUT", `${environment.path}/sdk/b2b`, { config: { basic: { enabled: true, domains: [{ domain: origin }] } } });

// publicToken is the environment's own.
export async function publicToken(environment) {
  const { public_tokens } = await manage("GET", `${environment.path}/public_tokens`);
  return public_tokens[0].public_token;
}

const endpoints = { liveAPIURL: url, testAPIURL: url, dfpBackendURL: url, clientsideServicesIframeURL: url };

// newPage is a page that has just been opened: the published library with nothing
// but the endpoints changed.
export const newPage = async (environment) => new StytchHeadlessClient(await publicToken(environment), { endpoints });

// newMemberPage is one of members of organizations.
export const newMemberPage = async (environment) => new StytchB2BHeadlessClient(await publicToken(environment), { endpoints });

// called waits for a call of the library's own accord.
export async function called(call) {
  for (let i = 0; i < 200 && !calls.includes(call); i++) await new Promise((next) => setTimeout(next, 10));
  assert.ok(calls.includes(call), `${call} is not among ${calls.join("; ")}`);
}
