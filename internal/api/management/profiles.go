package management

import (
	"context"
	"encoding/json"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/api"
	"github.com/countersign-auth/countersign/internal/api/wire"
	"github.com/countersign-auth/countersign/internal/project"
)

type createProfileRequest struct {
	Name             string          `json:"name" openapi:"required"`
	Audience         string          `json:"audience" openapi:"required"`
	Issuer           string          `json:"issuer" openapi:"required"`
	PublicKeyType    string          `json:"public_key_type" openapi:"required,enum=JWK|PEM"`
	JWKSURL          *string         `json:"jwks_url"`
	PEMFiles         []string        `json:"pem_files" doc:"Up to 5 public keys, as text."`
	AttributeMapping json.RawMessage `json:"attribute_mapping" openapi:"type=object" doc:"Which claims carry which attributes."`
	CanJITProvision  bool            `json:"can_jit_provision"`
	TrustPolicy      json.RawMessage `json:"trust_policy" openapi:"type=object" doc:"The settings that differ from the default; this server's addition to the contract."`
	Force            bool            `json:"force" doc:"Save the profile although its tests fail; this server's addition to the contract."`
}

type profileAnswer struct {
	wire.Envelope
	Profile wire.Profile `json:"profile"`
}

type profilesAnswer struct {
	wire.Envelope
	Profiles []wire.Profile `json:"profiles"`
}

func (s *Surface) createProfile(ctx context.Context, r *api.Request[createProfileRequest]) (*profileAnswer, error) {
	p, err := s.Projects.CreateProfile(ctx, r.Caller.Actor, r.Caller.Environment, project.NewProfile{
		Name: r.Body.Name, Issuer: r.Body.Issuer, Audience: r.Body.Audience, KeyType: countersign.KeyType(r.Body.PublicKeyType),
		JWKSURL: text(r.Body.JWKSURL), PEMFiles: r.Body.PEMFiles, CanJITProvision: r.Body.CanJITProvision,
		AttributeMapping: project.CompactMapping(r.Body.AttributeMapping), TrustPolicy: r.Body.TrustPolicy, Force: r.Body.Force,
	})
	return &profileAnswer{Profile: wire.NewProfile(p)}, err
}

func (s *Surface) listProfiles(ctx context.Context, r *api.Request[api.None]) (*profilesAnswer, error) {
	list, err := s.Projects.Profiles(ctx, r.Caller.Environment.ID)
	return &profilesAnswer{Profiles: wire.NewProfiles(list)}, err
}

func (s *Surface) profile(ctx context.Context, r *api.Request[api.None]) (*profileAnswer, error) {
	p, err := s.Projects.Profile(ctx, r.Caller.Environment.ID, r.Path("profile_id"))
	return &profileAnswer{Profile: wire.NewProfile(p)}, err
}

// updateProfileRequest leaves alone what is absent. null is absent too, but for
// jwks_url and attribute_mapping, which it takes away.
type updateProfileRequest struct {
	Name             *string                        `json:"name"`
	Audience         *string                        `json:"audience"`
	Issuer           *string                        `json:"issuer"`
	JWKSURL          wire.Nullable[string]          `json:"jwks_url" doc:"Null takes it away."`
	AttributeMapping wire.Nullable[json.RawMessage] `json:"attribute_mapping" openapi:"type=object" doc:"Null takes it away."`
	CanJITProvision  *bool                          `json:"can_jit_provision"`
	TrustPolicy      wire.Nullable[json.RawMessage] `json:"trust_policy" openapi:"type=object" doc:"The settings to change; in it, null makes one the default again, and in its place all of them. This server's addition to the contract."`
	Force            bool                           `json:"force" doc:"Save the profile although its tests fail; this server's addition to the contract."`
}

func (r updateProfileRequest) patch() project.ProfilePatch {
	patch := project.ProfilePatch{
		Name: r.Name, Issuer: r.Issuer, Audience: r.Audience, CanJITProvision: r.CanJITProvision, Force: r.Force,
	}
	if r.JWKSURL.Given {
		patch.JWKSURL = &r.JWKSURL.Value
	}
	if r.AttributeMapping.Given {
		mapping := project.CompactMapping(r.AttributeMapping.Value)
		patch.AttributeMapping = &mapping
	}
	if r.TrustPolicy.Given {
		patch.TrustPolicy = &r.TrustPolicy.Value
	}
	return patch
}

func (s *Surface) updateProfile(ctx context.Context, r *api.Request[updateProfileRequest]) (*profileAnswer, error) {
	p, err := s.Projects.UpdateProfile(ctx, r.Caller.Actor, r.Caller.Environment, r.Path("profile_id"), r.Body.patch())
	return &profileAnswer{Profile: wire.NewProfile(p)}, err
}

func (s *Surface) deleteProfile(ctx context.Context, r *api.Request[api.None]) (*wire.Done, error) {
	return &wire.Done{}, s.Projects.DeleteProfile(ctx, r.Caller.Actor, r.Caller.Environment.ID, r.Path("profile_id"))
}

type addPEMFileRequest struct {
	PublicKey string `json:"public_key" openapi:"required"`
}

type pemFileAnswer struct {
	wire.Envelope
	PEMFile wire.PEMFile `json:"pem_file"`
}

func (s *Surface) addPEMFile(ctx context.Context, r *api.Request[addPEMFileRequest]) (*pemFileAnswer, error) {
	f, err := s.Projects.AddPEMFile(ctx, r.Caller.Actor, r.Caller.Environment.ID, r.Path("profile_id"), r.Body.PublicKey)
	return &pemFileAnswer{PEMFile: wire.NewPEMFile(f)}, err
}

func (s *Surface) pemFile(ctx context.Context, r *api.Request[api.None]) (*pemFileAnswer, error) {
	f, err := s.Projects.PEMFile(ctx, r.Caller.Environment.ID, r.Path("profile_id"), r.Path("pem_file_id"))
	return &pemFileAnswer{PEMFile: wire.NewPEMFile(f)}, err
}

func (s *Surface) deletePEMFile(ctx context.Context, r *api.Request[api.None]) (*wire.Done, error) {
	return &wire.Done{}, s.Projects.DeletePEMFile(ctx, r.Caller.Actor, r.Caller.Environment.ID, r.Path("profile_id"), r.Path("pem_file_id"))
}

type keySetAnswer struct {
	wire.Envelope
	KeySet wire.KeySetHealth `json:"key_set"`
}

// keySet is this server's addition to the contract: how the keys of a profile's
// issuer are. It asks the issuer nothing.
func (s *Surface) keySet(ctx context.Context, r *api.Request[api.None]) (*keySetAnswer, error) {
	p, err := s.Projects.Profile(ctx, r.Caller.Environment.ID, r.Path("profile_id"))
	if err != nil {
		return nil, err
	}
	if p.KeyType != countersign.KeyTypeJWK {
		return nil, countersign.ErrProfileInvalidRequest.Saying("A profile of type PEM has no key set.")
	}
	return &keySetAnswer{KeySet: wire.NewKeySetHealth(s.Sources.HealthOf(p.EnvironmentID, p.JWKSURL))}, nil
}
