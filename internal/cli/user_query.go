package cli

import (
	"encoding/json"
	"time"

	"github.com/countersign-auth/countersign"
)

// searchFlags are the conditions of a search (users.md §5).
type searchFlags struct {
	UserID        []string `name:"user-id" sep:"none" placeholder:"ID" help:"This user, by ID or by external ID, not both kinds at once. Repeatable."`
	Email         []string `sep:"none" placeholder:"ADDRESS" help:"Who has this address. Repeatable."`
	EmailContains string   `placeholder:"TEXT" help:"Who has an address with this in it."`
	EmailVerified *bool    `negatable:"" help:"Who has a verified address; with --no-email-verified, one that is not."`
	Phone         []string `sep:"none" placeholder:"NUMBER" help:"Who has this phone number, E.164. Repeatable."`
	PhoneContains string   `placeholder:"TEXT" help:"Who has a number with this in it."`
	NameContains  string   `placeholder:"TEXT" help:"Whose full name has this in it."`
	Status        string   `enum:",active,pending" default:"" placeholder:"STATUS" help:"active or pending."`
	CreatedAfter  string   `placeholder:"TIME" help:"Who was made after a day, 2026-01-05, or a moment, 2026-01-05T10:00:00Z."`
	CreatedBefore string   `placeholder:"TIME" help:"Who was made before it."`
	queryFlag
}

// queryFlag takes what the flags of a search cannot say.
type queryFlag struct {
	Query string `placeholder:"FILE" help:"File with a query of the API, or - for standard input; in place of the flags above."`
}

// operand is one condition.
type operand struct {
	Name  string `json:"filter_name"`
	Value any    `json:"filter_value"`
}

// query is the query that the flags make, nil if there is no condition.
func (f *searchFlags) query(a *app) (json.RawMessage, error) {
	operands, err := f.operands()
	if err != nil {
		return nil, err
	}
	return f.queryFlag.query(a, operands)
}

// query is the query of some conditions, or the one that was given in their place.
func (f *queryFlag) query(a *app, operands []operand) (json.RawMessage, error) {
	if f.Query != "" {
		if len(operands) > 0 {
			return nil, usage("--query and other conditions were both given", "put all of them into the query")
		}
		raw, err := a.read(f.Query)
		if err != nil {
			return nil, err
		}
		_, err = parseObject(raw, f.Query)
		return raw, err
	}
	if len(operands) == 0 {
		return nil, nil
	}
	return countersign.EncodeJSON(struct {
		Operator string    `json:"operator"`
		Operands []operand `json:"operands"`
	}{"AND", operands})
}

func (f *searchFlags) operands() ([]operand, error) {
	after, err := searchMoment(f.CreatedAfter, "--created-after")
	if err != nil {
		return nil, err
	}
	before, err := searchMoment(f.CreatedBefore, "--created-before")
	if err != nil {
		return nil, err
	}
	all := []struct {
		given bool
		operand
	}{
		{f.UserID != nil, operand{"user_id", f.UserID}},
		{f.Email != nil, operand{"email_address", f.Email}},
		{f.EmailContains != "", operand{"email_address_fuzzy", f.EmailContains}},
		{f.EmailVerified != nil, operand{"email_verified", f.EmailVerified}},
		{f.Phone != nil, operand{"phone_number", f.Phone}},
		{f.PhoneContains != "", operand{"phone_number_fuzzy", f.PhoneContains}},
		{f.NameContains != "", operand{"full_name_fuzzy", f.NameContains}},
		{f.Status != "", operand{"status", f.Status}},
		{after != "", operand{"created_at_greater_than", after}},
		{before != "", operand{"created_at_less_than", before}},
	}
	var given []operand
	for _, o := range all {
		if o.given {
			given = append(given, o.operand)
		}
	}
	return given, nil
}

// searchMoment is a moment as the API takes it; a day is its first moment, in UTC.
func searchMoment(text, flag string) (string, error) {
	if text == "" {
		return "", nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC().Format(time.RFC3339Nano), nil
		}
	}
	return "", usage(flag+" is neither a day nor a moment", "for example 2026-01-05 or 2026-01-05T10:00:00Z")
}
