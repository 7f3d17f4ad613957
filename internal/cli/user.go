package cli

import (
	"context"
	"encoding/json"
)

type userCommand struct {
	Create userCreate `cmd:"" help:"Make a user."`
	Get    userGet    `cmd:"" help:"Show one user."`
	Search userSearch `cmd:"" help:"Find users."`
	Update userUpdate `cmd:"" help:"Change a user's name, metadata, roles or external ID."`
	Delete userDelete `cmd:"" help:"Delete a user and end all their sessions."`
	Import userImport `cmd:"" help:"Make a user of every line of a file."`
}

func usersPath(more ...string) []string { return append([]string{"v1", "users"}, more...) }

type userCreate struct {
	jsonFlag
	Email      string `placeholder:"ADDRESS" help:"An e-mail address; it begins as not verified."`
	Phone      string `placeholder:"NUMBER" help:"A phone number, E.164, for example +15005550006; it begins as not verified."`
	FirstName  string `placeholder:"TEXT" help:"First name."`
	MiddleName string `placeholder:"TEXT" help:"Middle name."`
	LastName   string `placeholder:"TEXT" help:"Last name."`
	ExternalID string `name:"external-id" placeholder:"ID" help:"An ID of your own: 1 to 128 characters out of A-Z, a-z, 0-9 and ._|-; good wherever a user ID is."`
	Pending    bool   `help:"The user is pending, not active, until they first sign in."`
	userFlags
	apiFlags
}

// Help teaches the command.
func (userCreate) Help() string {
	return `A user needs an e-mail address or a phone number; nobody else may have it.

    countersign user create --email ada@example.com --first-name Ada --last-name Lovelace
    countersign user create --phone +15005550006 --external-id employee-7 --role editor --trusted-metadata '{"plan":"pro"}'` + needsSecret
}

// userBody is the body of creating and of changing a user (users.md §3, §4).
type userBody struct {
	Email             string          `json:"email,omitempty"`
	PhoneNumber       string          `json:"phone_number,omitempty"`
	Name              nameBody        `json:"name,omitzero"`
	ExternalID        string          `json:"external_id,omitempty"`
	Roles             *[]string       `json:"roles,omitempty"`
	TrustedMetadata   json.RawMessage `json:"trusted_metadata,omitempty"`
	UntrustedMetadata json.RawMessage `json:"untrusted_metadata,omitempty"`
	Pending           bool            `json:"create_user_as_pending,omitempty"`
}

// nameBody has the parts of a name that are given; "" takes one away.
type nameBody struct {
	First  *string `json:"first_name,omitempty"`
	Middle *string `json:"middle_name,omitempty"`
	Last   *string `json:"last_name,omitempty"`
}

// userFlags are what create and update have in common.
type userFlags struct {
	Role              []string `sep:"none" placeholder:"ROLE" help:"A role of the environment's policy. Repeatable."`
	TrustedMetadata   string   `placeholder:"JSON" help:"Metadata that only your backend may write: a JSON object, @FILE, or - for standard input."`
	UntrustedMetadata string   `placeholder:"JSON" help:"The same, that the user's browser may write too."`
}

// fill puts what was given into a body.
func (f *userFlags) fill(a *app, body *userBody) (err error) {
	if len(f.Role) > 0 {
		body.Roles = &f.Role
	}
	if body.TrustedMetadata, err = a.metadata(f.TrustedMetadata, "--trusted-metadata"); err != nil {
		return err
	}
	body.UntrustedMetadata, err = a.metadata(f.UntrustedMetadata, "--untrusted-metadata")
	return err
}

// metadata is the JSON object that a flag gives, nil if it was not given.
func (s *settings) metadata(value, flag string) (json.RawMessage, error) {
	if value == "" {
		return nil, nil
	}
	raw, err := s.inlineOrFile(value)
	if err != nil {
		return nil, err
	}
	_, err = parseObject(raw, flag)
	return raw, err
}

