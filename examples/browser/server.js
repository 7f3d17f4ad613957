// What the page needs: two toy identity providers, the page's own files, and a
// project on a countersign server that believes the two.
//
//   npm start            people
//   npm start -- --b2b   members of organizations
//   npm start -- --cookies   sessions in cookies that scripts cannot read: COUNTERSIGN_URL must be of localhost, as the page

import { generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";

const { COUNTERSIGN_URL = "http://127.0.0.1:8080", COUNTERSIGN_WORKSPACE_KEY_ID, COUNTERSIGN_WORKSPACE_KEY_SECRET, PORT = "3000" } = process.env;
const b2b = process.argv.includes("--b2b");
const cookies = process.argv.includes("--cookies");
const audience = "browser-example";

if (!COUNTERSIGN_WORKSPACE_KEY_ID || !COUNTERSIGN_WORKSPACE_KEY_SECRET) {
  console.error("COUNTERSIGN_WORKSPACE_KEY_ID and COUNTERSIGN_WORKSPACE_KEY_SECRET are not set; the first start of countersign serve prints them");
  process.exit(2);
}

// A toy: whoever asks is whoever they say they are.
class Provider {
  constructor(name, page) {
    this.name = name;
    this.issuer = `${page}/${name}`;
    this.keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  }

  get pem() {
    return this.keys.publicKey.export({ type: "spki", format: "pem" });
  }

  token(claims) {
    const iat = Math.floor(Date.now() / 1000);
    const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const input = `${part({ alg: "ES256", typ: "JWT" })}.${part({ iss: this.issuer, aud: audience, jti: `${this.name}-${randomUUID()}`, iat, exp: iat + 300, ...claims })}`;
    return `${input}.${sign("sha256", Buffer.from(input), { key: this.keys.privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
  }
}

// manage calls the management API; it must succeed.
async function manage(method, path, body) {
  const answer = await fetch(`${COUNTERSIGN_URL}/pwa/v3/projects${path}`, {
    method,
    headers: { Authorization: "Basic " + btoa(`${COUNTERSIGN_WORKSPACE_KEY_ID}:${COUNTERSIGN_WORKSPACE_KEY_SECRET}`) },
    body: body && JSON.stringify(body),
  });
  const json = await answer.json();
  if (!answer.ok) throw new Error(`${method} ${path}: ${json.error_type}: ${json.error_message}`);
  return json;
}

const project = b2b ? "browser-example-b2b" : "browser-example";
const environment = `/${project}/environments/test`;

// makeProject makes it, unless an earlier start did.
async function makeProject() {
  const { projects } = await manage("GET", "");
  if (projects.some((p) => p.project_slug === project)) return;
  await manage("POST", "", { project_slug: project, name: "Browser example", vertical: b2b ? "B2B" : "CONSUMER" });
  await manage("POST", `/${project}/environments`, { environment_slug: "test", name: "Test", type: "TEST" });
}

// register lets the page in and has the providers believed, whose keys are new at
// each start.
async function register(page, providers) {
  await makeProject();
  await manage("PUT", `${environment}/sdk/${b2b ? "b2b" : "consumer"}`, {
    config: { basic: { enabled: true, domains: [b2b ? { domain: page } : page] }, sessions: { max_session_duration_minutes: 1440 }, cookies: { http_only: cookies ? "ENFORCED" : "DISABLED" } },
  });
  const { profiles } = await manage("GET", `${environment}/trusted_token_profiles`);
  for (const old of profiles) await manage("DELETE", `${environment}/trusted_token_profiles/${old.profile_id}`);
  const made = {};
  for (const [name, provider] of Object.entries(providers)) {
    const { profile } = await manage("POST", `${environment}/trusted_token_profiles`, {
      name: `The example's ${name}`,
      issuer: provider.issuer,
      audience,
      public_key_type: "PEM",
      pem_files: [provider.pem],
      can_jit_provision: true,
      attribute_mapping: { email: "email", token_id: "jti", ...(b2b && { organization_id: "company" }) },
    });
    made[name] = profile.profile_id;
  }
  const { public_tokens } = await manage("GET", `${environment}/public_tokens`);
  return { server: COUNTERSIGN_URL, b2b, cookies, project, profiles: made, public_token: public_tokens[0].public_token };
}

const library = `node_modules/@stytch/vanilla-js/dist/iife/${b2b ? "b2b/" : ""}index.headless.js`;
const files = {
  "/": ["page/index.html", "text/html; charset=utf-8"],
  "/style.css": ["page/style.css", "text/css"],
  "/app.js": ["page/app.js", "text/javascript"],
  "/library.js": [library, "text/javascript"],
};

async function read(request) {
  let text = "";
  for await (const chunk of request) {
    if ((text += chunk).length > 4096) throw new Error("too long");
  }
  return JSON.parse(text);
}

const server = createServer(async (request, answer) => {
  const send = (status, type, body) => {
    answer.writeHead(status, {
      "Content-Type": type,
      "Content-Security-Policy": `default-src 'self'; connect-src 'self' ${COUNTERSIGN_URL}`,
      "Cache-Control": "no-store",
    });
    answer.end(body);
  };
  try {
    if (request.method === "GET" && files[request.url]) {
      const [name, type] = files[request.url];
      send(200, type, await readFile(new URL(name, import.meta.url)));
    } else if (request.method === "GET" && request.url === "/config.json") {
      send(200, "application/json", JSON.stringify(config));
    } else if (request.method === "POST" && request.url === "/token" && request.headers["sec-fetch-site"] === "same-origin") {
      const { provider, ...claims } = await read(request);
      send(200, "application/json", JSON.stringify({ token: providers[provider].token(claims) }));
    } else {
      send(404, "text/plain", "There is no such page.\n");
    }
  } catch (error) {
    send(400, "text/plain", `${error.message}\n`);
  }
});

await new Promise((listening) => server.listen(Number(PORT), "127.0.0.1", listening));
const page = `http://localhost:${server.address().port}`;
const providers = { password: new Provider("password", page), badge: new Provider("badge", page) };
const config = await register(page, providers);
console.log(`Open ${page}`);
