// Package trust judges subject tokens: may we believe this JWT, and what does
// it say? It knows network and cryptography; it refuses to know databases,
// people and HTTP answers.
//
// Verifier.Verify is the whole of it, in the order in which things are checked;
// every refusal is a *Refusal with a Reason from a closed list.
package trust
