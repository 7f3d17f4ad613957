package condition

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// adapter shows the library the values of a token as they are, each when it is
// looked at and not before.
type adapter struct{}

// NativeToValue gives a value of a token its CEL type. An integer that fits int
// is one, a larger one that fits uint is that, and one larger still is a string
// of its digits: none is ever rounded. Everything else that is a number is a
// double.
func (a adapter) NativeToValue(value any) ref.Val {
	switch v := value.(type) {
	case map[string]any:
		return types.NewStringInterfaceMap(a, v)
	case []any:
		return types.NewDynamicList(a, v)
	case json.Number:
		return number(v.String())
	}
	return types.DefaultTypeAdapter.NativeToValue(value)
}

func number(text string) ref.Val {
	if strings.ContainsAny(text, ".eE") {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil && !math.IsInf(f, 0) {
			return types.NewErr("no number")
		}
		return types.Double(f)
	}
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return types.Int(i)
	}
	if u, err := strconv.ParseUint(text, 10, 64); err == nil {
		return types.Uint(u)
	}
	return types.String(text)
}

// maxMembers bounds what an expression may give back, in values.
const maxMembers = 1024

// plain is a value in the shapes of a token's claims. left counts down.
func plain(value any, left *int, depth int) (any, error) {
	if *left--; *left < 0 || depth < 0 {
		return nil, ErrTooCostly
	}
	switch v := value.(type) {
	case types.Null:
		return nil, nil
	case types.Bool:
		return bool(v), nil
	case types.String:
		return string(v), nil
	case types.Int:
		return json.Number(strconv.FormatInt(int64(v), 10)), nil
	case types.Uint:
		return json.Number(strconv.FormatUint(uint64(v), 10)), nil
	case types.Double:
		b, err := json.Marshal(float64(v))
		if err != nil { // infinite, or no number at all
			return nil, ErrType
		}
		return json.Number(b), nil
	case traits.Mapper:
		object := map[string]any{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			key := it.Next()
			name, ok := key.(types.String)
			if !ok {
				return nil, ErrType
			}
			member, err := plain(v.Get(key), left, depth-1)
			if err != nil {
				return nil, err
			}
			object[string(name)] = member
		}
		return object, nil
	case traits.Lister:
		list := []any{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			member, err := plain(it.Next(), left, depth-1)
			if err != nil {
				return nil, err
			}
			list = append(list, member)
		}
		return list, nil
	}
	return nil, ErrType
}