// Run creates.
func (c *userCreate) Run(ctx context.Context, a *app) error {
	given := func(s string) *string {
		if s == "" {
			return nil
		}
		return &s
	}
	body := userBody{
		Email: c.Email, PhoneNumber: c.Phone, ExternalID: c.ExternalID, Pending: c.Pending,
		Name: nameBody{given(c.FirstName), given(c.MiddleName), given(c.LastName)},
	}
	if err := c.fill(a, &body); err != nil {
		return err
	}
	api, err := c.connect(a)
	if err != nil {
		return err
	}
	raw, err := api.post(ctx, usersPath(), body)
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v struct{ User user }) { v.User.write(t) })
}

// userArg names the user that a command is about.
type userArg struct {
	User string `arg:"" name:"user" help:"The user: user-test-… or user-live-…, or your own ID (external ID)."`
}

type userGet struct {
	jsonFlag
	userArg
	apiFlags
}

// Help teaches the command.
func (userGet) Help() string {
	return `For example:

    countersign user get user-test-…
    countersign user get employee-7

"user search" finds people by address, number or name.` + needsSecret
}

// Run gets.
func (c *userGet) Run(ctx context.Context, a *app) error {
	api, err := c.connect(a)
	if err != nil {
		return err
	}
	raw, err := api.get(ctx, usersPath(c.User))
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v user) { v.write(t) })
}

type userUpdate struct {
	jsonFlag
	userArg
	FirstName  *string `placeholder:"TEXT" help:"First name; --first-name= takes it away."`
	MiddleName *string `placeholder:"TEXT" help:"Middle name."`
	LastName   *string `placeholder:"TEXT" help:"Last name."`
	ExternalID string  `name:"external-id" placeholder:"ID" help:"An ID of your own; the old one finds nobody from then on."`
	NoRoles    bool    `help:"Take all roles that were given by hand."`
	userFlags
	apiFlags
}

// Help teaches the command.
func (userUpdate) Help() string {
	return `Changes what is given and leaves the rest. Metadata is merged at the top level, and null removes a key; --role names
all roles that the user is to have been given by hand, so give those that stay as well.

    countersign user update employee-7 --last-name Lovelace --trusted-metadata '{"plan":"pro","trial":null}'
    countersign user update employee-7 --role editor --role admin` + needsSecret
}

// Run updates.
func (c *userUpdate) Run(ctx context.Context, a *app) error {
	body := userBody{Name: nameBody{c.FirstName, c.MiddleName, c.LastName}, ExternalID: c.ExternalID}
	if err := c.fill(a, &body); err != nil {
		return err
	}
	if c.NoRoles {
		if body.Roles != nil {
			return usage("--role and --no-roles were both given", "give --role for those that stay, or --no-roles")
		}
		body.Roles = &[]string{}
	}
	if body.Name == (nameBody{}) && body.ExternalID == "" && body.Roles == nil && body.TrustedMetadata == nil && body.UntrustedMetadata == nil {
		return usage("nothing to change", "see countersign user update --help")
	}
	api, err := c.connect(a)
	if err != nil {
		return err
	}
	raw, err := api.put(ctx, usersPath(c.User), body)
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v struct{ User user }) { v.User.write(t) })
}

type userDelete struct {
	jsonFlag
	confirmFlag
	userArg
	apiFlags
}

// Help teaches the command.
func (userDelete) Help() string {
	return `The user's sessions end at once; their address, number and external ID are free again. It cannot be undone, so it
asks first; in a script, add --yes.

    countersign user delete employee-7` + needsSecret
}

// Run deletes.
func (c *userDelete) Run(ctx context.Context, a *app) error {
	api, err := c.connect(a)
	if err != nil {
		return err
	}
	return a.delete(ctx, deletion{
		api: api, path: usersPath(c.User), what: "user " + c.User,
		question: "Delete user " + c.User + " and end all their sessions?",
		yes:      c.Yes, json: c.JSON,
	})
}
