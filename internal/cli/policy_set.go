package cli

import (
	"context"
	"encoding/json"
)

type policySet struct {
	replaceFlags
	File string `arg:"" name:"file" placeholder:"FILE" help:"File with the policy, as policy get --json prints it, or - for standard input."`
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
	return c.replace(a, replacement{
		whose:   "environment " + c.Environment + " of project " + c.Project,
		changes: policyChanges(&current.Policy, &next), before: before,
		put: func() (json.RawMessage, error) { return api.put(ctx, path, body) },
	})
}
