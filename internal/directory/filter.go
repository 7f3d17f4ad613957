package directory

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/email"
	"github.com/countersign-auth/countersign/internal/store"
)

// Bounds of a search (README §6).
const (
	maxFilters     = 10
	maxValues      = 500 // of one filter
	maxFilterBytes = 254 // of one value
	minPart        = 3   // characters of a part that is searched
)

// filter is one condition of a search. matches decides; the rest says how those for
// whom it may hold are found without looking at all.
type filter[T any, ID key] struct {
	matches func(*T) bool
	// few finds the few in a tenant whom the filter names; nil if it names none.
	few func(context.Context, *store.Tx, countersign.Tenant) ([]ID, error)
	// look reads what matches needs to know of those that are looked at; nil if that
	// is nothing.
	look func([]ID) error
	// part is the text that an index is scanned for; the zero value if none.
	part store.Text
	size int // of part, in bytes
	// after and before bound the moment of creation; zero if open. Both are
	// exclusive.
	after, before time.Time
	// statuses says that it decides which statuses are looked for.
	statuses bool
	// fewDeleted says that few finds deleted members, too.
	fewDeleted bool
}

type personFilter = filter[countersign.Person, countersign.PersonID]

// parse reads a condition.
func (k kind[T, ID]) parse(o Operand) (f filter[T, ID], err error) {
	if isNull(o.Name) {
		return f, k.errs.MissingFilterName
	}
	var text string
	if json.Unmarshal(o.Name, &text) != nil {
		return f, k.errs.FilterNameMustBeString
	}
	if text == "" {
		return f, k.errs.MissingFilterName
	}
	parse, known := k.filters[text]
	if !known {
		return f, k.errs.FilterNameNotRecognized.Saying("Received: %.64q.", text)
	}
	if isNull(o.Value) {
		return f, k.errs.MissingFilterValue.Saying("Of %s.", text)
	}
	f, err = parse(o.Value)
	if named, ok := err.(*countersign.Error); ok { //nolint:errorlint // the filters' own, not wrapped yet
		err = named.Saying("%s", strings.TrimSpace("Filter "+text+". "+named.Detail))
	}
	return f, err
}

