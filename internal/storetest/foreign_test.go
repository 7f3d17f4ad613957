package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/store"
	"github.com/countersign-auth/countersign/internal/storetest"
)

// A trespass calls one method from the environment here with the names of
// another's rows. It answers nil or ErrNotFound, unless it found something.
type trespass func(ctx context.Context, s *store.Store, tx *store.Tx, here world, theirs world) error

// unfound is the outcome of a method that finds one row or ErrNotFound.
func unfound[T any](v T, err error) error {
	if err == nil {
		return fmt.Errorf("found %+v", v)
	}
	return err
}

// none is the outcome of a method that lists rows: those of here are no find.
func no(found bool, err error) error {
	if found {
		return errors.New("found theirs")
	}
	return err
}

func none[T any](list []T, err error) error {
	if err == nil && len(list) > 0 {
		return fmt.Errorf("found %+v", list)
	}
	return err
}

// trespasses are all methods that take an environment, as a parameter or in one.
var trespasses = map[string]trespass{
	"Tx.VerdictHours": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, _ world) error {
		return none(tx.VerdictHours(ctx, here.env.ID, time.UnixMicro(0)))
	},
	"Tx.Secrets": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, _ world) error {
		return none(tx.Secrets(ctx, here.env.ID))
	},
	"Tx.Secret": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return unfound(tx.Secret(ctx, here.env.ID, theirs.secret.ID))
	},
	"Tx.SecretByHash": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return unfound(tx.SecretByHash(ctx, here.env.ID, theirs.secret.Hash))
	},
	"Tx.InsertSecret": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		theirs.secret.EnvironmentID = here.env.ID
		return tx.InsertSecret(ctx, theirs.secret)
	},
	"Tx.DeleteSecret": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return tx.DeleteSecret(ctx, here.env.ID, theirs.secret.ID)
	},
	"Store.SecretUsed": func(ctx context.Context, s *store.Store, _ *store.Tx, here, theirs world) error {
		return s.SecretUsed(ctx, here.env.ID, theirs.secret.ID, moment.Add(time.Hour))
	},
	"Tx.PublicTokens": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, _ world) error {
		return none(tx.PublicTokens(ctx, here.env.ID))
	},
	"Tx.PublicToken": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return unfound(tx.PublicToken(ctx, here.env.ID, theirs.public.ID))
	},
	"Tx.InsertPublicToken": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		theirs.public.ID = countersign.NewID[countersign.PublicTokenID](countersign.Test) // theirs names their environment, and no other
		return tx.InsertPublicToken(ctx, here.env.ID, theirs.public)
	},
	"Tx.DeletePublicToken": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return tx.DeletePublicToken(ctx, here.env.ID, theirs.public.ID)
	},
	"Tx.Environment": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		e, err := tx.Environment(ctx, here.env.ID)
		if err == nil && e.ID == theirs.env.ID {
			return errors.New("found theirs")
		}
		return err
	},
	"Tx.InsertEnvironment": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		theirs.env.ID, theirs.env.ProjectSlug = countersign.NewID[countersign.EnvironmentID](countersign.Test), here.project.Slug
		theirs.env.Slug = "another"
		return tx.InsertEnvironment(ctx, theirs.env)
	},
	"Tx.UpdateEnvironment": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, _ world) error {
		return tx.UpdateEnvironment(ctx, here.env.ID, "renamed", countersign.EnvironmentSettings{})
	},
	"Tx.DeleteEnvironment": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, _ world) error {
		return tx.DeleteEnvironment(ctx, here.env.ID)
	},
	"Tx.Record": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return tx.Record(ctx, here.env.ID, "trespassed", theirs.user.ID.String(), nil)
	},
	"Tx.Events": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, _ world) error {
		return none(tx.Events(ctx, here.env.ID, countersign.EventID{}, 100))
	},
	"Tx.EventsAfter": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return none(tx.EventsAfter(ctx, here.env.ID, theirs.stream.Position, moment.Add(time.Hour), 100))
	},
	"Tx.EventStreams": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, _ world) error {
		return none(tx.EventStreams(ctx, here.env.ID))
	},
	"Tx.InsertEventStream": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		theirs.stream.EnvironmentID, theirs.stream.Config = here.env.ID, []byte("evil")
		return tx.InsertEventStream(ctx, theirs.stream)
	},
	"Tx.UpdateEventStream": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		theirs.stream.EnvironmentID, theirs.stream.Config = here.env.ID, []byte("evil")
		return tx.UpdateEventStream(ctx, theirs.stream)
	},
	"Tx.DeleteEventStream": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return tx.DeleteEventStream(ctx, here.env.ID, theirs.stream.Type)
	},
	"Store.LeaseEventStream": func(ctx context.Context, s *store.Store, _ *store.Tx, here, theirs world) error {
		return unfound(s.LeaseEventStream(ctx, here.env.ID, theirs.stream.Type, moment.AddDate(1, 0, 0), moment.AddDate(2, 0, 0)))
	},
	"Store.SettleEventStream": func(ctx context.Context, s *store.Store, _ *store.Tx, here, theirs world) error {
		theirs.stream.EnvironmentID, theirs.stream.LastError = here.env.ID, "evil"
		return s.SettleEventStream(ctx, theirs.stream)
	},
	"Tx.Profiles": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, _ world) error {
		return none(tx.Profiles(ctx, here.env.ID))
	},
	"Tx.Profile": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return unfound(tx.Profile(ctx, here.env.ID, theirs.profile.ID))
	},
	"Tx.CountProfiles": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, _ world) error {
		n, err := tx.CountProfiles(ctx, here.env.ID)
		return none(make([]struct{}, n), err)
	},
	"Tx.InsertProfile": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		theirs.profile.EnvironmentID = here.env.ID
		return tx.InsertProfile(ctx, theirs.profile)
	},
	"Tx.UpdateProfile": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		theirs.profile.EnvironmentID, theirs.profile.Issuer = here.env.ID, "https://evil.example"
		return tx.UpdateProfile(ctx, theirs.profile)
	},
	"Tx.DeleteProfile": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return tx.DeleteProfile(ctx, here.env.ID, theirs.profile.ID)
	},
	"Tx.InsertPEMFile": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		f := countersign.PEMFile{ID: countersign.NewID[countersign.PEMFileID](countersign.Test), PublicKey: "evil"}
		return tx.InsertPEMFile(ctx, here.env.ID, theirs.profile.ID, f)
	},
	"Tx.DeletePEMFile": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return tx.DeletePEMFile(ctx, here.env.ID, theirs.profile.ID, theirs.profile.PEMFiles[0].ID)
	},
	"Store.LoadKeySet": func(ctx context.Context, s *store.Store, _ *store.Tx, here, theirs world) error {
		set, found, err := s.LoadKeySet(ctx, here.env.ID, theirs.keySet.URL)
		if found {
			return fmt.Errorf("found %+v", set)
		}
		return err
	},
	"Store.SaveKeySet": func(ctx context.Context, s *store.Store, _ *store.Tx, here, theirs world) error {
		theirs.keySet.EnvironmentID, theirs.keySet.Body, theirs.keySet.FetchedAt = here.env.ID, []byte("evil"), moment.Add(time.Hour)
		return s.SaveKeySet(ctx, theirs.keySet)
	},
	"Tx.SigningKeys": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, _ world) error {
		return none(tx.SigningKeys(ctx, here.env.ID))
	},
	"Tx.InsertSigningKey": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		theirs.key.EnvironmentID, theirs.key.PrivateKey = here.env.ID, []byte("evil")
		return tx.InsertSigningKey(ctx, theirs.key)
	},
	"Tx.RemoveSigningKeysBefore": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, _ world) error {
		return tx.RemoveSigningKeysBefore(ctx, here.env.ID, 1000, moment.Add(time.Hour))
	},
	"Store.PurgeSigningKeys": func(ctx context.Context, s *store.Store, _ *store.Tx, here, _ world) error {
		return s.PurgeSigningKeys(ctx, here.env.ID, moment.AddDate(10, 0, 0))
	},
	"Tx.Session": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return unfound(tx.Session(ctx, here.env.ID, theirs.session.ID))
	},
	"Tx.SessionsOf": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return none(tx.SessionsOf(ctx, here.env.ID, theirs.user.ID))
	},
	"Tx.InsertSession": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		theirs.session.Nonce = []byte("evil")
		return tx.InsertSession(ctx, here.env.ID, theirs.session)
	},
	"Tx.UpdateSession": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		theirs.session.ExpiresAt = moment.AddDate(10, 0, 0)
		return tx.UpdateSession(ctx, here.env.ID, theirs.session)
	},
	"Tx.DeleteSession": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return tx.DeleteSession(ctx, here.env.ID, theirs.session.ID)
	},
	"Tx.DeleteSessionsOf": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return tx.DeleteSessionsOf(ctx, here.env.ID, theirs.user.ID)
	},
	"Store.TouchSession": func(ctx context.Context, s *store.Store, _ *store.Tx, here, theirs world) error {
		return s.TouchSession(ctx, here.env.ID, theirs.session.ID, moment.Add(time.Minute))
	},
	"Tx.Person": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return unfound(tx.Person(ctx, here.env.ID, theirs.user.ID))
	},
	"Tx.PersonByExternalID": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return unfound(tx.PersonByExternalID(ctx, here.tenant(), theirs.user.ExternalID))
	},
	"Tx.PersonByEmail": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return unfound(tx.PersonByEmail(ctx, here.tenant(), theirs.user.Emails[0].Key))
	},
	"Tx.PersonByPhone": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return unfound(tx.PersonByPhone(ctx, here.tenant(), theirs.user.Phones[0].Number))
	},
	"Tx.CountPeople": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, _ world) error {
		n, err := tx.CountPeople(ctx, here.env.ID)
		return none(make([]struct{}, n), err)
	},
	"Tx.InsertPerson": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		theirs.user.Name.First = "Eve"
		return tx.InsertPerson(ctx, here.env.ID, theirs.user)
	},
	"Tx.InsertEmail": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return tx.InsertEmail(ctx, here.tenant(), theirs.user.ID, theirs.user.Emails[0])
	},
	"Tx.InsertPhone": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return tx.InsertPhone(ctx, here.tenant(), theirs.user.ID, theirs.user.Phones[0])
	},
	"Tx.UpdatePerson": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		theirs.user.ExternalID = "evil"
		return tx.UpdatePerson(ctx, here.env.ID, theirs.user)
	},
	"Tx.UserByEmailID": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return unfound(tx.UserByEmailID(ctx, here.env.ID, theirs.user.Emails[0].ID))
	},
	"Tx.UserByPhoneID": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return unfound(tx.UserByPhoneID(ctx, here.env.ID, theirs.user.Phones[0].ID))
	},
	"Tx.DeleteEmail": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return tx.DeleteEmail(ctx, here.env.ID, theirs.user.Emails[0].ID)
	},
	"Tx.DeletePhone": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return tx.DeletePhone(ctx, here.env.ID, theirs.user.Phones[0].ID)
	},
	"Tx.PersonIDs": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		inTheirs := countersign.Tenant{EnvironmentID: here.env.ID, OrganizationID: theirs.organization.ID}
		if err := none(tx.PersonIDs(ctx, inTheirs, store.Stretch[countersign.PersonID]{}, store.Text{}, 10)); err != nil {
			return err
		}
		for _, text := range []store.Text{{}, store.EmailPart("ada"), store.PhonePart("+49"), store.NamePart("ada")} {
			if err := none(tx.PersonIDs(ctx, here.tenant(), store.Stretch[countersign.PersonID]{}, text, 10)); err != nil {
				return err
			}
			if err := none(tx.PersonIDs(ctx, here.tenant(), store.Stretch[countersign.PersonID]{From: theirs.user.ID}, text, 10)); err != nil {
				return err
			}
		}
		return nil
	},
	"Tx.PersonIDAfter": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, _ world) error {
		return unfound(tx.PersonIDAfter(ctx, here.tenant(), store.Stretch[countersign.PersonID]{}, 0))
	},
	"Tx.CountUsersUpTo": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, _ world) error {
		n, err := tx.CountUsersUpTo(ctx, here.env.ID, 10)
		return none(make([]struct{}, n), err)
	},
	"Tx.PeopleByIDs": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return none(tx.PeopleByIDs(ctx, here.env.ID, []countersign.PersonID{theirs.user.ID}))
	},
	"Tx.PersonIDsByExternalIDs": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return none(tx.PersonIDsByExternalIDs(ctx, here.tenant(), []string{theirs.user.ExternalID}))
	},
	"Tx.PersonIDsByEmails": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return none(tx.PersonIDsByEmails(ctx, here.tenant(), []string{theirs.user.Emails[0].Key}))
	},
	"Tx.PersonIDsByPhones": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return none(tx.PersonIDsByPhones(ctx, here.tenant(), []string{theirs.user.Phones[0].Number}))
	},
	"Tx.UserIDsByEmailIDs": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return none(tx.UserIDsByEmailIDs(ctx, here.env.ID, []countersign.EmailID{theirs.user.Emails[0].ID}))
	},
	"Tx.UserIDsByPhoneIDs": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return none(tx.UserIDsByPhoneIDs(ctx, here.env.ID, []countersign.PhoneID{theirs.user.Phones[0].ID}))
	},
	"Tx.Policy": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, _ world) error {
		return unfound(tx.Policy(ctx, here.env.ID))
	},
	"Tx.PutPolicy": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, _ world) error {
		return tx.PutPolicy(ctx, here.env.ID, countersign.Policy{})
	},
	"Tx.Template": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, _ world) error {
		return unfound(tx.Template(ctx, here.env.ID, countersign.SessionTemplate))
	},
	"Tx.PutTemplate": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, _ world) error {
		return tx.PutTemplate(ctx, here.env.ID, countersign.SessionTemplate, countersign.Template{})
	},
	"Tx.ConsumerSDKConfig": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, _ world) error {
		return unfound(tx.ConsumerSDKConfig(ctx, here.env.ID))
	},
	"Tx.PutConsumerSDKConfig": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, _ world) error {
		return tx.PutConsumerSDKConfig(ctx, here.env.ID, countersign.ConsumerSDKConfig{})
	},
	"Tx.B2BSDKConfig": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, _ world) error {
		return unfound(tx.B2BSDKConfig(ctx, here.env.ID))
	},
	"Tx.PutB2BSDKConfig": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, _ world) error {
		return tx.PutB2BSDKConfig(ctx, here.env.ID, countersign.B2BSDKConfig{})
	},
	"Tx.RedirectURLs": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, _ world) error {
		return unfound(tx.RedirectURLs(ctx, here.env.ID))
	},
	"Tx.PutRedirectURLs": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, _ world) error {
		return tx.PutRedirectURLs(ctx, here.env.ID, []countersign.RedirectURL{{URL: "https://evil.example"}})
	},
	"Tx.Standing": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, _ world) error {
		s, err := tx.Standing(ctx, here.env.ID)
		if s.Policy != nil || s.Template != nil || len(s.Profiles) > 0 {
			return fmt.Errorf("found %+v", s)
		}
		return err
	},
	"Tx.Revocations": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, _ world) error {
		return none(tx.Revocations(ctx, here.env.ID))
	},
	"Tx.PutRevocations": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, _ world) error {
		return tx.PutRevocations(ctx, here.env.ID, nil)
	},
	"Tx.LinkedPerson": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		id, err := tx.LinkedPerson(ctx, here.tenant(), theirs.profile.ID, subject)
		if !id.IsZero() {
			return errors.New("found theirs")
		}
		return err
	},
	"Tx.Linked": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return no(tx.Linked(ctx, here.env.ID, theirs.profile.ID, theirs.user.ID))
	},
	"Tx.InsertLink": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return tx.InsertLink(ctx, here.tenant(), theirs.profile.ID, subject, here.user.ID)
	},
	"Tx.TokenUsed": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return no(tx.TokenUsed(ctx, here.env.ID, theirs.profile.ID, hash))
	},
	"Tx.UseToken": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return used(tx.UseToken(ctx, here.env.ID, theirs.profile.ID, hash, moment.Add(time.Minute)))
	},
	"Tx.Provisioned": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		n, err := tx.Provisioned(ctx, here.env.ID, theirs.profile.ID)
		return none(make([]struct{}, n), err)
	},
	"Tx.CountProvisioning": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return tx.CountProvisioning(ctx, here.env.ID, theirs.profile.ID)
	},
	"Tx.Verdict": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return unfound(tx.Verdict(ctx, here.env.ID, theirs.verdict.RequestID))
	},
	"Tx.Verdicts": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		first := countersign.FirstOrderedID[countersign.RequestID](countersign.Test, moment.AddDate(-1, 0, 0))
		last := countersign.FirstOrderedID[countersign.RequestID](countersign.Test, moment.AddDate(1, 0, 0))
		reason := "expired"
		for _, f := range []store.VerdictFilter{{}, {ProfileID: theirs.profile.ID}, {PersonID: theirs.user.ID}, {Reason: &reason}} {
			if err := none(tx.Verdicts(ctx, here.env.ID, f, first, last, 10)); err != nil {
				return err
			}
		}
		return nil
	},
	"Tx.MissedVerdicts": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		n, err := tx.MissedVerdicts(ctx, here.env.ID, theirs.profile.ID, time.Time{}, moment.AddDate(1, 0, 0))
		return none(make([]struct{}, n), err)
	},
	"Tx.NewestSession": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, _ world) error {
		return unfound(tx.NewestSession(ctx, here.env.ID))
	},
	"Tx.SessionsBefore": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, _ world) error {
		return none(tx.SessionsBefore(ctx, here.env.ID, countersign.SessionID{}, 10))
	},
	"Store.PurgeRevoked": func(ctx context.Context, s *store.Store, _ *store.Tx, here, theirs world) error {
		return s.PurgeRevoked(ctx, here.env.ID, []countersign.SessionID{theirs.session.ID})
	},
	"Store.PurgeVerdicts": func(ctx context.Context, s *store.Store, _ *store.Tx, here, _ world) error {
		_, err := s.PurgeVerdicts(ctx, here.env.ID, moment.AddDate(1, 0, 0), 10)
		return err
	},
	"Tx.VerifyEmail": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return tx.VerifyEmail(ctx, here.env.ID, theirs.user.Emails[0].ID)
	},
	"Tx.Organization": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return unfound(tx.Organization(ctx, here.env.ID, theirs.organization.ID))
	},
	"Tx.OrganizationByExternalID": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return unfound(tx.OrganizationByExternalID(ctx, here.env.ID, theirs.organization.ExternalID))
	},
	"Tx.OrganizationBySlug": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return unfound(tx.OrganizationBySlug(ctx, here.env.ID, theirs.organization.Slug))
	},
	"Tx.CountOrganizations": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, _ world) error {
		n, err := tx.CountOrganizations(ctx, here.env.ID)
		return none(make([]struct{}, n), err)
	},
	"Tx.CountMembers": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		n, err := tx.CountMembers(ctx, countersign.Tenant{EnvironmentID: here.env.ID, OrganizationID: theirs.organization.ID}, store.NoLimit)
		return none(make([]struct{}, n), err)
	},
	"Tx.OrganizationIDs": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		for _, text := range []store.Text{{}, store.NamePart("cme"), store.SlugPart("acme")} {
			if err := none(tx.OrganizationIDs(ctx, here.env.ID, store.Stretch[countersign.OrganizationID]{From: theirs.organization.ID}, text, 10)); err != nil {
				return err
			}
		}
		return nil
	},
	"Tx.OrganizationIDAfter": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, _ world) error {
		return unfound(tx.OrganizationIDAfter(ctx, here.env.ID, store.Stretch[countersign.OrganizationID]{}, 0))
	},
	"Tx.CountOrganizationsUpTo": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, _ world) error {
		n, err := tx.CountOrganizationsUpTo(ctx, here.env.ID, 10)
		return none(make([]struct{}, n), err)
	},
	"Tx.OrganizationsByIDs": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return none(tx.OrganizationsByIDs(ctx, here.env.ID, []countersign.OrganizationID{theirs.organization.ID}))
	},
	"Tx.OrganizationIDsByExternalIDs": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return none(tx.OrganizationIDsByExternalIDs(ctx, here.env.ID, []string{theirs.organization.ExternalID}))
	},
	"Tx.OrganizationIDsBySlugs": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return none(tx.OrganizationIDsBySlugs(ctx, here.env.ID, []string{theirs.organization.Slug}))
	},
	"Tx.OrganizationIDsByEmails": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return none(tx.OrganizationIDsByEmails(ctx, here.env.ID, []string{theirs.member.Emails[0].Key}))
	},
	"Tx.OrganizationIDsWithEmailPart": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return none(tx.OrganizationIDsWithEmailPart(ctx, here.env.ID, []countersign.OrganizationID{theirs.organization.ID}, "ada"))
	},
	"Tx.InsertOrganization": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		theirs.organization.Name = "evil"
		return tx.InsertOrganization(ctx, here.env.ID, theirs.organization)
	},
	"Tx.UpdateOrganization": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		theirs.organization.Name = "evil"
		return tx.UpdateOrganization(ctx, here.env.ID, theirs.organization)
	},
	"Tx.DeleteOrganization": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return tx.DeleteOrganization(ctx, here.env.ID, theirs.organization.ID)
	},
	"Tx.MoveRevision": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, _ world) error {
		_, err := tx.MoveRevision(ctx, here.env.ID)
		return err
	},
	"Tx.RetireEmail": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return tx.RetireEmail(ctx, here.env.ID, theirs.member.Emails[0].ID)
	},
	"Tx.ReclaimEmail": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		theirs.member.Emails[0].Key = "evil@example.com"
		return tx.ReclaimEmail(ctx, here.env.ID, theirs.member.Emails[0])
	},
	"Tx.ReleaseIdentifiers": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return tx.ReleaseIdentifiers(ctx, theirs.member.Tenant(here.env.ID), theirs.member.ID)
	},
	"Tx.ForgetSignIns": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return tx.ForgetSignIns(ctx, here.env.ID, theirs.user.ID)
	},
	"Tx.DeleteUser": func(ctx context.Context, _ *store.Store, tx *store.Tx, here, theirs world) error {
		return tx.DeleteUser(ctx, here.env.ID, theirs.user.ID)
	},
}

