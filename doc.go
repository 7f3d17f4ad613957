// Package countersign is the vocabulary of the server: the types that every
// other package speaks in, the identifiers, and the errors of the wire
// contract. It imports nothing but the standard library and does no I/O.
//
// The words, as the field uses them:
//
//   - Workspace: one server. It holds projects.
//   - Project: a slug, a name and a vertical (consumer or B2B). It holds
//     environments.
//   - Environment: LIVE or TEST. What the API calls a project ID names an
//     environment. It owns secrets, public tokens, people, profiles and signing
//     keys, and shares none of them with another environment.
//   - Profile: a trusted-token profile. It says which issuer is believed, for
//     which audience, with which keys, and which claims become which attributes.
//   - Issuer: whoever signs subject tokens (RFC 7519 §4.1.1).
//   - Subject token: the issuer's JWT, as presented to be exchanged (RFC 8693).
//   - Key set: an issuer's public keys, from a URL (RFC 7517) or from PEM text.
//   - Claims: the payload of a subject token, believed only after judging.
//   - Attributes: the claims that a profile's mapping picked out.
//   - Session: what a judged subject token is exchanged for. It is held by an
//     opaque session token and shown by a short-lived session JWT.
//   - Factor: one way in which the person of a session has authenticated.
//   - Operator: a person who administers the workspace on the dashboard.
//   - Reason: why a subject token was refused, from a closed list.
package countersign
