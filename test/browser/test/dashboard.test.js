import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { after, before, test } from "node:test";
import { checkAccessible, launch, newOperator, shoot } from "../support/browser.js";
import { newBusiness, newIssuer, newScene, person } from "../support/scene.js";
import { startServer } from "../support/server.js";

let server, browser;
before(async () => {
  [server, browser] = await Promise.all([startServer(), launch()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

// operator signs somebody in for the length of a test, and holds that nothing ran
// that should not.
async function operator(t, role = "owner", options) {
  const signedIn = await newOperator(browser, await server.newLink(`${role} ${Math.random()}`, role), options);
  t.after(async () => {
    await signedIn.context.close();
    assert.deepEqual(signedIn.troubles, []);
  });
  return signedIn.page;
}

// said waits until the page says what was done.
const said = (page, text) => page.getByRole("status").filter({ hasText: text }).waitFor();

// confirmed answers the question that a button asks.
async function confirmed(place, label) {
  await place.locator("details.confirm > summary").filter({ hasText: label }).first().click();
  await place.locator("details.confirm[open] form button").click();
}

test("from the first start to an attested session, in under two minutes", async (t) => {
  const started = Date.now();
  const issuer = await newIssuer(t);
  const { page, context, troubles } = await newOperator(browser, server.link);
  t.after(() => context.close());

  await page.getByLabel("Name").first().fill("Acme");
  await page.getByRole("button", { name: "Make the project" }).click();
  await page.getByRole("heading", { name: "First steps" }).waitFor();
  await shoot(page, "first-steps-light");

  await page.getByRole("link", { name: "New profile" }).click();
  await page.getByLabel("or one of its tokens").fill(issuer.token(person()));
  await page.getByRole("button", { name: "Propose a profile" }).click();
  await page.waitForURL(/propose/);
  assert.equal(await page.locator("[name=issuer]").inputValue(), issuer.url);
  await page.locator("[name=jwks_url]").fill(issuer.keySet);
  await page.getByText("would be accepted").waitFor();
  await page.getByRole("button", { name: "Make the profile" }).click();
  await said(page, "The profile is there");
  const profile = await page.locator("main code").first().textContent();

  await page.getByRole("link", { name: "Keys and secrets" }).click();
  await page.getByRole("button", { name: "Make a secret" }).click();
  const secret = await page.locator(".shown pre").textContent();
  await page.getByRole("link", { name: "Quick start" }).click();
  const id = await page.locator("main dl code").nth(1).textContent();
  assert.match(await page.locator("main pre").first().textContent(), new RegExp(`${id}[^]*${profile}`));
  const snippet = await page.locator("section", { has: page.getByRole("heading", { name: "curl" }) }).locator("pre").textContent();
  const { stdout } = await promisify(execFile)("bash", ["-c", snippet], { env: { ...process.env, COUNTERSIGN_SECRET: secret, TOKEN: issuer.token(person()) } });
  assert.equal(JSON.parse(stdout).status_code, 200, stdout);

  await page.getByRole("link", { name: "Overview" }).click();
  assert.equal(await page.locator("#active").textContent(), "1");
  await page.getByRole("img", { name: "1 tokens judged in the last 24h, 1 accepted." }).waitFor();
  assert.deepEqual(troubles, []);
  assert.ok(Date.now() - started < 120_000);

  const again = await context.newPage();
  await again.goto(server.link);
  await again.getByRole("button", { name: "Sign in" }).click();
  await again.getByRole("heading", { name: "That link is used up" }).waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "You are not signed in" }).waitFor();
});

test("a profile of a public key, its mapping tried as it is typed, its policy corrected", async (t) => {
  const { page: home } = await server.newEnvironment();
  const issuer = await newIssuer(t, "ES256");
  const page = await operator(t);
  await page.goto(`${home}/profiles/new`);
  await page.locator("[name=name]").fill("Badge");
  await page.locator("[name=issuer]").fill(issuer.url);
  await page.locator("[name=audience]").fill(issuer.audience);
  await page.getByLabel("Use public keys instead").check();
  await page.getByLabel("Public key, as PEM text").fill(issuer.pem);
  await page.locator("[name=map_email]").fill("mail");
  await page.locator("[name=sample]").fill(issuer.token(person()));
  await page.locator("#preview").getByText("claim missing").waitFor();
  await page.locator("[name=map_email]").fill("email");
  await page.locator("#preview").getByText("would be accepted").waitFor();

  await page.locator("[name=trust_policy]").fill('{"clock_skew_seconds": 3000}');
  await page.getByRole("button", { name: "Make the profile" }).click();
  await page.locator("#problem").getByText("clock_skew_seconds").waitFor();
  assert.equal(await page.locator("[name=issuer]").inputValue(), issuer.url);
  assert.equal(await page.getByLabel("Public key, as PEM text").inputValue(), issuer.pem);
  await page.locator("[name=trust_policy]").fill('{"clock_skew_seconds": 60}');
  await page.getByRole("button", { name: "Make the profile" }).click();
  await said(page, "The profile is there");

  const other = await newIssuer(t);
  await page.getByText("Add a public key").click();
  await page.getByLabel("or a file").setInputFiles({ name: "key.pem", mimeType: "text/plain", buffer: Buffer.from(other.pem) });
  await page.getByRole("button", { name: "Add the key" }).click();
  await said(page, "The key is added");
  await page.locator("details.file summary").first().click();
  await confirmed(page.locator("details.file").first(), "Remove the key");
  await said(page, "The key is removed");

  await page.getByRole("link", { name: "Try a token" }).first().click();
  await page.getByLabel("A token of the issuer").fill(other.token({ ...person(), iss: issuer.url, aud: "elsewhere" }));
  await page.getByRole("button", { name: "Judge it" }).click();
  await page.locator(".steps .failed").getByText("audience mismatch").waitFor();
  await shoot(page, "try-refused-light");
  await page.getByRole("link", { name: "Back to the profile" }).click();
  await page.getByRole("link", { name: "Edit" }).click();
  await page.locator("[name=trust_policy]").fill("{}");
  await page.locator("[name=audience]").fill("elsewhere");
  await page.getByRole("button", { name: "Save the profile" }).click();
  await said(page, "The profile is saved");
  await page.getByText("The default: every asymmetric algorithm").waitFor();
  await confirmed(page.locator(".danger-zone"), "Delete the profile");
  await said(page, "The profile is deleted");
});

test("why a token was refused, and the end of sessions", async (t) => {
  const scene = await newScene(t, server);
  const page = await operator(t, "editor");
  await page.goto(`${scene.page}/verdicts`);
  await page.getByLabel("Outcome").selectOption("audience_mismatch");
  await page.waitForURL(/reason=audience_mismatch/);
  await page.locator("#list tbody tr").nth(1).waitFor();
  assert.equal(await page.locator("#list tbody tr").count(), 2);
  await page.goto(`${scene.page}/profiles/${scene.profile}/edit`);
  await page.locator("[name=audience]").fill("elsewhere");
  await page.getByRole("button", { name: "Replay the verdicts" }).click();
  await page.locator("#replay").getByText("12 verdicts, of which").waitFor();
  await page.locator("#replay tbody tr", { hasText: "accepted" }).filter({ hasText: "audience mismatch" }).waitFor();
  assert.equal(await page.locator("[name=audience]").inputValue(), "elsewhere");
  await shoot(page, "profile-replayed-light");
  await page.goto(`${scene.page}/verdicts?request=${scene.refused}`);
  await page.getByRole("heading", { name: "Refused: signature invalid" }).waitFor();
  assert.equal(await page.locator(".steps .failed").count(), 1);

  await page.getByRole("link", { name: "Sessions" }).click();
  await page.getByLabel("Session ID, user ID").fill(scene.address);
  await page.getByRole("button", { name: "Find" }).click();
  assert.equal(await page.locator("tbody tr").count(), 2);
  await page.getByLabel("Session ID, user ID").fill(scene.session);
  await page.getByRole("button", { name: "Find" }).click();
  await page.getByRole("heading", { name: "What its JWT says" }).waitFor();
  await confirmed(page, "End the session");
  await said(page, "The session is over");

  await page.goto(`${scene.page}/revocations?profile=${scene.profile}`);
  await page.getByRole("button", { name: "Count them" }).click();
  await page.getByRole("heading", { name: "7 sessions would end" }).waitFor();
  await shoot(page, "revocations-counted-light");
  await page.getByRole("button", { name: "End 7 sessions" }).click();
  await said(page, "The sessions are over");
  await page.goto(scene.page);
  assert.equal(await page.locator("#active").textContent(), "0");
});

test("users are found, made, changed and deleted", async (t) => {
  const scene = await newScene(t, server);
  const page = await operator(t, "editor");
  await page.goto(`${scene.page}/users/new`);
  await page.getByLabel("E-mail").fill("not an address");
  await page.getByRole("button", { name: "Make the user" }).click();
  await page.locator("#problem").getByText("invalid_email").waitFor();
  await page.getByLabel("E-mail").fill("grace@example.com");
  await page.getByLabel("First name").fill("Grace");
  await page.getByLabel("author").check();
  await page.getByRole("button", { name: "Make the user" }).click();
  await said(page, "The user is there");
  await page.getByRole("link", { name: "Edit" }).click();
  await page.locator("[name=trusted]").fill('{"plan": "gold"}');
  await page.getByLabel("External ID").fill("employee-7");
  await page.getByRole("button", { name: "Save the user" }).click();
  await said(page, "The user is saved");
  await page.getByText('"plan": "gold"').waitFor();
  await page.getByText("user.updated").first().waitFor();
  await page.goto(`${scene.page}/policy?user=employee-7&resource=documents&action=write`);
  await page.locator("#check").getByText("by author").waitFor();
  await page.goto(`${scene.page}/users?by=name&find=grace`);
  await page.locator("tbody a").click();
  await confirmed(page.locator(".danger-zone"), "Delete the user");
  await said(page, "The user is deleted");
});

test("organizations are found, made, changed and deleted, with roles of their own", async (t) => {
  const scene = await newBusiness(t, server);
  const page = await operator(t);
  await page.goto(scene.page);
  await page.getByRole("link", { name: "Organizations" }).click();
  await page.getByLabel("Look for").selectOption("member");
  await page.getByLabel("Text").fill(scene.address);
  await page.getByRole("button", { name: "Find" }).click();
  await page.locator("tbody a", { hasText: "Acme Inc" }).waitFor();

  await page.getByRole("link", { name: "New organization" }).click();
  await page.getByLabel("Name").fill("Beta");
  await page.getByLabel("Slug").fill("acme");
  await page.getByRole("button", { name: "Make the organization" }).click();
  await page.locator("#problem").getByText("organization_slug_already_used").waitFor();
  assert.equal(await page.getByLabel("Name").inputValue(), "Beta");
  await page.getByLabel("Slug").fill("");
  await page.getByLabel("Allowed, one a line").fill("beta.example\nbeta.test");
  await page.getByRole("button", { name: "Make the organization" }).click();
  await said(page, "The organization is there");
  await page.getByText("Nobody is here yet").waitFor();

  await page.getByRole("link", { name: "Edit its roles" }).click();
  const roles = page.getByLabel("Roles, as JSON");
  await roles.fill('{"roles": [{"role_id": "stytch_admin", "permissions": []}]}');
  await page.getByRole("button", { name: "Save the roles" }).click();
  await page.locator("#problem").getByText("rbac_role_duplicate").waitFor();
  await roles.fill('{"roles": [{"role_id": "keeper", "description": "Keeps.", "permissions": [{"resource_id": "stytch.member", "actions": ["search"]}]}]}');
  await page.getByRole("button", { name: "Save the roles" }).click();
  await said(page, "The roles of the organization are saved");
  await page.getByText("stytch.member: search").waitFor();

  await page.getByRole("link", { name: "Edit", exact: true }).click();
  await page.getByLabel("Roles by domain").fill("beta.example stytch_admin");
  await page.getByLabel("Trusted metadata").fill('{"plan": "gold"}');
  const settings = page.getByLabel("Other settings");
  await settings.fill((await settings.inputValue()).replace("OPTIONAL", "REQUIRED_FOR_ALL"));
  await page.getByRole("button", { name: "Save the organization" }).click();
  await said(page, "The organization is saved");
  await page.getByText('"plan": "gold"').waitFor();
  await page.getByText("organization.updated").first().waitFor();
  await confirmed(page.locator(".danger-zone"), "Delete the organization");
  await said(page, "The organization is deleted");
  assert.equal(await page.locator("#list tbody tr").count(), 1);
});

test("members are made, changed, signed out, deleted and brought back", async (t) => {
  const scene = await newBusiness(t, server);
  const page = await operator(t, "editor");
  await page.goto(scene.page + scene.home);
  assert.equal(await page.getByRole("link", { name: "Edit its roles" }).count(), 0);
  await page.getByRole("link", { name: "New member" }).click();
  await page.getByLabel("E-mail").fill("grace@acme.example");
  await page.getByLabel("Name").fill("Eve");
  await page.getByRole("button", { name: "Make the member" }).click();
  await page.locator("#problem").getByText("retired_member_email").waitFor();
  await page.getByLabel("E-mail").fill("eve@acme.example");
  await page.getByLabel("auditor").check();
  await page.getByLabel("Pending").check();
  await page.getByRole("button", { name: "Make the member" }).click();
  await said(page, "The member is there");
  await page.getByText("pending", { exact: true }).waitFor();
  await page.getByRole("link", { name: "Edit" }).click();
  assert.equal(await page.getByLabel("auditor").isChecked(), true);
  await page.getByLabel("E-mail").fill("eva@acme.example");
  await page.getByLabel("Phone").fill("+41797654321");
  await page.getByRole("button", { name: "Save the member" }).click();
  await said(page, "The member is saved");
  await confirmed(page, "Free the address");
  await said(page, "The address is free");
  await confirmed(page.locator(".danger-zone"), "Remove the phone number");
  await said(page, "The number is removed");

  await page.goto(`${scene.page}${scene.home}?by=email&find=${scene.address}`);
  await page.locator("#list tbody a").click();
  await page.getByText("by the domain example.com").waitFor();
  assert.equal(await page.getByRole("heading", { name: "Sessions" }).locator("xpath=..").locator("tbody tr").count(), 2);
  await confirmed(page.locator(".danger-zone"), "End all sessions");
  await said(page, "The sessions are over");
  await page.getByText("No session is alive").waitFor();
  await confirmed(page.locator(".danger-zone"), "Delete the member");
  await said(page, "The member is deleted");
  await page.getByRole("button", { name: "Reactivate the member" }).click();
  await said(page, "The member is back");
  await page.getByRole("link", { name: "Acme Inc" }).first().click();
  await page.getByLabel("Look for").selectOption("status");
  await page.getByLabel("Text").fill("deleted");
  await page.getByRole("button", { name: "Find" }).click();
  await page.locator("#list tbody a").click();
  await page.getByRole("button", { name: "Reactivate the member" }).click();
  await page.getByRole("alert").getByText("email_unverified").waitFor();
});

test("the quick start of a B2B environment works as pasted", async (t) => {
  const scene = await newBusiness(t, server);
  const page = await operator(t, "viewer");
  const paste = async (claims) => {
    await page.goto(`${scene.page}/start`);
    for (const [name, command] of Object.entries({ curl: "bash", Python: "python3" })) {
      const code = await page.locator("section", { has: page.getByRole("heading", { name, exact: true }) }).locator("pre").textContent();
      const { stdout } = await promisify(execFile)(command, ["-c", code], { env: { ...process.env, COUNTERSIGN_SECRET: scene.secret, TOKEN: scene.issuer.token(claims) } });
      assert.match(stdout, /session-test-/, name);
    }
  };
  await paste({ ...person(), org: "crm-7" });
  await server.manage("PATCH", `${scene.path}/trusted_token_profiles/${scene.profile}`, { attribute_mapping: { email: "email", token_id: "jti" } });
  await paste({ ...person(), email: scene.address }); // a member of the organization that the call names now
});

test("an owner keeps keys, settings, policy, environments and operators", async (t) => {
  const scene = await newScene(t, server);
  const page = await operator(t);
  await page.goto(`${scene.page}/keys`);
  await page.getByRole("button", { name: "Make a secret" }).click();
  assert.match(await page.locator(".shown pre").textContent(), /^secret-/);
  await page.goto(`${scene.page}/keys`);
  assert.equal(await page.locator(".shown").count(), 0);
  await confirmed(page.locator("section", { has: page.getByRole("heading", { name: "Secrets", exact: true }) }), "Delete");
  await said(page, "The secret is deleted");
  await page.getByRole("button", { name: "Make a public token" }).click();
  await said(page, "The public token is there");
  await confirmed(page.locator("section", { has: page.getByRole("heading", { name: "Signing keys" }) }), "Rotate");
  await said(page, "The next signing key is published");

  await page.goto(`${scene.page}/policy/edit`);
  const policy = page.getByLabel("Policy, as JSON");
  await policy.fill('{"custom_roles": [{"role_id": "a"}]}');
  await page.getByRole("button", { name: "Save the policy" }).click();
  await page.locator("#problem").getByText("rbac_role_missing_permissions").waitFor();
  await policy.fill('{"custom_roles": [{"role_id": "a", "description": "", "permissions": []}]}');
  await page.getByRole("button", { name: "Save the policy" }).click();
  await said(page, "The policy is saved");

  await page.goto(`${scene.page}/settings`);
  await page.getByLabel("Template, as JSON").fill('{"who": {{ user.name.first_name }}}');
  await page.locator("#rendered").getByText('"who": "Ada"').waitFor();
  await page.getByRole("button", { name: "Save the template" }).click();
  await said(page, "The template is saved");
  await page.getByLabel("Domains, one a line").fill("https://app.example.com\nhttp://localhost:3000");
  await page.getByLabel("Let pages and apps call").check();
  await page.getByRole("button", { name: "Save what pages may" }).click();
  await said(page, "The settings are saved");
  await page.getByLabel("URL", { exact: true }).fill("javascript:alert(1)");
  await page.getByRole("button", { name: "Add the URL" }).click();
  await page.locator("#redirects .problem").waitFor();
  await page.getByLabel("URL", { exact: true }).fill("https://app.example.com/welcome");
  await page.getByRole("button", { name: "Add the URL" }).click();
  await said(page, "The redirect URL is added");
  await page.getByLabel("Name").first().fill("Renamed");
  await page.getByRole("button", { name: "Save the environment" }).click();
  await said(page, "The environment is saved");
  await page.goto(`${scene.page}/events?action=environment.`);
  await page.getByText("environment.updated").first().waitFor();

  await page.getByRole("link", { name: "Where they are sent" }).click();
  const loki = page.locator("form", { has: page.getByRole("heading", { name: "Grafana Loki" }) });
  await loki.getByLabel("Host").fill("logs example");
  await loki.getByLabel("User name").fill("countersign");
  await loki.getByLabel("Password").fill("open sesame");
  await loki.getByRole("button", { name: "Keep the destination" }).click();
  await loki.locator("#problem").waitFor();
  assert.equal(await loki.getByLabel("User name").inputValue(), "countersign");
  assert.equal(await loki.getByLabel("Password").inputValue(), "");
  await loki.getByLabel("Host").fill("logs.invalid");
  await loki.getByLabel("Password").fill("open sesame");
  await loki.getByRole("button", { name: "Keep the destination" }).click();
  await said(page, "The destination is kept");
  await page.getByText("ends with same").waitFor();
  await shoot(page, "streams-kept-light");
  await page.getByRole("button", { name: "Begin to send" }).click();
  await said(page, "Events are sent from now on");
  await confirmed(page.locator(".card").first(), "Stop sending");
  await said(page, "Nothing is sent any more");
  await confirmed(page.locator(".card").first(), "Delete the destination");
  await said(page, "The destination is deleted");

  await page.goto(`${server.url}/dashboard/operators`);
  const form = page.locator("form.row");
  await form.locator("[name=name]").fill("Newcomer");
  await form.locator("[name=role]").selectOption("viewer");
  await page.getByRole("button", { name: "Make a link" }).click();
  const link = await page.locator(".shown pre").textContent();
  const newcomer = await newOperator(browser, link);
  t.after(() => newcomer.context.close());
  const row = page.locator("tr", { hasText: "Newcomer" });
  await confirmed(row, "Remove");
  await said(page, "The operator is removed");
  await newcomer.page.reload();
  await newcomer.page.getByRole("heading", { name: "You are not signed in" }).waitFor();
});

test("a viewer sees and does nothing beyond reading", async (t) => {
  const scene = await newScene(t, server);
  const page = await operator(t, "viewer");
  for (const [name, path] of Object.entries(scene.pages)) {
    const answer = await page.goto(scene.page + path);
    const forbidden = ["profile-new", "profile-edit", "try", "user-new", "user-edit", "policy-edit"].includes(name);
    assert.equal(answer.status(), forbidden ? 403 : 200, name);
    const forms = await page.locator("main form[method=post] button").count();
    assert.equal(forms, 0, `${name} has a form`);
  }
  assert.equal((await page.goto(`${server.url}/dashboard/operators`)).status(), 403);
  const business = await newBusiness(t, server);
  for (const [name, path] of Object.entries(business.pages)) {
    const answer = await page.goto(business.page + path);
    const forbidden = ["organization-new", "organization-edit", "organization-roles", "member-new", "member-edit", "b2b-try"].includes(name);
    assert.equal(answer.status(), forbidden ? 403 : 200, name);
    assert.equal(await page.locator("main form[method=post] button").count(), 0, `${name} has a form`);
  }
});

// hostile are texts that run, where somebody forgets that they are text.
const hostile = [
  `<script>window.countersignTrouble("ran")</script>`,
  `"><img src=x onerror=countersignTrouble("ran")>`,
  `'-countersignTrouble("ran")-'`,
  `javascript:countersignTrouble("ran")`,
  `</textarea></pre></title><svg onload=countersignTrouble("ran")>`,
  "{{ countersignTrouble }}${countersignTrouble('ran')}",
];

test("nothing that an issuer, a token or a name contains can run", async (t) => {
  const { page: _, ...scene } = await newScene(t, server, hostile[1]);
  const { project } = await server.manage("GET", scene.path.split("/environments")[0]);
  const root = `${server.url}/dashboard/p/${project.project_slug}/${scene.environment_slug}`;
  const walk = { ...scene.pages };
  await server.manage("PATCH", scene.path, { name: hostile[0] });
  for (const [i, text] of hostile.entries()) {
    const { profile } = await server.manage("POST", `${scene.path}/trusted_token_profiles`, {
      name: text,
      issuer: text,
      audience: text,
      public_key_type: "PEM",
      pem_files: [`-----BEGIN PUBLIC KEY-----\n${text}\n-----END PUBLIC KEY-----\n`],
      attribute_mapping: { email: text, token_id: "jti", [text]: text },
      trust_policy: { tests: [{ name: text, claims: { [text]: text }, expect: { reason: "claim_missing" } }], required_typ: "JWT" },
      force: true,
    });
    const { user } = await scene.api("POST", "/v1/users", {
      email: `hostile${i}@example.com`,
      name: { first_name: text, middle_name: text, last_name: text },
      trusted_metadata: { [text]: text },
      untrusted_metadata: { [text]: text },
    });
    const claims = { ...person(), iss: text, aud: text, [text]: text };
    const { request_id } = await scene.attest(profile.profile_id, scene.issuer.token(claims, { header: { kid: text } }));
    const answer = await scene.sign(person(), { header: { kid: text } });
    assert.ok(answer.request_id);
    Object.assign(walk, {
      [`profile ${i}`]: `/profiles/${profile.profile_id}`,
      [`edit ${i}`]: `/profiles/${profile.profile_id}/edit`,
      [`user ${i}`]: `/users/${user.user_id}`,
      [`user edit ${i}`]: `/users/${user.user_id}/edit`,
      [`verdict ${i}`]: `/verdicts/${request_id}`,
      [`verdict of a kid ${i}`]: `/verdicts/${answer.request_id}`,
      [`filters ${i}`]: `/verdicts?since=${encodeURIComponent(text)}&user=${encodeURIComponent(text)}&reason=${encodeURIComponent(text)}`,
      [`events ${i}`]: `/events?action=${encodeURIComponent(text)}&actor=${encodeURIComponent(text)}&object=${encodeURIComponent(text)}`,
      [`users ${i}`]: `/users?by=name&find=${encodeURIComponent(text)}`,
      [`sessions ${i}`]: `/sessions?find=${encodeURIComponent(text)}`,
      [`revocations ${i}`]: `/revocations?profile=${encodeURIComponent(text)}&key=${encodeURIComponent(text)}`,
      [`check ${i}`]: `/policy?user=hostile${i}@example.com&resource=${encodeURIComponent(text)}&action=${encodeURIComponent(text)}`,
      [`nowhere ${i}`]: `/users/${encodeURIComponent(text)}`,
    });
  }
  const names = hostile.filter((text) => !text.startsWith("javascript:"));
  await server.manage("PUT", `${scene.path}/rbac_policy`, {
    custom_resources: names.map((text) => ({ resource_id: text, description: text, available_actions: [text] })),
    custom_roles: names.map((text) => ({ role_id: text, description: text, permissions: [{ resource_id: text, actions: [text] }] })),
    custom_scopes: names.map((text) => ({ scope: text, description: text, permissions: [{ resource_id: text, actions: [text] }] })),
  });
  const who = person();
  const attested = await scene.api("POST", "/v1/sessions/attest", { profile_id: scene.profile, token: scene.issuer.token(who), session_duration_minutes: 60, session_custom_claims: Object.fromEntries(hostile.map((text) => [text, text])) });
  walk["session with claims"] = `/sessions/${attested.session.session_id}`;
  await server.manage("PUT", `${scene.path}/jwt_templates/SESSION`, { template_content: JSON.stringify(Object.fromEntries(names.slice(0, 3).map((text) => [text, text]))), custom_audience: hostile[0] });

  const page = await operator(t);
  for (const text of hostile) await server.newLink(text, "viewer");
  for (const [name, path] of Object.entries(walk)) {
    const answer = await page.goto(root + path);
    assert.ok(answer.status() < 500, `${name}: ${answer.status()}`);
  }
  await page.goto(`${server.url}/dashboard/operators`);
  await page.goto(`${server.url}/dashboard/projects`);
  for (const text of hostile) {
    await page.goto(`${root}/profiles/${scene.profile}/try`);
    await page.getByLabel("A token of the issuer").fill(text);
    await page.getByRole("button", { name: "Judge it" }).click();
    await page.goto(`${root}/profiles/new`);
    await page.getByLabel("or one of its tokens").fill(scene.issuer.token({ ...person(), iss: text, aud: text, [text]: text }));
    await page.getByRole("button", { name: "Propose a profile" }).click();
  }
  for (const text of hostile) {
    await page.goto(`${root}/profiles/${scene.profile}/edit`);
    await page.getByLabel("Since").fill(text);
    await page.getByRole("button", { name: "Replay the verdicts" }).click();
    await page.getByRole("alert").waitFor();
    await page.goto(`${root}/streams`);
    const loki = page.locator("form", { has: page.locator("[value=GRAFANA_LOKI]") });
    for (const label of ["Host", "User name", "Password"]) await loki.getByLabel(label).fill(text);
    await loki.getByRole("button", { name: "Keep the destination" }).click();
    await page.locator("[role=alert], [role=status]").first().waitFor(); // some are hosts
  }
  await page.goto(`${root}/profiles`);
  await page.getByText(hostile[0]).first().waitFor(); // as text
});

test("nothing that an organization or a member contains can run", async (t) => {
  const { page: home, ...scene } = await newBusiness(t, server);
  const walk = { ...scene.pages };
  const names = hostile.filter((text) => !text.startsWith("javascript:"));
  await server.manage("PUT", `${scene.path}/rbac_policy`, {
    custom_resources: names.map((text) => ({ resource_id: text, description: text, available_actions: [text] })),
    custom_roles: [],
    custom_scopes: [],
  });
  for (const [i, text] of hostile.entries()) {
    const { organization } = await scene.api("POST", "/v1/b2b/organizations", {
      organization_name: text,
      organization_logo_url: `https://example.com/${text.replace(/\s/g, "+")}`,
      trusted_metadata: { [text]: text },
      sso_default_connection_id: text,
      allowed_oauth_tenants: { slack: [text] },
    });
    const at = `/organizations/${organization.organization_id}`;
    const role = { role_id: names[i % names.length], description: text, permissions: [{ resource_id: names[i % names.length], actions: [names[i % names.length]] }] };
    await scene.api("PUT", `/v1/b2b/rbac/organizations/${organization.organization_id}`, { org_policy: { roles: [role] } });
    const { member_id } = await scene.api("POST", `/v1/b2b${at}/members`, {
      email_address: `hostile${i}@example.com`,
      name: text,
      trusted_metadata: { [text]: text },
      untrusted_metadata: { [text]: text },
      roles: [role.role_id],
    });
    const search = encodeURIComponent(text);
    Object.assign(walk, {
      [`organization ${i}`]: at,
      [`organization edit ${i}`]: `${at}/edit`,
      [`organization roles ${i}`]: `${at}/roles`,
      [`member new ${i}`]: `${at}/members/new`,
      [`member ${i}`]: `/members/${member_id}`,
      [`member edit ${i}`]: `/members/${member_id}/edit`,
      [`check ${i}`]: `/policy?user=${member_id}&resource=${search}&action=${search}`,
      [`organizations by name ${i}`]: `/organizations?by=name&find=${search}`,
      [`organizations by domain ${i}`]: `/organizations?by=domain&find=${search}`,
      [`organizations by what is no way ${i}`]: `/organizations?by=${search}&find=${search}`,
      [`members by role ${i}`]: `${at}?by=role&find=${search}`,
      [`members by status ${i}`]: `${at}?by=status&find=${search}`,
      [`nowhere ${i}`]: `/organizations/${search}`,
      [`nobody ${i}`]: `/members/${search}`,
    });
  }
  const page = await operator(t);
  for (const [name, path] of Object.entries(walk)) {
    const answer = await page.goto(home + path);
    assert.ok(answer.status() < 500, `${name}: ${answer.status()}`);
  }
  for (const text of hostile) {
    await page.goto(`${home}/organizations/new`);
    for (const label of ["Name", "Slug", "External ID", "Logo URL", "Allowed, one a line", "Claimed, one a line", "Roles by domain", "Trusted metadata", "Other settings"]) await page.getByLabel(label).fill(text);
    await page.getByRole("button", { name: "Make the organization" }).click();
    await page.getByRole("alert").waitFor();
    await page.goto(`${home}${scene.home}/members/new`);
    for (const label of ["E-mail", "Name", "Phone", "External ID", "Trusted, as JSON", "Untrusted, as JSON"]) await page.getByLabel(label, { exact: label === "Name" || label.startsWith("T") }).fill(text);
    await page.getByRole("button", { name: "Make the member" }).click();
    await page.getByRole("alert").waitFor();
    await page.goto(`${home}${scene.home}/roles`);
    await page.getByLabel("Roles, as JSON").fill(text);
    await page.getByRole("button", { name: "Save the roles" }).click();
    await page.getByRole("alert").waitFor();
  }
  await page.goto(`${home}/organizations`);
  await page.getByText(hostile[0]).first().waitFor(); // as text
});

test("every page reads, is walked and is acted on without JavaScript", async (t) => {
  const scene = await newScene(t, server);
  const page = await operator(t, "owner", { javaScriptEnabled: false });
  for (const [name, path] of Object.entries(scene.pages)) {
    assert.equal((await page.goto(scene.page + path)).status(), 200, name);
    assert.ok(await page.locator("h1").count(), name);
  }
  await page.goto(`${scene.page}/profiles/${scene.profile}/edit`);
  await page.locator("[name=sample]").fill(scene.issuer.token(person()));
  await page.getByRole("button", { name: "Show what it finds" }).click();
  await page.locator("#preview").getByText("would be accepted").waitFor();
  await page.goto(`${scene.page}/verdicts`);
  await page.getByLabel("Outcome").selectOption("accepted");
  await page.getByRole("button", { name: "Show" }).click();
  assert.equal(await page.locator("#list tbody tr").count(), 8);
  await page.goto(`${scene.page}/sessions/${scene.session}`);
  await confirmed(page, "End the session");
  await said(page, "The session is over");
  const business = await newBusiness(t, server);
  for (const [name, path] of Object.entries(business.pages)) {
    assert.equal((await page.goto(business.page + path)).status(), 200, name);
    assert.ok(await page.locator("h1").count(), name);
  }
  await page.goto(`${business.page}${business.home}?by=role&find=auditor`);
  await page.locator("#list tbody a").click();
  await confirmed(page.locator(".danger-zone"), "Delete the member");
  await said(page, "The member is deleted");
});

test("the pages are used with the keyboard alone", async (t) => {
  const scene = await newScene(t, server);
  const page = await operator(t);
  await page.goto(`${scene.page}/sessions/${scene.session}`);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the content");
  await page.locator(".switch summary").focus();
  await page.keyboard.press("Enter");
  await page.locator(".switch[open]").waitFor();
  await page.keyboard.press("Escape");
  assert.equal(await page.locator(".switch[open]").count(), 0);
  await page.locator("details.confirm summary").focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await said(page, "The session is over");
});

for (const [look, options] of Object.entries({
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark" },
  phone: { colorScheme: "light", viewport: { width: 390, height: 844 } },
})) {
  test(`axe finds nothing serious, and nothing is wider than the screen: ${look}`, async (t) => {
    const scene = await newScene(t, server);
    const page = await operator(t, "owner", options);
    const visit = async (name, url) => {
      await page.goto(url);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.ok(over <= 0, `${name} is ${over} pixels wider than the screen`);
      await checkAccessible(page, name);
      await shoot(page, `${name}-${look}`);
    };
    for (const [name, path] of Object.entries(scene.pages)) await visit(name, scene.page + path);
    await visit("projects", `${server.url}/dashboard/projects`);
    await visit("operators", `${server.url}/dashboard/operators`);
    await visit("nothing", `${server.url}/dashboard/nowhere`);
    const business = await newBusiness(t, server);
    for (const [name, path] of Object.entries(business.pages)) await visit(name, business.page + path);
    const nobody = await server.newEnvironment("Nobody", "B2B");
    await visit("empty-organizations", `${nobody.page}/organizations`);
    const empty = await server.newEnvironment("Empty");
    for (const path of ["", "/profiles", "/verdicts", "/sessions", "/users", "/revocations"]) await visit(`empty${path.replace("/", "-")}`, empty.page + path);
    const { page: outside } = await (async () => {
      const context = await browser.newContext(options);
      t.after(() => context.close());
      return { page: await context.newPage() };
    })();
    await outside.goto(`${server.url}/dashboard`);
    await checkAccessible(outside, "signed out");
    await shoot(outside, `signed-out-${look}`);
  });
}
