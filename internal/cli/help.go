package cli

import (
	"errors"
	"strings"

	"github.com/alecthomas/kong"
)

// errHelpShown ends parsing once help was printed.
var errHelpShown = errors.New("help was shown")

// helpFlag is --help. Kong's own ends the process, which Main must not.
type helpFlag bool

// BeforeReset prints the help of the command given so far.
func (helpFlag) BeforeReset(ctx *kong.Context) error {
	if err := ctx.PrintUsage(false); err != nil {
		return err
	}
	return errHelpShown
}

// helpArgs lets "countersign" alone and "countersign help keys" mean --help.
func helpArgs(args []string) []string {
	switch {
	case len(args) == 0:
		return []string{"--help"}
	case args[0] == "help":
		return append(append([]string(nil), args[1:]...), "--help")
	default:
		return args
	}
}

// helpCommand is the line that shows the help of the command ctx got to.
func helpCommand(ctx *kong.Context) string {
	if ctx == nil || ctx.Selected() == nil {
		return "countersign --help"
	}
	return ctx.Selected().FullPath() + " --help"
}

// describeFlag is a flag's help with its variable in brackets.
func describeFlag(v *kong.Value) string {
	if v.Flag == nil || len(v.Flag.Envs) == 0 {
		return v.Help
	}
	return strings.TrimSuffix(v.Help, ".") + " [" + strings.Join(v.Flag.Envs, ", ") + "]."
}

// How the help of a command ends: what it needs from the environment, unless
// flags say it.
const (
	needsSecret = `

Needs COUNTERSIGN_PROJECT_ID and COUNTERSIGN_SECRET (or COUNTERSIGN_SECRET_FILE).`

	needsWorkspaceKey = `

Needs COUNTERSIGN_WORKSPACE_KEY_ID and COUNTERSIGN_WORKSPACE_KEY_SECRET (or COUNTERSIGN_WORKSPACE_KEY_SECRET_FILE).`

	needsProject = needsWorkspaceKey + ` The project may
come from COUNTERSIGN_PROJECT.`

	needsEnvironment = needsWorkspaceKey + ` Project and
environment may come from COUNTERSIGN_PROJECT and COUNTERSIGN_ENVIRONMENT.`
)
