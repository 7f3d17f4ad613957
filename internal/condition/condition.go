// Package condition evaluates expressions in CEL over a judged token: the
// conditions of a profile and those values of its mapping that are expressions.
// Who writes an expression and who writes a token are both taken for hostile, so
// the size of an expression, what it may compute and what it may hold are bounded
// (docs/adr/0014). It knows no clock, no network and no chance.
package condition

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/ext"
)

// MaxSize is the most bytes that an expression may have.
const MaxSize = 4 << 10

// The bounds of compiling and of one evaluation. Cost is the library's measure of
// work, about one for each step or for each ten characters looked at; memory its
// count of elements held, where ten bytes of text are one.
const (
	maxNodes       = 2000
	maxNesting     = 32
	maxRegex       = 1000 // instructions
	maxCost        = 20_000
	maxMemory      = 20_000
	checkFrequency = 100 // steps of a comprehension between two looks at the bounds
)

// What may go wrong when an expression is evaluated. None of it shows a value of
// the token.
var (
	// ErrNoSuchKey is a member of an object, or of an array, that is not there.
	ErrNoSuchKey = errors.New("it names a claim or a member that the token does not have")
	// ErrType is an operation on a value of another type, or no boolean where one
	// must be.
	ErrType = errors.New("a value in it has another type than it needs")
	// ErrTooCostly is an evaluation that was ended.
	ErrTooCostly = errors.New("it takes more work or memory than an expression may")
	// ErrFailed is anything else: an overflow, a division by zero, an index.
	ErrFailed = errors.New("it cannot be evaluated for this token")
)

// Program is a compiled expression. It is safe for concurrent use.
type Program struct{ program cel.Program }

// environment is what every expression is compiled in.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	members := cel.MapType(cel.StringType, cel.DynType)
	return cel.NewEnv(
		cel.Variable("claims", members),
		cel.Variable("header", members),
		cel.CustomTypeAdapter(adapter{}),
		cel.ParserExpressionSizeLimit(MaxSize),
		cel.ParserRecursionLimit(maxNesting),
		cel.ParserErrorRecoveryLimit(4),
		cel.ExpressionNodeLimit(maxNodes),
		cel.ExpressionNestingDepthLimit(2*maxNesting),
		cel.RegexProgramSizeLimit(maxRegex),
		cel.CrossTypeNumericComparisons(true),
		cel.DefaultUTCTimeZone(true),
		ext.Strings(ext.StringsVersion(2)), // without format: one call writes text without end
		ext.Sets(),
	)
})

// Compile reads an expression that is true or false. Its error is for whoever
// wrote the expression: where it is wrong and how.
func Compile(text string) (*Program, error) {
	p, output, err := compile(text)
	if err == nil && !output.IsExactType(cel.BoolType) && !output.IsExactType(cel.DynType) {
		return nil, fmt.Errorf("the expression is %s, and must be true or false", article(output))
	}
	return p, err
}

// CompileValue reads an expression of any type.
func CompileValue(text string) (*Program, error) {
	p, _, err := compile(text)
	return p, err
}

func compile(text string) (_ *Program, output *cel.Type, err error) {
	defer func() {
		if r := recover(); r != nil { // none is known; an expression takes no server down
			err = errors.New("the expression cannot be compiled")
		}
	}()
	switch {
	case strings.TrimSpace(text) == "":
		return nil, nil, errors.New("the expression is empty")
	case len(text) > MaxSize:
		return nil, nil, fmt.Errorf("the expression has %d bytes, and may have %d", len(text), MaxSize)
	}
	env, err := environment()
	if err != nil {
		return nil, nil, err
	}
	compiled, issues := env.Compile(text)
	if issues.Err() != nil {
		return nil, nil, explain(issues)
	}
	if amplifies(compiled) {
		return nil, nil, errors.New("replace is not available: one call can square the size of a text")
	}
	program, err := env.Program(compiled,
		cel.EvalOptions(cel.OptOptimize),
		cel.CostTracking(textCost{}), cel.CostLimit(maxCost), cel.MemoryLimit(maxMemory), cel.InterruptCheckFrequency(checkFrequency),
	)
	if err != nil {
		return nil, nil, errors.New("the expression cannot be prepared: " + oneLine(err.Error()))
	}
	return &Program{program}, compiled.OutputType(), nil
}

// amplifies reports whether an expression calls replace, the one function that
// makes more of a text than its bounds are asked about.
func amplifies(compiled *cel.Ast) bool {
	found := false
	ast.PreOrderVisit(compiled.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		found = found || e.Kind() == ast.CallKind && e.AsCall().FunctionName() == "replace"
	}))
	return found
}

// Holds reports whether the expression is true.
func (p *Program) Holds(header, claims map[string]any) (bool, error) {
	value, err := p.eval(header, claims)
	if err != nil {
		return false, err
	}
	holds, ok := value.(types.Bool)
	if !ok {
		return false, ErrType
	}
	return bool(holds), nil
}

// Value is what the expression comes to, in the shapes of a token's claims:
// map[string]any, []any, string, json.Number, bool and nil. Anything else, such
// as a timestamp, is ErrType.
func (p *Program) Value(header, claims map[string]any) (any, error) {
	value, err := p.eval(header, claims)
	if err != nil {
		return nil, err
	}
	left := maxMembers
	return plain(value, &left, maxNesting)
}

func (p *Program) eval(header, claims map[string]any) (value any, err error) {
	defer func() {
		if r := recover(); r != nil {
			value, err = nil, ErrFailed
		}
	}()
	out, _, err := p.program.Eval(map[string]any{"claims": object(claims), "header": object(header)})
	if err != nil {
		return nil, classify(err)
	}
	return out, nil
}

// classify makes one of four sentences of the library's error, which may quote
// values.
func classify(err error) error {
	text := err.Error()
	for _, c := range []struct {
		part string
		is   error
	}{
		{"cost limit exceeded", ErrTooCostly},
		{"memory limit exceeded", ErrTooCostly},
		{"operation interrupted", ErrTooCostly},
		{"no such key", ErrNoSuchKey},
		{"no such attribute", ErrNoSuchKey},
		{"index out of bounds", ErrNoSuchKey},
		{"no such overload", ErrType},
		{"unsupported", ErrType},
		{"type conversion error", ErrType},
	} {
		if strings.Contains(text, c.part) {
			return c.is
		}
	}
	return ErrFailed
}

// maxProblems is how many of an expression's mistakes are told at once.
const maxProblems = 3

// explain says what the compiler found, a line for each problem.
func explain(issues *cel.Issues) error {
	var lines []string
	for _, e := range issues.Errors() {
		if len(lines) == maxProblems {
			break
		}
		lines = append(lines, fmt.Sprintf("line %d, column %d: %s", e.Location.Line(), e.Location.Column()+1, oneLine(e.Message)))
	}
	return errors.New(strings.Join(lines, "; "))
}

// maxProblem bounds one line of an explanation, in bytes.
const maxProblem = 200

func oneLine(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " ")
	if len(s) > maxProblem {
		s = strings.ToValidUTF8(s[:maxProblem], "") + "…"
	}
	return s
}

func article(t *cel.Type) string {
	name := t.String()
	if strings.ContainsRune("aeiou", rune(name[0])) {
		return "an " + name
	}
	return "a " + name
}

// object keeps a nil map from becoming null.
func object(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}
