package dashboard

import (
	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/signing"
)

type keysPage struct {
	Secrets  []countersign.Secret
	Tokens   []countersign.PublicToken
	Signing  []signing.KeyState
	New      string // the value of a secret that was just made, this once
	NewID    countersign.SecretID
	Problem  problem
	KeySetAt string
}

func listKeys(d *Dashboard, r *request) (view, error) { return keysView(d, r, keysPage{}) }

func keysView(d *Dashboard, r *request, data keysPage) (view, error) {
	ctx := r.Context()
	var err error
	if data.Secrets, err = d.Projects.Secrets(ctx, r.env.ID); err != nil {
		return view{}, err
	}
	if data.Tokens, err = d.Projects.PublicTokens(ctx, r.env.ID); err != nil {
		return view{}, err
	}
	if data.Signing, err = d.Keyring.States(ctx, r.env.ID); err != nil {
		return view{}, err
	}
	data.KeySetAt = "/v1/sessions/jwks/" + r.env.ID.String()
	return view{
		template: "keys", title: "Keys and secrets", section: "keys", data: data, status: data.Problem.status(),
		cli: "countersign secret create" + r.flags(), api: "POST " + r.management("secrets"),
	}, nil
}

func createSecret(d *Dashboard, r *request) (view, error) {
	stored, value, err := d.Projects.CreateSecret(r.Context(), r.actor, r.env)
	if ours(err) {
		return keysView(d, r, keysPage{Problem: problemOf(err)})
	}
	if err != nil {
		return view{}, err
	}
	return keysView(d, r, keysPage{New: value.Reveal(), NewID: stored.ID})
}

func deleteSecret(d *Dashboard, r *request) (view, error) {
	return view{redirect: r.path("keys") + "?did=secret-deleted"}, d.Projects.DeleteSecret(r.Context(), r.actor, r.env.ID, r.PathValue("secret"))
}

func createPublicToken(d *Dashboard, r *request) (view, error) {
	_, err := d.Projects.CreatePublicToken(r.Context(), r.actor, r.env)
	return keysAfter(d, r, "token-created", err)
}

func deletePublicToken(d *Dashboard, r *request) (view, error) {
	err := d.Projects.DeletePublicToken(r.Context(), r.actor, r.env.ID, r.PathValue("token"))
	return keysAfter(d, r, "token-deleted", err)
}

func rotateKey(d *Dashboard, r *request) (view, error) {
	_, err := d.Keyring.Rotate(r.Context(), r.actor, r.env.ID, r.env.Settings.SessionJWTAlgorithm)
	return keysAfter(d, r, "rotated", err)
}

func keysAfter(d *Dashboard, r *request, deed string, err error) (view, error) {
	if ours(err) {
		return keysView(d, r, keysPage{Problem: problemOf(err)})
	}
	return view{redirect: r.path("keys") + "?did=" + deed}, err
}
