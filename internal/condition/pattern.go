package condition

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"

	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
)

// Bounds of the patterns of matches.
const (
	maxPattern = 512     // bytes
	maxSteps   = 1000    // of the machines that the patterns of an expression are compiled to
	maxMatch   = 1 << 18 // steps times bytes of the text, of one call
	matchUnit  = 8       // of those, a unit of cost
	matchStart = 32      // units that a call costs besides: a machine may have to be made for it
)

// patterns are the regular expressions of one program, by their text.
type patterns map[string]pattern

type pattern struct {
	re    *regexp.Regexp
	steps int
}

// add compiles text, once it is known what that costs.
func (p patterns) add(text string) error {
	if _, ok := p[text]; ok {
		return nil
	}
	if len(text) > maxPattern {
		return fmt.Errorf("a pattern of %d bytes, it has at most %d", len(text), maxPattern)
	}
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		if err, ok := errors.AsType[*syntax.Error](err); ok {
			return fmt.Errorf("not a pattern of RE2: %s: %s", err.Code, show(err.Expr))
		}
		return errors.New("not a pattern of RE2")
	}
	steps := stepsOf(tree)
	if p.size()+steps > maxSteps {
		return fmt.Errorf("the patterns repeat too much: more than %d characters or classes, repetitions multiplied", maxSteps)
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return errors.New("not a pattern of RE2")
	}
	p[text] = pattern{re, steps}
	return nil
}

// stepsOf is about how many instructions the compiled tree has: x{1000} is
// written in seven bytes and is a thousand. A class is one instruction, but of
// many ranges if it is one of Unicode.
func stepsOf(tree *syntax.Regexp) int {
	steps := 0
	for _, sub := range tree.Sub {
		steps += stepsOf(sub)
	}
	switch tree.Op {
	case syntax.OpLiteral:
		steps = len(tree.Rune)
	case syntax.OpCharClass:
		steps = 1 + len(tree.Rune)/16
	case syntax.OpRepeat:
		steps = steps*max(1, tree.Min) + max(0, tree.Max-tree.Min)*(steps+1)
	default:
		steps++
	}
	return min(steps, 1<<20) // patterns are of 512 bytes: no sum of these overflows
}

// size is the steps of all of them.
func (p patterns) size() int {
	sum := 0
	for _, pattern := range p {
		sum += pattern.steps
	}
	return sum
}

// steps is the cost of matching one byte.
func (p patterns) steps(text ref.Val) int {
	s, _ := text.(types.String)
	return p[string(s)].steps
}

// decorate puts the compiled pattern in the place of one that would be compiled
// at each call.
func (p patterns) decorate(i interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
	call, ok := i.(interpreter.InterpretableCall)
	if !ok || call.Function() != overloads.Matches {
		return i, nil
	}
	return interpreter.NewCall(call.ID(), call.Function(), call.OverloadID(), call.Args(), p.match), nil
}

func (p patterns) match(args ...ref.Val) ref.Val {
	if len(args) != 2 {
		return types.WrapErr(ErrType)
	}
	s, isString := args[0].(types.String)
	text, _ := args[1].(types.String)
	pattern, ok := p[string(text)]
	switch {
	case !isString || !ok:
		return types.WrapErr(ErrType)
	case len(s)*pattern.steps > maxMatch:
		return tooCostly()
	}
	return types.Bool(pattern.re.MatchString(string(s)))
}
