package project

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"unicode"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/store"
	"github.com/countersign-auth/countersign/internal/trust"
)

// Bounds of a profile, in bytes.
const (
	maxProfileText = 2048 // name, issuer, audience
	maxMapping     = 16 << 10
	maxPEM         = 16 << 10
)

// NewProfile is what a profile begins with.
type NewProfile struct {
	Name             string
	Issuer           string
	Audience         string
	KeyType          countersign.KeyType
	JWKSURL          string
	PEMFiles         []string
	AttributeMapping json.RawMessage // an object, or nil
	CanJITProvision  bool
	TrustPolicy      json.RawMessage // settings that differ from the default, or nil
	Force            bool            // save it although its tests fail
}

// ProfilePatch changes what it names; nil leaves a thing as it is. The key type
// never changes.
type ProfilePatch struct {
	Name             *string
	Issuer           *string
	Audience         *string
	JWKSURL          *string          // "" takes it away
	AttributeMapping *json.RawMessage // nil inside clears it
	CanJITProvision  *bool
	TrustPolicy      *json.RawMessage // the settings to change; nil inside makes it the default
	Force            bool             // save it although its tests fail
}

// checkProfile holds the rules of a profile whole, after a create or an update
// (profiles.md §2).
func checkProfile(p countersign.Profile, vertical countersign.Vertical) error {
	for _, field := range []struct{ name, value string }{{"name", p.Name}, {"issuer", p.Issuer}, {"audience", p.Audience}} {
		switch {
		case field.value == "":
			return countersign.ErrProfileInvalidRequest.Saying("%s is required.", field.name)
		case len(field.value) > maxProfileText:
			return countersign.ErrProfileInvalidRequest.Saying("%s may have %d bytes.", field.name, maxProfileText)
		case strings.ContainsFunc(field.value, unicode.IsControl):
			return countersign.ErrProfileInvalidRequest.Saying("%s may not contain control characters.", field.name)
		}
	}
	switch p.KeyType {
	case countersign.KeyTypeJWK:
		if p.JWKSURL == "" {
			return countersign.ErrMustHaveJWKSURL
		}
		if err := trust.CheckURL(p.JWKSURL); err != nil {
			return countersign.ErrInvalidJWKSURL.Saying("Reason: %v.", err)
		}
		if len(p.PEMFiles) > 0 {
			return countersign.ErrCannotAddPEMFileToNonPEMProfile
		}
	case countersign.KeyTypePEM:
		if p.JWKSURL != "" {
			return countersign.ErrProfileInvalidRequest.Saying("A profile of type PEM takes no jwks_url.")
		}
		if len(p.PEMFiles) == 0 {
			return countersign.ErrMustHavePEMFiles
		}
		if len(p.PEMFiles) > countersign.MaxPEMFiles {
			return countersign.ErrTooManyPEMFiles
		}
	default:
		return countersign.ErrProfileInvalidRequest.Saying("public_key_type must be JWK or PEM.")
	}
	if err := checkMapping(p.AttributeMapping, vertical); err != nil {
		return err
	}
	return checkPolicy(p.Policy, vertical)
}

