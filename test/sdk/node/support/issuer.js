// Somebody else's identity provider, on loopback.

import { generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { createServer } from "node:http";

const kid = "suite-key";
const base64url = (value) => Buffer.from(value).toString("base64url");

// All issuers of a process share an RSA key: to make one takes a tenth of a
// second and more.
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });

const kinds = {
  RS256: { key: () => rsa, hash: "sha256" },
  ES256: { key: () => generateKeyPairSync("ec", { namedCurve: "P-256" }), hash: "sha256", dsaEncoding: "ieee-p1363" },
  EdDSA: { key: () => generateKeyPairSync("ed25519"), hash: null },
};

// newIssuer runs an issuer until the test ends, or until close is called.
export async function newIssuer(t, alg = "RS256") {
  const { publicKey, privateKey } = kinds[alg].key();
  const keys = [{ ...publicKey.export({ format: "jwk" }), kid, alg, use: "sig" }];
  const server = createServer((_, answer) => {
    answer.setHeader("Content-Type", "application/json");
    answer.end(JSON.stringify({ keys }));
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const close = () => {
    server.closeAllConnections();
    return new Promise((closed) => server.close(closed));
  };
  t.after(close);
  const url = `http://127.0.0.1:${server.address().port}`;
  const audience = "countersign-suite";
  return {
    url,
    audience,
    close,
    keySet: `${url}/.well-known/jwks.json`,
    pem: publicKey.export({ type: "spki", format: "pem" }),
    // token signs a subject token for five minutes; undefined takes a claim away.
    token(claims, { key = privateKey, header = {} } = {}) {
      const iat = Math.floor(Date.now() / 1000);
      const payload = { iss: url, aud: audience, jti: randomUUID(), iat, exp: iat + 300, ...claims };
      const input = `${base64url(JSON.stringify({ alg, typ: "JWT", kid, ...header }))}.${base64url(JSON.stringify(payload))}`;
      const { hash, dsaEncoding } = kinds[alg];
      return `${input}.${base64url(sign(hash, Buffer.from(input), { key, dsaEncoding }))}`;
    },
  };
}

// person is somebody whom the issuer knows, and nobody else yet.
export function person() {
  const sub = randomUUID();
  return { sub, email: `${sub}@example.com` };
}

// stranger is a private key that no issuer published.
export const stranger = () => generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
