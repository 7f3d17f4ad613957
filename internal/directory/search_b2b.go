package directory

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/email"
	"github.com/countersign-auth/countersign/internal/standing"
	"github.com/countersign-auth/countersign/internal/store"
)

// maxSearched bounds among how many organizations one search looks for members.
const maxSearched = 100

// people are those of some tenants of one vertical.
func people(ctx context.Context, tx *store.Tx, env countersign.Environment, rules *standing.Rules, tenants ...countersign.Tenant) collection[countersign.Person, countersign.PersonID] {
	return collection[countersign.Person, countersign.PersonID]{
		id: func(p *countersign.Person) countersign.PersonID { return p.ID },
		ids: func(s store.Stretch[countersign.PersonID], text store.Text, limit int) (ids []countersign.PersonID, err error) {
			for _, t := range tenants {
				of, err := tx.PersonIDs(ctx, t, s, text, limit)
				if err != nil {
					return nil, err
				}
				ids = append(ids, of...)
			}
			newestFirst(ids)
			return ids[:min(len(ids), limit)], nil
		},
		after: func(s store.Stretch[countersign.PersonID], places int) (from countersign.PersonID, err error) {
			bounded := false
			for _, t := range tenants {
				of, err := tx.PersonIDAfter(ctx, t, s, places/len(tenants))
				if errors.Is(err, store.ErrNotFound) {
					continue
				}
				if err != nil {
					return from, err
				}
				if !bounded || older(from, of) {
					from, bounded = of, true
				}
			}
			if !bounded {
				return from, store.ErrNotFound
			}
			return from, nil
		},
		read: func(ids []countersign.PersonID) ([]countersign.Person, error) {
			list, err := tx.PeopleByIDs(ctx, env.ID, ids)
			for i := range list {
				rules.For(list[i].Organization).Settle(&list[i])
			}
			return list, err
		},
		named: func(f personFilter) (ids []countersign.PersonID, err error) {
			for _, t := range tenants {
				of, err := f.few(ctx, tx, t)
				if err != nil {
					return nil, err
				}
				ids = append(ids, of...)
			}
			return ids, nil
		},
		first: func(t time.Time) countersign.PersonID {
			return countersign.PersonIDIn(env.Vertical, countersign.FirstOrderedID[countersign.PersonID](env.ID.Class(), t))
		},
	}
}

// members are what members are searched by.
var members = kind[countersign.Person, countersign.PersonID]{
	errs: countersign.MemberSearch,
	filters: map[string]func(json.RawMessage) (personFilter, error){
		"member_ids":                    personIDs(countersign.MemberSearch, "member_ids"),
		"member_emails":                 emailFilter(countersign.MemberSearch, "member_emails"),
		"member_mfa_phone_numbers":      phoneFilter(countersign.MemberSearch, "member_mfa_phone_numbers"),
		"member_phone_numbers":          phoneFilter(countersign.MemberSearch, "member_mfa_phone_numbers"),
		"member_roles":                  rolesFilter,
		"statuses":                      statusesFilter,
		"member_email_fuzzy":            partFilter[countersign.Person, countersign.PersonID](countersign.MemberSearch, "member_email_fuzzy", email.Part, store.EmailPart, addresses),
		"member_mfa_phone_number_fuzzy": partFilter[countersign.Person, countersign.PersonID](countersign.MemberSearch, "member_mfa_phone_number_fuzzy", strings.TrimSpace, store.PhonePart, numbers),
		"member_phone_number_fuzzy":     partFilter[countersign.Person, countersign.PersonID](countersign.MemberSearch, "member_mfa_phone_number_fuzzy", strings.TrimSpace, store.PhonePart, numbers),
		"member_is_breakglass": boolFilter[countersign.Person, countersign.PersonID](countersign.MemberSearch, func(want bool) func(*countersign.Person) bool {
			return func(p *countersign.Person) bool { return p.Membership.Breakglass == want }
		}),
		"member_password_exists": absentFlag[countersign.Person, countersign.PersonID](countersign.MemberSearch),
	},
}

func rolesFilter(raw json.RawMessage) (personFilter, error) {
	values, err := strs(countersign.MemberSearch, "member_roles", raw)
	return personFilter{matches: func(p *countersign.Person) bool {
		return slices.ContainsFunc(p.Roles, func(role string) bool { return slices.Contains(values, role) })
	}}, err
}

func statusesFilter(raw json.RawMessage) (f personFilter, err error) {
	values, err := strs(countersign.MemberSearch, "statuses", raw)
	if err != nil {
		return f, err
	}
	for _, v := range values {
		switch countersign.PersonStatus(v) {
		case countersign.Active, countersign.Pending, countersign.Invited, countersign.Deleted:
		default:
			return f, countersign.MemberSearch.InvalidStatus
		}
	}
	f.statuses = true
	f.matches = func(p *countersign.Person) bool { return slices.Contains(values, string(p.Status)) }
	return f, nil
}