// checkMapping accepts any object, and refuses external IDs of the other
// vertical, and expressions that do not compile. What else it maps is judged when
// a token is.
func checkMapping(mapping json.RawMessage, vertical countersign.Vertical) error {
	if mapping == nil {
		return nil
	}
	if len(mapping) > maxMapping {
		return countersign.ErrProfileInvalidRequest.Saying("attribute_mapping may have %d bytes.", maxMapping)
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(mapping, &keys); err != nil || keys == nil {
		return countersign.ErrProfileInvalidRequest.Saying("attribute_mapping must be a JSON object or null.")
	}
	_, user := keys["external_user_id"]
	_, member := keys["external_member_id"]
	switch {
	case user && member:
		return countersign.ErrProfileMultipleExternalIDs
	case user && vertical == countersign.B2B, member && vertical == countersign.Consumer:
		return countersign.ErrProfileIncorrectExternalIDMapping.Saying("%s", externalIDAdvice(vertical))
	}
	for _, attribute := range attributes(vertical) {
		var path string
		if json.Unmarshal(keys[attribute], &path) == nil {
			if err := checkPath("attribute_mapping."+attribute, path); err != nil {
				return err
			}
		}
	}
	return nil
}

// newPEMFile takes public key text as it is. Text that does not parse is kept
// and never verifies; a key that parses but is weak, or private, is refused.
func newPEMFile(env countersign.EnvironmentID, text string) (countersign.PEMFile, error) {
	switch {
	case text == "":
		return countersign.PEMFile{}, countersign.ErrPublicKeyMissing
	case len(text) > maxPEM:
		return countersign.PEMFile{}, countersign.ErrInvalidPublicKey.Saying("It may have %d bytes.", maxPEM)
	case !strings.Contains(text, "-----BEGIN ") || strings.ContainsRune(text, 0):
		return countersign.PEMFile{}, countersign.ErrInvalidPublicKey.Saying("It must be PEM text, which begins with -----BEGIN PUBLIC KEY-----.")
	}
	if _, err := trust.ParsePEM(text); errors.Is(err, trust.ErrWeakKey) || errors.Is(err, trust.ErrPrivateKey) {
		return countersign.PEMFile{}, countersign.ErrInvalidPublicKey.Saying("Reason: %v.", err)
	}
	return countersign.PEMFile{ID: countersign.NewID[countersign.PEMFileID](env.Class()), PublicKey: text}, nil
}

// NewDraft is what CreateProfile would make; it saves nothing, and tests may fail.
// Errors: as CreateProfile.
func (s *Service) NewDraft(e countersign.Environment, n NewProfile) (countersign.Profile, error) {
	n.Force = true
	return s.newProfile(e, n)
}

func (s *Service) newProfile(e countersign.Environment, n NewProfile) (countersign.Profile, error) {
	p := countersign.Profile{
		ID: countersign.NewID[countersign.ProfileID](e.Type.Class()), EnvironmentID: e.ID,
		Name: n.Name, Issuer: n.Issuer, Audience: n.Audience, KeyType: n.KeyType, JWKSURL: n.JWKSURL,
		AttributeMapping: n.AttributeMapping, CanJITProvision: n.CanJITProvision, Policy: countersign.DefaultTrustPolicy(),
	}
	if len(n.PEMFiles) > countersign.MaxPEMFiles {
		return p, countersign.ErrTooManyPEMFiles // before parsing any of them
	}
	for _, text := range n.PEMFiles {
		f, err := newPEMFile(e.ID, text)
		if err != nil {
			return p, err
		}
		p.PEMFiles = append(p.PEMFiles, f)
	}
	var err error
	if p.Policy, err = mergePolicy(p.Policy, n.TrustPolicy); err != nil {
		return p, err
	}
	return p, s.check(&p, e.Vertical, n.Force)
}

// CreateProfile makes a profile. It never asks the network. Errors: the
// contract's for each rule of a profile, and ErrTooManyProfiles.
func (s *Service) CreateProfile(ctx context.Context, actor countersign.Actor, e countersign.Environment, n NewProfile) (countersign.Profile, error) {
	p, err := s.newProfile(e, n)
	if err != nil {
		return p, err
	}
	err = s.Store.Update(ctx, actor, func(tx *store.Tx) error {
		if _, err := tx.Environment(ctx, e.ID); err != nil {
			return or(err, countersign.ErrEnvironmentNotFound)
		}
		p.CreatedAt = tx.Now
		have, err := tx.CountProfiles(ctx, e.ID)
		if err := atMost(countersign.MaxProfilesByEnvironment, have, err, countersign.ErrTooManyProfiles); err != nil {
			return err
		}
		if err := tx.InsertProfile(ctx, p); err != nil {
			return err
		}
		return tx.Record(ctx, e.ID, "profile.created", p.ID.String(), change(nil, p))
	})
	return p, err
}

// Profiles are an environment's, oldest first.
func (s *Service) Profiles(ctx context.Context, env countersign.EnvironmentID) ([]countersign.Profile, error) {
	return view(ctx, s.Store, nil, func(tx *store.Tx) ([]countersign.Profile, error) { return tx.Profiles(ctx, env) })
}

// Profile finds a profile by the text of its ID; ErrProfileNotFound.
func (s *Service) Profile(ctx context.Context, env countersign.EnvironmentID, ref string) (countersign.Profile, error) {
	return view(ctx, s.Store, nil, func(tx *store.Tx) (countersign.Profile, error) { return profile(ctx, tx, env, ref) })
}

func profile(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID, ref string) (countersign.Profile, error) {
	id, err := countersign.ParseID[countersign.ProfileID](ref)
	if err != nil {
		return countersign.Profile{}, countersign.ErrProfileNotFound
	}
	p, err := tx.Profile(ctx, env, id)
	return p, or(err, countersign.ErrProfileNotFound)
}

// UpdateProfile changes what the patch names. Errors: ErrProfileNotFound, those of
// a trust policy, ErrProfileTestFailed, and the contract's for each rule of a
// profile.
func (s *Service) UpdateProfile(ctx context.Context, actor countersign.Actor, e countersign.Environment, ref string, patch ProfilePatch) (p countersign.Profile, err error) {
	for {
		before, err := s.Profile(ctx, e.ID, ref)
		if err != nil {
			return p, err
		}
		// A transaction is no place to run somebody's tests in.
		if p, err = s.patched(before, e, patch); err != nil {
			return p, err
		}
		err = s.Store.Update(ctx, actor, func(tx *store.Tx) error {
			now, err := profile(ctx, tx, e.ID, ref)
			if err != nil {
				return err
			}
			if !reflect.DeepEqual(now, before) {
				return errOvertaken
			}
			if err := tx.UpdateProfile(ctx, p); err != nil {
				return err
			}
			return tx.Record(ctx, e.ID, "profile.updated", p.ID.String(), change(before, p))
		})
		if !errors.Is(err, errOvertaken) {
			return p, err
		}
	}
}

// errOvertaken is a profile that somebody changed between a look and the
// transaction.
var errOvertaken = errors.New("the profile has changed meanwhile")

// DraftProfile is a profile, and what UpdateProfile would make of it; it saves
// nothing, and tests may fail. Errors: as UpdateProfile.
func (s *Service) DraftProfile(ctx context.Context, e countersign.Environment, ref string, patch ProfilePatch) (stored, draft countersign.Profile, err error) {
	if stored, err = s.Profile(ctx, e.ID, ref); err != nil {
		return stored, draft, err
	}
	patch.Force = true
	draft, err = s.patched(stored, e, patch)
	return stored, draft, err
}

// patched is a profile after a patch.
func (s *Service) patched(p countersign.Profile, e countersign.Environment, patch ProfilePatch) (countersign.Profile, error) {
	set(&p.Name, patch.Name)
	set(&p.Issuer, patch.Issuer)
	set(&p.Audience, patch.Audience)
	set(&p.JWKSURL, patch.JWKSURL)
	set(&p.AttributeMapping, patch.AttributeMapping)
	set(&p.CanJITProvision, patch.CanJITProvision)
	if patch.TrustPolicy != nil {
		current := p.Policy
		if *patch.TrustPolicy == nil {
			current = countersign.DefaultTrustPolicy()
		}
		var err error
		if p.Policy, err = mergePolicy(current, *patch.TrustPolicy); err != nil {
			return p, err
		}
	}
	return p, s.check(&p, e.Vertical, patch.Force)
}

// check holds a profile against every rule, and against its own tests unless
// they may fail. It writes domains as they are compared.
func (s *Service) check(p *countersign.Profile, vertical countersign.Vertical, force bool) error {
	p.Policy.EmailDomains, p.Policy.JITDomains = normalDomains(p.Policy.EmailDomains), normalDomains(p.Policy.JITDomains)
	if err := checkProfile(*p, vertical); err != nil || force {
		return err
	}
	return s.checkTests(*p, vertical)
}

// DeleteProfile removes a profile and its keys; ErrProfileNotFound.
func (s *Service) DeleteProfile(ctx context.Context, actor countersign.Actor, env countersign.EnvironmentID, ref string) error {
	return s.Store.Update(ctx, actor, func(tx *store.Tx) error {
		p, err := profile(ctx, tx, env, ref)
		if err != nil {
			return err
		}
		if err := tx.DeleteProfile(ctx, env, p.ID); err != nil {
			return err
		}
		return tx.Record(ctx, env, "profile.deleted", p.ID.String(), change(p, nil))
	})
}

// AddPEMFile adds a public key to a PEM profile. Errors: ErrProfileNotFound,
// ErrPublicKeyMissing, ErrInvalidPublicKey, ErrCannotAddPEMFileToNonPEMProfile,
// ErrTooManyPEMFiles.
func (s *Service) AddPEMFile(ctx context.Context, actor countersign.Actor, env countersign.EnvironmentID, ref, text string) (countersign.PEMFile, error) {
	f, invalid := newPEMFile(env, text)
	err := s.Store.Update(ctx, actor, func(tx *store.Tx) error {
		p, err := profile(ctx, tx, env, ref)
		switch {
		case err != nil:
			return err
		case p.KeyType != countersign.KeyTypePEM:
			return countersign.ErrCannotAddPEMFileToNonPEMProfile
		case invalid != nil:
			return invalid
		case len(p.PEMFiles) >= countersign.MaxPEMFiles:
			return countersign.ErrTooManyPEMFiles
		}
		if err := tx.InsertPEMFile(ctx, env, p.ID, f); err != nil {
			return err
		}
		return tx.Record(ctx, env, "profile.key_added", p.ID.String(), f)
	})
	return f, err
}

// PEMFile finds a public key of a profile. Errors: ErrProfileNotFound,
// ErrPEMFileNotFound.
func (s *Service) PEMFile(ctx context.Context, env countersign.EnvironmentID, ref, fileRef string) (countersign.PEMFile, error) {
	p, err := s.Profile(ctx, env, ref)
	if err != nil {
		return countersign.PEMFile{}, err
	}
	return pemFile(p, fileRef)
}

func pemFile(p countersign.Profile, ref string) (countersign.PEMFile, error) {
	for _, f := range p.PEMFiles {
		if f.ID.String() == ref {
			return f, nil
		}
	}
	return countersign.PEMFile{}, countersign.ErrPEMFileNotFound
}

// DeletePEMFile removes a public key of a profile, but not its last. Errors:
// ErrProfileNotFound, ErrPEMFileNotFound, ErrMustHavePEMFiles.
func (s *Service) DeletePEMFile(ctx context.Context, actor countersign.Actor, env countersign.EnvironmentID, ref, fileRef string) error {
	return s.Store.Update(ctx, actor, func(tx *store.Tx) error {
		p, err := profile(ctx, tx, env, ref)
		if err != nil {
			return err
		}
		f, err := pemFile(p, fileRef)
		if err != nil {
			return err
		}
		if len(p.PEMFiles) == 1 {
			return countersign.ErrMustHavePEMFiles
		}
		if err := tx.DeletePEMFile(ctx, env, p.ID, f.ID); err != nil {
			return err
		}
		return tx.Record(ctx, env, "profile.key_removed", p.ID.String(), f)
	})
}

// CompactMapping is a mapping as it is stored: without the white space between
// its parts, so that equal mappings are equal text. nil for null.
func CompactMapping(raw json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil || b.String() == "null" || b.Len() == 0 {
		return nil
	}
	return b.Bytes()
}
