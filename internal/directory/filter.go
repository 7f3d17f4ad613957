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

// Filter is one condition of a search. matches decides; the rest says how the
// users for whom it may hold are found without looking at all.
type Filter struct {
	matches func(*countersign.Person) bool
	// few finds the few users whom the filter names; nil if it names none.
	few func(context.Context, *store.Tx, countersign.Tenant) ([]countersign.PersonID, error)
	// part is the text that an index is scanned for; the zero value if none.
	part store.Text
	size int // of part, in bytes
	// after and before bound the moment of creation; zero if open. Both are
	// exclusive.
	after, before time.Time
}

// ParseFilter reads a condition (users.md §5). Errors: the user_search_… ones.
func ParseFilter(name, value json.RawMessage) (Filter, error) {
	if isNull(name) {
		return Filter{}, countersign.ErrSearchMissingFilterName
	}
	var text string
	if json.Unmarshal(name, &text) != nil {
		return Filter{}, countersign.ErrSearchFilterNameMustBeString
	}
	if text == "" {
		return Filter{}, countersign.ErrSearchMissingFilterName
	}
	parse, known := filters[text]
	if !known {
		return Filter{}, countersign.ErrSearchFilterNameNotRecognized.Saying("Received: %.64q.", text)
	}
	if isNull(value) {
		return Filter{}, countersign.ErrSearchMissingFilterValue.Saying("Of %s.", text)
	}
	f, err := parse(value)
	if named, ok := err.(*countersign.Error); ok { //nolint:errorlint // the filters' own, not wrapped yet
		err = named.Saying("%s", strings.TrimSpace("Filter "+text+". "+named.Detail))
	}
	return f, err
}

