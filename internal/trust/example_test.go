package trust_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/trust"
)

// A team signs a token with a key of its own; a profile says what it believes.
func ExampleVerifier_Verify() {
	private := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)) // for the example only
	sign := func(claims string) string {
		signed := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"EdDSA"}`)) + "." +
			base64.RawURLEncoding.EncodeToString([]byte(claims))
		return signed + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(private, []byte(signed)))
	}
	profile := &countersign.Profile{
		Issuer: "https://login.example", Audience: "countersign", KeyType: countersign.KeyTypePEM,
		PEMFiles: []countersign.PEMFile{{PublicKey: `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAO2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik=
-----END PUBLIC KEY-----`}},
		AttributeMapping: json.RawMessage(`{"email":"email","token_id":"jti","external_user_id":"sub"}`),
		Policy:           countersign.DefaultTrustPolicy(),
	}
	noon := func() time.Time { return time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC) }
	verifier := trust.NewVerifier(noon, nil) // nil: no profile with a key set URL here

	token, err := verifier.Verify(context.Background(), profile, sign(
		`{"iss":"https://login.example","aud":"countersign","exp":1767269100,"jti":"7","sub":12345678901234567890,"email":"Ada@Example.com"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	attributes, err := verifier.Map(profile, token, countersign.Consumer)
	fmt.Println(attributes.Email, attributes.TokenID, attributes.ExternalID, err)

	_, err = verifier.Verify(context.Background(), profile, sign(
		`{"iss":"https://login.example","aud":["countersign"],"exp":1767268700}`))
	if refusal, ok := errors.AsType[*trust.Refusal](err); ok {
		fmt.Println(refusal.Reason)
		fmt.Println(refusal.Received)
	}
	// Output:
	// Ada@Example.com 7 12345678901234567890 <nil>
	// expired
	// exp is 2026-01-01T11:58:20Z, 100 s ago
}
