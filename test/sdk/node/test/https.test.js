import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import test from "node:test";
import { promisify } from "node:util";

// The client takes no http custom_base_url: serve --dev-tls is for it.
test("a base URL that has to be https", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "countersign-https-"));
  const child = spawn(
    process.env.COUNTERSIGN_SDK_BINARY,
    ["serve", "--addr", "localhost:0", "--database", join(dir, "countersign.db"), "--dev-tls", "--dev-tls-folder", join(dir, "tls")],
    { env: {}, stdio: ["ignore", "pipe", "ignore"] },
  );
  const ended = new Promise((done) => child.once("exit", done));
  t.after(async () => {
    child.kill("SIGTERM");
    await ended;
    rmSync(dir, { recursive: true });
  });
  const printed = {};
  for await (const line of createInterface(child.stdout)) {
    const [name, ...value] = line.split("=");
    printed[name] = value.join("=");
    if (name === "COUNTERSIGN_DASHBOARD_LINK") break;
  }
  const link = new URL(printed.COUNTERSIGN_DASHBOARD_LINK);
  assert.equal(link.protocol, "https:");

  const script = join(import.meta.dirname, "..", "support", "over-https.js");
  const env = {
    PATH: process.env.PATH,
    SERVER: `https://localhost:${link.port}`,
    WORKSPACE_KEY_ID: printed.COUNTERSIGN_WORKSPACE_KEY_ID,
    WORKSPACE_KEY_SECRET: printed.COUNTERSIGN_WORKSPACE_KEY_SECRET,
  };
  const trusting = await promisify(execFile)(process.execPath, [script], { env: { ...env, NODE_EXTRA_CA_CERTS: join(dir, "tls", "dev-ca.pem") } });
  const { made, found } = JSON.parse(trusting.stdout);
  assert.match(made, /^user-test-/);
  assert.equal(found, made);
  await assert.rejects(promisify(execFile)(process.execPath, [script], { env }), /UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED_CERT_IN_CHAIN/);
});