// workspaceWide are the methods that belong to no environment, and why.
var workspaceWide = map[string]string{
	"Tx.Projects":                 "projects are the workspace's",
	"Tx.CountProjects":            "projects are the workspace's",
	"Tx.Project":                  "projects are the workspace's",
	"Tx.InsertProject":            "projects are the workspace's",
	"Tx.RenameProject":            "projects are the workspace's",
	"Tx.DeleteProject":            "projects are the workspace's",
	"Tx.Environments":             "lists a project's environments for the management plane",
	"Tx.AllEnvironments":          "is for what the server does of its own accord",
	"Tx.EnvironmentBySlug":        "resolves the names of the management plane to an environment",
	"Tx.EnvironmentByPublicToken": "resolves a public token to its environment",
	"Tx.CountWorkspaceKeys":       "workspace keys are the workspace's",
	"Tx.CountOperatorSessions":    "operators are the workspace's",
	"Tx.DeleteOperator":           "operators are the workspace's",
	"Tx.DeleteOperatorPass":       "operators are the workspace's",
	"Tx.DeleteOperatorPasses":     "operators are the workspace's",
	"Tx.InsertOperatorPass":       "operators are the workspace's",
	"Tx.Operator":                 "operators are the workspace's",
	"Tx.OperatorByName":           "operators are the workspace's",
	"Tx.OperatorPass":             "operators are the workspace's",
	"Tx.Operators":                "operators are the workspace's",
	"Tx.PutOperator":              "operators are the workspace's",
	"Tx.WorkspaceKey":             "workspace keys are the workspace's",
	"Tx.PutWorkspaceKey":          "workspace keys are the workspace's",
	"Tx.WorkspaceFact":            "facts are the workspace's",
	"Tx.InsertWorkspaceFact":      "facts are the workspace's",
	"Store.Close":                 "touches no rows",
	"Store.View":                  "lends a Tx",
	"Store.Update":                "lends a Tx",
	"Store.SaveVerdicts":          "each verdict names its environment",
	"Store.AllRevocations":        "is for what the server does of its own accord",
	"Store.PurgeUsedTokens":       "forgets what had expired, of every environment",
	"Store.PurgeSessions":         "removes what had expired, of every environment",
	"Store.DueEventStreams":       "is for what the server does of its own accord",
	"Store.PurgeDeparted":         "removes what deleted environments left",
	"Store.PurgeDepartedMembers":  "removes what deleted organizations left",
}

