// A server of the suite's own, from its first start on.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const { COUNTERSIGN_BINARY } = process.env;
assert.ok(COUNTERSIGN_BINARY, "no server: start this suite with ./run");

// startServer runs countersign serve on an empty database until stop is called,
// and gives what the first start prints.
export async function startServer() {
  const dir = mkdtempSync(join(tmpdir(), "countersign-browser-"));
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("COUNTERSIGN_")));
  const args = ["serve", "--addr", "127.0.0.1:0", "--database", join(dir, "countersign.db"), "--jwks-allow-private", "127.0.0.1"];
  const child = spawn(COUNTERSIGN_BINARY, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise((done) => child.once("exit", done));
  const printed = {};
  const troubles = [];
  createInterface(child.stderr).on("line", (line) => line.includes('"level":"ERROR"') && troubles.push(line));
  await new Promise((ready, failed) => {
    child.once("exit", (code) => failed(new Error(`the server ended with ${code}`)));
    createInterface(child.stdout).on("line", (line) => {
      const [name, ...value] = line.split("=");
      printed[name] = value.join("=");
      if (name === "COUNTERSIGN_DASHBOARD_LINK") ready();
    });
  });
  const link = new URL(printed.COUNTERSIGN_DASHBOARD_LINK);
  const url = link.origin;
  const authorization = (user, password) => "Basic " + btoa(`${user}:${password}`);

  // call must succeed.
  async function call(method, path, user, password, body) {
    const answer = await fetch(url + path, { method, headers: { Authorization: authorization(user, password) }, body: body && JSON.stringify(body) });
    const json = await answer.json();
    assert.equal(answer.status, 200, `${method} ${path}: ${JSON.stringify(json)}`);
    return json;
  }
  const manage = (method, path, body) =>
    call(method, `/pwa/v3${path}`, printed.COUNTERSIGN_WORKSPACE_KEY_ID, printed.COUNTERSIGN_WORKSPACE_KEY_SECRET, body);

  return {
    url,
    link: link.href,
    workspaceKey: { id: printed.COUNTERSIGN_WORKSPACE_KEY_ID, secret: printed.COUNTERSIGN_WORKSPACE_KEY_SECRET },
    manage,
    call,
    troubles,
    newLink: async (name, role) => url + (await manage("POST", "/operator_links", { name, role })).path,
    // newEnvironment makes an environment of a new project, with a secret.
    async newEnvironment(name = "Acme", vertical = "CONSUMER") {
      const { project } = await manage("POST", "/projects", { name, vertical });
      const { environment } = await manage("POST", `/projects/${project.project_slug}/environments`, { name: "Test", type: "TEST" });
      const path = `/projects/${project.project_slug}/environments/${environment.environment_slug}`;
      const { secret } = await manage("POST", `${path}/secrets`);
      const api = (method, at, body) => call(method, at, environment.project_id, secret.secret, body);
      return {
        ...environment,
        path,
        secret: secret.secret,
        api,
        page: `${url}/dashboard/p/${project.project_slug}/${environment.environment_slug}`,
        // attest answers whatever it is.
        attest: async (profile_id, token) =>
          (
            await fetch(`${url}/v1${vertical === "B2B" ? "/b2b" : ""}/sessions/attest`, {
              method: "POST",
              headers: { Authorization: authorization(environment.project_id, secret.secret) },
              body: JSON.stringify({ profile_id, token, session_duration_minutes: 60 }),
            })
          ).json(),
      };
    },
    async stop() {
      child.kill("SIGTERM");
      await ended;
      rmSync(dir, { recursive: true, force: true });
      assert.deepEqual(troubles, [], "the server's log has errors");
    },
  };
}
