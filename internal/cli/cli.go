package cli

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/alecthomas/kong"
)

// Exit codes of the command.
const (
	ExitOK     = 0
	ExitFailed = 1 // refused by the server, or could not be done
	ExitUsage  = 2 // the command line or the environment does not make sense
)

// Process is what the command has of its process. Every field is required.
type Process struct {
	Args      []string // without the program's name
	Stdin     io.Reader
	Stdout    io.Writer
	Stderr    io.Writer
	LookupEnv func(name string) (string, bool)
	Now       func() time.Time
}

// Main runs one command to its end, or until ctx is cancelled, and gives the
// exit code. What was asked for goes to Stdout, everything else to Stderr.
func Main(ctx context.Context, p Process) int {
	a := newApp(ctx, p)
	return a.report(a.run(ctx, p.Args))
}

// grammar is the command line: a field is a command. The order is that of the
// help text: what a newcomer needs first stands first.
type grammar struct {
	Help helpFlag `short:"h" help:"Show this help; after a command, the help of that command."`

	Demo  demoCommand  `cmd:"" group:"run" help:"Watch a JWT become a session, on a server of its own."`
	Serve serveCommand `cmd:"" group:"run" help:"Run the server."`

	Backup backupCommand `cmd:"" group:"keep" help:"Copy a SQLite database while it is served."`
	Doctor doctorCommand `cmd:"" group:"keep" help:"Examine a database: what is wrong, why it matters, what to do."`

	Keys  keysCommand  `cmd:"" group:"issuer" help:"Make signing keys for an issuer of your own."`
	Token tokenCommand `cmd:"" group:"issuer" help:"Sign and read subject tokens, without any server."`

	Attest  attestCommand  `cmd:"" group:"api" help:"Exchange a subject token for a session."`
	Session sessionCommand `cmd:"" group:"api" help:"Check, revoke and list sessions."`
	User    userCommand    `cmd:"" group:"api" help:"Make, find, change and import users."`

	Organization organizationCommand `cmd:"" group:"api" help:"Organizations of a B2B project."`
	Member       memberCommand       `cmd:"" group:"api" help:"Members of organizations."`

	Project     projectCommand     `cmd:"" group:"management" help:"Projects: one for each product."`
	Environment environmentCommand `cmd:"" group:"management" help:"Environments of a project: one LIVE, any number of TEST."`
	Secret      secretCommand      `cmd:"" group:"management" help:"Secrets: what your backend calls the API with."`
	PublicToken publicTokenCommand `cmd:"" group:"management" help:"Public tokens: what browsers call the API with."`
	Profile     profileCommand     `cmd:"" group:"management" help:"Trusted-token profiles: whose tokens are believed, and for what."`
	Policy      policyCommand      `cmd:"" group:"management" help:"What roles permit."`
	SigningKey  signingKeyCommand  `cmd:"" group:"management" help:"The keys that an environment signs session JWTs with."`
	Events      eventsCommand      `cmd:"" group:"management" help:"The audit trail: what changed, when, and by whom."`
	Explain     explainCommand     `cmd:"" group:"management" help:"Why a token was refused, or would be, check by check."`
	Verdicts    verdictsCommand    `cmd:"" group:"management" help:"What became of subject tokens."`
	Revoke      revokeCommand      `cmd:"" group:"management" help:"End sessions by profile, issuer's key, user or moment."`
	Revocations revocationsCommand `cmd:"" group:"management" help:"The revocations that stand."`

	Dashboard dashboardCommand `cmd:"" group:"management" help:"Sign in to the dashboard."`

	Version    versionCommand    `cmd:"" group:"self" help:"Print the version of this binary."`
	Completion completionCommand `cmd:"" group:"self" help:"Print a completion script for your shell."`
}

const description = `countersign turns a signed JWT that somebody else issued into a session of your own.

Every setting of a command is a flag; those with a name in brackets are also read from that variable. Secrets are read
from files, standard input ("-") or the environment, never from the command line.`

// run parses args and runs the command that they name.
func (a *app) run(ctx context.Context, args []string) error {
	parser, err := newParser(a)
	if err != nil {
		return err
	}
	kctx, err := parser.Parse(helpArgs(args))
	if errors.Is(err, errHelpShown) {
		return nil
	}
	if parse, ok := errors.AsType[*kong.ParseError](err); ok {
		return usage(parse.Error(), "see: "+helpCommand(parse.Context))
	}
	if err != nil {
		return err
	}
	kctx.BindTo(ctx, (*context.Context)(nil))
	return kctx.Run(a)
}

// newParser builds the grammar. Kong itself would read os.Environ; instead the
// variables are taken from its model and answered by a resolver, so that a test
// can give its own, and an empty variable counts as not set.
func newParser(a *app) (*kong.Kong, error) {
	parser, err := kong.New(&grammar{},
		kong.Name("countersign"),
		kong.Description(description),
		kong.Writers(a.stdout, a.stderr),
		kong.NoDefaultHelp(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.ValueFormatter(describeFlag),
		kong.Resolvers(kong.ResolverFunc(a.resolve)),
		kong.ExplicitGroups([]kong.Group{
			{Key: "run", Title: "Run a server:"},
			{Key: "keep", Title: "Keep a server well:"},
			{Key: "issuer", Title: "Be an issuer:"},
			{Key: "api", Title: "Use the API, as your backend does:"},
			{Key: "management", Title: "Set up the server:"},
			{Key: "self", Title: "This command:"},
			{Key: "settings", Title: "Settings:"},
			{Key: "connection", Title: "Connection:"},
		}),
	)
	if err != nil {
		return nil, err
	}
	takeEnvs(parser.Model.Node)
	for _, flag := range parser.Model.Flags {
		if flag.Name == "help" {
			parser.Model.HelpFlag = flag
		}
	}
	return parser, nil
}