func isNull(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// users are what users are searched by. The filters of factors that this server
// never makes are read like any other, and match nobody.
var users = kind[countersign.Person, countersign.PersonID]{
	errs: countersign.UserSearch,
	filters: map[string]func(json.RawMessage) (personFilter, error){
		"user_id":       personIDs(countersign.UserSearch, "user_id"),
		"status":        statusFilter,
		"email_address": emailFilter(countersign.UserSearch, "email_address"),
		"email_id": idsFilter("email_id", (*store.Tx).UserIDsByEmailIDs, func(u *countersign.Person) (ids []countersign.EmailID) {
			for _, e := range u.Emails {
				ids = append(ids, e.ID)
			}
			return ids
		}, countersign.ParseID[countersign.EmailID]),
		"phone_number": phoneFilter(countersign.UserSearch, "phone_number"),
		"phone_id": idsFilter("phone_id", (*store.Tx).UserIDsByPhoneIDs, func(u *countersign.Person) (ids []countersign.PhoneID) {
			for _, p := range u.Phones {
				ids = append(ids, p.ID)
			}
			return ids
		}, countersign.ParseID[countersign.PhoneID]),
		"email_verified": boolFilter[countersign.Person, countersign.PersonID](countersign.UserSearch, func(want bool) func(*countersign.Person) bool {
			return func(u *countersign.Person) bool {
				return slices.ContainsFunc(u.Emails, func(e countersign.Email) bool { return e.Verified == want })
			}
		}),
		"phone_verified": boolFilter[countersign.Person, countersign.PersonID](countersign.UserSearch, func(want bool) func(*countersign.Person) bool {
			return func(u *countersign.Person) bool {
				return slices.ContainsFunc(u.Phones, func(p countersign.Phone) bool { return p.Verified == want })
			}
		}),
		"password_exists":                absentFlag[countersign.Person, countersign.PersonID](countersign.UserSearch),
		"webauthn_registration_verified": boolFilter[countersign.Person, countersign.PersonID](countersign.UserSearch, nobodys),
		"crypto_wallet_verified":         boolFilter[countersign.Person, countersign.PersonID](countersign.UserSearch, nobodys),
		"totp_verified":                  boolFilter[countersign.Person, countersign.PersonID](countersign.UserSearch, nobodys),
		"oauth_provider":                 absentFilter("oauth_provider"),
		"webauthn_registration_id":       absentFilter("webauthn_registration_id"),
		"crypto_wallet_id":               absentFilter("crypto_wallet_id"),
		"crypto_wallet_address":          absentFilter("crypto_wallet_address"),
		"totp_id":                        absentFilter("totp_id"),
		"email_address_fuzzy":            partFilter[countersign.Person, countersign.PersonID](countersign.UserSearch, "email_address_fuzzy", email.Part, store.EmailPart, addresses),
		"phone_number_fuzzy":             partFilter[countersign.Person, countersign.PersonID](countersign.UserSearch, "phone_number_fuzzy", strings.TrimSpace, store.PhonePart, numbers),
		"full_name_fuzzy": partFilter[countersign.Person, countersign.PersonID](countersign.UserSearch, "full_name_fuzzy", store.Searchable, store.NamePart, func(u *countersign.Person) []string {
			return []string{store.Searchable(u.Name.String())}
		}),
		"created_at_greater_than": func(raw json.RawMessage) (personFilter, error) {
			t, err := moment(raw)
			return createdFilter(t, time.Time{}), err
		},
		"created_at_less_than": func(raw json.RawMessage) (personFilter, error) {
			t, err := moment(raw)
			return createdFilter(time.Time{}, t), err
		},
		"created_at_between": betweenFilter,
	},
}

// addresses are those by which somebody is found.
func addresses(p *countersign.Person) (texts []string) {
	for _, e := range p.Emails {
		if !e.Retired {
			texts = append(texts, e.Key)
		}
	}
	return texts
}

func numbers(p *countersign.Person) (texts []string) {
	for _, phone := range p.Phones {
		texts = append(texts, phone.Number)
	}
	return texts
}

func nobody(*countersign.Person) bool             { return false }
func nobodys(bool) func(*countersign.Person) bool { return nobody }

// strs reads an array of strings, none of them empty.
func strs(errs *countersign.SearchErrors, what string, raw json.RawMessage) ([]string, error) {
	var list []*string
	if err := json.Unmarshal(raw, &list); err != nil || slices.Contains(list, nil) {
		return nil, errs.ExpectedArrayOfString
	}
	if len(list) > maxValues {
		return nil, errs.TooManyValues
	}
	values := make([]string, len(list))
	for i, s := range list {
		values[i] = *s
	}
	if len(values) == 0 || slices.Contains(values, "") {
		return nil, errs.Missing(what)
	}
	return values, nil
}

// personIDs takes a list of the server's IDs or of external ones, not both.
func personIDs(errs *countersign.SearchErrors, what string) func(json.RawMessage) (personFilter, error) {
	return func(raw json.RawMessage) (f personFilter, err error) {
		values, err := strs(errs, what, raw)
		if err != nil {
			return f, err
		}
		var ids []countersign.PersonID
		for _, v := range values {
			if id, err := countersign.ParseID[countersign.PersonID](v); err == nil {
				ids = append(ids, id)
			}
		}
		switch len(ids) {
		case len(values):
			f.matches = func(p *countersign.Person) bool { return slices.Contains(ids, p.ID) }
			f.few = func(context.Context, *store.Tx, countersign.Tenant) ([]countersign.PersonID, error) { return ids, nil }
			f.fewDeleted = true
		case 0:
			f.matches = func(p *countersign.Person) bool { return p.ExternalID != "" && slices.Contains(values, p.ExternalID) }
			f.few = func(ctx context.Context, tx *store.Tx, t countersign.Tenant) ([]countersign.PersonID, error) {
				return tx.PersonIDsByExternalIDs(ctx, t, storable(values))
			}
		default:
			return f, errs.MixedIDs
		}
		return f, nil
	}
}

// storable leaves out what no database would take as text, and nobody has.
func storable(values []string) []string {
	return slices.DeleteFunc(slices.Clone(values), func(s string) bool { return strings.ContainsRune(s, 0) || !utf8.ValidString(s) })
}

func statusFilter(raw json.RawMessage) (personFilter, error) {
	var status string
	if json.Unmarshal(raw, &status) != nil {
		return personFilter{}, countersign.UserSearch.ExpectedString
	}
	want := countersign.PersonStatus(status)
	if want != countersign.Active && want != countersign.Pending {
		return personFilter{}, countersign.UserSearch.InvalidStatus
	}
	return personFilter{matches: func(u *countersign.Person) bool { return u.Status == want }}, nil
}

// keysOf are the normal forms of addresses. What is no address has none.
func keysOf(values []string) (keys []string) {
	for _, v := range values {
		if a, err := email.Parse(v); err == nil {
			keys = append(keys, a.Key)
		}
	}
	return keys
}

// emailFilter compares addresses by their normal form. What is no address
// matches nobody.
func emailFilter(errs *countersign.SearchErrors, what string) func(json.RawMessage) (personFilter, error) {
	return func(raw json.RawMessage) (personFilter, error) {
		values, err := strs(errs, what, raw)
		keys := keysOf(values)
		return personFilter{
			matches: func(p *countersign.Person) bool {
				return slices.ContainsFunc(addresses(p), func(text string) bool { return slices.Contains(keys, text) })
			},
			few: func(ctx context.Context, tx *store.Tx, t countersign.Tenant) ([]countersign.PersonID, error) {
				return tx.PersonIDsByEmails(ctx, t, keys)
			},
		}, err
	}
}

func phoneFilter(errs *countersign.SearchErrors, what string) func(json.RawMessage) (personFilter, error) {
	return func(raw json.RawMessage) (personFilter, error) {
		values, err := strs(errs, what, raw)
		wanted := slices.DeleteFunc(values, func(s string) bool { return !validPhone(s) })
		return personFilter{
			matches: func(p *countersign.Person) bool {
				return slices.ContainsFunc(numbers(p), func(text string) bool { return slices.Contains(wanted, text) })
			},
			few: func(ctx context.Context, tx *store.Tx, t countersign.Tenant) ([]countersign.PersonID, error) {
				return tx.PersonIDsByPhones(ctx, t, wanted)
			},
		}, err
	}
}

// idsFilter compares IDs of one kind. What is no such ID matches nobody.
func idsFilter[V comparable](what string, find func(*store.Tx, context.Context, countersign.EnvironmentID, []V) ([]countersign.PersonID, error), of func(*countersign.Person) []V, parse func(string) (V, error)) func(json.RawMessage) (personFilter, error) {
	return func(raw json.RawMessage) (personFilter, error) {
		values, err := strs(countersign.UserSearch, what, raw)
		var ids []V
		for _, v := range values {
			if id, err := parse(v); err == nil {
				ids = append(ids, id)
			}
		}
		return personFilter{
			matches: func(u *countersign.Person) bool {
				return slices.ContainsFunc(of(u), func(id V) bool { return slices.Contains(ids, id) })
			},
			few: func(ctx context.Context, tx *store.Tx, t countersign.Tenant) ([]countersign.PersonID, error) {
				return find(tx, ctx, t.EnvironmentID, ids)
			},
		}, err
	}
}

func boolFilter[T any, ID key](errs *countersign.SearchErrors, build func(want bool) func(*T) bool) func(json.RawMessage) (filter[T, ID], error) {
	return func(raw json.RawMessage) (f filter[T, ID], err error) {
		var want bool
		if json.Unmarshal(raw, &want) != nil {
			return f, errs.ExpectedBool
		}
		f.matches = build(want)
		return f, nil
	}
}

// absentFlag asks for something that this server never makes.
func absentFlag[T any, ID key](errs *countersign.SearchErrors) func(json.RawMessage) (filter[T, ID], error) {
	return boolFilter[T, ID](errs, func(want bool) func(*T) bool {
		return func(*T) bool { return !want }
	})
}

// absentFilter names something that nobody has.
func absentFilter(what string) func(json.RawMessage) (personFilter, error) {
	return func(raw json.RawMessage) (personFilter, error) {
		_, err := strs(countersign.UserSearch, what, raw)
		return personFilter{
			matches: nobody,
			few:     func(context.Context, *store.Tx, countersign.Tenant) ([]countersign.PersonID, error) { return nil, nil },
		}, err
	}
}

// readPart reads a part of a text that is searched for.
func readPart(errs *countersign.SearchErrors, name string, fold func(string) string, raw json.RawMessage) (string, error) {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return "", errs.ExpectedString
	}
	part := fold(text)
	switch {
	case utf8.RuneCountInString(part) < minPart:
		return "", errs.TooShort(name)
	case len(part) > maxFilterBytes || strings.ContainsRune(part, 0):
		return "", errs.ExpectedString.Saying("It may have %d bytes and no NUL.", maxFilterBytes)
	}
	return part, nil
}

