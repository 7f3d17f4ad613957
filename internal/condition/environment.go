package condition

import (
	"fmt"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/env"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
)

// functions are those of the standard that there are. Named one by one, so that
// a later release of the library brings nothing in. There is no time: without a
// clock it is of little use, with time zones it reads files.
var functions = []string{
	operators.Conditional, operators.LogicalAnd, operators.LogicalOr, operators.LogicalNot, operators.NotStrictlyFalse,
	operators.Equals, operators.NotEquals, operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals,
	operators.Add, operators.Subtract, operators.Multiply, operators.Divide, operators.Modulo, operators.Negate,
	operators.Index, operators.In,
	overloads.Size, overloads.Contains, overloads.StartsWith, overloads.EndsWith, overloads.Matches,
	overloads.TypeConvertBool, overloads.TypeConvertInt, overloads.TypeConvertUint, overloads.TypeConvertDouble,
	overloads.TypeConvertString, overloads.TypeConvertDyn, overloads.TypeConvertType,
}

// names are the variables, and the types that type(x) is compared with.
var names = []string{"claims", "header", "bool", "int", "uint", "double", "string", "bytes", "list", "map", "null_type", "type"}

// macros are expanded by the parser.
var macros = []string{"has", "all", "exists", "exists_one", "map", "filter"}

// ours are the functions of strings.go.
var ours = []string{"lowerAscii", "upperAscii", "trim", "indexOf", "substring", "replace", "split", "join"}

// environment is what every expression is compiled in.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	standard := &env.LibrarySubset{}
	for _, name := range functions {
		standard.IncludeFunctions = append(standard.IncludeFunctions, env.NewFunction(name))
	}
	e, err := cel.NewCustomEnv(append([]cel.EnvOption{
		cel.StdLib(cel.StdLibSubset(standard)),
		cel.CustomTypeAdapter(adapter{}),
		cel.Variable("claims", cel.MapType(cel.StringType, cel.DynType)),
		cel.Variable("header", cel.MapType(cel.StringType, cel.DynType)),
		cel.ParserExpressionSizeLimit(MaxSize),
		cel.ParserRecursionLimit(maxDepth),
		cel.ParserErrorRecoveryLimit(4),
		cel.ExpressionNodeLimit(maxNodes),
		// For 1 == 1.0, and for a claim whose number may be either.
		cel.CrossTypeNumericComparisons(true),
	}, stringFunctions()...)...)
	if err != nil {
		return nil, fmt.Errorf("set up CEL: %w", err)
	}
	return e, nil
})