// FoundMembers is a page of members, with the organizations that were searched.
type FoundMembers struct {
	Found[countersign.Person]
	Organizations []countersign.Organization
}

// SearchMembers finds members of organizations, each named by ID, external ID or
// slug; deleted ones only if a filter on statuses asks for them. Errors: those of
// countersign.MemberSearch, ErrMemberSearchNoOrganizations, and those of
// FindOrganization.
func (s *Service) SearchMembers(ctx context.Context, env countersign.Environment, among []string, q Query) (found FoundMembers, err error) {
	if len(among) == 0 || len(among) > maxSearched {
		return found, countersign.ErrMemberSearchNoOrganizations
	}
	parsed, err := members.read(env, q, among...)
	if err != nil {
		return found, err
	}
	if slices.ContainsFunc(parsed.filters, func(f personFilter) bool { return f.statuses }) {
		// Addresses and numbers do not lead to deleted members.
		for i := range parsed.filters {
			if !parsed.filters[i].fewDeleted {
				parsed.filters[i].few = nil
			}
		}
	} else {
		parsed.scope = func(p *countersign.Person) bool { return p.Status != countersign.Deleted }
	}
	rules, err := s.Rules.Of(ctx, env)
	if err != nil {
		return found, err
	}
	err = s.Store.View(ctx, func(tx *store.Tx) error {
		var tenants []countersign.Tenant
		for _, ref := range among {
			o, err := FindOrganization(ctx, tx, env.ID, ref)
			if err != nil {
				return err
			}
			t := countersign.Tenant{EnvironmentID: env.ID, OrganizationID: o.ID}
			if !slices.Contains(tenants, t) {
				tenants, found.Organizations = append(tenants, t), append(found.Organizations, o)
			}
		}
		in := people(ctx, tx, env, rules, tenants...)
		in.count = func(limit int) (n int, err error) {
			for _, t := range tenants {
				of, err := tx.CountMembers(ctx, t, limit)
				if err != nil {
					return 0, err
				}
				n += of
			}
			return n, nil
		}
		read := in.read
		in.read = func(ids []countersign.PersonID) ([]countersign.Person, error) {
			list, err := read(ids)
			return slices.DeleteFunc(list, func(p countersign.Person) bool { return !slices.Contains(tenants, p.Tenant(env.ID)) }), err
		}
		found.Found, err = run(env, parsed, in)
		return err
	})
	return found, err
}

type organizationFilter = filter[countersign.Organization, countersign.OrganizationID]

// organizations are what organizations are searched by. Two of the filters read
// members, and so the kind is one of a transaction.
func organizations(ctx context.Context, tx *store.Tx, env countersign.EnvironmentID) kind[countersign.Organization, countersign.OrganizationID] {
	errs := countersign.OrganizationSearch
	domains := func(field string, of func(*countersign.Organization) []string) func(json.RawMessage) (organizationFilter, error) {
		return func(raw json.RawMessage) (organizationFilter, error) {
			values, err := strs(errs, field, raw)
			wanted := make([]string, len(values))
			for i, v := range values {
				wanted[i] = v
				if host, err := email.Domain(v); err == nil {
					wanted[i] = host
				}
			}
			return organizationFilter{matches: func(o *countersign.Organization) bool {
				return slices.ContainsFunc(of(o), func(domain string) bool { return slices.Contains(wanted, domain) })
			}}, err
		}
	}
	allowed := func(o *countersign.Organization) []string { return o.Settings.EmailAllowedDomains }
	return kind[countersign.Organization, countersign.OrganizationID]{
		errs: errs,
		filters: map[string]func(json.RawMessage) (organizationFilter, error){
			"organization_ids": organizationIDs,
			"organization_slugs": func(raw json.RawMessage) (organizationFilter, error) {
				values, err := strs(errs, "organization_slugs", raw)
				return organizationFilter{
					matches: func(o *countersign.Organization) bool { return slices.Contains(values, o.Slug) },
					few: func(ctx context.Context, tx *store.Tx, t countersign.Tenant) ([]countersign.OrganizationID, error) {
						return tx.OrganizationIDsBySlugs(ctx, t.EnvironmentID, storable(values))
					},
				}, err
			},
			"allowed_domains":       domains("allowed_domains", allowed),
			"claimed_email_domains": domains("claimed_email_domains", func(o *countersign.Organization) []string { return o.Settings.ClaimedEmailDomains }),
			"allowed_domain_fuzzy":  partFilter[countersign.Organization, countersign.OrganizationID](errs, "allowed_domain_fuzzy", strings.ToLower, nil, allowed),
			"organization_name_fuzzy": partFilter[countersign.Organization, countersign.OrganizationID](errs, "organization_name_fuzzy", store.Searchable, store.NamePart, func(o *countersign.Organization) []string {
				return []string{store.Searchable(o.Name)}
			}),
			"organization_slug_fuzzy": partFilter[countersign.Organization, countersign.OrganizationID](errs, "organization_slug_fuzzy", strings.ToLower, store.SlugPart, func(o *countersign.Organization) []string {
				return []string{strings.ToLower(o.Slug)}
			}),
			"sso_connection_id": func(raw json.RawMessage) (f organizationFilter, err error) {
				var text string
				if json.Unmarshal(raw, &text) != nil {
					return f, errs.ExpectedString
				}
				f.matches = func(*countersign.Organization) bool { return false }
				return f, nil
			},
			"has_active_sso_connection": absentFlag[countersign.Organization, countersign.OrganizationID](errs),
			"member_emails": func(raw json.RawMessage) (organizationFilter, error) {
				values, err := strs(errs, "member_emails", raw)
				f := withMembers(func([]countersign.OrganizationID) ([]countersign.OrganizationID, error) {
					return tx.OrganizationIDsByEmails(ctx, env, keysOf(values))
				})
				f.few = func(context.Context, *store.Tx, countersign.Tenant) ([]countersign.OrganizationID, error) {
					return tx.OrganizationIDsByEmails(ctx, env, keysOf(values))
				}
				return f, err
			},
			"member_email_fuzzy": func(raw json.RawMessage) (organizationFilter, error) {
				part, err := readPart(errs, "member_email_fuzzy", email.Part, raw)
				return withMembers(func(ids []countersign.OrganizationID) ([]countersign.OrganizationID, error) {
					return tx.OrganizationIDsWithEmailPart(ctx, env, ids, part)
				}), err
			},
		},
	}
}

