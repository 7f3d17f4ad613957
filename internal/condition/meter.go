package condition

import (
	"math"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"
)

// Bounds of an evaluation. One unit of cost is one step: a look-up, a literal, a
// call, or the handling of textUnit bytes or of one member of a list or map.
const (
	maxCost  = 50_000
	maxTree  = 16 << 10 // the size of any value, see size
	textUnit = 16       // bytes
	maxText  = maxTree * textUnit
)

// meter is what calls cost, in the place of the library's model, which takes a
// comparison for one step however much it compares, and the growth of a list for
// nothing. The library asks it after a call and stops where the sum exceeds
// maxCost; that one call is bounded too, because no value exceeds maxTree.
type meter struct{ patterns patterns }

// made is the name under which charge reports what is no call.
const made = "@made"

// CallCost implements cost.ActualCostEstimator.
func (m meter) CallCost(function, _ string, args []ref.Val, result ref.Val) *uint64 {
	cost := m.cost(function, args, result) + 1
	return &cost
}

func (m meter) cost(function string, args []ref.Val, result ref.Val) uint64 {
	switch function {
	case operators.LogicalNot, operators.NotStrictlyFalse, overloads.TypeConvertDyn, overloads.TypeConvertType:
		return 0
	case made:
		return bounded(result, 0)
	case operators.Equals, operators.NotEquals:
		return min(size(args[0]), size(args[1])) // each step takes one member of either
	case operators.In:
		if list, ok := args[1].(traits.Lister); ok {
			return size(list)
		}
		return size(args[0])
	case operators.Add:
		return costOfAdd(args, result)
	case overloads.Matches:
		return matchStart + uint64(len(text(args[0]))*m.patterns.steps(args[1]))/matchUnit
	case overloads.Contains, "indexOf", "split", "replace":
		// Looking for a text has bad cases of the product.
		return texts(args) + uint64(len(text(args[0]))*len(text(args[1])))/(textUnit*textUnit) + bounded(result, size(result))
	case "join":
		return size(args[0]) + bounded(result, size(result))
	default:
		return texts(args) + size(result)
	}
}

// costOfAdd knows that the lists that map and filter make grow in place. Other
// lists are copied, by charge.
func costOfAdd(args []ref.Val, result ref.Val) uint64 {
	if _, grows := args[0].(traits.MutableLister); grows {
		return 0
	}
	if list, ok := result.(traits.Lister); ok {
		n, _ := list.Size().(types.Int)
		return bounded(result, uint64(n))
	}
	return bounded(result, size(result))
}

// bounded is cost, or more than there is if v is greater than a value may be.
// Values are trees that may share branches, so that a few doublings make one that
// takes ages to compare.
func bounded(v ref.Val, cost uint64) uint64 {
	if size(v) > maxTree {
		return math.MaxUint64 / 2
	}
	return cost
}

// sizes counts members at every depth, shared ones as often as they are shared.
// Lists and maps remember their count.
var sizes = types.NewSizeCalculator(
	types.SizeCalculatorStringUnitLength(textUnit),
	types.SizeCalculatorMaxDepth(1<<10),
	types.SizeCalculatorMaxTraversal(2*maxTree),
)

func size(v ref.Val) uint64 {
	switch v := v.(type) {
	case types.String:
		return uint64(len(v) / textUnit)
	case traits.Lister, traits.Mapper:
		return uint64(sizes.AggregateSize(v)) // MaxUint32 for what is not worth counting
	default:
		return 0
	}
}

// texts is the size of the strings among args.
func texts(args []ref.Val) uint64 {
	var sum uint64
	for _, arg := range args {
		sum += uint64(len(text(arg)) / textUnit)
	}
	return sum
}

// charge makes the steps cost that the library gives away: literals, the logical
// operators, and the making of lists and maps.
func charge(i interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
	switch i := i.(type) {
	case interpreter.InterpretableAttribute:
		return i, nil // the library charges one per look-up
	case interpreter.InterpretableConst:
		return literal{i}, nil
	case interpreter.InterpretableCall:
		if i.Function() == operators.Add {
			return sum{i}, nil
		}
		return i, nil // meter charges it
	default:
		return step{i}, nil
	}
}

// literal is a literal in the text.
type literal struct{ interpreter.InterpretableConst }

// Exec implements interpreter.InterpretableV2.
func (l literal) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	frame.CostTracker().Qualify(l.ID()) // one
	return l.InterpretableConst.Exec(frame)
}

// Eval implements interpreter.Interpretable.
func (l literal) Eval(vars cel.Activation) ref.Val { return interpreter.EvalActivation(vars, l.Exec) }

// step is anything that is neither a look-up nor a literal nor a call.
type step struct{ interpreter.InterpretableV2 }

// Exec implements interpreter.InterpretableV2.
func (s step) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	v := s.InterpretableV2.Exec(frame)
	frame.CostTracker().EvalUnary(frame, s.ID(), s, v, v)
	return v
}

// Eval implements interpreter.Interpretable.
func (s step) Eval(vars cel.Activation) ref.Val { return interpreter.EvalActivation(vars, s.Exec) }

// Function and OverloadID implement cost.Call.
func (s step) Function() string { return made }

// OverloadID implements cost.Call.
func (s step) OverloadID() string { return "" }

// sum is an addition. Lists are copied, for the library only notes which two they
// are: in a list of hundreds of parts each look-up would walk them all.
type sum struct{ interpreter.InterpretableCall }

// Exec implements interpreter.InterpretableV2.
func (s sum) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	v := s.InterpretableCall.Exec(frame)
	list, ok := v.(traits.Lister)
	if _, grows := v.(traits.MutableLister); !ok || grows {
		return v
	}
	n, _ := list.Size().(types.Int)
	members := make([]ref.Val, 0, n)
	for it := list.Iterator(); it.HasNext() == types.True; {
		members = append(members, it.Next())
	}
	return types.NewRefValList(adapter{}, members)
}

// Eval implements interpreter.Interpretable.
func (s sum) Eval(vars cel.Activation) ref.Val { return interpreter.EvalActivation(vars, s.Exec) }
