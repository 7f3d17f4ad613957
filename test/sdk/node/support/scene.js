import { newIssuer } from "./issuer.js";
import { newClient, newEnvironment, newProfile } from "./server.js";

// newScene is an environment that trusts an issuer, and a client of it.
export async function newScene(t, settings) {
  const environment = await newEnvironment(t, settings);
  const issuer = await newIssuer(t);
  const profile_id = await newProfile(environment, issuer);
  const client = newClient(environment);
  const attest = (who, more) => client.sessions.attest({ profile_id, token: issuer.token(who), ...more });
  const signIn = (who, more) => attest(who, { session_duration_minutes: 60, ...more });
  return { environment, issuer, profile_id, client, attest, signIn };
}

// isoExpiry is a session as the client shows it that was verified locally: this
// client, and no other, writes expires_at anew, with milliseconds.
export const isoExpiry = (session) => ({ ...session, expires_at: new Date(session.expires_at).toISOString() });