// organizationIDs takes the server's IDs and external ones.
func organizationIDs(raw json.RawMessage) (organizationFilter, error) {
	values, err := strs(countersign.OrganizationSearch, "organization_ids", raw)
	var ids []countersign.OrganizationID
	var external []string
	for _, v := range values {
		if id, err := countersign.ParseID[countersign.OrganizationID](v); err == nil {
			ids = append(ids, id)
		} else {
			external = append(external, v)
		}
	}
	return organizationFilter{
		matches: func(o *countersign.Organization) bool {
			return slices.Contains(ids, o.ID) || o.ExternalID != "" && slices.Contains(external, o.ExternalID)
		},
		few: func(ctx context.Context, tx *store.Tx, t countersign.Tenant) ([]countersign.OrganizationID, error) {
			found, err := tx.OrganizationIDsByExternalIDs(ctx, t.EnvironmentID, storable(external))
			return append(found, ids...), err
		},
	}, err
}

// withMembers matches those of the organizations looked at that find finds, and
// perhaps others.
func withMembers(find func([]countersign.OrganizationID) ([]countersign.OrganizationID, error)) organizationFilter {
	var found []countersign.OrganizationID
	return organizationFilter{
		look: func(ids []countersign.OrganizationID) (err error) {
			found, err = find(ids)
			newestFirst(found)
			return err
		},
		matches: func(o *countersign.Organization) bool {
			_, is := slices.BinarySearchFunc(found, o.ID, func(a, b countersign.OrganizationID) int {
				switch {
				case a == b:
					return 0
				case older(b, a):
					return -1
				}
				return 1
			})
			return is
		},
	}
}

// SearchOrganizations finds organizations as SearchUsers finds users. Errors: those
// of countersign.OrganizationSearch.
func (s *Service) SearchOrganizations(ctx context.Context, env countersign.Environment, q Query) (found Found[countersign.Organization], err error) {
	err = s.Store.View(ctx, func(tx *store.Tx) (err error) {
		parsed, err := organizations(ctx, tx, env.ID).read(env, q)
		if err != nil {
			return err
		}
		found, err = run(env, parsed, collection[countersign.Organization, countersign.OrganizationID]{
			id: func(o *countersign.Organization) countersign.OrganizationID { return o.ID },
			ids: func(s store.Stretch[countersign.OrganizationID], text store.Text, limit int) ([]countersign.OrganizationID, error) {
				return tx.OrganizationIDs(ctx, env.ID, s, text, limit)
			},
			after: func(s store.Stretch[countersign.OrganizationID], places int) (countersign.OrganizationID, error) {
				return tx.OrganizationIDAfter(ctx, env.ID, s, places)
			},
			read: func(ids []countersign.OrganizationID) ([]countersign.Organization, error) {
				return tx.OrganizationsByIDs(ctx, env.ID, ids)
			},
			count: func(limit int) (int, error) { return tx.CountOrganizationsUpTo(ctx, env.ID, limit) },
			named: func(f organizationFilter) ([]countersign.OrganizationID, error) {
				return f.few(ctx, tx, countersign.Tenant{EnvironmentID: env.ID})
			},
			first: func(t time.Time) countersign.OrganizationID {
				return countersign.FirstOrderedID[countersign.OrganizationID](env.ID.Class(), t)
			},
		})
		return err
	})
	return found, err
}