func isNull(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// filters are all that there are. The ones of factors that this server never
// makes are read like any other, and match nobody.
var filters = map[string]func(json.RawMessage) (Filter, error){
	"user_id":       userIDFilter,
	"status":        statusFilter,
	"email_address": emailFilter,
	"email_id": idsFilter(countersign.ErrSearchMissingEmailID, (*store.Tx).UserIDsByEmailIDs, func(u *countersign.Person) (ids []countersign.EmailID) {
		for _, e := range u.Emails {
			ids = append(ids, e.ID)
		}
		return ids
	}, countersign.ParseID[countersign.EmailID]),
	"phone_number": phoneFilter,
	"phone_id": idsFilter(countersign.ErrSearchMissingPhoneID, (*store.Tx).UserIDsByPhoneIDs, func(u *countersign.Person) (ids []countersign.PhoneID) {
		for _, p := range u.Phones {
			ids = append(ids, p.ID)
		}
		return ids
	}, countersign.ParseID[countersign.PhoneID]),
	"email_verified": boolFilter(func(want bool) func(*countersign.Person) bool {
		return func(u *countersign.Person) bool {
			return slices.ContainsFunc(u.Emails, func(e countersign.Email) bool { return e.Verified == want })
		}
	}),
	"phone_verified": boolFilter(func(want bool) func(*countersign.Person) bool {
		return func(u *countersign.Person) bool {
			return slices.ContainsFunc(u.Phones, func(p countersign.Phone) bool { return p.Verified == want })
		}
	}),
	"password_exists": boolFilter(func(want bool) func(*countersign.Person) bool {
		return func(*countersign.Person) bool { return !want }
	}),
	"webauthn_registration_verified": boolFilter(nobodys),
	"crypto_wallet_verified":         boolFilter(nobodys),
	"totp_verified":                  boolFilter(nobodys),
	"oauth_provider":                 absentFilter(countersign.ErrSearchMissingProvider),
	"webauthn_registration_id":       absentFilter(countersign.ErrSearchMissingWebauthnID),
	"crypto_wallet_id":               absentFilter(countersign.ErrSearchMissingWalletID),
	"crypto_wallet_address":          absentFilter(countersign.ErrSearchMissingWalletAddress),
	"totp_id":                        absentFilter(countersign.ErrSearchMissingTOTPID),
	"email_address_fuzzy": partFilter(countersign.ErrSearchEmailTooShort, email.Part, store.EmailPart, func(u *countersign.Person) (texts []string) {
		for _, e := range u.Emails {
			texts = append(texts, e.Key)
		}
		return texts
	}),
	"phone_number_fuzzy": partFilter(countersign.ErrSearchPhoneTooShort, strings.TrimSpace, store.PhonePart, func(u *countersign.Person) (texts []string) {
		for _, p := range u.Phones {
			texts = append(texts, p.Number)
		}
		return texts
	}),
	"full_name_fuzzy": partFilter(countersign.ErrSearchNameTooShort, store.Searchable, store.NamePart, func(u *countersign.Person) []string {
		return []string{store.Searchable(u.Name.String())}
	}),
	"created_at_greater_than": func(raw json.RawMessage) (Filter, error) {
		t, err := moment(raw)
		return createdFilter(t, time.Time{}), err
	},
	"created_at_less_than": func(raw json.RawMessage) (Filter, error) {
		t, err := moment(raw)
		return createdFilter(time.Time{}, t), err
	},
	"created_at_between": betweenFilter,
}

func nobody(*countersign.Person) bool { return false }

func nobodys(bool) func(*countersign.Person) bool { return nobody }

// strs reads an array of strings, none of them empty.
func strs(raw json.RawMessage, missing *countersign.Error) ([]string, error) {
	var list []*string
	if err := json.Unmarshal(raw, &list); err != nil || slices.Contains(list, nil) {
		return nil, countersign.ErrSearchExpectedArrayOfString
	}
	if len(list) > maxValues {
		return nil, countersign.ErrSearchTooManyValues
	}
	values := make([]string, len(list))
	for i, s := range list {
		values[i] = *s
	}
	if len(values) == 0 || slices.Contains(values, "") {
		return nil, missing
	}
	return values, nil
}

func userIDFilter(raw json.RawMessage) (Filter, error) {
	values, err := strs(raw, countersign.ErrSearchMissingUserID)
	if err != nil {
		return Filter{}, err
	}
	var ids []countersign.PersonID
	for _, v := range values {
		if id, err := countersign.ParseID[countersign.PersonID](v); err == nil {
			ids = append(ids, id)
		}
	}
	switch len(ids) {
	case len(values):
		return Filter{
			matches: func(u *countersign.Person) bool { return slices.Contains(ids, u.ID) },
			few: func(context.Context, *store.Tx, countersign.Tenant) ([]countersign.PersonID, error) {
				return ids, nil
			},
		}, nil
	case 0:
		return Filter{
			matches: func(u *countersign.Person) bool { return u.ExternalID != "" && slices.Contains(values, u.ExternalID) },
			few: func(ctx context.Context, tx *store.Tx, t countersign.Tenant) ([]countersign.PersonID, error) {
				return tx.PersonIDsByExternalIDs(ctx, t, storable(values))
			},
		}, nil
	default:
		return Filter{}, countersign.ErrSearchMixedUserIDs
	}
}

// storable leaves out what no database would take as text, and nobody has.
func storable(values []string) []string {
	return slices.DeleteFunc(slices.Clone(values), func(s string) bool { return strings.ContainsRune(s, 0) || !utf8.ValidString(s) })
}

func statusFilter(raw json.RawMessage) (Filter, error) {
	var status string
	if json.Unmarshal(raw, &status) != nil {
		return Filter{}, countersign.ErrSearchExpectedString
	}
	want := countersign.PersonStatus(status)
	if want != countersign.Active && want != countersign.Pending {
		return Filter{}, countersign.ErrSearchInvalidStatus
	}
	return Filter{matches: func(u *countersign.Person) bool { return u.Status == want }}, nil
}

// emailFilter compares addresses by their normal form. What is no address
// matches nobody.
func emailFilter(raw json.RawMessage) (Filter, error) {
	values, err := strs(raw, countersign.ErrSearchMissingEmail)
	if err != nil {
		return Filter{}, err
	}
	var keys []string
	for _, v := range values {
		if a, err := email.Parse(v); err == nil {
			keys = append(keys, a.Key)
		}
	}
	return Filter{
		matches: func(u *countersign.Person) bool {
			return slices.ContainsFunc(u.Emails, func(e countersign.Email) bool { return slices.Contains(keys, e.Key) })
		},
		few: func(ctx context.Context, tx *store.Tx, t countersign.Tenant) ([]countersign.PersonID, error) {
			return tx.PersonIDsByEmails(ctx, t, keys)
		},
	}, nil
}

func phoneFilter(raw json.RawMessage) (Filter, error) {
	values, err := strs(raw, countersign.ErrSearchMissingPhone)
	if err != nil {
		return Filter{}, err
	}
	numbers := slices.DeleteFunc(values, func(s string) bool { return !validPhone(s) })
	return Filter{
		matches: func(u *countersign.Person) bool {
			return slices.ContainsFunc(u.Phones, func(p countersign.Phone) bool { return slices.Contains(numbers, p.Number) })
		},
		few: func(ctx context.Context, tx *store.Tx, t countersign.Tenant) ([]countersign.PersonID, error) {
			return tx.PersonIDsByPhones(ctx, t, numbers)
		},
	}, nil
}

// idsFilter compares IDs of one kind. What is no such ID matches nobody.
func idsFilter[T comparable](missing *countersign.Error, find func(*store.Tx, context.Context, countersign.EnvironmentID, []T) ([]countersign.PersonID, error), of func(*countersign.Person) []T, parse func(string) (T, error)) func(json.RawMessage) (Filter, error) {
	return func(raw json.RawMessage) (Filter, error) {
		values, err := strs(raw, missing)
		if err != nil {
			return Filter{}, err
		}
		var ids []T
		for _, v := range values {
			if id, err := parse(v); err == nil {
				ids = append(ids, id)
			}
		}
		return Filter{
			matches: func(u *countersign.Person) bool {
				return slices.ContainsFunc(of(u), func(id T) bool { return slices.Contains(ids, id) })
			},
			few: func(ctx context.Context, tx *store.Tx, t countersign.Tenant) ([]countersign.PersonID, error) {
				return find(tx, ctx, t.EnvironmentID, ids)
			},
		}, nil
	}
}

func boolFilter(build func(want bool) func(*countersign.Person) bool) func(json.RawMessage) (Filter, error) {
	return func(raw json.RawMessage) (Filter, error) {
		var want bool
		if json.Unmarshal(raw, &want) != nil {
			return Filter{}, countersign.ErrSearchExpectedBool
		}
		return Filter{matches: build(want)}, nil
	}
}

// absentFilter names something that nobody has.
func absentFilter(missing *countersign.Error) func(json.RawMessage) (Filter, error) {
	return func(raw json.RawMessage) (Filter, error) {
		_, err := strs(raw, missing)
		return Filter{
			matches: nobody,
			few: func(context.Context, *store.Tx, countersign.Tenant) ([]countersign.PersonID, error) {
				return nil, nil
			},
		}, err
	}
}

// partFilter matches whoever has a text with a part somewhere in it.
func partFilter(tooShort *countersign.Error, fold func(string) string, scan func(string) store.Text, texts func(*countersign.Person) []string) func(json.RawMessage) (Filter, error) {
	return func(raw json.RawMessage) (Filter, error) {
		var text string
		if json.Unmarshal(raw, &text) != nil {
			return Filter{}, countersign.ErrSearchExpectedString
		}
		part := fold(text)
		switch {
		case utf8.RuneCountInString(part) < minPart:
			return Filter{}, tooShort
		case len(part) > maxFilterBytes || strings.ContainsRune(part, 0):
			return Filter{}, countersign.ErrSearchExpectedString.Saying("It may have %d bytes and no NUL.", maxFilterBytes)
		}
		return Filter{
			matches: func(u *countersign.Person) bool {
				return slices.ContainsFunc(texts(u), func(s string) bool { return strings.Contains(s, part) })
			},
			part: scan(part), size: len(part),
		}, nil
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

func betweenFilter(raw json.RawMessage) (Filter, error) {
	var between struct {
		GreaterThan json.RawMessage `json:"greater_than"`
		LessThan    json.RawMessage `json:"less_than"`
	}
	if raw[0] != '{' || json.Unmarshal(raw, &between) != nil {
		return Filter{}, countersign.ErrSearchExpectedObject
	}
	after, err := moment(between.GreaterThan)
	if err != nil {
		return Filter{}, err
	}
	before, err := moment(between.LessThan)
	return createdFilter(after, before), err
}

// createdFilter matches who was made after and before a moment; zero is open.
func createdFilter(after, before time.Time) Filter {
	return Filter{
		matches: func(u *countersign.Person) bool {
			return (after.IsZero() || u.CreatedAt.After(after)) && (before.IsZero() || u.CreatedAt.Before(before))
		},
		after: after, before: before,
	}
}
