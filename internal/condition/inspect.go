package condition

import (
	"errors"
	"fmt"
	"slices"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
)

// inspect refuses what an expression could be expensive by before its types are
// even known, and compiles its patterns. It finds what is undeclared, too: the
// library searches its whole catalog for each.
func inspect(tree *ast.AST) (patterns, error) {
	in := inspector{info: tree.SourceInfo(), scope: make(map[string]int), patterns: patterns{}}
	for _, name := range names {
		in.scope[name]++
	}
	if err := in.walk(tree.Expr(), 0); err != nil {
		return nil, err
	}
	return in.patterns, nil
}

type inspector struct {
	info     *ast.SourceInfo
	scope    map[string]int // names → how many of them are in scope
	patterns patterns
	loops    int
}

// walk looks at e, which nesting loops go around.
func (in *inspector) walk(e ast.Expr, nesting int) error {
	switch e.Kind() {
	case ast.CallKind:
		return in.call(e, nesting)
	case ast.ComprehensionKind:
		return in.loop(e, nesting)
	case ast.IdentKind:
		if in.scope[e.AsIdent()] == 0 {
			return in.at(e, undeclared(e.AsIdent()))
		}
		return nil
	case ast.ListKind:
		return in.walkAll(e.AsList().Elements(), nesting)
	case ast.MapKind:
		return in.mapLiteral(e, nesting)
	case ast.SelectKind:
		return in.walk(e.AsSelect().Operand(), nesting)
	case ast.StructKind:
		return in.at(e, errors.New("there are no message types here"))
	default:
		return nil
	}
}

func (in *inspector) walkAll(list []ast.Expr, nesting int) error {
	for _, e := range list {
		if err := in.walk(e, nesting); err != nil {
			return err
		}
	}
	return nil
}

// call wants the pattern of matches written out. One that is computed would be
// compiled for every token, and whoever wrote the token could choose it.
func (in *inspector) call(e ast.Expr, nesting int) error {
	call := e.AsCall()
	args := call.Args()
	if !slices.Contains(functions, call.FunctionName()) && !slices.Contains(ours, call.FunctionName()) {
		return in.at(e, undeclared(call.FunctionName()))
	}
	if call.FunctionName() == overloads.Matches && len(args) > 0 {
		last := args[len(args)-1]
		var text types.String
		isText := last.Kind() == ast.LiteralKind
		if isText {
			text, isText = last.AsLiteral().(types.String)
		}
		if !isText {
			return in.at(last, errors.New("matches needs a pattern that is written out: a string, not something that gives one"))
		}
		if err := in.patterns.add(string(text)); err != nil {
			return in.at(last, err)
		}
	}
	if call.IsMemberFunction() {
		if err := in.walk(call.Target(), nesting); err != nil {
			return err
		}
	}
	return in.walkAll(args, nesting)
}

func (in *inspector) loop(e ast.Expr, nesting int) error {
	if in.loops++; in.loops > maxLoops {
		return in.at(e, fmt.Errorf("more than %d of all, exists, exists_one, map and filter", maxLoops))
	}
	if nesting == maxNesting {
		return in.at(e, fmt.Errorf("all, exists, exists_one, map and filter nest deeper than %d", maxNesting))
	}
	loop := e.AsComprehension()
	if err := in.walk(loop.IterRange(), nesting); err != nil {
		return err
	}
	in.scope[loop.IterVar()]++
	in.scope[loop.AccuVar()]++
	err := in.walkAll([]ast.Expr{loop.AccuInit(), loop.LoopCondition(), loop.LoopStep(), loop.Result()}, nesting+1)
	in.scope[loop.IterVar()]--
	in.scope[loop.AccuVar()]--
	return err
}

// mapLiteral wants keys that are written out, for the names of a JSON object are.
// With others a chain of map() doubles the type of its result at each link, and
// the checker with it.
func (in *inspector) mapLiteral(e ast.Expr, nesting int) error {
	for _, entry := range e.AsMap().Entries() {
		member := entry.AsMapEntry()
		if key := member.Key(); key.Kind() != ast.LiteralKind || key.AsLiteral().Type() != types.StringType {
			return in.at(key, errors.New("a key of a map is a string that is written out"))
		}
		if err := in.walk(member.Value(), nesting); err != nil {
			return err
		}
	}
	return nil
}

// at says where e stands.
func (in *inspector) at(e ast.Expr, err error) error {
	return errors.New(issue(in.info.GetStartLocation(e.ID()), err.Error()))
}