func TestEveryMethodIsTriedFromAForeignEnvironment(t *testing.T) {
	t.Parallel()
	unknown := map[string]bool{}
	for name := range trespasses {
		unknown[name] = true
	}
	for name := range workspaceWide {
		unknown[name] = true
	}
	for _, typ := range []reflect.Type{reflect.TypeFor[*store.Tx](), reflect.TypeFor[*store.Store]()} {
		for method := range typ.Methods() {
			name := typ.Elem().Name() + "." + method.Name
			delete(unknown, name)
			_, tried := trespasses[name]
			why, exempt := workspaceWide[name]
			switch {
			case tried == exempt:
				t.Errorf("%s must stand in trespasses or, with a reason, in workspaceWide", name)
			case exempt && takesEnvironment(method.Type):
				t.Errorf("%s takes an environment, so %q is no reason to leave it out", name, why)
			}
		}
	}
	for name := range unknown {
		t.Errorf("the suite names %s, which the store does not have", name)
	}
}

// takesEnvironment reports whether a method takes an EnvironmentID, or a struct
// with one.
func takesEnvironment(method reflect.Type) bool {
	id := reflect.TypeFor[countersign.EnvironmentID]()
	for i := range method.NumIn() {
		in := method.In(i)
		if in == id {
			return true
		}
		if i > 0 && in.Kind() == reflect.Struct && in.PkgPath() == id.PkgPath() && !strings.HasPrefix(in.Name(), "ID[") {
			for field := range in.Fields() {
				if field.Type == id {
					return true
				}
			}
		}
	}
	return false
}