// partFilter matches what has a text with a part somewhere in it.
func partFilter[T any, ID key](errs *countersign.SearchErrors, name string, fold func(string) string, scan func(string) store.Text, texts func(*T) []string) func(json.RawMessage) (filter[T, ID], error) {
	return func(raw json.RawMessage) (f filter[T, ID], err error) {
		part, err := readPart(errs, name, fold, raw)
		if err != nil {
			return f, err
		}
		f.matches = func(v *T) bool {
			return slices.ContainsFunc(texts(v), func(s string) bool { return strings.Contains(s, part) })
		}
		if scan != nil {
			f.part, f.size = scan(part), len(part)
		}
		return f, nil
	}
}

// epoch is before anybody was made, and the first moment that an ID can hold.
var epoch = time.Unix(0, 0).UTC()

// moment reads a timestamp. An earlier one than the epoch is the epoch, which
// finds the same users.
func moment(raw json.RawMessage) (time.Time, error) {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return time.Time{}, countersign.ErrSearchExpectedTimestamp
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, countersign.ErrSearchExpectedTimestamp
	}
	if t.Before(epoch) {
		return epoch, nil
	}
	return t.UTC(), nil
}

func betweenFilter(raw json.RawMessage) (personFilter, error) {
	var between struct {
		GreaterThan json.RawMessage `json:"greater_than"`
		LessThan    json.RawMessage `json:"less_than"`
	}
	if raw[0] != '{' || json.Unmarshal(raw, &between) != nil {
		return personFilter{}, countersign.ErrSearchExpectedObject
	}
	after, err := moment(between.GreaterThan)
	if err != nil {
		return personFilter{}, err
	}
	before, err := moment(between.LessThan)
	return createdFilter(after, before), err
}

// createdFilter matches who was made after and before a moment; zero is open.
func createdFilter(after, before time.Time) personFilter {
	return personFilter{
		matches: func(u *countersign.Person) bool {
			return (after.IsZero() || u.CreatedAt.After(after)) && (before.IsZero() || u.CreatedAt.Before(before))
		},
		after: after, before: before,
	}
}
