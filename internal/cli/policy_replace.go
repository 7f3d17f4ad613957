package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/countersign-auth/countersign"
)

// replaceFlags are those of a command that replaces a policy.
type replaceFlags struct {
	jsonFlag
	confirmFlag
	DryRun bool `help:"Show what would change, and change nothing."`
}

// replacement is a policy about to be replaced.
type replacement struct {
	whose   string // "organization acme"
	changes []policyChange
	before  json.RawMessage // the server's answer to who asks for it
	put     func() (json.RawMessage, error)
}

// replace shows what changes, asks, and does it.
func (f *replaceFlags) replace(a *app, r replacement) error {
	if f.DryRun {
		return f.showChanges(a, r)
	}
	if len(r.changes) == 0 {
		return show(a, f.JSON, r.before, func(t *text, _ struct{}) { t.line("Nothing changes: %s has this policy.", r.whose) })
	}
	a.remark("%s", printable(strings.Join(texted(r.changes), "\n")))
	if err := a.confirm(f.Yes, printable("Replace the policy of "+r.whose+"?")); err != nil {
		return err
	}
	after, err := r.put()
	if err != nil {
		return err
	}
	return show(a, f.JSON, after, func(t *text, _ struct{}) { t.line("The policy is replaced.") })
}

// showChanges prints what would change.
func (f *replaceFlags) showChanges(a *app, r replacement) error {
	raw, err := countersign.EncodeJSON(map[string][]policyChange{"changes": r.changes})
	if err != nil {
		return err
	}
	return show(a, f.JSON, raw, func(t *text, _ struct{}) {
		if len(r.changes) == 0 {
			t.line("Nothing would change: %s has this policy.", r.whose)
		}
		for _, line := range texted(r.changes) {
			t.line("%s", line)
		}
	})
}

// only refuses an object of a policy with another member than the known ones.
func only(object countersign.Object, what string, known ...string) error {
	for _, member := range slices.Sorted(maps.Keys(object)) {
		if !slices.Contains(known, member) {
			return usage(fmt.Sprintf("%s has a member %.64q, which no policy has", what, member), "a policy has "+strings.Join(known, ", "))
		}
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
