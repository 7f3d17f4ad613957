import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { checkAccessible, launch, shoot } from "../support/browser.js";
import { startServer } from "../support/server.js";

let server, browser;
before(async () => {
  [server, browser] = await Promise.all([startServer(), launch()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

// startExample runs examples/browser until the test ends, and gives its URL.
async function startExample(t, ...args) {
  const { id, secret } = server.workspaceKey;
  const child = spawn(process.execPath, ["server.js", ...args], {
    cwd: new URL("../../../examples/browser", import.meta.url),
    env: { PORT: "0", COUNTERSIGN_URL: server.url.replace("127.0.0.1", "localhost"), COUNTERSIGN_WORKSPACE_KEY_ID: id, COUNTERSIGN_WORKSPACE_KEY_SECRET: secret },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((done) => child.once("exit", done));
  t.after(async () => {
    child.kill();
    await ended;
  });
  for await (const line of createInterface(child.stdout)) return line.replace("Open ", "");
  throw new Error("the example did not start");
}

for (const [name, args, email] of [
  ["people", [], "ada@example.com"],
  ["members", ["--b2b"], "grace@acme.example"],
  ["people with cookies", ["--cookies"], "kay@example.com"],
  ["members with cookies", ["--b2b", "--cookies"], "alan@acme.example"],
]) {
  test(`the example, of ${name}`, async (t) => {
    const url = await startExample(t, ...args);
    const context = await browser.newContext({ viewport: { width: 900, height: 900 } });
    t.after(() => context.close());
    const page = await context.newPage();
    const troubles = [];
    page.on("pageerror", (error) => troubles.push(`${error}`));
    page.on("console", (message) => /Content Security Policy/i.test(message.text()) && troubles.push(message.text()));
    page.setDefaultTimeout(8000);
    const said = (text) => page.getByRole("status").filter({ hasText: text }).waitFor();
    const factors = () => page.locator("#factors li").allTextContents();
    await page.goto(url);

    await page.getByLabel("Your e-mail address").fill(email);
    await page.getByRole("button", { name: "Try a token of another product" }).click();
    await page.getByText("Refused: invalid_trusted_auth_token").waitFor();
    const explain = await page.locator("#explain").textContent();
    assert.match(explain, /^countersign explain request-id-test-/);
    await shoot(page, `example-${name}-refused`);
    await checkAccessible(page, "refused");

    await page.getByRole("button", { name: "Sign in" }).click();
    await said("Signed in.");
    await page.getByText(`Signed in as ${email}`).waitFor();
    assert.deepEqual((await factors()).map((f) => f.split("-")[0]), ["password"]);
    if (args.includes("--b2b")) await page.getByText("acme", { exact: true }).waitFor();

    await page.reload();
    await page.getByText(`Signed in as ${email}`).waitFor();
    await page.getByRole("button", { name: "Refresh" }).click();
    await said("Refreshed.");
    await page.getByRole("button", { name: "Add a factor" }).click();
    await said("A factor was added.");
    assert.deepEqual((await factors()).map((f) => f.split("-")[0]), ["password", "badge"]);
    await checkAccessible(page, "signed in");
    for (const [how, change] of [
      ["light", { colorScheme: "light" }],
      ["dark", { colorScheme: "dark" }],
    ]) {
      await page.emulateMedia(change);
      await checkAccessible(page, how);
      await shoot(page, `example-${name}-${how}`);
    }
    await page.setViewportSize({ width: 360, height: 800 });
    await shoot(page, `example-${name}-phone`);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), "wider than a phone");

    const cookies = await context.cookies();
    const session = cookies.find((c) => c.name === "stytch_session");
    assert.ok(session.value);
    assert.equal(session.httpOnly, args.includes("--cookies"));
    const readable = await page.evaluate(() => document.cookie + JSON.stringify({ ...localStorage }));
    assert.equal(readable.includes(session.value), !args.includes("--cookies"));
    await page.getByRole("button", { name: "Sign out" }).click();
    await said("Signed out.");
    await page.getByText("Nobody is signed in").waitFor();
    assert.deepEqual((await context.cookies()).filter((c) => c.name.startsWith("stytch_session")), []);
    assert.deepEqual(troubles, []);
  });
}
