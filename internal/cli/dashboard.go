package cli

import (
	"context"
)

type dashboardCommand struct {
	Link dashboardLink `cmd:"" help:"Make a link that signs you in, once and within 15 minutes."`
}

type dashboardLink struct {
	jsonFlag
	workspaceFlags
	Name string `default:"owner" placeholder:"NAME" help:"The operator whom the link signs in, and who is made if there is none of that name; default owner."`
	Role string `enum:",viewer,editor,owner" default:"" placeholder:"ROLE" help:"viewer, editor or owner, from now on; without it the operator's role stays, and a new one is owner."`
}

// Help teaches the command.
func (dashboardLink) Help() string {
	return `Whoever opens the link in a browser is signed in as that operator for twelve hours. The audit trail names the operator
from then on: give everybody a name of their own.

    countersign dashboard link --name ada --role editor` + needsWorkspaceKey
}

// Run makes the link.
func (c *dashboardLink) Run(ctx context.Context, a *app) error {
	api, err := c.connect(a)
	if err != nil {
		return err
	}
	body := map[string]string{"name": c.Name}
	if c.Role != "" {
		body["role"] = c.Role
	}
	raw, err := api.post(ctx, []string{"pwa", "v3", "operator_links"}, body)
	if err != nil {
		return err
	}
	return show(a, c.JSON, raw, func(t *text, v struct {
		Name      string `json:"name"`
		Role      string `json:"role"`
		Path      string `json:"path"`
		ExpiresAt string `json:"expires_at"`
	},
	) {
		t.field("link", api.base+v.Path)
		t.field("operator", v.Name)
		t.field("role", v.Role)
		t.field("expires", t.when(v.ExpiresAt))
		t.note("It signs in once. Whoever has it is this operator.")
	})
}
