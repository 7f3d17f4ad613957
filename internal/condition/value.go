package condition

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// adapter makes CEL values of JSON ones.
type adapter struct{}

// NativeToValue implements types.Adapter.
func (a adapter) NativeToValue(v any) ref.Val {
	switch v := v.(type) {
	case ref.Val:
		return v
	case string:
		return types.String(v)
	case json.Number:
		return number(v.String())
	case map[string]any:
		return newObject(v)
	case []any:
		list := make([]ref.Val, len(v))
		for i, member := range v {
			list[i] = a.NativeToValue(member)
		}
		return types.NewRefValList(a, list)
	default:
		return types.DefaultTypeAdapter.NativeToValue(v)
	}
}

// number is an int, else a uint, if text is an integer that fits; a double if it
// has a fraction or an exponent. What fits none of them is a string, as it is
// written: an identifier of 25 digits is compared by all of them, and what
// calculates with it fails instead of calculating with another number.
func number(text string) ref.Val {
	if strings.ContainsAny(text, ".eE") {
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			return types.Double(f)
		}
		return types.String(text)
	}
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return types.Int(i)
	}
	if u, err := strconv.ParseUint(text, 10, 64); err == nil {
		return types.Uint(u)
	}
	return types.String(text)
}

// object is a JSON object during one evaluation. Its members become CEL values
// when they are looked up, and stay that, so that a loop does not pay for them
// again; its names are gone through in their order, so that a result does not
// depend on chance.
type object struct {
	traits.Mapper // over raw, for what is not defined here
	raw           map[string]any
	members       map[string]ref.Val
	names         []ref.Val
	size          uint32
}

func newObject(raw map[string]any) *object {
	return &object{Mapper: types.NewStringInterfaceMap(adapter{}, raw), raw: raw}
}

// Find implements traits.Mapper.
func (o *object) Find(key ref.Val) (ref.Val, bool) {
	name, ok := key.(types.String)
	if !ok {
		return nil, false
	}
	if member, ok := o.members[string(name)]; ok {
		return member, true
	}
	value, ok := o.raw[string(name)]
	if !ok {
		return nil, false
	}
	member := adapter{}.NativeToValue(value)
	if o.members == nil {
		o.members = make(map[string]ref.Val)
	}
	o.members[string(name)] = member
	return member, true
}

// Get implements traits.Indexer.
func (o *object) Get(key ref.Val) ref.Val {
	if member, ok := o.Find(key); ok {
		return member
	}
	return types.WrapErr(ErrNoSuchKey)
}

// Contains implements traits.Container.
func (o *object) Contains(key ref.Val) ref.Val {
	name, ok := key.(types.String)
	_, has := o.raw[string(name)]
	return types.Bool(ok && has)
}

// Equal implements ref.Val.
func (o *object) Equal(other ref.Val) ref.Val {
	m, ok := other.(traits.Mapper)
	if !ok || m.Size() != o.Size() {
		return types.False
	}
	for name := range o.raw {
		mine, _ := o.Find(types.String(name))
		theirs, ok := m.Find(types.String(name))
		if !ok || types.Equal(mine, theirs) != types.True {
			return types.False
		}
	}
	return types.True
}

// Iterator implements traits.Iterable.
func (o *object) Iterator() traits.Iterator {
	if o.names == nil {
		for _, name := range slices.Sorted(maps.Keys(o.raw)) {
			o.names = append(o.names, types.String(name))
		}
	}
	return types.NewRefValList(adapter{}, o.names).Iterator()
}

// AggregateSize implements types.AggregateSizeVisitor.
func (o *object) AggregateSize(types.AggregateSizer) uint32 {
	if o.size == 0 {
		o.size = sizeOf(o.raw)
	}
	return o.size
}

func sizeOf(v any) uint32 {
	total := uint32(1)
	switch v := v.(type) {
	case string:
		total += uint32(len(v) / textUnit)
	case []any:
		for _, member := range v {
			total += sizeOf(member)
		}
	case map[string]any:
		for name, member := range v {
			total += 1 + uint32(len(name)/textUnit) + sizeOf(member)
		}
	}
	return total
}

// Bounds of the result of Value.
const (
	maxResult      = 32 << 10 // bytes, about, of its text
	maxResultDepth = 32       // as in a token
)

// toJSON is v as a JSON value. It takes its size from left.
func toJSON(v ref.Val, depth int, left *int) (any, error) {
	if *left -= 2; *left < 0 || depth > maxResultDepth {
		return nil, ErrTooCostly
	}
	switch v := v.(type) {
	case types.Null:
		return nil, nil //nolint:nilnil // null is a value
	case types.Bool:
		return bool(v), nil
	case types.Int:
		return json.Number(strconv.FormatInt(int64(v), 10)), nil
	case types.Uint:
		return json.Number(strconv.FormatUint(uint64(v), 10)), nil
	case types.Double:
		return double(float64(v))
	case types.String:
		return textToJSON(string(v), left)
	case *object:
		if *left -= int(sizeOf(v.raw)); *left < 0 {
			return nil, ErrTooCostly
		}
		return v.raw, nil
	case traits.Lister:
		return listToJSON(v, depth, left)
	case traits.Mapper:
		return mapToJSON(v, depth, left)
	}
	return nil, ErrType
}

// double never looks like an integer: 1e23 has lost digits, and no identifier is
// to be made of what is left.
func double(f float64) (any, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, ErrType
	}
	text := strconv.FormatFloat(f, 'g', -1, 64)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return json.Number(text), nil
}

func textToJSON(s string, left *int) (any, error) {
	if *left -= len(s); *left < 0 {
		return nil, ErrTooCostly
	}
	if !utf8.ValidString(s) {
		return nil, ErrType
	}
	return s, nil
}

func listToJSON(list traits.Lister, depth int, left *int) (any, error) {
	array := []any{}
	for it := list.Iterator(); it.HasNext() == types.True; {
		member, err := toJSON(it.Next(), depth+1, left)
		if err != nil {
			return nil, err
		}
		array = append(array, member)
	}
	return array, nil
}

func mapToJSON(m traits.Mapper, depth int, left *int) (any, error) {
	members := make(map[string]any)
	for it := m.Iterator(); it.HasNext() == types.True; {
		key := it.Next()
		name, ok := key.(types.String)
		if !ok {
			return nil, ErrType
		}
		if *left -= len(name); *left < 0 {
			return nil, ErrTooCostly
		}
		member, err := toJSON(m.Get(key), depth+1, left)
		if err != nil {
			return nil, err
		}
		members[string(name)] = member
	}
	return members, nil
}
