package cli

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/countersign-auth/countersign"
	"github.com/countersign-auth/countersign/internal/userfile"
)

type policySet struct {
	jsonFlag
	confirmFlag
	DryRun bool   `help:"Show what would change, and change nothing."`
	File   string `arg:"" name:"file" placeholder:"FILE" help:"File with the policy, as policy get --json prints it, or - for standard input."`
	environmentFlags
}

// Help teaches the command.
func (policySet) Help() string {
	return `Replaces the whole policy: a list that the file leaves out is emptied, a default role that it leaves out stays as it is.
It shows what changes and asks; in a script, add --yes. A role that leaves the policy leaves everybody who has it.

    countersign policy get --project acme --environment test --json > policy.json
    countersign policy set policy.json --project acme --environment test --dry-run
    countersign policy set policy.json --project acme --environment test

The smallest one with a role of its own:

    {"custom_resources": [{"resource_id": "documents", "available_actions": ["read", "write"]}],
     "custom_roles": [{"role_id": "editor", "permissions": [{"resource_id": "documents", "actions": ["*"]}]}]}` + needsEnvironment
}

// Run sets.
func (c *policySet) Run(ctx context.Context, a *app) error {
	raw, err := a.read(c.File)
	if err != nil {
		return err
	}
	next, body, err := parsePolicy(raw, c.File)
	if err != nil {
		return err
	}
	api, path, err := c.open(a, "rbac_policy")
	if err != nil {
		return err
	}
	before, err := api.get(ctx, path)
	if err != nil {
		return err
	}
	var current policyAnswer
	if err := json.Unmarshal(before, &current); err != nil {
		return err
	}
	changes := policyChanges(&current.Policy, &next)
	if c.DryRun {
		return c.showChanges(a, changes)
	}
	if len(changes) == 0 {
		return show(a, c.JSON, before, func(t *text, _ struct{}) { t.line("Nothing changes: the environment has this policy.") })
	}
	a.remark("%s", printable(strings.Join(texted(changes), "\n")))
	if err := a.confirm(c.Yes, printable("Replace the policy of environment "+c.Environment+" of project "+c.Project+"?")); err != nil {
		return err
	}
	after, err := api.put(ctx, path, body)
	if err != nil {
		return err
	}
	return show(a, c.JSON, after, func(t *text, _ struct{}) { t.line("The policy is replaced.") })
}

// showChanges prints what a policy would change.
func (c *policySet) showChanges(a *app, changes []policyChange) error {
	raw, err := countersign.EncodeJSON(map[string][]policyChange{"changes": changes})
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, _ struct{}) {
		if len(changes) == 0 {
			t.line("Nothing would change: the environment has this policy.")
		}
		for _, line := range texted(changes) {
			t.line("%s", line)
		}
	})
}

// refuseUnknown refuses a policy with a member that no policy has.
func refuseUnknown(object countersign.Object, what string) error {
	known := []string{"stytch_user", "stytch_member", "stytch_admin", "stytch_resources", "custom_roles", "custom_resources", "custom_scopes"}
	for _, member := range slices.Sorted(maps.Keys(object)) {
		if slices.Contains(known, member) {
			continue
		}
		hint := "a policy has " + strings.Join(known, ", ")
		if near := userfile.Nearest(member, known); near != "" {
			hint = "did you mean " + near + "? " + hint
		}
		return usage(what+" has a member "+printable(member)+", which no policy has", hint)
	}
	return nil
}

// jsonProblem says where in a document a value is of the wrong type.
func jsonProblem(err error) string {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
		return wrong.Field + " may not be a JSON " + wrong.Value
	}
	return err.Error()
}
