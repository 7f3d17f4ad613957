import assert from "node:assert/strict";
import test from "node:test";
import { person } from "../support/issuer.js";
import { newScene } from "../support/scene.js";
import { newClient, newEnvironment, refused } from "../support/server.js";

test("an update changes what it names", async (t) => {
  const { client, signIn } = await newScene(t);
  const who = person();
  const { user_id } = await signIn(who);
  const first = await client.users.update({
    user_id: who.sub,
    name: { first_name: "Ada", last_name: "Lovelace" },
    trusted_metadata: { plan: "pro", seats: 3 },
    untrusted_metadata: { theme: "dark" },
    external_id: "crm|1",
  });
  assert.equal(first.user_id, user_id);
  assert.deepEqual(first.emails, first.user.emails);
  const { user } = await client.users.update({ user_id: "crm|1", name: { middle_name: "King" }, trusted_metadata: { plan: null, since: 1843 } });
  assert.deepEqual(user.name, { first_name: "Ada", middle_name: "King", last_name: "Lovelace" });
  assert.deepEqual(user.trusted_metadata, { seats: 3, since: 1843 });
  assert.deepEqual(user.untrusted_metadata, { theme: "dark" });
  await refused(client.users.get({ user_id: who.sub }), 404, "user_not_found");
  assert.equal((await client.users.deleteExternalId({ user_id: "crm|1" })).user.external_id, null);
});

test("addresses and numbers come and go", async (t) => {
  const client = newClient(await newEnvironment(t));
  const { user_id, email_id, phone_id } = await client.users.create({ email: "ada@example.com", phone_number: "+14155550123" });
  const exchange = (fields) => client.users.exchangePrimaryFactor({ user_id, ...fields });
  await refused(exchange({ email_address: "countess@example.com" }), 400, "invalid_exchange_primary_factor_user");
  assert.deepEqual((await client.users.deletePhoneNumber({ phone_id })).user.phone_numbers, []);
  const { user } = await exchange({ phone_number: "+14155550199" });
  assert.deepEqual([user.emails, user.phone_numbers.map((p) => p.phone_number)], [[], ["+14155550199"]]);
  await refused(exchange({}), 400, "invalid_exchange_primary_factor_fields");
  await refused(client.users.deleteEmail({ email_id }), 404, "email_not_found");
  assert.deepEqual((await client.users.connectedApps({ user_id })).connected_apps, []);
  await refused(client.users.deleteTOTP({ totp_id: "x" }), 404, "totp_not_found");
  await refused(client.users.deletePassword({ password_id: "x" }), 404, "password_not_found");
  await refused(client.users.deleteCryptoWallet({ crypto_wallet_id: "x" }), 404, "crypto_wallet_not_found");
  await refused(client.users.deleteWebAuthnRegistration({ webauthn_registration_id: "x" }), 404, "webauthn_registration_not_found");
  await refused(client.users.deleteBiometricRegistration({ biometric_registration_id: "x" }), 404, "biometric_registration_not_found");
  await refused(client.users.deleteOAuthRegistration({ oauth_user_registration_id: "x" }), 404, "oauth_user_registration_not_found");
});

test("users are found by every filter", async (t) => {
  const client = newClient(await newEnvironment(t));
  const ids = [];
  for (let i = 0; i < 12; i++) {
    const { user_id } = await client.users.create({
      email: `person${i}@company${i % 3}.example`,
      external_id: `ext-${i}`,
      create_user_as_pending: i % 5 === 0,
      name: { first_name: "Ada", last_name: `Lovelace${i}` },
      ...(i % 2 === 1 && { phone_number: `+1415555${1000 + i}` }),
    });
    ids.push(user_id);
    await new Promise((later) => setTimeout(later, 2)); // so that the order of making is the order of IDs
  }
  // follow gathers what the client's own iterator goes through.
  const follow = async (query, limit) => {
    const found = [];
    for await (const page of client.users.searchAll({ limit, query })) found.push(...page);
    return found.map((u) => u.user_id);
  };
  const where = (keep) => ids.filter((_, i) => keep(i)).reverse();
  const { emails, phone_numbers } = await client.users.get({ user_id: ids[1] });
  for (const [filter_name, filter_value, keep] of [
    ["user_id", [ids[3], ids[7]], (i) => i === 3 || i === 7],
    ["user_id", ["ext-4", "ext-9"], (i) => i === 4 || i === 9],
    ["email_address", ["PERSON2@company2.EXAMPLE"], (i) => i === 2],
    ["email_id", [emails[0].email_id], (i) => i === 1],
    ["phone_number", ["+14155551005"], (i) => i === 5],
    ["phone_id", [phone_numbers[0].phone_id], (i) => i === 1],
    ["email_address_fuzzy", "COMPANY1", (i) => i % 3 === 1],
    ["phone_number_fuzzy", "5100", (i) => i % 2 === 1 && i < 10],
    ["full_name_fuzzy", "lovelace1", (i) => i === 1 || i >= 10],
    ["status", "pending", (i) => i % 5 === 0],
    ["email_verified", true, () => false],
    ["phone_verified", false, (i) => i % 2 === 1],
    ["password_exists", false, () => true],
    ["created_at_between", { greater_than: "2020-01-01T00:00:00Z", less_than: "2100-01-01T00:00:00Z" }, () => true],
  ]) {
    await t.test(`${filter_name} ${JSON.stringify(filter_value)}`, async () => {
      const query = { operator: "AND", operands: [{ filter_name, filter_value }] };
      assert.deepEqual(await follow(query, 3), where(keep));
      const { results_metadata } = await client.users.search({ query });
      assert.deepEqual(results_metadata, { total: where(keep).length, next_cursor: null });
    });
  }
  assert.deepEqual(await follow(undefined, 5), where(() => true));
  await refused(client.users.search({ cursor: "nonsense" }), 400, "user_search_invalid_cursor");
  await refused(client.users.search({ query: { operator: "XOR", operands: [{ filter_name: "status", filter_value: "active" }] } }), 400, "user_search_invalid_operator");
});
