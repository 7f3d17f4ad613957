package condition

import (
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// textCost counts the work of the functions on text that the library takes for
// one step each, although they go through the text character by character.
type textCost struct{}

// bytesPerStep is how much text is one step.
const bytesPerStep = 8

// CallCost is the cost of one call; nil leaves it to the library.
func (textCost) CallCost(function, _ string, args []ref.Val, result ref.Val) *uint64 {
	switch function {
	case "charAt", "indexOf", "lastIndexOf", "lowerAscii", "upperAscii", "split", "substring", "trim", "join", "strings.quote":
	default:
		return nil
	}
	size := textSize(result)
	for _, arg := range args {
		size += textSize(arg)
	}
	cost := 1 + uint64(size)/bytesPerStep
	return &cost
}

func textSize(v ref.Val) int {
	s, _ := v.(types.String)
	return len(s)
}
