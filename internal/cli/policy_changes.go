package cli

import (
	"fmt"
	"slices"
	"strings"
)

// policyChange is one thing of a policy that is added, removed or changed.
type policyChange struct {
	Change string   `json:"change"` // added, removed or changed
	Kind   string   `json:"kind"`   // role, resource or scope
	Name   string   `json:"name"`
	Detail []string `json:"detail"` // what of it, each beginning with + or -
}

// texted are changes as lines that read like a diff.
func texted(changes []policyChange) (lines []string) {
	for _, c := range changes {
		sign := map[string]string{"added": "+", "removed": "-", "changed": "~"}[c.Change]
		lines = append(lines, sign+" "+c.Kind+" "+c.Name)
		for _, d := range c.Detail {
			lines = append(lines, "    "+d)
		}
	}
	return lines
}

// policyThing is a role, resource or scope with what can change about it, each a
// line of its own.
type policyThing struct {
	kind  string
	name  string
	lines []string
}

// policyChanges compare what an environment has with what it shall have. A
// default role that is left out stays.
func policyChanges(before, after *policyDocument) []policyChange {
	had, has := before.things(), after.things()
	for _, d := range before.defaultRoles() {
		if !slices.ContainsFunc(after.defaultRoles(), func(n namedRole) bool { return n.id == d.id }) {
			has = append(has, policyThing{"role", d.id, permissionLines(d.role.Permissions)})
		}
	}
	changes := []policyChange{}
	for _, h := range had {
		if find(has, h) < 0 {
			changes = append(changes, policyChange{"removed", h.kind, h.name, []string{}})
		}
	}
	for _, h := range has {
		i := find(had, h)
		if i < 0 {
			changes = append(changes, policyChange{"added", h.kind, h.name, signed("+", h.lines)})
			continue
		}
		if detail := differences(had[i].lines, h.lines); len(detail) > 0 {
			changes = append(changes, policyChange{"changed", h.kind, h.name, detail})
		}
	}
	return changes
}

func find(things []policyThing, t policyThing) int {
	return slices.IndexFunc(things, func(o policyThing) bool { return o.kind == t.kind && o.name == t.name })
}

// things are all that a document defines.
func (p *policyDocument) things() (list []policyThing) {
	for _, d := range p.defaultRoles() {
		list = append(list, policyThing{"role", d.id, permissionLines(d.role.Permissions)})
	}
	for _, r := range p.CustomRoles {
		list = append(list, policyThing{"role", r.RoleID, described(r.Description, permissionLines(r.Permissions))})
	}
	for _, r := range p.CustomResources {
		list = append(list, policyThing{"resource", r.ResourceID, described(r.Description, []string{"actions: " + strings.Join(r.AvailableActions, ", ")})})
	}
	for _, s := range p.CustomScopes {
		list = append(list, policyThing{"scope", s.Scope, described(s.Description, permissionLines(s.Permissions))})
	}
	return list
}

// permissionLines are a line for each permission.
func permissionLines(list []permission) []string {
	lines := make([]string, len(list))
	for i, p := range list {
		lines[i] = p.ResourceID + ": " + strings.Join(p.Actions, ", ")
	}
	return lines
}

func described(description string, lines []string) []string {
	if description == "" {
		return lines
	}
	return append(lines, fmt.Sprintf("description: %q", description))
}

// differences are the lines that only one of two lists has.
func differences(before, after []string) []string {
	gone := slices.DeleteFunc(slices.Clone(before), func(s string) bool { return slices.Contains(after, s) })
	come := slices.DeleteFunc(slices.Clone(after), func(s string) bool { return slices.Contains(before, s) })
	return append(signed("-", gone), signed("+", come)...)
}

func signed(sign string, lines []string) []string {
	list := make([]string, len(lines))
	for i, line := range lines {
		list[i] = sign + " " + line
	}
	return list
}
