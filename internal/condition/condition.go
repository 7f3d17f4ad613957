package condition

import (
	"errors"
	"fmt"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
)

// Bounds of an expression.
const (
	MaxSize    = 4 << 10 // bytes
	maxDepth   = 48      // how deep calls, brackets and operators may nest
	maxNodes   = 3000    // what the text and its macros come to
	maxLoops   = 24      // all, exists, exists_one, map and filter, together
	maxNesting = 3       // of those within one another
)

// Program is a compiled expression. It never changes.
type Program struct {
	program cel.Program
	size    int // about how many bytes it takes
}

// Compile reads a condition: an expression that gives true or false, or whose
// type is known only once there is a token. Its error is for whoever wrote the
// text: at most maxIssues lines, with the line and the column in characters.
func Compile(text string) (*Program, error) {
	return compile(text, func(result *cel.Type) error {
		if result.Kind() != types.BoolKind && result.Kind() != types.DynKind {
			return fmt.Errorf("a condition gives true or false, this gives %s", show(result.String()))
		}
		return nil
	})
}

// CompileValue reads an expression that gives a JSON value. Its error is like
// that of Compile.
func CompileValue(text string) (*Program, error) {
	return compile(text, func(result *cel.Type) error {
		switch result.Kind() { //nolint:exhaustive // the kinds of JSON
		case types.BoolKind, types.IntKind, types.UintKind, types.DoubleKind, types.StringKind, types.NullTypeKind, types.ListKind, types.MapKind, types.DynKind:
			return nil
		}
		return fmt.Errorf("an attribute is a JSON value, this gives %s", show(result.String()))
	})
}

func compile(text string, accept func(result *cel.Type) error) (p *Program, err error) {
	defer func() {
		if recover() != nil { // a defect of the library is no reason to stop serving
			p, err = nil, errors.New("this expression cannot be compiled")
		}
	}()
	if len(text) > MaxSize {
		return nil, fmt.Errorf("%d bytes, an expression has at most %d", len(text), MaxSize)
	}
	e, err := environment()
	if err != nil {
		return nil, err
	}
	parsed, issues := e.Parse(text)
	if issues.Err() != nil {
		return nil, explain(issues)
	}
	patterns, err := inspect(parsed.NativeRep())
	if err != nil {
		return nil, err
	}
	checked, issues := e.Check(parsed)
	if issues.Err() != nil {
		return nil, explain(issues)
	}
	if err := accept(checked.OutputType()); err != nil {
		return nil, err
	}
	program, err := e.Program(checked,
		cel.CustomDecoratorV2(patterns.decorate),
		cel.CustomDecoratorV2(charge),
		cel.CostTracking(meter{patterns}),
		cel.CostLimit(maxCost))
	if err != nil {
		return nil, errors.New("this expression cannot be compiled")
	}
	// Measured: some 50 bytes for one of the text, and 100 for a step of a pattern.
	return &Program{program, 2<<10 + 50*len(text) + 100*patterns.size()}, nil
}

// Why an evaluation gave no result. There are no others, and none shows what the
// token says: the texts of the library do.
var (
	ErrNoSuchKey = errors.New("the expression looks up what the token does not have")
	ErrType      = errors.New("the expression meets a value of another type than it needs")
	ErrTooCostly = errors.New("the expression costs more than one may")
	ErrFailed    = errors.New("the expression failed")
)

// Holds evaluates a condition over what parseObject of package trust read.
// Neither map is changed. The error is ErrNoSuchKey, ErrType (also for a result
// that is neither true nor false), ErrTooCostly or ErrFailed.
func (p *Program) Holds(header, claims map[string]any) (bool, error) {
	result, err := p.evaluate(header, claims)
	if err != nil {
		return false, err
	}
	holds, ok := result.(types.Bool)
	if !ok {
		return false, ErrType
	}
	return bool(holds), nil
}

// Value evaluates an expression to a value as parseObject of package trust gives
// it: nil, bool, string, json.Number, []any and map[string]any, which may be part
// of claims or header. The errors are those of Holds: ErrType also for a result
// that is none of these, ErrTooCostly for one of more than maxResult.
func (p *Program) Value(header, claims map[string]any) (value any, err error) {
	result, err := p.evaluate(header, claims)
	if err != nil {
		return nil, err
	}
	defer func() {
		if recover() != nil {
			value, err = nil, ErrFailed
		}
	}()
	left := maxResult
	return toJSON(result, 1, &left)
}

func (p *Program) evaluate(header, claims map[string]any) (result ref.Val, err error) {
	defer func() {
		if recover() != nil {
			result, err = nil, ErrFailed
		}
	}()
	result, _, err = p.program.Eval(&token{newObject(header), newObject(claims)})
	if err != nil {
		return nil, reason(err)
	}
	return result, nil
}

// token is the variables of one evaluation.
type token struct{ header, claims *object }

// ResolveName implements cel.Activation.
func (t *token) ResolveName(name string) (any, bool) {
	switch name {
	case "claims":
		return t.claims, true
	case "header":
		return t.header, true
	}
	return nil, false
}

// Parent implements cel.Activation.
func (t *token) Parent() cel.Activation { return nil }

// reason is the one of ours that is behind err.
func reason(err error) error {
	if errors.Is(err, ErrTooCostly) {
		return ErrTooCostly
	}
	if cancelled, ok := errors.AsType[interpreter.EvalCancelledError](err); ok && cancelled.Cause == interpreter.CostLimitExceeded {
		return ErrTooCostly
	}
	return reasonOf(err.Error())
}
