package condition

import (
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// stringFunctions are the harmless ones of CEL's strings extension, by the same
// names and meanings. They are ours because those of the library are free to make
// any amount of text: "".replace("", s) is as long as the square of s.
func stringFunctions() []cel.EnvOption {
	s, i, list := cel.StringType, cel.IntType, cel.ListType(cel.StringType)
	member := func(name, id string, args []*cel.Type, result *cel.Type, f func(args ...ref.Val) ref.Val) cel.EnvOption {
		return cel.Function(name, cel.MemberOverload(id, args, result, cel.FunctionBinding(f)))
	}
	return []cel.EnvOption{
		member("lowerAscii", "string_lower_ascii", []*cel.Type{s}, s, func(args ...ref.Val) ref.Val { return mapASCII(args[0], 'A', 'Z') }),
		member("upperAscii", "string_upper_ascii", []*cel.Type{s}, s, func(args ...ref.Val) ref.Val { return mapASCII(args[0], 'a', 'z') }),
		member("trim", "string_trim", []*cel.Type{s}, s, func(args ...ref.Val) ref.Val { return types.String(strings.TrimSpace(text(args[0]))) }),
		member("indexOf", "string_index_of_string", []*cel.Type{s, s}, i, func(args ...ref.Val) ref.Val { return indexOf(text(args[0]), text(args[1])) }),
		member("substring", "string_substring_int", []*cel.Type{s, i}, s, func(args ...ref.Val) ref.Val {
			return substring(text(args[0]), args[1])
		}),
		member("substring", "string_substring_int_int", []*cel.Type{s, i, i}, s, func(args ...ref.Val) ref.Val {
			return substring(text(args[0]), args[1], args[2])
		}),
		member("replace", "string_replace_string_string", []*cel.Type{s, s, s}, s, func(args ...ref.Val) ref.Val {
			return replace(text(args[0]), text(args[1]), text(args[2]))
		}),
		member("split", "string_split_string", []*cel.Type{s, s}, list, func(args ...ref.Val) ref.Val { return split(text(args[0]), text(args[1])) }),
		member("join", "list_join", []*cel.Type{list}, s, func(args ...ref.Val) ref.Val { return join(args[0], "") }),
		member("join", "list_join_string", []*cel.Type{list, s}, s, func(args ...ref.Val) ref.Val { return join(args[0], text(args[1])) }),
	}
}

// text is what a string value holds, "" for another: the library has compared
// the types before it calls.
func text(v ref.Val) string {
	s, _ := v.(types.String)
	return string(s)
}

func tooCostly() ref.Val { return types.WrapErr(ErrTooCostly) }

func mapASCII(v ref.Val, from, to rune) ref.Val {
	return types.String(strings.Map(func(r rune) rune {
		if from <= r && r <= to {
			return r ^ 0x20
		}
		return r
	}, text(v)))
}

// indexOf counts in characters, as CEL does; -1 if there is none.
func indexOf(s, sub string) ref.Val {
	at := strings.Index(s, sub)
	if at < 0 {
		return types.Int(-1)
	}
	return types.Int(utf8.RuneCountInString(s[:at]))
}

// substring cuts s at two places, counted in characters, or at one and its end.
func substring(s string, places ...ref.Val) ref.Val {
	characters := []rune(s)
	cut := []types.Int{0, types.Int(len(characters))}
	for i, place := range places {
		cut[i], _ = place.(types.Int)
	}
	if cut[0] < 0 || cut[0] > cut[1] || cut[1] > types.Int(len(characters)) {
		return types.WrapErr(ErrFailed)
	}
	return types.String(characters[cut[0]:cut[1]])
}

// replace makes no text that would be refused once it is there.
func replace(s, old, with string) ref.Val {
	if len(s)+strings.Count(s, old)*max(0, len(with)-len(old)) > maxText {
		return tooCostly()
	}
	return types.String(strings.ReplaceAll(s, old, with))
}

func split(s, separator string) ref.Val {
	if strings.Count(s, separator) > maxTree {
		return tooCostly()
	}
	parts := strings.Split(s, separator)
	list := make([]ref.Val, len(parts))
	for i, part := range parts {
		list[i] = types.String(part)
	}
	return types.NewRefValList(adapter{}, list)
}

func join(v ref.Val, separator string) ref.Val {
	list, ok := v.(traits.Lister)
	if !ok {
		return types.WrapErr(ErrType)
	}
	var b strings.Builder
	for i, it := 0, list.Iterator(); it.HasNext() == types.True; i++ {
		part, ok := it.Next().(types.String)
		if !ok {
			return types.WrapErr(ErrType)
		}
		if i > 0 {
			b.WriteString(separator)
		}
		b.WriteString(string(part))
		if b.Len() > maxText {
			return tooCostly()
		}
	}
	return types.String(b.String())
}