func TestForeignEnvironment(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		s := storetest.Open(t, database, still)
		raw := storetest.Raw(t, database)
		ctx := t.Context()
		theirs := newWorld("theirs", countersign.Test)
		theirs.put(t, s)
		before := dump(t, raw, theirs.env.ID)
		if len(before) < len(environmentTables) { // departed_environments is empty, pem_files has two
			t.Fatalf("the dump has %d rows: %v", len(before), before)
		}
		n := 0
		for name, call := range trespasses {
			// A fresh empty environment, whose class does not matter.
			n++
			here := newWorld(fmt.Sprintf("here-%d", n), countersign.Test)
			update(t, s, func(tx *store.Tx) error {
				if err := tx.InsertProject(ctx, here.project); err != nil {
					return err
				}
				if err := tx.InsertEnvironment(ctx, here.env); err != nil {
					return err
				}
				return tx.Record(ctx, countersign.EnvironmentID{}, "here.made", here.project.Slug, nil)
			})
			var outcome error
			if strings.HasPrefix(name, "Store.") {
				outcome = call(ctx, s, nil, here, theirs)
			} else {
				// What it changed is committed even if it says that it found nothing.
				update(t, s, func(tx *store.Tx) error {
					if outcome = call(ctx, s, tx, here, theirs); outcome != nil && !errors.Is(outcome, store.ErrNotFound) {
						return nil // reported below
					}
					return tx.Record(ctx, countersign.EnvironmentID{}, "tried", name, nil)
				})
			}
			if outcome != nil && !errors.Is(outcome, store.ErrNotFound) {
				t.Errorf("%s from a foreign environment: %v", name, outcome)
			}
			if diff := cmp.Diff(before, dump(t, raw, theirs.env.ID)); diff != "" {
				t.Fatalf("%s from a foreign environment changed rows (-before +after):\n%s", name, diff)
			}
		}
	})
}
