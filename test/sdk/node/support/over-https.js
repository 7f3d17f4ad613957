// Runs in a process of its own, which NODE_EXTRA_CA_CERTS makes trust the
// authority of "serve --dev-tls": Node reads that variable when it starts.

import stytch from "stytch";

const { SERVER, WORKSPACE_KEY_ID, WORKSPACE_KEY_SECRET } = process.env;

async function manage(path, body) {
  const answer = await fetch(SERVER + "/pwa/v3/projects" + path, {
    method: "POST",
    headers: { Authorization: "Basic " + btoa(`${WORKSPACE_KEY_ID}:${WORKSPACE_KEY_SECRET}`) },
    body: JSON.stringify(body),
  });
  return answer.json();
}

const { project } = await manage("", { name: "Over https", vertical: "CONSUMER" });
const { environment } = await manage(`/${project.project_slug}/environments`, { name: "Test", type: "TEST" });
const { secret } = await manage(`/${project.project_slug}/environments/${environment.environment_slug}/secrets`, {});
const client = new stytch.Client({ project_id: environment.project_id, secret: secret.secret, custom_base_url: SERVER + "/" });
const made = await client.users.create({ email: "ada@example.com" });
const { user_id } = await client.users.get({ user_id: made.user_id });
console.log(JSON.stringify({ made: made.user_id, found: user_id }));
